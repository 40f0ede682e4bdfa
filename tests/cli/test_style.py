"""nm-style from the command line: what it writes, what it says, what it refuses."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from nm_test_signals import heed_interrupts

from neural_mastering.cli.style import invoke
from neural_mastering.rendering import suggest
from neural_mastering.styles.style_file import load_style

RATE = 22_050
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run nm-style; exit code, output, errors."""

    def call(*arguments: object) -> tuple[int, str, str]:
        code = invoke([str(a) for a in arguments])
        done = capsys.readouterr()
        return code, done.out, done.err

    return call


def _song(seed: int, seconds: float = 4.0, rate: int = RATE, channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((round(seconds * rate), channels))
    return 0.05 * (np.cumsum(noise, axis=0) * 0.01 + noise) * rng.uniform(0.2, 1.0, (1, channels))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three songs, one of them twice."""
    root = tmp_path_factory.mktemp("my masters")
    for seed in range(3):
        soundfile.write(root / f"söng {seed}.wav", _song(seed), RATE)
    soundfile.write(root / "again.flac", 0.5 * _song(0), RATE)
    return root


def test_learn_show_compare(folder: Path, tmp_path: Path, run: Run) -> None:
    style = tmp_path / "mine.json"
    code, out, err = run("learn", folder, "-o", style, "--jobs", 1)
    assert code == 0 and "wrote" in out and "mine, 3 songs" in out
    assert "again.flac is left out: the same song" in err or "the same song as again.flac" in err
    assert load_style(style).songs == 3 and str(folder) not in style.read_text()
    code, out, _ = run("show", style)
    assert code == 0 and "mine: 3 songs" in out and "1000 Hz" in out
    plot = tmp_path / "plots"
    song = folder / "söng 1.wav"
    code, out, err = run("compare", song, "--style", style, "--plot", plot, "--json", tmp_path / "c.json")
    assert code == 0 and "presence" in out and "only 4 s long" in err
    assert (plot / "söng 1_mine.png").read_bytes().startswith(b"\x89PNG")
    written = json.loads((tmp_path / "c.json").read_text())
    assert {"regions", "numbers", "bands", "notes"} <= set(written) and written["style"]["songs"] == 3
    code, out, _ = run("compare", song, "-s", style, "--json", "-")
    assert code == 0 and json.loads(out) == written
    assert run("compare", song, "-s", style, "-q")[:2] == (0, "")


def test_without_a_style_the_song_is_compared_with_songs_like_it(
    folder: Path, tmp_path: Path, run: Run
) -> None:
    """The levels expected are those from which nm-master's default starts, turned to equal loudness."""
    song = tmp_path / "a song.wav"
    soundfile.write(song, _song(7, 12.0, 44_100), 44_100)
    code, out, _ = run("compare", song, "--plot", tmp_path)
    assert code == 0 and "beside songs like this" in out and "kind of music, by content" in out
    assert (tmp_path / "a song_auto.png").exists()
    found = json.loads(run("compare", song, "--json", "-")[1])
    assert json.loads(run("compare", song, "--style", "AUTO", "--json", "-")[1]) == found
    assert sum(found["kinds"].values()) == pytest.approx(1.0, abs=0.01) and found["numbers"] == []
    normal = suggest(song, style="auto").move
    assert normal is not None and normal.normal is not None
    known = normal.known & normal.normal.known
    usual = np.array([band["usual_db"] for band in found["bands"]], dtype=float)[known]
    np.testing.assert_allclose(usual - usual.mean(), _mean_free(normal.normal.mean[known]), atol=0.011)
    short = json.loads(run("compare", folder / "söng 0.wav", "--json", "-")[1])
    assert short["style"]["name"] == "all music" and short["kinds"] == {}
    assert "content_unknown" in [note["kind"] for note in short["notes"]]


def _mean_free(levels: np.ndarray) -> np.ndarray:
    return levels - levels.mean()


def test_two_processes_learn_what_one_learns(folder: Path, tmp_path: Path, run: Run) -> None:
    for jobs in (1, 2):
        assert (
            run("learn", folder, "-o", tmp_path / f"{jobs}.json", "--jobs", jobs, "--name", "x", "-q")[0] == 0
        )
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


def test_bundled_styles_are_listed_and_compared_with(folder: Path, run: Run) -> None:
    code, out, _ = run("list")
    assert code == 0 and all(name in out for name in ("rock", "general", "classical"))
    code, out, _ = run("compare", folder / "söng 0.wav", "--style", "rock")
    assert code == 0 and "beside rock" in out
    assert "Elowsson" in run("show", "pop")[1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: np.zeros((4 * RATE, 2)), "silent"),
        (lambda: _song(0, 1.0), "only 1.0 s long"),
    ],
)
def test_songs_that_are_no_songs(make: Callable, message: str, tmp_path: Path, run: Run) -> None:
    soundfile.write(tmp_path / "a.wav", make(), RATE)
    code, _, err = run("learn", tmp_path / "a.wav", "-o", tmp_path / "x.json")
    assert code == 2 and message in err and not (tmp_path / "x.json").exists() and err.count("\n") == 1
    code, _, err = run("compare", tmp_path / "a.wav", "--style", "rock")
    assert code == 2 and message in err and err.count("\n") == 1


