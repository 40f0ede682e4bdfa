"""Loudness behind clipper and limiter: of a short song itself, of a long one by its excerpts."""

from collections.abc import Iterator

import numpy as np
import pytest

from neural_mastering.metering.forecast import forecast
from neural_mastering.rendering.delivery.gain_search import limited_lufs
from neural_mastering.rendering.delivery.loudness_probe import loudness_probe
from neural_mastering.rendering.delivery.spec import DeliverySpec

RATE = 8_000


@pytest.mark.parametrize(("seconds", "within_lu"), [(5.0, 0.0), (100.0, 0.1)])
def test_the_probe_says_what_the_whole_song_measures(seconds: float, within_lu: float) -> None:
    """Beats in noise; the first 40 % of the song are 6 dB quieter."""
    time = np.arange(round(seconds * RATE)) / RATE
    audio = 0.1 * np.random.default_rng(5).standard_normal((1, time.size))
    audio *= (0.2 + np.exp(-(time % 0.5) / 0.1)) * np.where(time < 0.4 * seconds, 0.5, 1.0)

    def blocks() -> Iterator[np.ndarray]:
        for start in range(0, audio.shape[1], 10_000):
            yield np.ascontiguousarray(audio[:, start : start + 10_000])

    before = forecast(blocks(), RATE, 1, time.size)
    assert (before.sample is None) == (seconds < 80.0)
    spec = DeliverySpec(-9.0, -1.0, 24.0, clip_db=3.0)
    readings = before.readings
    for over_db in (6.0, 15.0):
        gain_db = -1.0 + over_db - readings.true_peak_db
        whole = limited_lufs(blocks(), readings, spec, gain_db, readings.true_peak_db + gain_db)
        assert whole < readings.lufs + gain_db - 0.5
        assert loudness_probe(blocks, before, spec)(gain_db) == pytest.approx(whole, abs=within_lu + 1e-9)
