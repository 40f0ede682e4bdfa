"""The dynamic equaliser against loops that are written out, scipy's filters and closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import sosfilt
from torch import Tensor

from neural_mastering.dsp import dynamic_eq, rbj
from neural_mastering.dsp.envelope import smooth

RATE, TAPS = 44_100.0, 26_244


def _each(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _noise(time: int, items: int = 1, channels: int = 2) -> Tensor:
    return 0.2 * torch.randn(items, channels, time, dtype=torch.float64)


def _stream(audio: Tensor, *bands: tuple[float, ...], depth: tuple[float, ...] | None = None) -> Tensor:
    """One item; bands of (frequency, Q, threshold, range, attack, release)."""
    memory = torch.zeros(1, len(bands), audio.shape[1], 3, dtype=torch.float64)
    depths = torch.zeros(1, len(bands), dtype=torch.float64) if depth is None else _each(*depth)[None]
    f, q, threshold, gain, attack, release = (_each(*column)[None] for column in zip(*bands, strict=True))
    return dynamic_eq.render_stream(
        audio, f, q, threshold, gain, attack, release, RATE, RATE, memory, depths
    )[0]


def _by_hand(
    audio: np.ndarray, f: float, q: float, threshold: float, gain: float, a: float, r: float
) -> np.ndarray:
    """Audio (channel, time), sample by sample."""
    w0 = 2.0 * math.pi * f / RATE
    alpha = math.sin(w0) / (2.0 * q)
    section = np.array([[alpha, 0.0, -alpha, 1.0 + alpha, -2.0 * math.cos(w0), 1.0 - alpha]]) / (1.0 + alpha)
    band = np.asarray(sosfilt(section, audio, axis=-1))
    rise, fall = (1.0 - math.exp(-1000.0 / (ms * RATE)) for ms in (a, r))
    depth, out = 0.0, audio.copy()
    for n in range(audio.shape[1]):
        over = 10.0 * math.log10(max(float(np.mean(band[:, n] ** 2)), 1e-12)) - threshold
        wanted = 1.0 - math.exp(-over / 6.0) if over > 0.0 else 0.0
        depth += (rise if wanted > depth else fall) * (wanted - depth)
        out[:, n] += (10.0 ** (gain * depth / 20.0) - 1.0) * band[:, n]
    return out


BANDS = [(7_000.0, 2.0, -30.0, -12.0, 2.0, 40.0), (200.0, 8.0, -45.0, 6.0, 0.5, 10.0)]


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_both_forms_equal_the_loop(band: tuple[float, ...], channels: int) -> None:
    audio = _noise(8_000, channels=channels) * (torch.arange(8_000) % 3_000 < 2_000)
    expected = _by_hand(audio[0].numpy(), *band)
    assert np.abs(expected - audio[0].numpy()).max() > 0.01
    np.testing.assert_allclose(_stream(audio, band)[0].numpy(), expected, atol=1e-12)
    f, q, threshold, gain, attack, release = (_each(value) for value in band)
    learning = dynamic_eq.render_band(audio, f, q, threshold, gain, attack, release, RATE, TAPS)
    np.testing.assert_allclose(learning[0].numpy(), expected, atol=2e-6)


@pytest.mark.parametrize(("gain_db", "depth"), [(-12.0, 1.0), (6.0, 1.0), (-12.0, 0.5)])
def test_a_held_gain_is_a_peaking_filter(gain_db: float, depth: float) -> None:
    audio, q, for_ever = _noise(6_000), 1.5, 1e15
    held = _stream(audio, (2_500.0, q, 0.0, gain_db, for_ever, for_ever), depth=(depth,))
    g = gain_db * depth
    section = rbj.sections(["peak"], [2_500.0], [g], [q * 10.0 ** (-g / 40.0)], RATE)
    expected = sosfilt(section, audio[0].numpy(), axis=-1)
    np.testing.assert_allclose(held[0].numpy(), expected, atol=1e-10)


def test_the_curves_of_bands_at_one_place_add_up_in_db() -> None:
    audio, for_ever = _noise(6_000), 1e15
    band = (2_500.0, 1.0, 0.0, -12.0, for_ever, for_ever)
    section = rbj.sections(["peak"], [2_500.0], [-12.0], [10.0 ** (12.0 / 40.0)], RATE)
    expected = sosfilt(np.concatenate([section, section]), audio[0].numpy(), axis=-1)
    np.testing.assert_allclose(_stream(audio, band, band, depth=(1.0, 1.0))[0].numpy(), expected, atol=1e-10)


def _quadrature(amplitude: Tensor, frequency: float) -> Tensor:
    """Sine and cosine as channels: their mean square is constant."""
    phase = 2.0 * math.pi * frequency / RATE * torch.arange(amplitude.numel(), dtype=torch.float64)
    return (amplitude * torch.stack([torch.sin(phase), torch.cos(phase)]))[None]


def test_attack_and_release_take_their_time_constants() -> None:
    """A tone 12 dB over the threshold, then 40 dB lower: the gain in dB follows in closed form."""
    attack, release, gain_db, second = 20.0, 60.0, -10.0, round(RATE * 0.5)
    amplitude = torch.cat([torch.full((second,), 0.5), torch.full((second,), 0.005)]).double()
    threshold = 10.0 * math.log10(0.5**2 / 2.0) - 12.0
    tone = _quadrature(amplitude, 7_000.0)
    out = _stream(tone, (7_000.0, 0.5, threshold, gain_db, attack, release))
    change_db = 10.0 * torch.log10(out[0].square().sum(dim=0) / tone[0].square().sum(dim=0))
    full = gain_db * (1.0 - math.exp(-12.0 / 6.0))
    time_ms = torch.arange(second, dtype=torch.float64) * (1000.0 / RATE)
    settled = time_ms > 1.0  # the band-pass rings for a fraction of a millisecond
    rising = full * (1.0 - torch.exp(-time_ms / attack))
    torch.testing.assert_close(change_db[:second][settled], rising[settled], atol=0.05, rtol=0)
    falling = full * torch.exp(-time_ms / release)
    torch.testing.assert_close(change_db[second:][settled], falling[settled], atol=0.1, rtol=0)
    assert float(change_db[round(RATE * attack / 1000.0)]) == pytest.approx(
        full * (1 - math.exp(-1)), abs=0.05
    )


@pytest.mark.parametrize("gain_db", [-12.0, 6.0])
def test_channels_share_one_gain(gain_db: float) -> None:
    band = (3_000.0, 1.0, -40.0, gain_db, 1.0, 50.0)
    mono = _noise(4_000, channels=1)
    both = _stream(mono.repeat(1, 2, 1), band)
    torch.testing.assert_close(both[:, :1], _stream(mono, band), atol=1e-14, rtol=0)
    tilted = torch.cat([mono, 0.1 * mono], dim=1)
    out = _stream(tilted, band)
    torch.testing.assert_close(out[:, 1], 0.1 * out[:, 0], atol=1e-14, rtol=0)
    assert float((out - tilted).abs().max()) > 0.01


def test_one_pass_is_the_curve_and_the_smoother() -> None:
    """The compiled pass against its two parts: the values and the derivatives of everything."""
    power = 0.1 * torch.rand(3, 4_000, dtype=torch.float64) ** 4
    power[:, 1_000:2_000] = 0.0
    leaves = [power, _each(-25.0, -40.0, -12.0), _each(0.5, 5.0, 50.0), _each(10.0, 100.0, 20.0)]
    weights = torch.randn(3, 4_000, dtype=torch.float64)
    found = []
    for fused in (True, False):
        level, threshold, attack, release = (leaf.clone().requires_grad_() for leaf in leaves)
        if fused:
            out = dynamic_eq.smoothed_depth(level, threshold, attack, release, RATE)
        else:
            out = smooth(dynamic_eq.depth_of(level, threshold), attack, release, RATE)
        (out * weights).sum().backward()
        grads = [leaf.grad for leaf in (level, threshold, attack, release)]
        found.append([out.detach(), *(grad for grad in grads if grad is not None)])
    assert len(found[0]) == len(found[1]) == 5
    for one, two in zip(*found, strict=True):
        assert bool(two.abs().max() > 0.0)
        torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-12)


def test_the_depth_has_its_corner_at_the_threshold_and_reaches_63_percent_at_6_db() -> None:
    power = 10.0 ** (_each(-200.0, -30.0, -20.0, -14.0, 40.0)[None] / 10.0)
    depth = dynamic_eq.depth_of(power, _each(-20.0))
    expected = _each(0.0, 0.0, 0.0, 1.0 - math.exp(-1.0), 1.0 - math.exp(-10.0))[None]
    torch.testing.assert_close(depth, expected, atol=1e-12, rtol=0)
