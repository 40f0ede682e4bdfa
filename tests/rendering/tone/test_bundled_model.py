"""The bundled model where it is asked for: what it may do, and what is said about it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from neural_mastering.controls import load_controls
from neural_mastering.models import load_model, read_bundle
from neural_mastering.models.bundle import find_bundle
from neural_mastering.rendering import Options, master

RATE = 44_100
NAME = "modest-eq-2"


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    """7 s of noise, duller and duller, with a beat."""
    rng, time = np.random.default_rng(0), np.arange(7 * RATE) / RATE
    noise = rng.standard_normal((time.size, 2))
    dull = np.cumsum(noise, axis=0)
    dull -= dull.mean(axis=0)
    audio = 0.02 * noise + 0.3 * dull / np.abs(dull).max()
    path = tmp_path / "mix.wav"
    soundfile.write(path, 0.4 * audio * (0.3 + np.exp(-8 * (time % 0.5)))[:, None], RATE, subtype="PCM_24")
    return path


def test_it_sets_the_tone_and_says_so(mix: Path, tmp_path: Path) -> None:
    options = Options(
        json=tmp_path / "n.json",
        save_controls=tmp_path / "c.yaml",
        report=tmp_path / "report",
        max_reduction_db=24.0,
        density=1.0,
        model=NAME,
    )
    result = master(mix, tmp_path / "out.wav", options)
    name = NAME
    assert result.tone.model is not None and result.tone.model.confidence is not None
    estimate = result.tone.model.confidence
    assert result.tone.model.label == name and len(result.controls.eq) and estimate.windows == 2
    (note,) = (note for note in result.actions if note.kind == "confidence")
    assert f"{100 * estimate.confidence:.0f} % of the model" in note.text
    numbers = json.loads((tmp_path / "n.json").read_text())
    assert numbers["model"] == {
        "name": name,
        "confidence": estimate.confidence,
        "move_db": estimate.move_db,
        "spread_db": estimate.spread_db,
        "windows": 2,
    }
    assert abs(numbers["output"]["lufs"] + 14.0) <= 0.1 and numbers["output"]["true_peak_db"] <= -1.0
    page = (tmp_path / "report" / "report.html").read_text()
    assert name in page and "<dt>Confidence</dt>" in page
    text = (tmp_path / "c.yaml").read_text()
    assert text.startswith(f"# controls by the model {name}\n")
    assert load_controls(tmp_path / "c.yaml") == result.controls


def test_its_equaliser_is_weakened_by_the_confidence(mix: Path, tmp_path: Path) -> None:
    """The same weights without calibration, as a checkpoint has them: each band gets that share of its gain."""
    from dataclasses import replace

    from neural_mastering.models import Confidence, write_bundle

    name = NAME
    found = find_bundle(name)
    assert found is not None
    bundle, model = read_bundle(found), load_model(name)
    full = write_bundle(model, bundle.model, tmp_path / "full.json", Confidence(1.0, 0.0))
    plain = Options(target="keep", ceiling="off", bits="32f", model=NAME)
    weak = master(mix, tmp_path / "weak.wav", plain)
    whole = master(mix, tmp_path / "whole.wav", replace(plain, model=str(full.path)))
    assert weak.tone.model is not None and weak.tone.model.confidence is not None
    estimate = weak.tone.model.confidence
    assert estimate.confidence == bundle.confidence.of(estimate.move_db, estimate.spread_db) < 1.0
    assert whole.tone.model is not None and whole.tone.model.confidence is not None
    share = estimate.confidence / whole.tone.model.confidence.confidence
    assert len(weak.controls.eq) == len(whole.controls.eq) > 0
    for one, other in zip(weak.controls.eq, whole.controls.eq, strict=True):
        assert one.gain_db == pytest.approx(share * other.gain_db)
        assert (one.frequency_hz, one.q) == (other.frequency_hz, other.q)
    half = master(mix, tmp_path / "half.wav", replace(plain, overall_strength=0.5))
    for one, other in zip(half.controls.eq, weak.controls.eq, strict=True):
        assert one.gain_db == pytest.approx(0.5 * other.gain_db)


def test_level_does_not_change_the_tone(mix: Path, tmp_path: Path) -> None:
    audio, _ = soundfile.read(mix)
    soundfile.write(tmp_path / "quiet.wav", 0.1 * audio, RATE, subtype="FLOAT")
    curves = [
        master(source, tmp_path / f"{source.stem}_out.wav", Options(target="-20", model=NAME)).controls.eq
        for source in (mix, tmp_path / "quiet.wav")
    ]
    for one, other in zip(*curves, strict=True):
        assert one.gain_db == pytest.approx(other.gain_db, abs=0.05)


@pytest.mark.parametrize("rate", [48_000, 96_000])
def test_other_rates_get_nearly_the_same_curve(mix: Path, tmp_path: Path, rate: int) -> None:
    import soxr

    audio, _ = soundfile.read(mix)
    soundfile.write(
        tmp_path / "other.wav", soxr.resample(audio, RATE, rate, quality="VHQ"), rate, subtype="FLOAT"
    )
    own = master(mix, tmp_path / "own.wav", Options(target="-20", model=NAME)).controls.eq
    other = master(tmp_path / "other.wav", tmp_path / "o.wav", Options(target="-20", model=NAME)).controls.eq
    for one, two in zip(own, other, strict=True):
        assert one.gain_db == pytest.approx(two.gain_db, abs=0.1)


def test_a_short_mono_song_is_mastered(mix: Path, tmp_path: Path) -> None:
    audio, _ = soundfile.read(mix)
    soundfile.write(tmp_path / "short.wav", audio[: RATE // 2, 0], RATE)
    options = Options(target="-20", max_reduction_db=24.0, model=NAME)
    result = master(tmp_path / "short.wav", tmp_path / "out.wav", options)
    assert (
        result.tone.model is not None
        and result.tone.model.confidence is not None
        and result.tone.model.confidence.windows == 1
    )
    written, rate = soundfile.read(tmp_path / "out.wav")
    assert written.ndim == 1 and rate == RATE and len(written) == RATE // 2
    measured = pyloudnorm.Meter(RATE, filter_class="DeMan").integrated_loudness(written)
    assert measured == pytest.approx(-20.0, abs=0.15)


def test_no_checkpoint_is_unpickled_on_the_way(mix: Path, tmp_path: Path) -> None:
    code = (
        "import sys, torch\n"
        "def refuse(*a, **k): raise AssertionError('unpickled')\n"
        "torch.load = refuse\n"
        "from neural_mastering.cli.master import invoke\n"
        f"sys.exit(invoke([{str(mix)!r}, '-o', {str(tmp_path / 'm.wav')!r}, '-q', '--model', {NAME!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
