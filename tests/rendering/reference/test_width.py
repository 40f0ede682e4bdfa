"""The width of references: one number where the difference is the same everywhere, octaves where it is not."""

import numpy as np
import pytest

from neural_mastering.controls import ChainControls
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.metering.movement import movement_of
from neural_mastering.metering.profile import profile_of
from neural_mastering.rendering.reference.distances import width_distance_db
from neural_mastering.rendering.reference.width import CROSSOVERS_HZ, follow_width, level_change_db
from neural_mastering.rendering.reference.width_bands import band_shares, closest_widths
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from tests.rendering.conftest import RATE, music

SIDE_DB = np.linspace(-14.0, -8.0, CENTRES_HZ.size)


@pytest.mark.parametrize(("share", "width"), [(1.0, 10.0 ** (4.0 / 20.0)), (0.5, 10.0 ** (2.0 / 20.0))])
def test_a_common_difference_is_one_width(share: float, width: float) -> None:
    values, said = follow_width(SIDE_DB, SIDE_DB + 4.0, share)
    assert values["width"] == pytest.approx(width, rel=0.01) and "crossovers_hz" not in values
    assert "+4.0 dB" in said


def test_a_difference_by_band_is_followed_by_octaves_and_bass_is_not_widened() -> None:
    wanted = SIDE_DB + np.interp(np.log(CENTRES_HZ), np.log([100.0, 5_000.0]), [5.0, -6.0])
    values, _ = follow_width(SIDE_DB, wanted, 1.0)
    widths = np.array(values["width"])
    assert values["crossovers_hz"] == CROSSOVERS_HZ and widths.size == len(CROSSOVERS_HZ) + 1
    assert widths[0] == 1.0 and widths[1] > 1.3 and widths[-1] < 0.6
    assert np.all(np.diff(widths[1:]) <= 0.05)  # the last step is 0.1 dB
    low, _ = follow_width(SIDE_DB, wanted, 1.0, sample_rate=8_000.0)
    assert low["crossovers_hz"] == (100.0, 200.0, 400.0, 800.0, 1_600.0)


def test_the_closest_widths_are_found_within_the_bounds() -> None:
    shares = band_shares(np.array(CROSSOVERS_HZ))
    assert shares.sum(axis=0) == pytest.approx(1.0) and shares.min() >= 0.0
    rng = np.random.default_rng(0)
    low, high = np.full(8, 0.25), np.array([1.0, *[2.0] * 7])
    for _ in range(5):
        truth = np.clip(10.0 ** (rng.normal(0.0, 4.0, 8) / 20.0), low, high)
        wanted = 20.0 * np.log10(truth @ shares)
        wanted[[3, 20]] = np.nan, 30.0  # a band without a side, and one that nothing reaches
        found = closest_widths(wanted, shares, low, high)
        apart = np.delete(20.0 * np.log10(found @ shares) - wanted, [3, 20])
        assert np.abs(apart).mean() < 0.25
        assert np.all((found >= low - 1e-9) & (found <= high + 1e-9))
    for far_db, bound in ((30.0, high), (-60.0, low)):
        assert closest_widths(np.full(29, far_db), shares, low, high) == pytest.approx(bound)
    assert closest_widths(np.full(29, np.nan), shares, low, high) == pytest.approx(1.0)


def test_moves_are_limited() -> None:
    for share, least in ((0.6, 10.0 ** (-6.0 / 20.0)), (1.0, 0.25)):
        narrow, wide = (np.max(follow_width(SIDE_DB, SIDE_DB + d, share)[0]["width"]) for d in (-60.0, 60.0))
        assert narrow >= least and wide <= 2.0


def test_nothing_to_compare_and_nothing_asked() -> None:
    mono = np.full(CENTRES_HZ.size, np.nan)
    for song, reference in ((SIDE_DB, mono), (mono, SIDE_DB), (mono, mono)):
        values, said = follow_width(song, reference, 1.0)
        assert not values and "no side" in said
    assert follow_width(SIDE_DB, SIDE_DB + 5.0, 0.0) == ({}, "width was left alone, as asked")
    assert not follow_width(SIDE_DB, SIDE_DB + 0.2, 1.0)[0]


def test_the_stage_brings_the_side_nearer() -> None:
    """Rendered: noise whose side is dull, towards one whose side is bright."""
    song, other = music(3.0, seed=1), music(3.0, seed=2)
    side = 0.5 * (other[0] - other[1])
    bright = side.copy()
    bright[1:] -= 0.8 * side[:-1]
    wide = np.stack([other.mean(axis=0) + 0.8 * bright, other.mean(axis=0) - 0.8 * bright])
    before, wanted = (movement_of([x], RATE).side_db for x in (song, wide))
    values, _ = follow_width(before, wanted, 1.0)
    stages = build_stages(ChainControls(stages={"stereo": values}), RATE, 2)
    after = movement_of([np.concatenate(list(run_stages(stages, [song])), axis=1)], RATE).side_db
    assert width_distance_db(before, wanted) > 3.0
    assert width_distance_db(after, wanted) < 0.5 * width_distance_db(before, wanted)
    assert np.isfinite(after[BROAD]).all()


@pytest.mark.parametrize(
    "values",
    [
        {"width": 0.25, "bass_frequency_hz": 100.0, "bass_amount": 0.0},
        {"width": (1.0, 2.0, 0.25, 1.5, 2.0, 0.5, 2.0, 1.0), "crossovers_hz": CROSSOVERS_HZ},
    ],
    ids=["one width", "octaves"],
)
def test_the_change_of_level_is_that_of_the_rendered_stage(values: dict) -> None:
    song = np.random.default_rng(0).normal(size=(2, 10 * RATE)) * 0.05  # as much side as mid
    stages = build_stages(ChainControls(stages={"stereo": values}), RATE, 2)
    result = np.concatenate(list(run_stages(stages, [song])), axis=1)
    before, after = (profile_of([audio], RATE) for audio in (song, result))
    rendered_db = (after.levels_db + after.lufs) - (before.levels_db + before.lufs)
    told_db = level_change_db(movement_of([song], RATE).side_db, values)
    assert np.abs(rendered_db[BROAD]).max() > 1.9
    assert told_db[BROAD] == pytest.approx(rendered_db[BROAD], abs=0.25)


def test_no_settings_and_no_side_change_no_level() -> None:
    assert not level_change_db(SIDE_DB, {}).any()
    assert not level_change_db(np.full(CENTRES_HZ.size, np.nan), {"width": 0.3}).any()
