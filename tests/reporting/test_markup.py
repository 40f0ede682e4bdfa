"""Text, numbers and JSON inside HTML."""

import json
import math

import numpy as np
import pytest
from nm_test_html import read

from neural_mastering.reporting.markup import (
    Html,
    duration,
    escape,
    frequency,
    number,
    plain,
    script_json,
    tag,
)


@pytest.mark.parametrize(
    "value, digits, signed, shown",
    [
        (-14.04, 1, False, "−14.0"),
        (-0.04, 1, True, "0.0"),
        (0.06, 1, True, "+0.1"),
        (1234.5, 1, False, "1,234.5"),
        (math.nan, 1, False, "–"),
        (None, 1, False, "–"),
        (-math.inf, 1, False, "−∞"),
        (math.inf, 1, True, "+∞"),
        (3, 0, False, "3"),
    ],
)
def test_numbers_are_written_for_reading(value: float, digits: int, signed: bool, shown: str) -> None:
    assert number(value, digits, signed) == shown


def test_frequencies_and_times() -> None:
    assert [frequency(f) for f in (31.5, 100.0, 999.4, 999.6, 1_250.0, 16_000.0)] == [
        "31.5 Hz", "100 Hz", "999 Hz", "1 kHz", "1.25 kHz", "16 kHz",
    ]  # fmt: skip
    assert [duration(t) for t in (4.24, 59.6, 187.0, 3_725.0)] == ["4.2 s", "1:00", "3:07", "1:02:05"]


def test_names_stay_text(nasty: tuple[str, ...]) -> None:
    for name in nasty:
        page = read(f"<!doctype html>\n{tag('p', name, title=name)}")
        assert page.one("p").text == name and page.one("p").attributes == {"title": name}
        assert len(page.all()) == 1
        within = f'<script type="application/json">{script_json({name: [name]})}</script>'
        script = read(f"<!doctype html>\n{within}").one("script")
        assert json.loads(script.text) == {name: [name]}


def test_what_no_html_may_hold_is_replaced() -> None:
    assert escape("a\x00b\x1bc\ud800") == "a�b�c?"


def test_html_is_not_escaped_twice() -> None:
    assert tag("b", Html("<i>x</i>"), "<") == "<b><i>x</i>&lt;</b>"
    assert (
        tag("i", None, hidden=True, class_="a", data_last_s=1.5, id=None)
        == '<i hidden class="a" data-last-s="1.5"></i>'
    )


def test_json_knows_arrays_and_no_infinity() -> None:
    values = {
        "a": np.array([1.0, np.nan]),
        2: (np.float32(0.5), np.int64(3)),
        "c": [math.inf, True, None, "x"],
    }
    assert plain(values) == {"a": [1.0, None], "2": [0.5, 3], "c": [None, True, None, "x"]}
    assert json.loads(script_json(values)) == plain(values)
