"""Prediction from the past, against least squares by numpy and processes that are known."""

import numpy as np
import pytest
from scipy.signal import lfilter

from neural_mastering.dsp.linear_prediction import prediction_errors


@pytest.mark.parametrize("order", [2, 8, 32])
def test_it_is_the_least_squares_solution(order: int) -> None:
    past = np.cumsum(np.random.default_rng(order).standard_normal(500)) * 0.01
    columns = np.stack([past[order - k : past.size - k] for k in range(1, order + 1)], axis=1)
    weights, squares, *_ = np.linalg.lstsq(columns, past[order:], rcond=None)
    error, usual = prediction_errors(past, 0.3, order)
    assert error == pytest.approx(abs(0.3 - past[-1 : -order - 1 : -1] @ weights), rel=0.01)
    assert usual == pytest.approx(np.sqrt(squares[0] / len(columns)), rel=0.01)


def test_a_process_goes_on_as_expected_and_another_one_does_not() -> None:
    """Two resonances in noise: the errors of its own next samples are those of its noise, of unit power."""
    rng = np.random.default_rng(0)
    poles = 0.98 * np.exp(1j * np.array([0.05, 0.4]))
    denominator = np.real(np.poly([*poles, *poles.conj()]))
    own, foreign = [], []
    for _ in range(200):
        wave = np.asarray(lfilter([1.0], denominator, rng.standard_normal(2_000)))
        error, usual = prediction_errors(wave[1000:1900], wave[1900], 16)
        own.append(error)
        foreign.append(prediction_errors(wave[1000:1900], wave[100], 16)[0])
        assert usual == pytest.approx(1.0, abs=0.15)
    assert np.sqrt(np.mean(np.square(own))) == pytest.approx(1.0, abs=0.15)
    assert np.median(foreign) > 10.0


def test_silence_is_expected_to_go_on() -> None:
    assert prediction_errors(np.zeros(100), 0.0, 8) == (0.0, 0.0)
    assert prediction_errors(np.zeros(100), 0.1, 8) == (0.1, 0.0)
