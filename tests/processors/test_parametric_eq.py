"""The layout of bands, the length of its impulse response, and chains of equalisers."""

import itertools

import numpy as np
import pytest
import scipy.signal
import torch

from neural_mastering.dsp import biquad
from neural_mastering.processors import Gain, ParametricEQ

RATE = 44_100


@pytest.mark.parametrize("bands", [3, 5, 6, 8, 10])
def test_peaks_are_ordered_and_ranges_overlap_their_neighbours_only(bands: int) -> None:
    spec = ParametricEQ(bands).specs["frequency_hz"]
    assert isinstance(spec.low, tuple) and isinstance(spec.high, tuple)
    lows, highs = spec.low[1:-1], spec.high[1:-1]
    assert list(lows) == sorted(lows) and list(highs) == sorted(highs)
    for (_, high), (low, _) in itertools.pairwise(zip(lows, highs, strict=True)):
        assert low < high  # neighbours overlap
    for (_, high), _, (low, _) in zip(*(list(zip(lows, highs, strict=True))[i:] for i in range(3)), strict=False):
        assert high <= low * (1 + 1e-9)  # next but one do not
    assert max(spec.high) < RATE / 2


def test_kinds_and_shelf_q() -> None:
    eq = ParametricEQ(6)
    assert eq.kinds == ("low_shelf", "peak", "peak", "peak", "peak", "high_shelf")
    high = eq.specs["q"].high
    assert isinstance(high, tuple) and high[0] <= 1.0 and high[-1] <= 1.0


def test_the_impulse_response_is_long_enough_for_the_slowest_setting() -> None:
    eq = ParametricEQ(10)
    controls = eq.controls(torch.zeros(1, eq.logit_count))
    spec_f, spec_q = eq.specs["frequency_hz"], eq.specs["q"]
    controls["frequency_hz"] = torch.tensor([spec_f.low])
    controls["gain_db"] = torch.full((1, 10), 12.0)
    controls["q"] = torch.tensor([spec_q.high])
    audio = 0.1 * torch.randn(1, 1, 5 * RATE)
    ours = eq(audio, **controls)[0, 0].double().numpy()
    expected = audio[0, 0].double().numpy()
    for band, kind in enumerate(eq.kinds):
        f, g, q = (float(controls[k][0, band]) for k in ("frequency_hz", "gain_db", "q"))
        expected = scipy.signal.sosfilt(_rbj(kind, f, g, q)[None], expected)
    assert np.linalg.norm(ours - expected) / np.linalg.norm(expected) < 1e-5


def _rbj(kind: str, frequency_hz: float, gain_db: float, q: float) -> np.ndarray:
    """The cookbook's coefficients, as printed."""
    a, w0 = 10 ** (gain_db / 40), 2 * np.pi * frequency_hz / RATE
    c, alpha = np.cos(w0), np.sin(w0) / (2 * q)
    s = 2 * np.sqrt(a) * alpha
    p, m = a + 1, a - 1
    sections = {
        "peak": [1 + alpha * a, -2 * c, 1 - alpha * a, 1 + alpha / a, -2 * c, 1 - alpha / a],
        "low_shelf": [
            a * (p - m * c + s), 2 * a * (m - p * c), a * (p - m * c - s),
            p + m * c + s, -2 * (m + p * c), p + m * c - s,
        ],
        "high_shelf": [
            a * (p + m * c + s), -2 * a * (m + p * c), a * (p + m * c - s),
            p - m * c + s, 2 * (m - p * c), p - m * c - s,
        ],
    }  # fmt: skip
    section = np.array(sections[kind])
    return section / section[3]


def test_response_db_is_what_the_audio_gets() -> None:
    eq = ParametricEQ(5)
    controls = eq.controls(torch.randn(1, eq.logit_count))
    impulse = torch.zeros(1, 1, 65_536)
    impulse[..., 0] = 1.0
    spectrum = torch.fft.rfft(eq(impulse, **controls)[0, 0].double())
    at = torch.tensor([40, 200, 1_000, 9_000, 20_000])
    expected = 20 * torch.log10(spectrum[at].abs())
    at_hz = at * (RATE / 65_536)
    torch.testing.assert_close(eq.response_db(at_hz, **controls)[0].double(), expected, atol=1e-3, rtol=0)


def test_gains_cancel_at_equal_q() -> None:
    eq = ParametricEQ(5)
    controls = eq.controls(torch.randn(1, eq.logit_count))
    opposite = {**controls, "gain_db": -controls["gain_db"]}
    audio = 0.1 * torch.randn(1, 2, RATE)
    torch.testing.assert_close(eq(eq(audio, **controls), **opposite), audio, atol=2e-6, rtol=0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bands": 2}, "at least 3 bands"),
        ({"shelf_q_high": 2.0}, "overshoot"),
        ({"sample_rate": 16_000.0}, "half the sample rate"),
    ],
)
def test_impossible_layouts_are_refused(arguments: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ParametricEQ(**arguments)  # type: ignore[arg-type]


def test_another_engine_drops_in() -> None:
    calls = []

    def engine(*arguments: torch.Tensor, **settings: object) -> torch.Tensor:
        calls.append(settings)
        return biquad.equalize(*arguments, **settings)  # type: ignore[arg-type]

    audio = torch.randn(1, 2, 1_000)
    ours, theirs = ParametricEQ(5), ParametricEQ(5, engine=engine)
    controls = ours.controls(torch.randn(1, ours.logit_count))
    torch.testing.assert_close(ours(audio, **controls), theirs(audio, **controls))
    assert calls and set(calls[0]) == {"sample_rate", "kinds", "taps"}


def test_gain_is_its_decibels() -> None:
    audio = torch.randn(3, 2, 10, dtype=torch.float64)
    result = Gain()(audio, gain_db=torch.tensor([0.0, 20.0, -6.0], dtype=torch.float64))
    expected = audio * torch.tensor([1.0, 10.0, 10 ** (-6 / 20)], dtype=torch.float64)[:, None, None]
    torch.testing.assert_close(result, expected)
