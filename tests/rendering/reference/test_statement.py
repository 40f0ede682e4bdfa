"""What references say about the curve: one by its share, several where they agree, nothing where all is unknown."""

import numpy as np
import pytest

from neural_mastering.dsp.gaussian import combine
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, octave_smoothed
from neural_mastering.errors import InputError
from neural_mastering.metering.profile import Profile
from neural_mastering.rendering.reference.statement import reference_statement, smooth_differences
from neural_mastering.styles.intensity import error_covariance

BANDS = CENTRES_HZ.size
OCTAVES = np.log2(CENTRES_HZ / 1_000.0)
ALL = np.ones(BANDS, dtype=bool)


def profile(levels_db: np.ndarray, filled: np.ndarray = ALL) -> Profile:
    return Profile(levels_db, filled, -14.0, 60.0)


SONG = profile(np.random.default_rng(0).normal(-20.0, 4.0, BANDS))
TILTED = profile(SONG.levels_db + 1.2 * OCTAVES)


def curve(references: list[tuple[Profile, float]], match: float, size_db: float = 2.0) -> np.ndarray:
    prior = error_covariance(size_db)
    return combine(prior, [reference_statement(SONG, references, match, prior)]).mean


@pytest.mark.parametrize("match", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("size_db", [1.0, 6.0])
def test_one_reference_is_followed_by_its_share(match: float, size_db: float) -> None:
    wanted = octave_smoothed(1.2 * OCTAVES)
    wanted = match * (wanted - wanted[BROAD].mean())
    np.testing.assert_allclose(curve([(TILTED, 1.0)], match, size_db), wanted, atol=0.02)


def test_level_in_the_statement_is_free() -> None:
    """The engine's offset changes nothing but a constant."""
    prior = error_covariance(2.0)
    statement = reference_statement(SONG, [(TILTED, 1.0)], 0.6, prior)
    moved = combine(prior, [statement], offset=10.0).mean - combine(prior, [statement]).mean
    assert np.ptp(moved) < 0.05


@pytest.mark.parametrize("match", [0.0, 5e-324, 1e-200])
def test_a_share_of_nothing_says_nothing(match: float) -> None:
    statement = reference_statement(SONG, [(TILTED, 1.0)], match, error_covariance(2.0))
    assert not statement.known.any()
    np.testing.assert_array_equal(curve([(TILTED, 1.0)], match), np.zeros(BANDS))


def test_copies_of_a_reference_say_the_same_and_weights_count() -> None:
    one, same = curve([(TILTED, 1.0)], 0.6), curve([(TILTED, 1.0), (TILTED, 3.0)], 0.6)
    np.testing.assert_allclose(same, one, atol=1e-6)
    dark = profile(SONG.levels_db - 1.2 * OCTAVES)
    mostly = curve([(TILTED, 9.0), (dark, 1.0)], 0.6)
    assert 0.5 < mostly @ one / (one @ one) < 0.85  # the mean is 0.8 of the tilt, less for their disagreement
    np.testing.assert_allclose(curve([(TILTED, 1.0), (dark, 1.0)], 0.6), 0.0, atol=1e-6)


def test_several_are_followed_where_they_agree() -> None:
    """All have 6 dB more treble; below 200 Hz they scatter by ±8 dB around 6 dB more bass."""
    rng = np.random.default_rng(1)
    bass, treble = CENTRES_HZ < 200.0, CENTRES_HZ > 4_000.0

    def other() -> Profile:
        return profile(
            SONG.levels_db + np.where(treble, 6.0, 0.0) + np.where(bass, rng.normal(6.0, 8.0), 0.0)
        )

    moved, mean = [], []
    for _ in range(20):
        references = [(other(), 1.0) for _ in range(4)]
        moved.append(curve(references, 1.0))
        mean.append(smooth_differences(SONG, references)[0].mean(axis=0))
    share = [
        float((np.mean(moved, axis=0)[part].mean()) / np.mean(mean, axis=0)[part].mean())
        for part in (CENTRES_HZ < 100.0, CENTRES_HZ > 6_000.0)
    ]
    assert share[0] < 0.8 * share[1] and share[1] > 0.8, share
    few, many = ([(other(), 1.0) for _ in range(n)] for n in (3, 60))
    doubt = [
        reference_statement(SONG, each, 1.0, error_covariance(6.0)).sigma[bass].mean() for each in (few, many)
    ]
    assert doubt[1] < 0.5 * doubt[0], "many references leave less doubt about their mean"


def test_empty_bands_are_left_out_and_a_majority_decides() -> None:
    cut = ALL.copy()
    cut[-4:] = False
    short = profile(TILTED.levels_db, cut)
    assert np.array_equal(smooth_differences(SONG, [(short, 1.0)])[1], cut)
    assert smooth_differences(SONG, [(short, 1.0), (TILTED, 2.0)])[1].all()
    assert np.array_equal(smooth_differences(SONG, [(short, 2.0), (TILTED, 1.0)])[1], cut)
    nothing = profile(TILTED.levels_db, np.zeros(BANDS, dtype=bool))
    assert not reference_statement(SONG, [(nothing, 1.0)], 0.6, error_covariance(2.0)).known.any()


def test_jagged_differences_are_smoothed_away() -> None:
    jagged = np.where(np.arange(BANDS) % 2, 6.0, -6.0)
    left = smooth_differences(SONG, [(profile(SONG.levels_db + jagged), 1.0)])[0][0]
    assert np.abs(left[1:-1]).max() <= 2.3


def test_bad_weights_are_refused() -> None:
    with pytest.raises(InputError, match="no reference"):
        reference_statement(SONG, [], 0.6, error_covariance(2.0))
    for weight in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="above 0"):
            reference_statement(SONG, [(TILTED, weight)], 0.6, error_covariance(2.0))
