"""Bands: rows and columns, one curve, and what is done to them."""

import numpy as np
import pytest
from scipy.signal import sosfreqz

from neural_mastering.controls import Bands, EqBand
from neural_mastering.dsp import rbj

RATE = 44_100.0
AT_HZ = np.geomspace(20.0, 20_000.0, 60)
ROWS = (
    EqBand("low_shelf", 90.0, 4.0, 0.7),
    EqBand("peak", 400.0, -3.0, 1.4),
    EqBand("peak", 3_000.0, 0.0, 3.0),
    EqBand("high_shelf", 9_000.0, 2.5, 0.6),
)
BANDS = Bands.of(ROWS)


def test_rows_come_back() -> None:
    assert tuple(BANDS) == ROWS and BANDS[3] == ROWS[3] and len(BANDS) == 4
    assert BANDS.kinds == tuple(row.kind for row in ROWS)
    assert BANDS.frequency_hz.tolist() == [row.frequency_hz for row in ROWS]
    assert Bands.of(BANDS) == BANDS and hash(Bands.of(ROWS)) == hash(BANDS)
    assert Bands.of(ROWS[:3]) != BANDS and len(Bands.of()) == 0


def test_the_level_is_that_of_the_cookbooks_biquads() -> None:
    sections = rbj.sections(BANDS.kinds, BANDS.frequency_hz, BANDS.gain_db, BANDS.q, RATE)
    _, response = sosfreqz(np.asarray(sections), worN=AT_HZ, fs=RATE)
    expected = 20.0 * np.log10(np.abs(response))
    np.testing.assert_allclose(BANDS.level_db(AT_HZ, RATE), expected, atol=1e-8)
    each = BANDS.band_levels_db(AT_HZ, RATE)
    assert each.shape == (4, len(AT_HZ))
    np.testing.assert_allclose(each.sum(axis=0), expected, atol=1e-8)
    np.testing.assert_allclose(each[1], BANDS.only([1]).level_db(AT_HZ, RATE), atol=1e-12)


@pytest.mark.parametrize("rate", [44_100.0, 96_000.0])
def test_sections_have_the_curve_of_the_design_rate(rate: float) -> None:
    _, response = sosfreqz(BANDS.sections(RATE, rate), worN=AT_HZ[AT_HZ < 16_000.0], fs=rate)
    found, wanted = 20.0 * np.log10(np.abs(response)), BANDS.level_db(AT_HZ[AT_HZ < 16_000.0], RATE)
    np.testing.assert_allclose(found, wanted, atol=1e-8 if rate == RATE else 0.3)
    assert Bands.of().sections(RATE, rate).shape == (0, 6)


def test_parts_and_sums_of_bands() -> None:
    assert tuple(BANDS.active()) == (ROWS[0], ROWS[1], ROWS[3])
    assert tuple(BANDS.only([2, 0])) == (ROWS[2], ROWS[0])
    assert BANDS.only([0, 1]) + BANDS.only([2, 3]) == BANDS
    assert Bands.of() + BANDS == BANDS == BANDS + Bands.of()
    assert [band.gain_db for band in BANDS.scaled(-0.5)] == [-2.0, 1.5, 0.0, -1.25]
    assert BANDS.scaled(0.5).only([0])[0] == EqBand("low_shelf", 90.0, 2.0, 0.7)


def test_rounding_takes_decimals_by_column() -> None:
    odd = Bands.of([EqBand("peak", 1_234.5678, -1.23456, 0.98765)])
    assert odd.rounded((2, 4, 1))[0] == EqBand("peak", 1_234.57, -1.2346, 1.0)


def test_the_vector_of_a_fit_comes_back() -> None:
    vector = BANDS.to_vector()
    assert vector.shape == (4, 3)
    np.testing.assert_allclose(vector[0], [np.log(90.0), 4.0, np.log(0.7)])
    back = BANDS.with_vector(vector)
    np.testing.assert_allclose(back.to_vector(), vector, rtol=1e-14)
    assert back.kinds == BANDS.kinds


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="columns of one length"):
        Bands(("peak", "peak"), np.ones(2), np.ones(1), np.ones(2))
