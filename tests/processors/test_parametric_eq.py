"""The equaliser's layout, its agreement with scipy, and its impulse response's length."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import sosfilt

from neural_mastering.dsp import biquad
from neural_mastering.processors import ParametricEQ

RATE = 44_100.0


def _rbj(kind: str, frequency: float, gain_db: float, q: float) -> list[float]:
    """Second-order section of the Audio EQ Cookbook."""
    a, w0 = 10.0 ** (gain_db / 40.0), 2.0 * math.pi * frequency / RATE
    c, alpha = math.cos(w0), math.sin(w0) / (2.0 * q)
    if kind == "peak":
        b0, b1, b2, a0, a1, a2 = 1 + alpha * a, -2 * c, 1 - alpha * a, 1 + alpha / a, -2 * c, 1 - alpha / a
    else:
        s, sign = 2.0 * math.sqrt(a) * alpha, 1.0 if kind == "low_shelf" else -1.0
        b0, b2 = (a * ((a + 1) - sign * (a - 1) * c + t * s) for t in (1, -1))
        b1 = 2.0 * sign * a * ((a - 1) - sign * (a + 1) * c)
        a0, a2 = ((a + 1) + sign * (a - 1) * c + t * s for t in (1, -1))
        a1 = -2.0 * sign * ((a - 1) + sign * (a + 1) * c)
    return [b0 / a0, b1 / a0, b2 / a0, 1.0, a1 / a0, a2 / a0]


def _random_controls(eq: ParametricEQ, items: int) -> dict[str, torch.Tensor]:
    return eq.controls(2.0 * torch.randn(items, eq.logit_count))


@pytest.mark.parametrize("bands", [3, 5, 10])
def test_agrees_with_recursive_filters(bands: int) -> None:
    eq = ParametricEQ(bands)
    audio, controls = torch.randn(2, 2, 20_000), _random_controls(eq, 2)
    result = eq(audio, **controls).double().numpy()
    for item in range(2):
        f, g, q = (controls[key][item].tolist() for key in ("frequency_hz", "gain_db", "q"))
        sections = np.array([_rbj(*band) for band in zip(eq.kinds, f, g, q, strict=True)])
        expected = sosfilt(sections, audio[item].double().numpy(), axis=-1)
        error = np.linalg.norm(result[item] - expected) / np.linalg.norm(expected)
        assert error < 1e-5


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("bands", [3, 5, 10])
def test_slots_are_ordered_and_neighbours_overlap_by_the_given_share(bands: int, overlap: float) -> None:
    frequency = ParametricEQ(bands, overlap=overlap).specs["frequency_hz"]
    assert isinstance(frequency.low, tuple) and isinstance(frequency.high, tuple)
    lows, highs = np.log(frequency.low[1:-1]), np.log(frequency.high[1:-1])
    assert np.all(np.diff(lows) > 0) and np.all(np.diff(highs) > 0)
    slot = (math.log(13_500.0) - math.log(40.0)) / (bands - 2)
    np.testing.assert_allclose((highs[:-1] - lows[1:]) / slot, 2.0 * overlap, atol=1e-9)
    assert math.exp(lows[0]) == pytest.approx(40.0) and math.exp(highs[-1]) == pytest.approx(13_500.0)


def test_rest_does_nothing_and_lies_inside_every_range() -> None:
    eq = ParametricEQ(10)
    rest = eq.rest()
    assert bool(torch.isfinite(eq.logits(rest)).all())
    back = eq.controls(eq.logits(rest))
    for key, value in rest.items():
        torch.testing.assert_close(back[key], value, rtol=1e-5, atol=0.0)
    audio = torch.randn(1, 2, 1_000)
    assert torch.equal(eq(audio, **rest), audio)
    octaves = np.log2(rest["frequency_hz"][0, 1:-1].numpy())
    np.testing.assert_allclose(np.diff(octaves), np.log2(13_500 / 40) / 8, rtol=1e-4)


def test_the_impulse_response_is_long_enough_for_the_slowest_setting() -> None:
    eq = ParametricEQ(5)
    f, g, q = eq.specs["frequency_hz"], eq.specs["gain_db"], eq.specs["q"]
    controls = {spec.key: torch.tensor([spec.low]).double() for spec in (f,)}
    controls |= {spec.key: torch.tensor([spec.high]).double() for spec in (g, q)}
    impulse = torch.zeros(1, 1, eq.taps * 2, dtype=torch.float64)
    impulse[..., 0] = 1.0
    sections = [
        _rbj(kind, *(controls[key][0, band].item() for key in ("frequency_hz", "gain_db", "q")))
        for band, kind in enumerate(eq.kinds)
    ]
    exact = sosfilt(np.array(sections), impulse[0, 0].numpy())
    tail = np.linalg.norm(exact[eq.taps :]) / np.linalg.norm(exact)
    assert tail < 1e-4
    result = biquad.equalize(
        impulse, controls["frequency_hz"], controls["gain_db"], controls["q"], RATE, eq.kinds, eq.taps
    )
    assert np.linalg.norm(result[0, 0].numpy() - exact) / np.linalg.norm(exact) < 1e-4


def test_training_and_evaluation_render_alike() -> None:
    eq, audio = ParametricEQ(5), torch.randn(1, 2, 5_000)
    controls = _random_controls(eq, 1)
    trained, tail = eq.train().render(audio, **controls)
    evaluated, state = eq.eval().render(audio, **controls)
    assert tail is None and state is not None
    torch.testing.assert_close(trained, evaluated, rtol=0, atol=2e-6)


def test_response_is_the_transform_of_the_impulse_response() -> None:
    eq = ParametricEQ(10)
    controls = {key: value.double() for key, value in _random_controls(eq, 1).items()}
    impulse = torch.zeros(1, 1, eq.taps, dtype=torch.float64)
    impulse[..., 0] = 1.0
    spectrum = torch.fft.rfft(eq.train()(impulse, **controls)[0, 0])
    at_hz = torch.arange(spectrum.numel(), dtype=torch.float64) * (RATE / eq.taps)
    level = eq.response_db(at_hz, **controls)[0]
    torch.testing.assert_close(20 * torch.log10(spectrum.abs()), level, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bands": 2}, "at least 3 bands"),
        ({"shelf_q_high": 2.0}, "overshoot"),
        ({"high_shelf_hz": (3_000.0, 23_000.0)}, "half the sample rate"),
    ],
)
def test_impossible_layouts_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ParametricEQ(**arguments)
