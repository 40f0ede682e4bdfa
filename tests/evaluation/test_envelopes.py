"""Levels against the target's: planted gains come back, loudness plays no part, quiet moments say nothing."""

import numpy as np
import pytest

from neural_mastering.evaluation.envelopes import WINDOW_MS, level_differences_db

RATE = 48_000
SIZE = round(WINDOW_MS * RATE / 1000.0)


def _noise(windows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2, windows * SIZE)).astype(np.float32) * 0.1


@pytest.mark.parametrize("loudness_db", [-20.0, 0.0, 11.0])
def test_planted_gains_come_back_without_their_mean(loudness_db: float) -> None:
    target = _noise(12)
    gains_db = np.linspace(-6.0, 3.0, 12)
    ours = target * np.repeat(10.0 ** ((gains_db + loudness_db) / 20.0), SIZE).astype(np.float32)
    at_s, found = level_differences_db({"before": target, "target": target, "ours": ours}, "target", RATE)
    np.testing.assert_allclose(found["ours"], gains_db - gains_db.mean(), atol=1e-3)
    np.testing.assert_allclose(found["before"], 0.0, atol=1e-9)
    np.testing.assert_allclose(at_s, (np.arange(12) + 0.5) * WINDOW_MS / 1000.0)
    assert "target" not in found


def test_quiet_moments_and_other_lengths_are_left_out() -> None:
    target = _noise(10)
    target[:, 4 * SIZE : 6 * SIZE] *= 1e-4
    ours = target.copy()
    ours[:, 4 * SIZE : 6 * SIZE] *= 1e3
    _, found = level_differences_db(
        {"target": target, "ours": ours, "short": target[:, :SIZE]}, "target", RATE
    )
    assert np.flatnonzero(np.isnan(found["ours"])).tolist() == [4, 5]
    np.testing.assert_allclose(found["ours"][[0, 9]], 0.0, atol=1e-9)
    assert "short" not in found
    silent = np.zeros_like(target)
    assert all(
        np.isfinite(v).all()
        for v in level_differences_db({"target": silent, "a": silent}, "target", RATE)[1].values()
    )
