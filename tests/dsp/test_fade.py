"""Fades: ends, monotony, and each curve by its definition."""

import numpy as np
import pytest

from neural_mastering.dsp.fade import EXPONENTIAL_RANGE_DB, FADE_CURVES, FadeCurve, fade_gain

U = np.linspace(0.0, 1.0, 1001)


@pytest.mark.parametrize("curve", FADE_CURVES)
def test_a_fade_rises_from_silence_to_full_level(curve: FadeCurve) -> None:
    gain = fade_gain(U, curve)
    assert gain[0] == 0.0 and gain[-1] == pytest.approx(1.0, abs=1e-15)
    assert (np.diff(gain) > 0).all()
    assert fade_gain(np.array([-1.0, 2.0]), curve) == pytest.approx([0.0, 1.0], abs=1e-15)


def test_the_curves_are_what_they_are_called() -> None:
    assert np.allclose(fade_gain(U, "linear"), U)
    assert np.allclose(fade_gain(U, "cosine"), np.sin(0.5 * np.pi * U) ** 2)
    upper = U > 0.4
    level_db = 20 * np.log10(fade_gain(U, "exponential")[upper])
    assert np.allclose(level_db, EXPONENTIAL_RANGE_DB * (U[upper] - 1.0), atol=0.6)
