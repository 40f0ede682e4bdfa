"""Charts put every point where its number says."""

import re

import numpy as np
import pytest
from nm_test_html import Element, loads, read
from nm_test_reports import EqBand

from neural_mastering.reporting.axes import frequency_axis, level_axis, linear_axis, time_axis
from neural_mastering.reporting.charts import eq_chart, loudness_chart, reduction_chart, spectra_chart
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.interval_chart import intervals_chart
from neural_mastering.reporting.markup import Html
from neural_mastering.reporting.report_data import Chart, ChartLine, EqCurve


def page(chart: Html) -> Element:
    tree = read(f"<!doctype html>\n{chart}")
    assert not loads(tree)
    return tree


def points(element: Element) -> np.ndarray:
    """(point, 2): shares of the width and of the height, from left and bottom."""
    pairs = [tuple(map(float, p.split(","))) for p in (element.attributes["points"] or "").split()]
    x, y = np.array(pairs).T
    return np.stack([x / 1000.0, 1.0 - y / 500.0], axis=1)


def percent(element: Element, side: str) -> float:
    match = re.search(rf"{side}:(-?[\d.]+)%", element.attributes["style"] or "")
    assert match
    return float(match[1]) / 100.0


def tick_scale(tree: Element, class_: str, side: str) -> tuple[float, float]:
    """Value at 0 and at 1 of an axis, from its printed labels."""
    labels = [e for e in tree.all("span", class_) if class_ in e.classes]
    values = [float(e.text.replace("−", "-").replace("k", "e3")) for e in labels]
    places = [percent(e, side) for e in labels]
    slope, start = np.polyfit(places, values, 1)
    return float(start), float(start + slope)


def test_lines_agree_with_the_labels_of_the_axes() -> None:
    at_hz, level = np.array([25.0, 100.0, 1_000.0, 16_000.0]), np.array([-30.0, -25.5, -41.0, -60.0])
    tree = page(spectra_chart(Chart(at_hz, [ChartLine("before", level, "before")]), Colours(), "Spectrum"))
    drawn = points(tree.one("polyline"))
    low, high = tick_scale(tree, "ty", "bottom")
    np.testing.assert_allclose(low + drawn[:, 1] * (high - low), level, atol=0.1)
    np.testing.assert_allclose(20.0 * 1000.0 ** drawn[:, 0], at_hz, rtol=0.01)
    labels = {e.text: percent(e, "left") for e in tree.all("span", "tx")}
    assert labels["20"] == 0.0 and labels["20k"] == 1.0
    assert labels["1k"] == pytest.approx(drawn[2, 0], abs=1e-3)
    assert tree.one("polyline").classes == ["line", "c-before"]


def test_numbers_that_are_not_known_leave_a_gap() -> None:
    values = [-20.0, -21.0, -np.inf, np.nan, -22.0, -23.0]
    tree = page(loudness_chart(Chart(np.arange(6.0), [ChartLine("after", values)]), Colours(), "Loudness"))
    assert [len(points(e)) for e in tree.all("polyline")] == [2, 2]
    empty = page(loudness_chart(Chart([], [ChartLine("after", [])]), Colours(), "Loudness"))
    assert not empty.all("polyline")
    silent = page(
        loudness_chart(Chart([3.0, 3.1], [ChartLine("after", [-np.inf] * 2)]), Colours(), "Loudness")
    )
    assert not silent.all("polyline")


def test_the_target_and_the_excerpt_stand_where_they_belong() -> None:
    chart = Chart(np.linspace(3, 100, 50), [ChartLine("after", np.linspace(-20, -10, 50))])
    tree = page(loudness_chart(chart, Colours(), "Loudness", target_lufs=-14.0, excerpt_s=(25.0, 50.0)))
    low, high = tick_scale(tree, "ty", "bottom")
    goal = 1.0 - float(tree.one("line", "goal").attributes["y1"] or 0) / 500.0
    assert low + goal * (high - low) == pytest.approx(-14.0, abs=0.05)
    shade = tree.one("rect", "excerpt").attributes
    assert (shade["x"], shade["width"]) == ("250.0", "250.0")
    assert tree.one("i", "playhead").attributes["data-last-s"] == "100.000"
    assert "target −14.0 LUFS" in tree.one("ul", "legend").text


def test_gain_reduction_hangs_from_zero() -> None:
    tree = page(
        reduction_chart(
            [ChartLine("limiter", [0.0, 2.0, 4.0], at=[0.0, 5.0, 10.0])], 10.0, Colours(), "Reduction"
        )
    )
    drawn = points(tree.one("polyline"))
    low, high = tick_scale(tree, "ty", "bottom")
    np.testing.assert_allclose(low + drawn[:, 1] * (high - low), [0.0, -2.0, -4.0], atol=0.02)
    np.testing.assert_allclose(drawn[:, 0], [0.0, 0.5, 1.0], atol=1e-3)


