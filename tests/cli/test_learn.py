"""nm-learn, as a user meets it: what it refuses, what it leaves out, and what it writes."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, resample_poly, sosfilt

from neural_mastering.cli.invocation import invoke_command
from neural_mastering.cli.learn import app
from neural_mastering.cli.master import invoke as invoke_master
from neural_mastering.learning import pairs as pairs_module
from neural_mastering.learning.words import percent

RATE = 32_000


def put(root: Path, name: str, seed: int, gain: float = 2.0, rate: int = RATE) -> None:
    """A song of 5 s: noise with a beat; the master is louder and denser."""
    rng = np.random.default_rng(seed)
    beat = np.repeat(rng.uniform(0.1, 1.0, 50), rate // 10)[:, None]
    song = 0.08 * rng.standard_normal((5 * rate, 2)) * beat
    for side, audio in (("unmastered", song), ("mastered", 0.5 * np.tanh(gain * 2.0 * song))):
        (root / side).mkdir(parents=True, exist_ok=True)
        soundfile.write(root / side / f"{name}.wav", audio, rate, subtype="PCM_24")


pytestmark = pytest.mark.xdist_group("learned engineer")  # what all of them need is made once


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("my pairs")
    for i in range(4):
        put(root, f"söng {i}", i)
    return root


def learn(*arguments: str | Path) -> int:
    return invoke_command(
        app, "nm-learn", [*map(str, arguments), "--jobs", "1", "learning.listening_songs=0"]
    )


def test_four_pairs_give_the_average_and_a_broken_one_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = tmp_path / "pairs", tmp_path / "out"
    shutil.copytree(folder, root)
    (root / "mastered" / "broken.wav").write_bytes(b"no audio")
    (root / "unmastered" / "broken.wav").write_bytes(b"no audio")
    silent = np.zeros((5 * RATE, 2))
    put(root, "silent", 9)
    soundfile.write(root / "mastered" / "silent.wav", silent, RATE)
    (root / "unmastered" / "söng 9.wav").write_bytes((root / "unmastered" / "söng 0.wav").read_bytes())
    assert learn(root, "-o", out) == 0
    said = capsys.readouterr()
    for text in ("broken was left out", "silent was left out", "söng 9 was left out", "average of what the"):
        assert text in said.err, text
    content = json.loads((out / "model.json").read_text())
    assert content["about"]["pairs"] == 4
    page = (out / "report.html").read_text()
    assert "söng 9" in page and "What this engineer does" in page
    assert "learned engineer" in (out / "MODEL_CARD.md").read_text()
    # a second run measures nothing again and writes the same file
    before = (out / "model.json").read_bytes()

    def fail(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(pairs_module, "audit_pair", fail)
    assert learn(root, "-o", out) == 0
    assert (out / "model.json").read_bytes() == before
    _master_without_torch(root / "unmastered" / "söng 0.wav", out, tmp_path)


def _master_without_torch(mix: Path, model: Path, folder: Path) -> None:
    """nm-master with the engineer, in a process that never imports torch."""
    code = (
        "import sys\n"
        "from neural_mastering.rendering.options import Options\n"
        "from neural_mastering.rendering.pipeline import master\n"
        f"r = master({str(mix)!r}, {str(folder / 'm.wav')!r}, Options(model={str(model)!r}))\n"
        "print(r.tone.origin.kind, r.target.name, round(r.target.lufs, 2), round(r.result.lufs, 2))\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kind, *_, asked, reached = done.stdout.split()
    assert kind == "engineer" and abs(float(asked) - float(reached)) < 0.2


def test_too_few_pairs_are_refused_and_nothing_is_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = tmp_path / "pairs", tmp_path / "out"
    for side in ("unmastered", "mastered"):
        (root / side).mkdir(parents=True)
        for i in range(2):
            shutil.copy(folder / side / f"söng {i}.wav", root / side)
    assert learn(root, "-o", out) == 2
    assert "2 of 2 pairs can be used: expected 3 or more" in capsys.readouterr().err
    assert not (out / "model.json").exists()


def test_exchanged_folders_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "pairs"
    for one, other in (("unmastered", "mastered"), ("mastered", "unmastered")):
        shutil.copytree(folder / one, root / other)
    assert learn(root, "-o", tmp_path / "out") == 2
    assert "seem exchanged" in capsys.readouterr().err


def _write(root: Path, side: str, name: str, audio: np.ndarray, rate: int = RATE) -> None:
    (root / side).mkdir(parents=True, exist_ok=True)
    soundfile.write(root / side / f"{name}.wav", audio, rate, subtype="PCM_24")


def test_rates_lengths_and_channels_may_differ_between_the_sides(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What does no harm is measured as it is without; mono against stereo is named and left out."""
    root = tmp_path / "pairs"
    shutil.copytree(folder, root)
    master, _ = soundfile.read(folder / "mastered" / "söng 1.wav")
    _write(root, "mastered", "söng 1", resample_poly(master, 3, 2), 3 * RATE // 2)
    late = np.concatenate([np.zeros((RATE // 2, 2)), master])
    _write(root, "mastered", "söng 2", np.concatenate([late[: RATE // 2], _audio(folder, "mastered", 2)]))
    for side in ("unmastered", "mastered"):
        _write(root, side, "söng 3", _audio(folder, side, 3)[:, :1])
    _write(root, "mastered", "söng 0", _audio(folder, "mastered", 0)[:, 0])
    out = tmp_path / "out"
    assert learn(root, "-o", out) == 0
    assert "söng 0 was left out: " in capsys.readouterr().err
    plain = tmp_path / "plain"
    assert learn(folder, "-o", plain) == 0
    found, expected = (_moves(each) for each in (out, plain))
    assert set(found) == {"söng 1", "söng 2", "söng 3"}
    for name in ("söng 1", "söng 2"):
        apart = np.abs(np.array(found[name]) - np.array(expected[name]))
        assert apart[5:-3].max() < 0.3, (
            name
        )  # from 80 Hz: 5 s hold little below; the resampler ends at the top


def _audio(folder: Path, side: str, number: int) -> np.ndarray:
    return soundfile.read(folder / side / f"söng {number}.wav")[0]


def _moves(out: Path) -> dict[str, list[float]]:
    records = [json.loads(file.read_text()) for file in (out / "pairs").glob("*.json")]
    measured = [record["measurement"] for record in records if record["measurement"]]
    return {each["name"]: each["move"]["curve_db"] for each in measured}


def test_three_pairs_of_one_group_give_an_average_that_is_not_tested(folder: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "pairs", tmp_path / "out"
    for side in ("unmastered", "mastered"):
        (root / side).mkdir(parents=True)
        for i in range(3):
            shutil.copy(folder / side / f"söng {i}.wav", root / side)
    (root / "manifest.csv").write_text("file,group\n" + "".join(f"söng {i}.wav,album\n" for i in range(3)))
    assert learn(root, "-o", out) == 0
    about = json.loads((out / "model.json").read_text())["about"]
    assert about["groups"] == 1 and "validation" not in about
    assert "this was not tested" in (out / "report.html").read_text()


@pytest.mark.slow
def test_contradictory_pairs_give_the_average_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out, rng = tmp_path / "pairs", tmp_path / "out", np.random.default_rng(3)
    for i in range(12):
        put(root, f"song {i}", 100 + i, 0.1)
        tilt = butter(1, 1_000.0, "low", fs=RATE, output="sos")
        song = soundfile.read(root / "unmastered" / f"song {i}.wav")[0]
        low = sosfilt(tilt, song, axis=0)
        _write(root, "mastered", f"song {i}", song + float(rng.uniform(-0.6, 1.5)) * np.asarray(low))
    assert learn(root, "-o", out) == 0
    assert "the average is about the best that can be done" in capsys.readouterr().err
    assert json.loads((out / "model.json").read_text())["engineer"]["scores"] == []


def test_a_run_that_was_killed_goes_on(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill −9 after the first measurement: what was measured is not measured again, and the model is the same."""
    out, whole = tmp_path / "out", tmp_path / "whole"
    command = [sys.executable, "-m", "neural_mastering.cli.learn", str(folder), "-o", str(out), "--jobs", "1"]
    process = subprocess.Popen([*command, "learning.listening_songs=0"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240.0
    while not list((out / "pairs").glob("*.json")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not (out / "model.json").exists()
    kept = {file: file.stat().st_mtime_ns for file in (out / "pairs").glob("*.json")}
    assert learn(folder, "-o", whole) == 0
    assert learn(folder, "-o", out) == 0
    assert kept and all(file.stat().st_mtime_ns == time_ns for file, time_ns in kept.items())
    assert (out / "model.json").read_bytes() == (whole / "model.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nowhere", "-o", "out"), "there is no data folder"),
        (
            (".", "-o", "out", "learning.fold=3"),
            "there is no setting learning.fold: did you mean learning.folds?",
        ),
        ((".", "-o", "out", "trainer.max_epochs=3"), "expected learning.NAME=VALUE"),
        ((".", "-o", "out", "learning.folds=many"), "whole number"),
    ],
)
def test_mistakes_are_explained_in_one_line(
    arguments: tuple[str, ...],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke_command(app, "nm-learn", list(arguments)) == 2
    said = capsys.readouterr().err
    assert expected in said and len(said.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_model_is_refused_with_what_was_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.json").write_text("{}")
    soundfile.write(tmp_path / "mix.wav", np.random.default_rng(0).standard_normal((RATE, 2)) * 0.1, RATE)
    arguments = [tmp_path / "mix.wav", "-o", tmp_path / "m.wav", "--model", tmp_path]
    assert invoke_master([str(each) for each in arguments]) == 2
    assert "the folder of nm-learn with model.json" in capsys.readouterr().err
    assert not (tmp_path / "m.wav").exists()


@pytest.mark.parametrize(
    ("share", "text"), [(0.634, "63 %"), (-0.0004, "0 %"), (-0.17, "−17 %"), (-47.6, "below −100 %")]
)
def test_shares_are_printed_for_reading(share: float, text: str) -> None:
    assert percent(share) == text
