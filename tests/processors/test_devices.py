"""What each device of the chain promises, measured on signals."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from neural_mastering.assets import demo
from neural_mastering.dsp.limiter import LimiterSettings, limit
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.processors import (
    Compressor,
    Limiter,
    MultibandCompressor,
    MultibandWidth,
    NeuralSaturation,
    Saturation,
    StereoWidth,
)
from neural_mastering.processors.saturation import Waveshaper

RATE = 44_100
SONGS = sorted(Path(demo.__file__).parent.glob("*.ogg"))


def _song(index: int = 0, seconds: float = 1.5) -> Tensor:
    samples, rate = soundfile.read(
        SONGS[index], frames=round(seconds * RATE), dtype="float32", always_2d=True
    )
    assert rate == RATE
    return torch.from_numpy(samples.T.copy())[None]


def _one(**values: float) -> dict[str, Tensor]:
    return {key: torch.tensor([value], dtype=torch.float64) for key, value in values.items()}


SETTLED, LENGTH = 26_460, 4_410
"""The tone is heard for 0.6 s, until the DC blocker has settled, and analysed for 0.1 s: lines of 10 Hz."""


def _spectrum(processor: Waveshaper, amplitude: float, controls: dict[str, Tensor]) -> np.ndarray:
    """Amplitudes in steps of 10 Hz of a 5 kHz tone behind the shaper."""
    time = np.arange(SETTLED + LENGTH + 100) / RATE
    tone = torch.from_numpy(amplitude * np.sin(2 * np.pi * 5_000 * time))[None, None]
    with torch.no_grad():
        out = processor.eval()(tone, **controls)[0, 0].numpy()
    return np.abs(np.fft.rfft(out[SETTLED : SETTLED + LENGTH])) * 2 / LENGTH


@pytest.mark.parametrize("amplitude", [0.25, 1.0])
@pytest.mark.parametrize("bias", [0.0, 0.5])
@pytest.mark.parametrize("shape", [0.0, 0.5, 1.0, None])
def test_aliases_are_80_db_below_the_fundamental(amplitude: float, bias: float, shape: float | None) -> None:
    controls = _one(drive_db=12.0, bias=bias, mix=1.0)
    processor: Waveshaper = NeuralSaturation(RATE) if shape is None else Saturation(RATE)
    if shape is not None:
        controls |= _one(shape=shape)
    lines = _spectrum(processor, amplitude, controls)
    fundamental, second, third = lines[500], lines[1_000], lines[1_500]
    assert third > 1e-3 * fundamental  # it does saturate
    if bias:
        assert second > 1e-2 * fundamental  # and a bias makes even harmonics
    assert lines[0] / 2 < 1e-5  # but no offset stays
    lines[::500] = 0.0
    assert 20 * np.log10(lines.max() / fundamental) < -80.0


@pytest.mark.parametrize("shape", [0.0, 1.0])
@pytest.mark.parametrize("song", [0, 3])
def test_drive_is_not_a_volume_knob(shape: float, song: int) -> None:
    audio = _song(song)
    audio = audio * 10 ** ((-18.0 - float(integrated_loudness(audio, RATE))) / 20)
    processor = Saturation(RATE, render_hz=88_200).eval()
    driven = processor(audio, **_one(drive_db=24.0, shape=shape, bias=0.0, mix=1.0))
    change = float(integrated_loudness(driven, RATE) - integrated_loudness(audio, RATE))
    assert abs(change) < 6.0  # of the 24 dB that drive alone would add


def test_the_mono_sum_never_changes() -> None:
    audio = _song()
    narrow = StereoWidth(RATE)(audio, **_one(width=0.3, bass_frequency_hz=200.0, bass_amount=1.0))
    bands = MultibandWidth(RATE)(audio, width=torch.tensor([[0.0, 0.5, 1.5, 2.0]]))
    for changed in (narrow, bands):
        assert float((changed - audio).abs().max()) > 0.01
        torch.testing.assert_close(changed.sum(dim=1), audio.sum(dim=1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("width", [0.0, 0.5, 2.0])
def test_width_scales_the_side(width: float) -> None:
    audio = _song()
    out = StereoWidth(RATE)(audio, **_one(width=width, bass_frequency_hz=100.0, bass_amount=0.0))
    torch.testing.assert_close(out[:, 0] - out[:, 1], width * (audio[:, 0] - audio[:, 1]), atol=1e-6, rtol=0)
    out = MultibandWidth(RATE)(audio, width=torch.full((1, 4), width))
    torch.testing.assert_close(out[:, 0] - out[:, 1], width * (audio[:, 0] - audio[:, 1]), atol=5e-6, rtol=0)


def test_bass_goes_to_the_middle_and_treble_stays() -> None:
    time = torch.arange(RATE) / RATE
    kept = []
    for frequency in (40.0, 4_000.0):
        tone = torch.sin(2 * torch.pi * frequency * time)
        side = torch.stack([tone, -tone])[None]
        out = StereoWidth(RATE)(side, **_one(width=1.0, bass_frequency_hz=160.0, bass_amount=1.0))
        kept.append(float(out[..., RATE // 2 :].square().mean() / side[..., RATE // 2 :].square().mean()))
    # 12 dB an octave, two octaves below the corner
    assert 10 * np.log10(kept[0]) == pytest.approx(-24.1, abs=0.3)
    assert 10 * np.log10(kept[1]) == pytest.approx(0.0, abs=0.01)


def test_the_sidechain_filter_keeps_the_bass_out_of_the_detector() -> None:
    time = torch.arange(RATE) / RATE
    bass = 0.5 * torch.sin(2 * torch.pi * 30 * time).expand(1, 2, -1)
    settings = _one(threshold_db=-10.0, ratio=4.0, attack_ms=1.0, release_ms=50.0, knee_db=0.0)
    full = Compressor(RATE).reduction_db(bass, **settings)
    without = Compressor(RATE, sidechain_hz=120.0).reduction_db(bass, **settings)
    # 24 dB less in the detector, three quarters of it in the reduction
    assert float(full.max() - without.max()) > 12.0


def test_bands_that_all_do_nothing_leave_the_signal_and_equal_bands_scale_it() -> None:
    audio, bands = _song(), 3
    quiet = {
        key: torch.full((1, bands), value)
        for key, value in {
            "ratio": 1.0,
            "attack_ms": 1.0,
            "release_ms": 50.0,
            "knee_db": 0.0,
            "threshold_db": -20.0,
        }.items()
    }
    processor = MultibandCompressor(RATE)
    for makeup in (0.0, 6.0):
        out = processor(audio, **quiet, makeup_db=torch.full((1, bands), makeup), mix=torch.ones(1))
        torch.testing.assert_close(out, 10 ** (makeup / 20) * audio, atol=5e-6, rtol=0)


@pytest.mark.parametrize(("threshold", "release"), [(-6.0, 30.0), (-12.0, 5.0), (-9.0, 100.0)])
@pytest.mark.parametrize("song", [1, 5])
def test_the_limiter_learns_in_the_form_that_renders(song: int, threshold: float, release: float) -> None:
    audio = _song(song)
    audio = audio / audio.abs().max()
    gain = Limiter(RATE).gain(audio, **_one(threshold_db=threshold, release_ms=release))[0].numpy()
    _, exact = limit(
        audio[0].double().numpy(), threshold, RATE, LimiterSettings(5.0, release, recovery_ms=release)
    )
    difference = 20 * np.log10(gain / exact)
    assert exact.min() < 0.8
    assert np.sqrt(np.mean(difference**2)) <= 0.1
    assert np.quantile(np.abs(difference), 0.99) <= 0.5


def test_the_limiter_reaches_its_ceiling_and_keeps_it() -> None:
    audio = _song(2)
    audio = audio / audio.abs().max()
    out = Limiter(RATE)(audio, **_one(threshold_db=-9.0, release_ms=30.0, ceiling_db=-1.0, amount=1.0))
    assert float(true_peak_db(out, RATE)) == pytest.approx(-1.0, abs=0.15)
    assert float(true_peak_db(out, RATE)) < -0.98 + 0.0
