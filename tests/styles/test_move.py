"""The curve that follows from statements: closed forms, invariants, parts that add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.scale_mixture import observed_covariance
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.metering.profile import Profile
from neural_mastering.styles.intensity import error_covariance
from neural_mastering.styles.move import Expectation, Wish, wanted_move

SIZE = len(CENTRES_HZ)
ALL = np.ones(SIZE, dtype=bool)


def song(levels: np.ndarray, filled: np.ndarray = ALL) -> Profile:
    return Profile(levels, filled, -20.0, 60.0)


def spread(seed: int = 0, size_db: float = 5.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(SIZE, 2 * SIZE)) / np.sqrt(2 * SIZE)
    band = np.arange(SIZE)
    smooth = np.exp(-np.abs(band[:, None] - band) / 4.0)
    return size_db**2 * (0.5 * smooth + 0.5 * factor @ factor.T)


def centred(curve: np.ndarray) -> np.ndarray:
    return curve - curve[BROAD].mean()


def test_one_expectation_is_the_gaussian_posterior_in_closed_form() -> None:
    rng = np.random.default_rng(1)
    normal, levels, covariance = rng.normal(size=SIZE) * 3, rng.normal(size=SIZE) * 3, spread()
    prior = error_covariance(2.0)
    seen = observed_covariance(normal - levels, covariance, prior, 30.0)
    # c | x = P (P + Σ + κ²11ᵀ)⁻¹ (μ − x), with Σ as it is for this song
    expected = prior @ np.linalg.solve(prior + seen + 900.0, normal - levels)
    found = wanted_move(
        song(levels), [Expectation("kind", 1.0, Gaussian.of(normal, covariance))], largest_db=1e6
    )
    np.testing.assert_allclose(found.curve_db, centred(expected), atol=1e-6)


@pytest.mark.parametrize("match", [0.1, 0.6, 0.95])
def test_a_wish_with_the_covariance_of_a_share_is_followed_by_that_share(match: float) -> None:
    wanted = 4.0 * np.sin(np.arange(SIZE) / 4.0)
    prior = error_covariance(2.0)
    wish = Wish("reference", Gaussian.of(wanted, prior * (1.0 - match) / match))
    found = wanted_move(song(np.zeros(SIZE)), wishes=[wish], largest_db=1e6)
    np.testing.assert_allclose(found.curve_db, match * centred(wanted), atol=0.02)


def test_a_song_unlike_all_others_is_moved_less() -> None:
    covariance, direction = spread(3, 3.0), np.sin(np.arange(SIZE) / 3.0)
    kind = [Expectation("kind", 1.0, Gaussian.of(np.zeros(SIZE), covariance))]
    near, far, farther = (
        wanted_move(song(size * direction), kind, largest_db=1e6).rms_db for size in (3.0, 30.0, 60.0)
    )
    assert far < 10.0 * near
    assert farther < 1.2 * far  # not in proportion any more


def test_parts_add_up_to_the_curve() -> None:
    rng = np.random.default_rng(2)
    kinds = [
        Expectation(name, weight, Gaussian.of(rng.normal(size=SIZE), spread(i, 3.0)))
        for i, (name, weight) in enumerate((("one", 0.3), ("other", 0.7)))
    ]
    wishes = [Wish("reference", Gaussian.of(rng.normal(size=SIZE), spread(7, 2.0)))]
    found = wanted_move(song(rng.normal(size=SIZE)), kinds, wishes, largest_db=1e6)
    np.testing.assert_allclose(sum(part.curve_db for part in found.parts), found.curve_db, atol=1e-9)
    assert [part.name for part in found.parts] == ["one", "other", "reference"]


def test_level_is_not_tone() -> None:
    rng = np.random.default_rng(3)
    levels, kind = (
        rng.normal(size=SIZE),
        [Expectation("kind", 1.0, Gaussian.of(rng.normal(size=SIZE), spread()))],
    )
    one, other = wanted_move(song(levels), kind), wanted_move(song(levels + 17.0), kind)
    # the offset is a Gaussian of 30 dB and not a free constant, so 17 dB leave a trace
    np.testing.assert_allclose(one.curve_db, other.curve_db, atol=0.05)


def test_what_is_done_anyway_is_where_the_rest_starts_from() -> None:
    rng = np.random.default_rng(4)
    levels, base = rng.normal(size=SIZE), 3.0 * np.cos(np.arange(SIZE) / 5.0)
    kind = [Expectation("kind", 1.0, Gaussian.of(rng.normal(size=SIZE), spread()))]
    with_base = wanted_move(song(levels), kind, base_db=base, largest_db=1e6)
    after = wanted_move(song(levels + base), kind, largest_db=1e6)
    np.testing.assert_allclose(with_base.curve_db, base + after.curve_db, atol=1e-9)


def test_more_intensity_moves_further_and_none_not_at_all() -> None:
    rng = np.random.default_rng(5)
    levels = rng.normal(size=SIZE) * 4
    kind = [Expectation("kind", 1.0, Gaussian.of(np.zeros(SIZE), spread()))]
    sizes = [wanted_move(song(levels), kind, intensity_db=db).rms_db for db in (0.0, 1.0, 2.0, 3.5, 6.0)]
    assert sizes[0] == 0.0
    assert sizes == sorted(sizes)


def test_a_planted_error_is_undone_better_than_nothing_does() -> None:
    rng = np.random.default_rng(6)
    covariance, prior = spread(1, 4.0), error_covariance(3.5)
    left, before = 0.0, 0.0
    for _ in range(200):
        error = rng.multivariate_normal(np.zeros(SIZE), prior)
        target = rng.multivariate_normal(np.zeros(SIZE), covariance)
        found = wanted_move(
            song(target + error),
            [Expectation("kind", 1.0, Gaussian.of(np.zeros(SIZE), covariance))],
            intensity_db=3.5,
            largest_db=1e6,
        )
        left += np.mean(centred(error + found.curve_db)[BROAD] ** 2)
        before += np.mean(centred(error)[BROAD] ** 2)
    # the share that the Gaussian model itself promises, by its posterior covariance
    centring = np.eye(SIZE) - np.outer(np.ones(SIZE), BROAD / BROAD.sum())
    posterior = np.linalg.inv(np.linalg.inv(prior) + np.linalg.inv(covariance + 900.0))
    promised = np.trace((centring @ posterior @ centring.T)[np.ix_(BROAD, BROAD)])
    promised /= np.trace((centring @ prior @ centring.T)[np.ix_(BROAD, BROAD)])
    assert left / before == pytest.approx(promised, abs=0.05)


def test_bands_without_sound_are_not_pulled() -> None:
    filled = ALL.copy()
    filled[-4:] = False
    kind = [Expectation("kind", 1.0, Gaussian.of(np.zeros(SIZE), spread()))]
    levels = np.zeros(SIZE)
    silent, loud = levels.copy(), levels.copy()
    silent[-4:], loud[-4:] = -80.0, 40.0
    np.testing.assert_array_equal(
        wanted_move(song(silent, filled), kind).curve_db, wanted_move(song(loud, filled), kind).curve_db
    )


@settings(max_examples=30, deadline=None)
@given(
    scale=st.floats(0.0, 60.0),
    intensity=st.floats(0.0, 6.0),
    largest=st.floats(0.5, 12.0),
    empty=st.integers(0, 20),
)
def test_nothing_leaves_its_bounds(scale: float, intensity: float, largest: float, empty: int) -> None:
    rng = np.random.default_rng(0)
    filled = ALL.copy()
    filled[SIZE - empty :] = False
    kind = [Expectation("kind", 1.0, Gaussian.of(np.zeros(SIZE), spread()))]
    found = wanted_move(
        song(scale * rng.normal(size=SIZE), filled), kind, intensity_db=intensity, largest_db=largest
    )
    assert np.isfinite(found.curve_db).all()
    assert np.isfinite(found.sigma_db).all()
    assert np.abs(found.curve_db).max() <= largest + 1e-9
