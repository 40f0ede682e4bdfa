"""The fine structure tells a version of a song from another one, also where third octaves can't."""

import numpy as np
import pytest
from scipy.signal import sosfilt

from neural_mastering.dsp import rbj
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.fine_structure import (
    EDGES_HZ,
    FOREIGN,
    SAME,
    fine_structure,
    same_song_share,
    structure_correlation,
)
from neural_mastering.metering.profile import Profile, profile_of
from neural_mastering.rendering.reference.match import match_references

RATE = 44_100


def _notes(seed: int, rate: int = RATE, seconds: float = 4.0) -> np.ndarray:
    """Forty decaying tones over a floor of noise, two channels."""
    rng, time = np.random.default_rng(seed), np.arange(round(seconds * rate)) / rate
    audio = 0.001 * np.random.default_rng(seed + 1).standard_normal((2, time.size))
    for frequency_hz, start_s in zip(
        np.exp(rng.uniform(5.2, 8.5, 40)), rng.uniform(0, seconds - 1, 40), strict=True
    ):
        since = np.clip(time - start_s, 0.0, None)
        audio += 0.1 * np.sin(2 * np.pi * frequency_hz * since) * np.exp(-4 * since) * (since > 0)
    return audio


def _equalised(audio: np.ndarray) -> np.ndarray:
    sections = rbj.sections(("low_shelf", "peak"), [300.0, 2_000.0], [6.0, -6.0], [0.7, 1.0], RATE)
    return np.asarray(sosfilt(np.asarray(sections), audio, axis=-1))


def test_an_equaliser_leaves_it_and_another_song_does_not_share_it() -> None:
    song, other = (profile_of([_notes(seed)], RATE).fine_db for seed in (0, 5))
    assert structure_correlation(song, profile_of([0.3 * _equalised(_notes(0))], RATE).fine_db) > 0.97
    assert abs(structure_correlation(song, other)) < 0.6
    assert structure_correlation(song, profile_of([_notes(0)[:1]], RATE).fine_db) > 0.97


def test_a_line_stands_where_its_frequency_is() -> None:
    at_hz = np.arange(1.0, 8_000.0)
    power = np.ones(at_hz.size)
    power[at_hz == 1_000.0] = 1e4
    fine = fine_structure(at_hz, power)
    band = int(np.argmax(fine))
    assert EDGES_HZ[band] <= 1_000.0 < EDGES_HZ[band + 1]
    assert fine.size == EDGES_HZ.size - 1
    np.testing.assert_allclose(fine_structure(at_hz, 7.0 * power), fine, atol=1e-9)  # no level
    tilted = fine_structure(
        at_hz, power * at_hz
    )  # a slope of 3 dB an octave is smoothed away but at the ends
    np.testing.assert_allclose(tilted[60:-60], fine[60:-60], atol=0.35)


def test_what_is_flat_or_missing_agrees_with_nothing() -> None:
    assert structure_correlation(np.zeros(9), np.arange(9.0)) == 0.0
    assert structure_correlation(np.zeros(0), np.zeros(0)) == 0.0
    assert (same_song_share(FOREIGN), same_song_share(SAME)) == (0.0, 1.0)
    assert same_song_share(0.5 * (FOREIGN + SAME)) == pytest.approx(0.5)


@pytest.mark.parametrize(("agrees", "followed"), [(True, 0.9), (False, 0.0)])
def test_a_smooth_difference_is_followed_only_where_the_notes_agree(agrees: bool, followed: float) -> None:
    """Third octaves alone take it for a master in both cases."""
    rng = np.random.default_rng(3)
    levels_db = rng.normal(-20.0, 6.0, CENTRES_HZ.size)
    filled, tilt_db = np.ones(CENTRES_HZ.size, dtype=bool), 1.5 * np.log2(CENTRES_HZ / 1_000.0)
    fine_db, other_db = rng.standard_normal((2, 255))
    song = Profile(levels_db, filled, -14.0, 30.0, fine_db)
    reference = Profile(levels_db + tilt_db, filled, -14.0, 30.0, fine_db if agrees else other_db)
    match = match_references(song, [(reference, 1.0)])
    assert match.followed >= followed if agrees else match.followed == 0.0
    assert bool(len(match.controls.eq)) == agrees
    assert (match.same_song > 0.9) == agrees
    asked = match_references(song, [(reference, 1.0)], follow=1.0)
    assert len(asked.controls.eq) and asked.followed == 1.0  # whoever asks for it gets it
