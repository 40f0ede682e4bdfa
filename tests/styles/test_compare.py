"""Where a song lies among the songs of a style, against songs drawn from the style itself."""

import json
from dataclasses import replace

import numpy as np
import pytest

from neural_mastering.audio_io.block import blocks_of
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.errors import InputError
from neural_mastering.metering.content import Content
from neural_mastering.metering.profile import profile_of
from neural_mastering.normality import load_normal_tone
from neural_mastering.styles.compare import compare, compare_with_songs_like_it
from neural_mastering.styles.equal_loudness import at_equal_loudness, tone_at_equal_loudness
from neural_mastering.styles.learn import learn_style
from neural_mastering.styles.profile import Spread, StyleProfile
from neural_mastering.styles.regions import REGIONS, bands_text, nominal_hz
from neural_mastering.styles.robust import plain_covariance
from neural_mastering.styles.standing import Standing
from tests.styles.conftest import MakeSong


def test_regions_cover_the_spectrum_without_gaps() -> None:
    covered = np.sum([region.bands for region in REGIONS], axis=0)
    assert np.all(covered[CENTRES_HZ > 30.0] == 1) and np.all(covered[CENTRES_HZ < 30.0] == 0)
    assert [(r.name, r.span) for r in REGIONS][:2] == [("sub", "30–60 Hz"), ("bass", "60–120 Hz")]
    assert REGIONS[4].span == "500 Hz–2 kHz" and REGIONS[-1].span == "10–18 kHz"


def test_bands_by_their_usual_names() -> None:
    assert [nominal_hz(hz) for hz in CENTRES_HZ[[0, 1, 2, 7, 16, 19, 28]]] == [
        25,
        31.5,
        40,
        125,
        1000,
        2000,
        16000,
    ]
    assert bands_text((CENTRES_HZ < 45.0) | (CENTRES_HZ > 12_000.0)) == "25 to 40 Hz and 12500 to 16000 Hz"
    assert bands_text(np.isin(np.arange(29), (3, 9, 10))) == "50 Hz and 200 to 250 Hz"
    assert bands_text(np.zeros(29, dtype=bool)) == ""


def test_levels_at_equal_loudness_are_those_less_the_loudness_of_a_steady_song() -> None:
    rate = 48_000
    white = 0.05 * np.random.default_rng(0).standard_normal((1, 6 * rate))
    profile = profile_of(blocks_of(np.cumsum(white, axis=1) * 0.02 + white), rate)
    moved = at_equal_loudness(profile.levels_db, profile.filled) - profile.levels_db
    # both are K-weighted sums but for BS.1770's −0.691 dB and what lies above 17.8 kHz
    assert np.ptp(moved) < 1e-9 and moved[0] == pytest.approx(0.69, abs=0.05)
    shifted = at_equal_loudness(profile.levels_db + 7.0, profile.filled)
    np.testing.assert_allclose(shifted, profile.levels_db + moved)


def test_a_distribution_at_equal_loudness_is_that_of_its_songs() -> None:
    mean = -0.3 * np.arange(29.0)
    tone = Gaussian.of(mean, plain_covariance())
    songs = np.random.default_rng(1).multivariate_normal(mean, plain_covariance(), 4_000)
    known = np.ones(29, dtype=bool)
    drawn = np.stack([at_equal_loudness(song, known) for song in songs])
    turned = tone_at_equal_loudness(tone, known)
    assert np.abs(turned.mean - drawn.mean(axis=0)).max() < 0.6
    assert np.abs(turned.sigma / drawn.std(axis=0) - 1.0).max() < 0.25


def test_percentiles_are_those_of_songs_of_the_style(make_song: MakeSong) -> None:
    general = learn_style("general", [make_song(seed) for seed in range(2_000, 2_400)]).profile
    style = learn_style("x", [make_song(seed) for seed in range(200)], general).profile
    compared = [compare(make_song(seed), style) for seed in range(1_000, 1_200)]
    for region in range(len(REGIONS)):
        percentiles = np.array([each.regions[region].percentile for each in compared])
        assert np.mean(percentiles < 10.0) == pytest.approx(0.1, abs=0.07)
        assert np.mean(percentiles < 50.0) == pytest.approx(0.5, abs=0.12)
    widths = np.array([each.numbers[0].difference for each in compared])
    assert abs(widths.mean()) < 0.3 and [n.name for n in compared[0].numbers][-1] == "loudness"


def test_a_boost_shows_where_it_is(make_song: MakeSong) -> None:
    style = learn_style("x", [make_song(seed) for seed in range(200)]).profile
    for one in (style, replace(style, is_absolute=False)):
        usual = make_song(0, levels_db=style.tone.mean, name="usual.wav")
        boosted = replace(usual, levels_db=usual.levels_db + 8.0 * REGIONS[0].bands)
        moves = [
            after.difference - before.difference
            for after, before in zip(compare(boosted, one).regions, compare(usual, one).regions, strict=True)
        ]
        assert moves[0] - moves[1] == pytest.approx(8.0, abs=1e-6)
        np.testing.assert_allclose(moves[1:], moves[1], atol=1e-6)
        assert moves[1] == 0.0 if one.is_absolute else -2.0 < moves[1] < 0.0  # the boost is heard as loudness
        sub = compare(boosted, one).regions[0]
        assert sub.percentile > 90.0 and "above songs like this" in sub.words()


