"""Six bands for a word; one equaliser for words and what was there."""

import numpy as np
import pytest

from neural_mastering.controls import Bands
from neural_mastering.dsp.rbj import Kind
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.words import Word, word_table
from neural_mastering.words.fit import fit_shape, fit_together, judged

RATE = 44_100.0
WORDS = list(word_table().words.values())
GRID = np.geomspace(25.0, 16_000.0, 200)


def level(bands: Bands, at: Float64s = CENTRES_HZ) -> Float64s:
    return bands.level_db(at, RATE)


@pytest.mark.parametrize("word", WORDS, ids=lambda w: w.name)
def test_six_bands_follow_every_word(word: Word) -> None:
    bands = fit_shape(word.shape_db)
    found = judged(bands, word.shape_db)
    assert len(bands.kinds) == 6 and found.rms_db <= 0.2 and found.max_db <= 0.7
    # judged is the plain difference of curves
    error = (level(bands) - word.shape_db)[CENTRES_HZ > 49.0]
    assert found.rms_db == pytest.approx(float(np.sqrt(np.mean(error**2))))
    # bands neither fight nor leave what a person could read
    assert np.abs(bands.gain_db).max() < 4.0
    assert np.all(bands.q >= 0.4) and np.all(bands.q <= 1.6 + 1e-9)
    assert np.abs(level(bands, GRID)).max() < np.abs(word.shape_db).max() + 0.5


@pytest.mark.parametrize("word", WORDS[:6], ids=lambda w: w.name)
@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
def test_minus_s_mirrors_s(word: Word, strength: float) -> None:
    up, down = fit_shape(strength * word.shape_db), fit_shape(-strength * word.shape_db)
    assert np.abs(level(up) + level(down)).max() < 1e-9
    scaled = judged(up, strength * word.shape_db)
    assert scaled.rms_db <= 0.2 * strength + 0.02


def test_no_curve_gives_no_bands() -> None:
    assert fit_shape(np.zeros(len(CENTRES_HZ))).kinds == ()


@pytest.mark.parametrize("seed", range(5))
def test_words_join_an_equaliser_in_one_fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 11))
    peaks: list[Kind] = ["peak"] * (count - 2)
    base = Bands(
        ("low_shelf", *peaks, "high_shelf"),
        np.sort(np.exp(rng.uniform(np.log(60.0), np.log(12_000.0), count))),
        rng.uniform(-4.0, 4.0, count),
        np.concatenate([[0.7], rng.uniform(0.5, 3.0, count - 2), [0.7]]),
    )
    curve = 0.8 * word_table().words["warm"].shape_db
    together = fit_together(curve, base)
    found = judged(together, level(base) + curve)
    assert len(together.kinds) <= 10 and found.rms_db < 0.2 and found.max_db < 0.7


def test_a_fully_used_equaliser_gets_no_further_bands() -> None:
    count = 12
    base = Bands(
        ("peak",) * count, np.geomspace(50.0, 12_000.0, count), np.full(count, 0.5), np.full(count, 1.0)
    )
    assert len(fit_together(0.5 * WORDS[0].shape_db, base).kinds) == count


def test_the_curve_behind_the_bands_counts_where_it_is_known() -> None:
    base = fit_shape(WORDS[4].shape_db)
    truth = 2.0 * WORDS[4].shape_db  # the bands follow it only half
    curve = WORDS[7].shape_db
    assert judged(fit_together(curve, base, truth), truth + curve).rms_db < 0.15
    assert judged(fit_together(curve, base), level(base) + curve).rms_db < 0.15


@pytest.mark.parametrize("rate", [22_050.0, 96_000.0])
def test_other_design_rates(rate: float) -> None:
    shape = WORDS[1].shape_db
    bands = fit_shape(shape, rate)
    assert judged(bands, shape, rate).rms_db < 0.2