def test_one_mono_song_of_3_seconds_of_speech_rate(tmp_path: Path, run: Run) -> None:
    soundfile.write(tmp_path / "speech.wav", _song(0, 3.0, 8_000, 1), 8_000)
    code, _, err = run("learn", tmp_path / "speech.wav", "-o", tmp_path / "speech.json")
    assert code == 0
    for message in (
        "only 1 song",
        "mono; they",
        "below 32 kHz",
        "shorter than 30 s",
        "nothing is said there",
    ):
        assert message in err
    style = load_style(tmp_path / "speech.json")
    assert style.side_db is None and not style.tone.known[-7:].any()
    assert np.isfinite(style.tone.mean).all() and np.isfinite(style.tone.covariance).all()
    code, out, _ = run("compare", tmp_path / "speech.wav", "--style", tmp_path / "speech.json")
    assert code == 0 and "treble" not in out and "all of it is as usual" in out


def test_a_folder_with_broken_files(folder: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "broken.mp3").write_bytes(b"no music")
    (tmp_path / "empty.wav").write_bytes(b"")
    code, _, err = run("learn", tmp_path, "-o", tmp_path / "x.json", "--jobs", 1)
    assert code == 2 and "none of 2 files can be read" in err
    soundfile.write(tmp_path / "good.wav", _song(5), RATE)
    code, out, err = run("learn", tmp_path, "-o", tmp_path / "x.json", "--jobs", 1)
    assert code == 0 and "x, 1 song" in out and err.count("can't be read") + err.count("is empty") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["learn", "nowhere", "-o", "x.json"], "does not exist"),
        (["learn", ".", "-o", "x.json"], "no audio files"),
        (["learn", ".", "-o", "x.txt"], "ends in .json"),
        (["learn", ".", "-o", "there.json"], "--overwrite"),
        (["learn", ".", "-o", "no/folder/x.json"], "there is no folder"),
        (["learn", "."], "-o"),
        (["show", "rokc"], "did you mean rock"),
        (["show", "there.json"], "not a style"),
        (["compare", "nowhere.wav", "--style", "rock"], "does not exist"),
        (["compare", "there.json", "--style", "rock"], "can't be read as audio"),
        (["compare", "song.wav"], "does not exist"),
        (["compare", "there.json", "--style", "auto"], "can't be read as audio"),
        (["show", "auto"], "nm-style compare SONG"),
        (["compare", "song.wav", "--style", "rock", "--plot", "x.jpg"], "ends in .png"),
        (["compare", "song.wav", "--style", "rock", "--json", "."], "is a folder"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.json").write_text("{}")
    code, out, err = run(*arguments)
    assert code == 2 and message in err and err.startswith("nm-style: ") and err.count("\n") == 1 and not out
    assert _names(tmp_path) == ["there.json"] and (tmp_path / "there.json").read_text() == "{}"


def test_help_starts_without_heavy_imports() -> None:
    code = (
        "import sys\nfrom neural_mastering.cli.style import invoke\ncode = invoke(['learn', '--help'])\n"
        "print([m for m in ('numpy', 'numba', 'torch', 'scipy', 'matplotlib') if m in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[] 0") and "--jobs" in done.stdout


@pytest.mark.parametrize("style", ["rock", "auto"])
def test_compare_never_loads_torch(folder: Path, style: str) -> None:
    code = (
        "import sys\nfrom neural_mastering.cli.style import invoke\n"
        f"code = invoke(['compare', {str(folder / 'söng 0.wav')!r}, '--style', {style!r}, '-q'])\n"
        "print([m for m in ('torch', 'matplotlib') if m in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] 0"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_stops_and_leaves_nothing(jobs: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "0.wav", np.tile(_song(0, 5.0), (60, 1)), RATE)
    for copy in range(1, 6):
        (tmp_path / f"{copy}.wav").hardlink_to(tmp_path / "0.wav")
    code = (
        "import sys\nfrom neural_mastering.cli import style\n"
        "if __name__ == '__main__':\n"  # workers import this file, too
        "    style.listen_to_signals()\n    print('ready', flush=True)\n"
        "    sys.exit(style.invoke(sys.argv[1:]))\n"
    )
    (tmp_path / "run.py").write_text(code)
    before = _names(tmp_path)
    command = [sys.executable, str(tmp_path / "run.py"), "learn", str(tmp_path), "-o"]
    command += [str(tmp_path / "x.json"), "--jobs", jobs]
    started = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert started.stdout is not None and started.stdout.readline() == "ready\n"
    time.sleep(1.0)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=20)
    assert started.returncode == 130 and "stopped" in err and "Traceback" not in err
    assert _names(tmp_path) == before