def test_words() -> None:
    sub = Standing("sub", "30–60 Hz", "dB", -10.0, -16.0, 6.0 / 1.645)
    assert sub.words() == "sub 30–60 Hz: 6.0 dB above songs like this, 1 in 20 is"
    assert sub.percentile == pytest.approx(95.0, abs=0.05)
    low = replace(sub, value=-40.0)
    assert low.words() == "sub 30–60 Hz: 24.0 dB below songs like this, fewer than 1 in 1000 are"
    narrow = replace(low, name="width", span="", higher="wider than", lower="narrower than", value=-22.0)
    assert narrow.words() == "width: 6.0 dB narrower than songs like this, 1 in 20 is"
    same = replace(sub, value=-15.0)
    assert same.rarity is None and same.words() == "sub 30–60 Hz: +1.0 dB, as usual"


def test_what_a_style_does_not_have_is_not_compared(make_song: MakeSong) -> None:
    known = CENTRES_HZ > 61.0
    tone = Gaussian(np.zeros(29), np.eye(29), known)
    bare = StyleProfile("bare", tone, 10)
    compared = compare(make_song(0), bare)
    assert compared.among == "songs of the style bare"
    assert compared.numbers == () and compared.regions[0].name == "bass"
    assert [note.kind for note in compared.notes] == ["unknown_bands"]
    only = replace(bare, plr_db=Spread(12.0, 2.0))
    assert [n.name for n in compare(make_song(0), only).numbers] == ["peak to loudness"]


def test_notes_and_faults_of_the_song(make_song: MakeSong) -> None:
    style = learn_style("x", [make_song(seed) for seed in range(20)]).profile
    mono = make_song(
        1, channels=1, side_db=np.full(29, np.nan), seconds=4.0, lra_lu=np.nan, edge_hz=15_500.0,
        filled=CENTRES_HZ < 12_000.0,
    )  # fmt: skip
    compared = compare(mono, style)
    assert {note.kind for note in compared.notes} == {"mono", "short", "lossy", "unknown_bands"}
    assert compared.numbers[0].name == "bass crest"
    plain = json.loads(json.dumps(compared.to_dict(), allow_nan=False))
    assert plain["bands"][-1]["level_db"] is None and plain["regions"][0]["name"] == "sub"
    assert np.isnan(compared.corridor_db(1.0)[-1]) and np.isfinite(compared.corridor_db(1.0)[:20]).all()
    silent = make_song(0, lufs=-np.inf, filled=np.zeros(29, dtype=bool))
    with pytest.raises(InputError, match="can't be compared with a style: it is silent"):
        compare(silent, style)
    treble = replace(style, tone=Gaussian(np.zeros(29), np.eye(29), CENTRES_HZ > 9_000.0))
    with pytest.raises(InputError, match="share only"):
        compare(replace(mono, channels=2), treble)


def test_songs_like_it_are_those_of_the_prediction(make_song: MakeSong) -> None:
    """Shifts and spreads are those of the predicted Gaussian; without content those of all music."""
    model = load_normal_tone()
    content = Content(model.names, model.regression.centre + 0.3 * model.regression.scale, 60.0)
    predicted = model.predict(content)
    usual = make_song(0, levels_db=predicted.mean - 14.0, content=content)
    found = compare_with_songs_like_it(usual, model)
    assert dict(found.kinds) == model.kinds(content) and found.numbers == () and found.notes == ()
    offset = found.regions[0].difference
    np.testing.assert_allclose([region.difference for region in found.regions], offset, atol=1e-9)
    draws = np.random.default_rng(3).multivariate_normal(predicted.mean, predicted.covariance, 300)
    percentiles = [
        compare_with_songs_like_it(make_song(0, levels_db=levels, content=content), model)
        .regions[4]
        .percentile
        for levels in draws
    ]
    assert np.mean(np.array(percentiles) < 10.0) == pytest.approx(0.1, abs=0.05)
    unknown = compare_with_songs_like_it(make_song(0), model)
    assert found.among == "songs like this" and unknown.among == "all music" and dict(unknown.kinds) == {}
    assert [note.kind for note in unknown.notes] == ["content_unknown"]
    np.testing.assert_array_equal(unknown.style.tone.mean, model.general.mean)


def test_the_mean_of_a_few_songs_is_uncertain_itself() -> None:
    """Of styles learned from three songs, the variance of a fourth around their mean is 4/3 of that of songs."""
    rng = np.random.default_rng(2)
    covariance = plain_covariance()
    songs = rng.multivariate_normal(np.zeros(29), covariance, (5_000, 4))
    apart = songs[:, 3] - songs[:, :3].mean(axis=1)
    style = StyleProfile("three", Gaussian.of(np.zeros(29), covariance), 3)
    np.testing.assert_allclose(np.cov(apart.T), style.next_song.covariance, atol=4.0)
    assert np.trace(np.cov(apart.T)) == pytest.approx(np.trace(style.next_song.covariance), rel=0.03)
