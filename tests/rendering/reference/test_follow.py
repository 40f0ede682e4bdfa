"""The tone of other songs: planted curves are recovered, moves stay within their limits and rise with the share."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import sosfilt

from neural_mastering.dsp import rbj
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, broad_distance_db, octave_smoothed
from neural_mastering.metering.profile import Profile, profile_of
from neural_mastering.rendering.reference.fit import MOST_BANDS
from neural_mastering.rendering.reference.follow import FollowedTone, follow_tone
from neural_mastering.rendering.reference.shares import limit_db
from tests.rendering.conftest import DEMO_SONGS, RATE

BANDS = CENTRES_HZ.size
AT_HZ = np.geomspace(20.0, 19_800.0, 500)
Samples = NDArray[np.float64]


def reach_db(tone: FollowedTone) -> float:
    return float(np.abs(tone.bands.level_db(AT_HZ, RATE)).max()) if len(tone.bands) else 0.0


def planted(path: Path) -> tuple[Profile, Profile, Samples]:
    """A song, the same behind shelves and a broad peak, and the curve between them."""
    song = np.array(soundfile.read(path, frames=8 * RATE, always_2d=True)[0].T, dtype=np.float64)
    bands = (("low_shelf", "peak", "high_shelf"), [150.0, 900.0, 5_000.0], [3.0, -3.0, 4.0], [0.7, 0.6, 0.7])
    other = np.asarray(sosfilt(rbj.sections(*bands, RATE), song))
    return profile_of([song], RATE), profile_of([other], RATE), rbj.level_db(*bands, CENTRES_HZ, RATE)


@pytest.mark.parametrize("song", [0, 3])
@pytest.mark.parametrize("share", [0.6, 1.0])
def test_a_planted_curve_is_recovered_by_the_share(song: int, share: float) -> None:
    before, wanted, curve_db = planted(DEMO_SONGS[song])
    tone = follow_tone(before, [(wanted, 1.0)], share)
    error = (tone.bands.level_db(CENTRES_HZ, RATE) - share * curve_db)[tone.known & BROAD]
    assert np.abs(error - error.mean()).max() < 0.6 and np.std(error) < 0.25
    assert len(tone.bands) <= MOST_BANDS
    after = before.levels_db + tone.bands.level_db(CENTRES_HZ, RATE)
    left, was = (broad_distance_db(each, wanted.levels_db, tone.known) for each in (after, before.levels_db))
    assert left / was == pytest.approx(1.0 - share, abs=0.06)


def profiles(seed: int, spread_db: float) -> tuple[Profile, Profile]:
    rng = np.random.default_rng(seed)
    smooth = octave_smoothed(octave_smoothed(rng.normal(0.0, spread_db, BANDS)))
    song = rng.normal(-20.0, 3.0, BANDS)
    filled = np.ones(BANDS, dtype=bool)
    return Profile(song, filled, -14.0, 60.0), Profile(song + smooth, filled, -10.0, 60.0)


def test_more_is_asked_and_nearer_is_come_with_the_share() -> None:
    song, reference = profiles(3, 12.0)
    tones = [follow_tone(song, [(reference, 1.0)], share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    sizes = np.array([np.abs(tone.curve_db - tone.curve_db[BROAD].mean())[BROAD].mean() for tone in tones])
    assert np.all(np.diff(sizes) > 0.0) and sizes[0] == 0.0 and not len(tones[0].bands)
    left = [
        broad_distance_db(song.levels_db + tone.bands.level_db(CENTRES_HZ, RATE), reference.levels_db)
        for tone in tones
    ]
    assert np.all(np.diff(left) < 0.0) and left[-1] < 0.35 * left[0]


def test_bands_of_a_codec_are_not_boosted() -> None:
    song, reference = profiles(5, 3.0)
    filled = CENTRES_HZ < 9_000.0
    cut = Profile(np.where(filled, reference.levels_db, reference.levels_db - 70.0), filled, -14.0, 60.0)
    tone = follow_tone(song, [(cut, 1.0)], 1.0)
    assert not tone.known[~filled].any()
    edge = np.abs(tone.bands.level_db(CENTRES_HZ, RATE) - tone.curve_db)[filled].max()
    assert edge < 1.5 and reach_db(tone) <= 12.0


levels = st.lists(st.floats(-90.0, 30.0), min_size=BANDS, max_size=BANDS)
masks = st.lists(st.booleans(), min_size=BANDS, max_size=BANDS)


@example(song=[-20.0] * BANDS, others=[([9.0] * BANDS, [True] * BANDS, 1.0)], share=5e-324, rate=44_100.0)
@settings(max_examples=8, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(
    song=levels,
    others=st.lists(st.tuples(levels, masks, st.floats(1e-3, 1e3)), min_size=1, max_size=3),
    share=st.floats(0.0, 1.0),
    rate=st.sampled_from([22_050.0, 44_100.0, 96_000.0]),
)
def test_whatever_comes_no_move_leaves_the_bounds(
    song: list[float], others: list[tuple[list[float], list[bool], float]], share: float, rate: float
) -> None:
    own = Profile(np.array(song), np.ones(BANDS, dtype=bool), -14.0, 60.0)
    references = [
        (Profile(np.array(each), np.array(mask), -14.0, 60.0), weight) for each, mask, weight in others
    ]
    tone = follow_tone(own, references, share, rate)
    assert np.isfinite(tone.curve_db).all() and np.isfinite(tone.difference_db).all()
    assert np.abs(tone.curve_db).max() <= limit_db(share)
    assert len(tone.bands) <= MOST_BANDS and np.abs(tone.bands.gain_db).max(initial=0.0) <= 12.0
    if len(tone.bands):
        at_hz = np.geomspace(20.0, min(20_000.0, 0.45 * rate), 700)
        response = tone.bands.level_db(at_hz, rate)
        assert np.isfinite(response).all() and np.abs(response).max() <= limit_db(share) + 0.05