def test_bands_are_numbered_from_low_to_high_on_the_curve() -> None:
    at = np.geomspace(20, 20_000, 300)
    total = 3.0 * np.exp(-((np.log(at / 100)) ** 2)) - 2.0 * np.exp(-((np.log(at / 5_000)) ** 2))
    bands = (EqBand("peak", 5_000.0, -2.0, 1.0), EqBand("peak", 100.0, 3.0, 1.0))
    tree = page(eq_chart(EqCurve(at, total, bands, np.stack([total, total])), "Equaliser"))
    low, high = tick_scale(tree, "ty", "bottom")
    marks = tree.all("span", "mark")
    assert [m.text for m in marks] == ["1", "2"]
    assert [low + percent(m, "bottom") * (high - low) for m in marks] == pytest.approx([3.0, -2.0], abs=0.05)
    assert len(tree.all("polygon", "area")) == 2


def test_means_and_intervals() -> None:
    rows = [("identity", "c-before", 3.0, 2.5, 3.5, [2.0, 4.0]), ("model", "c-result-0", 1.0, 0.8, 1.2, [])]
    tree = page(intervals_chart(rows, "LTAS error", "dB", zero=0.0))
    dots = [percent(e, "left") for e in tree.all("i", "dot")]
    places = {
        float(s.text): percent(s, "left")
        for s in tree.one("div", "scale").all("span")
        if s.text and not s.children
    }
    slope, start = np.polyfit(list(places.values()), list(places), 1)
    assert [start + slope * d for d in dots] == pytest.approx([3.0, 1.0], abs=0.02)
    span = tree.all("i", "span")[0]
    assert slope * percent(span, "width") == pytest.approx(1.0, abs=0.02)
    assert len(tree.all("i", "tickmark")) == 2
    assert "model 1.00 (0.80 to 1.20)" in (tree.one("figure").attributes["aria-label"] or "")


@pytest.mark.parametrize(
    "low, high", [(-60.3, -20.1), (-0.03, 0.05), (0.0, 1e-4), (-1000.0, 5000.0), (-14.0, -13.0)]
)
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    axis = linear_axis(low, high, "dB")
    values = [value for value, _, _ in axis.ticks]
    assert 3 <= len(values) <= 13 and low - 1e-9 <= min(values) and max(values) <= high + 1e-9
    assert len({label for _, label, _ in axis.ticks}) == len(values)


@pytest.mark.parametrize("seconds", [0.1, 1.0, 9.0, 24.0, 59.0, 240.0, 3_600.0, 36_000.0])
def test_times_have_room(seconds: float) -> None:
    ticks = time_axis(seconds).ticks
    assert 1 <= len(ticks) <= 12 and ticks[0][0] == 0.0 and ticks[-1][0] <= seconds + 1e-9


def test_an_axis_of_nothing_still_stands() -> None:
    assert level_axis([], "dB", 20.0).high > level_axis([[np.nan]], "dB", 20.0).low
    assert frequency_axis().place([20.0, 20_000.0]).tolist() == pytest.approx([0.0, 1.0])


def test_names_in_charts_stay_text(nasty: tuple[str, ...]) -> None:
    lines = [ChartLine(name, [-20.0, -30.0]) for name in nasty]
    tree = page(spectra_chart(Chart([100.0, 1_000.0], lines), Colours(), nasty[0], nasty[1]))
    assert [e.text for e in tree.one("ul", "legend").all("li")] == list(nasty)
    assert not tree.all("script") and not tree.all("img")
    rows = [(name, "c-before", 1.0, 0.5, 1.5, []) for name in nasty]
    assert [e.text for e in page(intervals_chart(rows, nasty[0], nasty[1])).all("span", "who")] == list(nasty)


def test_colours_stay_with_their_names() -> None:
    colours = Colours()
    first = [colours.class_of(f"system {i}", "result") for i in range(8)]
    assert first[0] == "c-result-0" and first[6] == "c-result-0 dash-1" and len(set(first)) == 8
    assert [colours.class_of(f"system {i}", "result") for i in range(8)] == first
    assert colours.class_of("before", "before") == "c-before"
    assert (
        colours.class_of("system 1", "reference") == first[1]
    )  # a baseline told apart from other references
    assert colours.class_of("song.wav", "reference") == "c-reference"
