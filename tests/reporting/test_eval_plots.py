"""The pictures show the numbers they were given."""

import numpy as np
import pytest

from neural_mastering.reporting.eval_plots import (
    Panel,
    band_usage,
    eq_curve_quantiles,
    metric_distributions,
)

NOTHING = (float("nan"), float("nan"))
AT_HZ = np.geomspace(20.0, 20_000.0, 101)


def _lines(axes) -> dict[str, np.ndarray]:
    return {line.get_label(): np.asarray(line.get_ydata()) for line in axes.get_lines()}


def test_the_mean_is_that_of_the_responses() -> None:
    curves = np.stack([6.0 * np.exp(-(np.log2(AT_HZ / centre) ** 2)) for centre in (100.0, 1e3, 1e3, 8e3)])
    truth = np.full((4, AT_HZ.size), 3.0) + np.linspace(-1, 1, AT_HZ.size)
    (axes,) = eq_curve_quantiles(AT_HZ, curves, "title", truth).axes
    lines = _lines(axes)
    np.testing.assert_allclose(lines["mean of the songs' responses"], curves.mean(axis=0))
    np.testing.assert_allclose(lines["median"], np.median(curves, axis=0))
    drawn = lines["mean true correction"]
    np.testing.assert_allclose(drawn - drawn.mean(), truth.mean(axis=0) - truth.mean())
    assert drawn.mean() == pytest.approx(curves.mean())  # the level belongs to the gain
    assert sum(np.array_equal(line, curve) for line in lines.values() for curve in curves) >= 1
    assert len(axes.collections) == 2  # two bands of quantiles


def test_few_songs_have_no_quantiles() -> None:
    (axes,) = eq_curve_quantiles(AT_HZ, np.zeros((2, AT_HZ.size)), "title").axes
    assert not axes.collections


def test_distributions_show_every_known_song_and_the_interval() -> None:
    panel = Panel(
        "error in dB",
        {"identity": [1.0, 2.0, float("nan")], "model": [0.5, 0.6, 0.7], "absent": [float("nan")] * 3},
        {"identity": (1.0, 2.0), "model": NOTHING, "absent": NOTHING},
    )
    figure = metric_distributions([panel], ["model"], "title")
    (axes,) = figure.axes
    drawn = [np.sort(np.asarray(line.get_xdata())).tolist() for line in axes.get_lines()]
    assert drawn == [[1.0, 2.0], [1.0, 2.0], [1.5], [0.5, 0.6, 0.7], [pytest.approx(0.6)]]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["identity", "model", "absent"]


def test_band_usage_shows_shares_counts_and_groups() -> None:
    share = np.array([1.0, 0.25, 0.5])
    groups, by_group = ["b (3)", "a (1)"], np.array([[1.0, 1 / 3, 2 / 3], [1.0, 0.0, 0.0]])
    figure = band_usage(["low", "mid", "high"], share, [2, 1, 2, 2], "title", groups, by_group)
    often, many, image = figure.axes[:3]
    for axes, wanted in ((often, share), (many, np.array([0, 1, 3, 0]))):
        tops = [patch.get_extents().ymax - patch.get_extents().ymin for patch in axes.patches]
        scale = axes.transData.transform((0, 1))[1] - axes.transData.transform((0, 0))[1]
        np.testing.assert_allclose(np.array(tops) / scale, wanted, atol=1e-9)
    np.testing.assert_array_equal(np.asarray(image.get_images()[0].get_array()), by_group)
    assert len(band_usage(["low"], share[:1], [1], "title").axes) == 2
