"""What the search makes of passes: an exact line, with and without a lower threshold between them."""

import numpy as np
import pytest

from neural_mastering.metering.forecast import forecast
from neural_mastering.rendering.delivery.gain_search import GainSearch
from neural_mastering.rendering.delivery.spec import CLEAN_DB, DeliverySpec
from tests.rendering.conftest import RATE, music


@pytest.mark.parametrize("lower_db", [0.0, 0.3])
def test_two_passes_over_a_linear_loss_give_the_gain_whatever_the_threshold(lower_db: float) -> None:
    """A loss of half a decibel for each one above the threshold: the line through two passes is exact."""
    audio = music(4.0)
    before = forecast(iter([np.ascontiguousarray(audio)]), RATE, len(audio))
    readings = before.readings
    clean_db = -1.0 + CLEAN_DB - readings.true_peak_db
    aim_lufs = readings.lufs + clean_db + 4.0
    search = GainSearch(before, DeliverySpec(aim_lufs, -1.0, 40.0), 0.0)

    def measured(lowered_db: float) -> float:
        return readings.lufs + search.gain_db - 0.5 * (search.gain_db + lowered_db - clean_db)

    assert search.gain_db > clean_db
    search.correct(measured(0.0), 0.01)
    first_db = search.gain_db
    search.correct(measured(0.0), 0.01, lower_db)
    assert abs(search.gain_db - first_db) > 0.1
    assert measured(lower_db) == pytest.approx(aim_lufs, abs=1e-6)
    assert search.is_settled(measured(lower_db), 0.01) and search.limited_by is None
