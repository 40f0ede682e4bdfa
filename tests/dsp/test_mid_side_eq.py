"""The mid-side equaliser against scipy, against the plain one, at other rates, and against ffmpeg and SoX."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import sosfilt
from torch import Tensor

from neural_mastering.dsp import biquad, mid_side_eq, rbj
from neural_mastering.dsp.biquad import Kind
from neural_mastering.dsp.mid_side_eq import MOST_CORRECTIONS, Curve

RATE, TAPS = 44_100.0, 32_768
KINDS: tuple[Kind, ...] = ("low_shelf", "peak", "high_shelf")
MID = ((110.0, 900.0, 7_000.0), (4.0, -6.0, 3.0), (0.8, 2.0, 0.7))
SIDE = ((200.0, 2_500.0, 9_000.0), (-9.0, 5.0, 6.0), (0.6, 1.2, 0.9))


def _curve(columns: tuple[tuple[float, ...], ...]) -> Curve:
    frequency, gain, q = (torch.tensor([column], dtype=torch.float64) for column in columns)
    return frequency, gain, q


def _noise(time: int = 20_000, channels: int = 2) -> Tensor:
    return 0.02 * torch.randn(1, channels, time, dtype=torch.float64)


def _stream(audio: Tensor, mid: Curve, side: Curve, rate: float = RATE) -> Tensor:
    memory = torch.zeros(1, audio.shape[1], len(KINDS) + MOST_CORRECTIONS, 2, dtype=torch.float64)
    return mid_side_eq.equalize_stream(audio, mid, side, RATE, rate, KINDS, memory)[0]


def _both_ways(audio: Tensor, mid: Curve, side: Curve) -> list[Tensor]:
    return [
        _stream(audio, mid, side),
        mid_side_eq.equalize(audio, mid, side, RATE, KINDS, TAPS),
    ]


def _relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def test_each_part_has_its_own_filters() -> None:
    audio = _noise()
    left, right = audio[0].numpy()
    mid, side = (
        np.asarray(sosfilt(rbj.sections(KINDS, np.array(f), np.array(g), np.array(q), RATE), part))
        for (f, g, q), part in ((MID, (left + right) / 2), (SIDE, (left - right) / 2))
    )
    expected = torch.from_numpy(np.stack([mid + side, mid - side]))[None]
    streamed, learning = _both_ways(audio, _curve(MID), _curve(SIDE))
    assert _relative(streamed, expected) < 1e-13
    assert _relative(learning, expected) < 1e-6


def test_equal_curves_are_the_plain_equaliser() -> None:
    audio, curve = _noise(), _curve(MID)
    frequency, gain, q = curve
    plain = biquad.equalize(audio, frequency, gain, q, RATE, KINDS, TAPS)
    streamed, learning = _both_ways(audio, curve, curve)
    assert _relative(streamed, plain) < 1e-6
    assert _relative(learning, plain) < 1e-12


def test_mono_has_the_curve_of_the_mid() -> None:
    audio = _noise(channels=1)
    frequency, gain, q = _curve(MID)
    plain = biquad.equalize(audio, frequency, gain, q, RATE, KINDS, TAPS)
    for rendered in _both_ways(audio, _curve(MID), _curve(SIDE)):
        assert _relative(rendered, plain) < 1e-6


@pytest.mark.parametrize("kept", ["mid", "side"])
def test_a_flat_part_stays(kept: str) -> None:
    audio = _noise()
    flat = (MID[0], (0.0, 0.0, 0.0), MID[2])
    curves = (_curve(flat), _curve(SIDE)) if kept == "mid" else (_curve(MID), _curve(flat))
    sign = 1.0 if kept == "mid" else -1.0
    for rendered in _both_ways(audio, *curves):
        before, after = (a[:, 0] + sign * a[:, 1] for a in (audio, rendered))
        torch.testing.assert_close(after, before, atol=1e-16, rtol=1e-12)
        assert _relative(rendered, audio) > 0.1
    for rendered in _both_ways(audio, _curve(flat), _curve(flat)):
        assert torch.equal(rendered, audio)


@pytest.mark.parametrize("rate", [32_000.0, 48_000.0, 96_000.0, 192_000.0])
def test_both_curves_stay_at_other_rates(rate: float) -> None:
    bright = ((60.0, 4_000.0, 12_000.0), (6.0, -9.0, 9.0), (0.7, 1.0, 0.8))
    impulse = torch.zeros(1, 2, 65_536, dtype=torch.float64)
    impulse[0, 0, 0] = 1.0
    left, right = _stream(impulse, _curve(bright), _curve(SIDE), rate)[0].numpy()
    at_hz = np.fft.rfftfreq(65_536, 1.0 / rate)
    promised = (at_hz > 20.0) & (at_hz < min(16_000.0, 0.4999 * rate))
    for part, (f, g, q) in ((left + right, bright), (left - right, SIDE)):
        level = 20.0 * np.log10(np.abs(np.fft.rfft(part)[promised]))
        wanted = rbj.level_db(KINDS, np.array(f), np.array(g), np.array(q), at_hz[promised], RATE)
        assert np.abs(level - wanted).max() < 0.3


def test_more_than_two_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="two channels"):
        mid_side_eq.equalize(_noise(channels=3), _curve(MID), _curve(SIDE), RATE, KINDS, TAPS)


def _ffmpeg(part: np.ndarray, columns: tuple[tuple[float, ...], ...], folder: Path) -> np.ndarray:
    names = {"low_shelf": "lowshelf", "peak": "equalizer", "high_shelf": "highshelf"}
    filters = ",".join(
        f"{names[kind]}=f={f}:t=q:w={q}:g={g}:precision=f64"
        for kind, f, g, q in zip(KINDS, *columns, strict=True)
    )
    source, target = folder / "in.raw", folder / "out.raw"
    part.astype("<f8").tofile(source)
    raw = ["-f", "f64le", "-ar", f"{RATE:g}", "-ac", "1"]
    command = ["ffmpeg", "-v", "error", "-y", *raw, "-i", source, "-af", filters, *raw, target]
    subprocess.run(command, check=True)
    return np.fromfile(target, "<f8")


def _sox(part: np.ndarray, columns: tuple[tuple[float, ...], ...], folder: Path) -> np.ndarray:
    effects: list[str] = []
    for kind, f, g, q in zip(KINDS, *columns, strict=True):
        if kind == "peak":
            effects += ["equalizer", f"{f}", f"{q}q", f"{g}"]
        else:
            effects += ["bass" if kind == "low_shelf" else "treble", f"{g}", f"{f}", f"{q}q"]
    source, target = folder / "in.raw", folder / "out.raw"
    part.astype("<f8").tofile(source)
    raw = ["-t", "raw", "-e", "floating-point", "-b", "64", "-r", f"{RATE:g}", "-c", "1"]
    subprocess.run(["sox", "-D", *raw, source, *raw, target, *effects], check=True)
    return np.fromfile(target, "<f8")


@pytest.mark.parametrize(("program", "residual_db"), [("ffmpeg", -250.0), ("sox", -140.0)])
def test_null_against_biquads_on_mid_and_side(program: str, residual_db: float, tmp_path: Path) -> None:
    """ffmpeg works in float64 (−266 dB measured), SoX hands on 32-bit integers (−155 dB)."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    peer = {"ffmpeg": _ffmpeg, "sox": _sox}[program]
    audio = _noise()
    left, right = audio[0].numpy()
    mid, side = peer((left + right) / 2, MID, tmp_path), peer((left - right) / 2, SIDE, tmp_path)
    theirs = torch.from_numpy(np.stack([mid + side, mid - side]))[None]
    ours = _stream(audio, _curve(MID), _curve(SIDE))
    assert _relative(ours, audio) > 0.1
    assert 20.0 * np.log10(_relative(ours, theirs) + 1e-20) < residual_db
