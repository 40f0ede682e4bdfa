"""`Options` and `suggest` from Python: what is meant is taken, anything else is refused in words."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_mastering.errors import InputError
from neural_mastering.rendering import suggest
from neural_mastering.rendering.options import Options, chosen_target
from neural_mastering.words import request

NOISE = (0.1 * np.random.default_rng(0).standard_normal((2, 44_100)), 44_100)


@pytest.mark.parametrize("target", [-12, -12.0, np.float32(-12.0), "-12", "-12 LUFS"])
def test_a_target_may_be_a_number(target: Any) -> None:
    assert chosen_target(Options(target=target)).lufs == -12.0


def test_forms_that_mean_the_same_become_one() -> None:
    options: Any = Options
    found = options(bits=24, report="r", json="j.json", skip=["eq"], references=[("a.wav", 2)])
    assert (found.bits, found.report, found.json, found.skip) == ("24", Path("r"), Path("j.json"), ("eq",))
    assert found.references == ((Path("a.wav"), 2),)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("target", float("nan"), "--target nan"),
        ("target", 0, "--target 0"),
        ("target", True, "target: expected text"),
        ("target", Path("x"), "target: expected text"),
        ("words", "warm", "words: expected strengths by name"),
        ("words", ["warm"], "words: expected strengths by name"),
        ("words", {"warm": "much"}, "words['warm']: expected a number; got 'much'"),
        ("strength", 0.5, "strength: expected strengths by name"),
        ("references", "s1.wav", "references: expected pairs of a file and a weight"),
        ("references", ("s1.wav",), "references: expected pairs of a file and a weight"),
        ("references", (("s1.wav", "2"),), "references: the weight of s1.wav: expected a number"),
        ("skip", "eq", "skip: expected a list of names; got 'eq'"),
        ("export", "json", "export: expected a list of names"),
        ("density", "gentle", "density: expected a number"),
        ("max_reduction_db", "6", "max_reduction_db: expected a number; got '6'"),
        ("plr", 9.0, "plr: expected a PlrTarget; got 9.0"),
        ("match", 0.5, "match: expected a MatchShares"),
        ("deliverables", None, "deliverables: expected a Deliverables; got None"),
        ("density", None, "density: expected a number"),
        ("json", 3, "json: expected the path of a file; got 3"),
    ],
)  # fmt: skip
def test_other_types_are_refused(field: str, value: Any, expected: str) -> None:
    with pytest.raises(InputError) as told:
        Options(**{field: value})
    assert expected in str(told.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"words": ["warm"]}, "words: expected strengths by name"),
        ({"words": "warm"}, "words: expected strengths by name"),
        ({"references": "s1.wav"}, "references: expected a list of files; got 's1.wav'"),
        ({"references": [1]}, "references: expected a list of files"),
    ],
)  # fmt: skip
def test_suggest_refuses_what_is_no_list_or_mapping(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError) as told:
        suggest(NOISE, **given)
    assert expected in str(told.value)


def test_words_by_themselves_need_strengths() -> None:
    strengths: Any = "warm"
    with pytest.raises(InputError, match="expected strengths by word"):
        request(strengths)
