"""What is asked for: syntax, sums, caps, cancellation, refusals."""

import numpy as np
import pytest

from neural_mastering.errors import InputError
from neural_mastering.words import CompressorPreset, Word, look_up, parse_words, request, word_table
from neural_mastering.words.request import combine
from neural_mastering.words.shape import HEARD, rms_db


def test_words_and_numbers() -> None:
    assert parse_words(["warm=0.5", " Bright = -0.3", "clear", "dark=−1"]) == {
        "warm": 0.5,
        "bright": -0.3,
        "clear": 0.5,
        "dark": -1.0,
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["warm=much"], "number from -1 to 1"),
        (["warm="], "number from -1 to 1"),
        (["=0.5"], "WORD=STRENGTH"),
        ([""], "WORD=STRENGTH"),
        (["warm=0.1", "WARM"], "there twice"),
    ],
)
def test_mistakes_of_writing(values: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_words(values)


@pytest.mark.parametrize("strength", [1.01, -2.0, float("nan"), float("inf")])
def test_strengths_out_of_range(strength: float) -> None:
    with pytest.raises(InputError, match="-1 to 1"):
        request({"warm": strength})


def test_shapes_add_in_decibels() -> None:
    words = word_table().words
    found = request({"warm": 0.5, "bright": -0.3})
    expected = 0.5 * words["warm"].shape_db - 0.3 * words["bright"].shape_db
    np.testing.assert_allclose(found.curve_db, expected, atol=0.002)
    assert found.curve_db[HEARD].mean() == pytest.approx(0.0, abs=1e-12) and not found.notes
    assert rms_db(request({"clear": 1.0}).curve_db) == pytest.approx(1.5, abs=0.002)
    np.testing.assert_allclose(request({"clear": -0.4}).curve_db, -request({"clear": 0.4}).curve_db)


def test_nothing_is_asked_for_at_zero() -> None:
    for strengths in ({}, {"warm": 0.0}, {"warm": 0.0, "punchy": 0.0}):
        found = request(strengths)
        assert found.is_empty and not np.any(found.curve_db)


def test_the_sum_is_capped_and_says_so() -> None:
    found = request({"deep": 1.0, "heavy": 1.0, "dark": 1.0, "warm": 1.0})
    assert np.abs(found.curve_db).max() == 4.0
    assert any("capped at 4 dB" in note for note in found.notes)


def test_opposites_that_cancel_are_pointed_out() -> None:
    (note,) = request({"warm": 0.5, "bright": 0.5}).notes
    assert "warm +0.5 and bright +0.5 largely cancel" in note and "0.48 dB" in note and "1.50 dB" in note
    assert not request({"warm": 0.5, "bright": -0.5}).notes
    assert not request({"warm": 0.5}).notes
    words = word_table().words
    _, notes = combine([(words["deep"], 0.5), (words["thin"], 0.5)])
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("cold", ("people disagree", "r = 0.06", "34 contributions", "Nearest supported words", "thin")),
        ("happy", ("people disagree", "r = 0.07", "22 contributions")),
        ("harsh", ("people disagree", "r = 0.07", "16 contributions")),
        ("full", ("too little evidence", "5 contributions by 3 people")),
        ("aggressive", ("too little evidence", "4 contributions")),
        ("sad", ("names a mood", "dark")),
        ("muffled", ("names a fault", "dark")),
    ],
)
def test_refused_words_say_why_in_numbers(name: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        look_up(name)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("warmer", "did you mean warm?"),
        ("brightness", "did you mean bright?"),
        ("crispy", "did you mean crisp?"),
        ("brigth", "did you mean bright?"),
        ("colder", "cold, is refused: refused, since people disagree"),
        ("wobbly", "fewer than 5 times"),
    ],
)
def test_unknown_words_get_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        look_up(name)
    assert hint in str(caught.value)


def test_presets_of_the_compressor() -> None:
    assert isinstance(look_up("punchy"), CompressorPreset) and isinstance(look_up("glue"), CompressorPreset)
    assert isinstance(look_up("smooth"), Word) and isinstance(look_up("compressor.smooth"), CompressorPreset)
    found = request({"punchy": 0.7, "warm": 0.2})
    assert found.preset is not None and found.preset[0].name == "punchy" and found.preset[1] == 0.7
    assert "compressor.smooth" in request({"smooth": 0.5}).remarks[0] and not request({"smooth": 0.5}).notes
    with pytest.raises(InputError, match="no opposite"):
        request({"glue": -0.5})
    with pytest.raises(InputError, match="only one"):
        request({"glue": 0.5, "punchy": 0.5})
