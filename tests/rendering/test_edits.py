"""What is done on request: trim, fades, bass to the middle, two loudspeakers, only lower."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfilt, sosfreqz

from neural_mastering.cli.master import invoke
from neural_mastering.controls import load_controls

RATE = 44_100
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def master(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        code = invoke([*map(str, arguments), "--model", "none"])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return master


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """1 s of silence with a click, 3 s of noise, 4 s of silence."""
    rng = np.random.default_rng(2)
    audio = np.zeros((8 * RATE, 2))
    audio[RATE : 4 * RATE] = 0.05 * rng.standard_normal((3 * RATE, 2))
    audio[4_000:4_020] = 0.2
    soundfile.write(tmp_path / "song.wav", audio, RATE, subtype="PCM_24")
    return tmp_path / "song.wav"


def test_nothing_is_cut_by_default_but_said(song: Path, run: Run, tmp_path: Path) -> None:
    code, said = run(song, "-o", tmp_path / "out.wav", "--json", tmp_path / "n.json")
    assert code == 0 and soundfile.info(tmp_path / "out.wav").frames == 8 * RATE
    assert "1.00 s without music at the beginning" in said and "4.00 s without music at the end" in said
    assert "a click of -14 dBFS at 0.090 s" in said
    found = json.loads((tmp_path / "n.json").read_text())["inspection"]
    assert found["leading_s"] == pytest.approx(1.0, abs=0.002) and len(found["clicks"]) == 1


def test_trim_leaves_the_music_alone(song: Path, run: Run, tmp_path: Path) -> None:
    code, _ = run(song, "-o", tmp_path / "out.wav", "--trim", "--target", "keep", "--ceiling", "off")
    assert code == 0
    out, source = soundfile.read(tmp_path / "out.wav")[0], soundfile.read(song)[0]
    assert len(out) == pytest.approx(3 * RATE, abs=90)
    start = int(np.flatnonzero((source == out[200]).all(axis=1))[0]) - 200
    assert np.array_equal(out, source[start : start + len(out)])


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_fades_have_their_lengths_and_ends(rate: int, song: Path, run: Run, tmp_path: Path) -> None:
    keep = ("--target", "keep", "--ceiling", "off", "--trim", "--sample-rate", rate)
    assert run(song, "-o", tmp_path / "plain.wav", *keep)[0] == 0
    fades = ("--fade-in", "0.5:linear", "--fade-out", "1:cosine")
    code, said = run(song, "-o", tmp_path / "out.wav", *keep, *fades)
    assert code == 0 and "Faded in over 0.5 s (linear)" in said
    plain, out = (soundfile.read(tmp_path / name)[0] for name in ("plain.wav", "out.wav"))
    # --target keep raises it to the loudness of the source again: one factor
    middle = slice(round(0.6 * rate), round(1.9 * rate))
    factor = (out[middle] * plain[middle]).sum() / np.square(plain[middle]).sum()
    left = (len(out) - 1 - np.arange(len(out))) / rate
    gain = np.clip(np.arange(len(out)) / (0.5 * rate), 0, 1) * (
        0.5 - 0.5 * np.cos(np.pi * np.clip(left, 0, 1))
    )
    tolerance = 2**-21 if rate == RATE else 3e-4  # conversion comes behind the fade
    assert np.abs(out - factor * gain[:, None] * plain).max() < tolerance
    assert np.abs(out[0]).max() < 1e-4 and np.abs(out[-1]).max() < 1e-4


@pytest.mark.parametrize(
    "arguments",
    [
        ("--fade-in", "x"),
        ("--fade-in", "0"),
        ("--fade-out", "-1"),
        ("--fade-out", "1:square"),
        ("--fade-out", "9"),
        ("--bass-mono", "5000"),
        ("--bass-mono", "nan"),
        ("--bass-mono", "100", "--skip", "stereo"),
        ("--album-gap", "1"),
    ],
)
def test_nonsense_gets_one_line(arguments: tuple[str, ...], song: Path, run: Run, tmp_path: Path) -> None:
    code, said = run(song, "-o", tmp_path / "out.wav", *arguments)
    assert code == 2 and said.startswith("nm-master: ") and len(said.splitlines()) == 1
    assert not (tmp_path / "out.wav").exists()


def test_bass_mono_is_a_butterworth_high_pass_of_the_side(run: Run, tmp_path: Path) -> None:
    """The side by the closed form, the mid untouched, and the controls that were saved do the same."""
    audio = 0.1 * np.random.default_rng(3).standard_normal((4 * RATE, 2))
    soundfile.write(tmp_path / "wide.wav", audio, RATE, subtype="DOUBLE")
    keep = ("--target", "-40", "--bits", "32f", "--skip", "limiter,peak_control,dc_removal")
    code, said = run(
        *(tmp_path / "wide.wav", "-o", tmp_path / "out.wav", *keep),
        *("--bass-mono", "150", "--save-controls", tmp_path / "c.yaml"),
    )
    assert code == 0 and "bass below 150 Hz" in said
    out = soundfile.read(tmp_path / "out.wav")[0]
    factor = out.sum(axis=1) @ audio.sum(axis=1) / np.square(audio.sum(axis=1)).sum()
    assert np.allclose(out.sum(axis=1), factor * audio.sum(axis=1), atol=1e-6)
    sections = butter(2, 150, "high", fs=RATE, output="sos")
    expected = sosfilt(sections, audio[:, 0] - audio[:, 1])
    assert np.abs((out[:, 0] - out[:, 1]) / factor - expected).max() < 2e-5
    response: Any = sosfreqz(sections, [75], fs=RATE)[1]
    assert abs(response[0]) < 0.25
    stage = load_controls(tmp_path / "c.yaml").stages["stereo"]
    assert stage["bass_frequency_hz"] == 150.0 and stage["bass_amount"] == 1.0
    code, _ = run(
        tmp_path / "wide.wav", "-o", tmp_path / "again.wav", *keep, "--controls", tmp_path / "c.yaml"
    )
    assert code == 0 and np.array_equal(soundfile.read(tmp_path / "again.wav")[0], out)


def test_the_remedy_for_a_bass_that_cancels(run: Run, tmp_path: Path) -> None:
    """What the warning offers takes the warning away."""
    noise = np.random.default_rng(4).standard_normal(4 * RATE)
    low = np.asarray(sosfilt(butter(2, [60, 120], "bandpass", fs=RATE, output="sos"), noise))
    wide = 0.02 * np.random.default_rng(5).standard_normal((4 * RATE, 2))
    soundfile.write(tmp_path / "a.wav", wide + np.stack([low, -0.8 * low], axis=1), RATE, subtype="PCM_24")
    code, said = run(tmp_path / "a.wav", "-o", tmp_path / "b.wav")
    assert code == 0 and "in mono, " in said
    corner = said.split("--bass-mono ")[1].split()[0]
    assert run(tmp_path / "a.wav", "-o", tmp_path / "c.wav", "--bass-mono", corner)[0] == 0
    before_db = float(_worst(tmp_path / "a.wav", run, tmp_path))
    after_db = float(_worst(tmp_path / "c.wav", run, tmp_path))
    assert before_db < -15 and after_db > before_db + 6


def _worst(path: Path, run: Run, folder: Path) -> float:
    run(path, "-o", folder / "x.wav", "--json", folder / "x.json", "--overwrite")
    bands = json.loads((folder / "x.json").read_text())["inspection"]["stereo"]
    return min(value for value in bands["fold_down_db"] if value is not None)


def test_two_loudspeakers_are_3_lu_louder(run: Run, tmp_path: Path) -> None:
    """The mono file, put on both channels, measures the target."""
    mono = 0.02 * np.random.default_rng(6).standard_normal(4 * RATE)
    soundfile.write(tmp_path / "mono.wav", mono, RATE, subtype="PCM_24")
    lufs = {}
    for flag in ([], ["--dual-mono"]):
        code, _ = run(
            tmp_path / "mono.wav", "-o", tmp_path / "m.wav", "--target", "-20", "--overwrite", *flag
        )
        assert code == 0
        both = np.repeat(soundfile.read(tmp_path / "m.wav")[0][:, None], 2, axis=1)
        soundfile.write(tmp_path / "both.wav", both, RATE, subtype="PCM_24")
        run(tmp_path / "both.wav", "-o", tmp_path / "x.wav", "--json", tmp_path / "x.json", "--overwrite")
        lufs[bool(flag)] = json.loads((tmp_path / "x.json").read_text())["input"]["lufs"]
    assert lufs[True] == pytest.approx(-20.0, abs=0.1)
    assert lufs[False] == pytest.approx(-16.99, abs=0.1)


@pytest.mark.parametrize(("target", "expected"), [("-30", -30.0), ("-10", None)])
def test_only_lower(target: str, expected: float | None, song: Path, run: Run, tmp_path: Path) -> None:
    code, said = run(
        song, "-o", tmp_path / "out.wav", "--target", target, "--lower-only", "--json", tmp_path / "n.json"
    )
    numbers = json.loads((tmp_path / "n.json").read_text())
    assert code == 0
    assert numbers["output"]["lufs"] == pytest.approx(
        numbers["input"]["lufs"] if expected is None else expected, abs=0.1
    )
    assert ("it stays so" in said) == (expected is None)
