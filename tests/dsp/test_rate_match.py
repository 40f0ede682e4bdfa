"""One curve at every sample rate: against the closed form of the design rate."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import sosfreqz

from neural_mastering.dsp import biquad, rate_match, rbj

DESIGN_HZ = 44_100.0
RATES = (32_000, 37_800, 48_000, 88_200, 96_000, 192_000)
PROMISE_DB = 0.3
Columns = tuple[list[str], list[float], list[float], list[float]]


def random_equaliser(seed: int, bands: int = 10, gain_db: float = 12.0) -> Columns:
    """Low shelf, peaks and high shelf anywhere in the ranges of `ParametricEQ`."""
    dice = np.random.default_rng(seed)
    peaks = bands - 2
    frequency = np.exp(
        [
            dice.uniform(math.log(25), math.log(250)),
            *dice.uniform(math.log(40), math.log(13_500), peaks),
            dice.uniform(math.log(3_000), math.log(18_000)),
        ]
    )
    gain = dice.uniform(-gain_db, gain_db, bands)
    q = np.exp(dice.uniform(math.log(0.5), math.log(5.0), bands))
    q[[0, -1]] = np.exp(dice.uniform(math.log(0.5), 0.0, 2))
    return ["low_shelf", *["peak"] * peaks, "high_shelf"], frequency.tolist(), gain.tolist(), q.tolist()


def oracle_db(columns: Columns, at_hz: np.ndarray, rate: float = DESIGN_HZ) -> np.ndarray:
    """The curve of `dsp.biquad`, in float64."""
    kinds, *numbers = columns
    frequency, gain, q = (torch.tensor([n], dtype=torch.float64) for n in numbers)
    return biquad.response_db(frequency, gain, q, torch.from_numpy(at_hz), rate, kinds)[0].numpy()  # pyright: ignore[reportArgumentType]


def heard_db(sections: np.ndarray, at_hz: np.ndarray, rate: float) -> np.ndarray:
    return 20.0 * np.log10(np.abs(sosfreqz(sections, worN=at_hz, fs=rate)[1]))


def grid_hz(rate: float) -> np.ndarray:
    highest = min(16_000.0, 0.4999 * rate, 0.4999 * DESIGN_HZ)
    return np.concatenate([np.geomspace(15.0, highest, 700), np.linspace(100.0, highest, 700)])


@pytest.mark.parametrize("rate", RATES)
def test_the_curve_stays_within_the_promise(rate: int) -> None:
    for seed in range(10):
        columns = random_equaliser(seed)
        sections = rate_match.sections_at_rate(*columns, DESIGN_HZ, rate)
        error_db = heard_db(sections, grid_hz(rate), rate) - oracle_db(columns, grid_hz(rate))
        assert np.abs(error_db).max() < PROMISE_DB, (seed, columns)
        told = rate_match.max_deviation_db(sections, *columns, DESIGN_HZ, rate)
        assert told == pytest.approx(np.abs(error_db).max(), abs=0.01)


bands_of_any_kind = st.tuples(
    st.sampled_from(["peak", "low_shelf", "high_shelf"]),
    st.floats(25.0, 18_000.0),
    st.floats(-12.0, 12.0),
    st.floats(0.5, 5.0),
).map(lambda b: (b[0], b[1], b[2], b[3] if b[0] == "peak" else min(b[3], 1.0)))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(bands_of_any_kind, min_size=1, max_size=3), st.sampled_from([32_000, 48_000, 96_000, 192_000])
)
def test_any_band_is_matched_stable_and_minimum_phase(
    bands: list[tuple[str, float, float, float]], rate: int
) -> None:
    columns: Columns = tuple(list(c) for c in zip(*bands, strict=True))  # pyright: ignore[reportAssignmentType]
    sections = rate_match.sections_at_rate(*columns, DESIGN_HZ, rate)
    for row in sections:
        assert np.abs(np.roots(row[3:])).max() < 1.0, "a pole outside the unit circle"
        assert np.abs(np.roots(row[:3])).max() < 1.0, "a zero outside the unit circle"
    if len(sections) == 0:
        assert not any(columns[2])
        return
    error_db = heard_db(sections, grid_hz(rate), rate) - oracle_db(columns, grid_hz(rate))
    assert np.abs(error_db).max() < PROMISE_DB
    # Above the promise nothing rings out: the curve stays near what the design rate holds.
    all_hz = np.linspace(20.0, 0.4999 * rate, 4_000)
    design_hz = np.linspace(20.0, 0.4999 * DESIGN_HZ, 4_000)
    highest, lowest = oracle_db(columns, design_hz).max(), oracle_db(columns, design_hz).min()
    level_db = heard_db(sections, all_hz, rate)
    assert level_db.max() < max(highest, 0.0) + 6.0 and level_db.min() > min(lowest, 0.0) - 6.0


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050])
def test_low_rates_keep_the_part_of_the_curve_that_they_hold(rate: int) -> None:
    """Bands above the new Nyquist frequency still pull on what is below it."""
    errors = []
    for seed in range(8):
        columns = random_equaliser(seed, gain_db=6.0)
        sections = rate_match.sections_at_rate(*columns, DESIGN_HZ, rate)
        errors.append(
            np.abs(heard_db(sections, grid_hz(rate), rate) - oracle_db(columns, grid_hz(rate))).max()
        )
    assert max(errors) < PROMISE_DB


def test_plain_rbj_would_not_do() -> None:
    """The check can fail: the same numbers at another rate give another curve."""
    columns = (["peak"], [12_000.0], [6.0], [0.7])
    plain = rbj.sections(*columns, 96_000)
    assert np.abs(heard_db(plain, grid_hz(96_000), 96_000) - oracle_db(columns, grid_hz(96_000))).max() > 1.5


def test_the_design_rate_gets_the_cookbook_sections() -> None:
    columns = random_equaliser(3)
    sections = rate_match.sections_at_rate(*columns, 48_000, 48_000)
    assert np.array_equal(sections, rbj.sections(*columns, 48_000))
    at_hz = np.geomspace(10.0, 23_900.0, 500)
    assert np.abs(heard_db(sections, at_hz, 48_000) - oracle_db(columns, at_hz, 48_000)).max() < 1e-7
    assert np.abs(rbj.level_db(*columns, at_hz, 48_000) - oracle_db(columns, at_hz, 48_000)).max() < 1e-9


def test_bands_at_0_db_are_not_there() -> None:
    kinds, frequencies, q = ["low_shelf", "peak", "peak"], [80.0, 100.0, 3_000.0], [0.7, 1.0, 2.0]
    among_others = rate_match.sections_at_rate(kinds, frequencies, [3.0, 0.0, -4.0], q, DESIGN_HZ, 96_000)
    without = rate_match.sections_at_rate(
        [kinds[0], kinds[2]], [80.0, 3_000.0], [3.0, -4.0], [0.7, 2.0], DESIGN_HZ, 96_000
    )
    assert len(without) > 0
    np.testing.assert_array_equal(among_others, without)
    assert rate_match.sections_at_rate(["peak"], [100.0], [0.0], [1.0], DESIGN_HZ, 96_000).shape == (0, 6)
    assert rate_match.sections_at_rate([], [], [], [], DESIGN_HZ, 96_000).shape == (0, 6)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((["peak"], [22_050.0], [3.0], [1.0]), "below 22050 Hz"),
        ((["peak"], [100.0], [3.0], [0.0]), "above 0"),
        ((["notch"], [100.0], [3.0], [1.0]), "unknown kind"),
        ((["peak"], [100.0, 200.0], [3.0], [1.0]), "1 kinds"),
        ((["peak"], [math.nan], [3.0], [1.0]), "finite"),
    ],
)
def test_bad_bands_are_refused(columns: Columns, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rate_match.sections_at_rate(*columns, DESIGN_HZ, 96_000)
