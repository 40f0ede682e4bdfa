"""The suite gives the numbers of the single metrics; the metrics accumulate and add up over processes."""

import math

import pytest
import torch

from neural_mastering.metrics.item_metric import ItemMetric, Pair
from neural_mastering.metrics.lufs_error import LufsError
from neural_mastering.metrics.signal import Signal
from neural_mastering.metrics.stereo_width_error import StereoWidthError
from neural_mastering.metrics.suite import (
    INFOS,
    MATCHED,
    METRICS,
    MID_SIDE,
    columns,
    info_of,
    measure,
    of_matched,
)

RATE = 44_100


def _pair(channels: int = 2, seconds: float = 4.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    shape = (1, channels, round(seconds * RATE))
    envelope = 0.2 + torch.linspace(0, 1, shape[-1]) ** 2
    target = (
        0.1
        * envelope
        * (torch.randn(shape, generator=generator) + torch.randn(1, 1, shape[-1], generator=generator))
    )
    prediction = 0.4 * target + 0.01 * torch.randn(shape, generator=generator)
    return prediction, target


CASES = [
    (metric, pair, matched)
    for metric in METRICS
    for pair in ("lr", "ms")
    for matched in (False, True)
    if (pair == "lr" or metric.info.per_pair) and (not matched or metric.info.level_dependent)
]


@pytest.fixture(scope="module")
def both() -> tuple[dict[str, float], dict[str, float]]:
    stereo, mono = (measure(*(Signal(side, RATE) for side in _pair(channels))) for channels in (2, 1))
    return stereo, mono


@pytest.mark.parametrize(("metric", "pair", "matched"), CASES)
def test_suite_equals_the_single_metric(
    metric: type[ItemMetric], pair: Pair, matched: bool, both: tuple[dict[str, float], dict[str, float]]
) -> None:
    single = metric(RATE, pair=pair, match_loudness=matched)
    single.update(*_pair())
    column = metric.info.key + (MID_SIDE if pair == "ms" else "") + (MATCHED if matched else "")
    assert both[0][column] == pytest.approx(float(single.compute()), rel=1e-3, abs=2e-3)


@pytest.mark.parametrize(
    "metric", [m for m in METRICS if m.info.key not in ("width_error", "correlation_error")]
)
def test_mono_has_the_same_numbers_without_mid_and_side(
    metric: type[ItemMetric], both: tuple[dict[str, float], dict[str, float]]
) -> None:
    single = metric(RATE)
    single.update(*_pair(channels=1))
    assert both[1][metric.info.key] == pytest.approx(float(single.compute()), rel=1e-3, abs=2e-3)
    assert metric.info.key + MID_SIDE not in both[1]


def test_columns_are_what_the_suite_measures(both: tuple[dict[str, float], dict[str, float]]) -> None:
    extra = {"delay_samples", "match_gain_db"}
    assert set(both[0]) == {*columns(), *extra} and set(both[1]) == {*columns(stereo=False), *extra}
    assert {info_of(column).key for column in columns()} == set(INFOS)
    assert all(metric.higher_is_better == metric.info.higher_is_better for metric in METRICS)
    assert all(info.name and info.description for info in INFOS.values())


def test_matching_leaves_no_loudness_error_and_says_the_gain(
    both: tuple[dict[str, float], dict[str, float]],
) -> None:
    assert both[0]["lufs_error_matched"] == pytest.approx(0.0, abs=1e-4)
    assert both[0]["match_gain_db"] == pytest.approx(both[0]["lufs_error"], abs=1e-4)
    scaled = measure(*(Signal(side, RATE) for side in (_pair()[0] * 1.9, _pair()[1])))
    for column in columns():
        if column.endswith(MATCHED):
            assert scaled[column] == pytest.approx(both[0][column], rel=1e-3, abs=2e-3), column


def test_a_matched_copy_need_not_be_measured_again(both: tuple[dict[str, float], dict[str, float]]) -> None:
    prediction, target = _pair()
    copy = prediction * 10 ** (both[0]["match_gain_db"] / 20)
    measured = measure(Signal(copy, RATE), Signal(target, RATE))
    derived = of_matched(both[0])
    assert set(measured) == set(derived) and derived["match_gain_db"] == measured["match_gain_db"] == 0.0
    for column, value in measured.items():
        assert derived[column] == pytest.approx(value, rel=1e-3, abs=2e-3), column


def test_silence_and_a_short_clip_give_numbers_or_nan() -> None:
    target = _pair()[1]
    values = measure(Signal(torch.zeros_like(target), RATE), Signal(target, RATE))
    assert math.isfinite(values["mr_stft"]) and values["snr"] == pytest.approx(0.0)
    assert values["match_gain_db"] == 0.0 and math.isnan(values["plr_error"])
    short = [Signal(side[..., :2000], RATE) for side in _pair()]
    assert math.isfinite(measure(*short)["mr_stft"])


def test_a_shorter_prediction_is_refused() -> None:
    prediction, target = _pair()
    with pytest.raises(ValueError, match="differ"):
        measure(Signal(prediction[..., :-1], RATE), Signal(target, RATE))
    metric = LufsError(RATE)
    with pytest.raises(ValueError, match="share one shape"):
        metric.update(prediction[..., :-1], target)


def test_mean_over_batches_does_not_depend_on_how_items_are_divided() -> None:
    generator = torch.Generator().manual_seed(0)
    target = 0.1 * torch.randn(5, 2, RATE, generator=generator)
    prediction = target * torch.tensor([0.5, 1.0, 2.0, 3.0, 0.1]).view(5, 1, 1)
    whole, first, second = LufsError(RATE), LufsError(RATE), LufsError(RATE)
    whole.update(prediction, target)
    first.update(prediction[:1], target[:1])
    second.update(prediction[1:], target[1:])
    # what a sync over two processes does: states marked "sum" are added
    assert whole._reductions["total"] is whole._reductions["count"] is not None
    merged = (first.total + second.total) / (first.count + second.count)
    assert float(merged) == pytest.approx(float(whole.compute()), rel=1e-6)
    assert float(merged) != pytest.approx((float(first.compute()) + float(second.compute())) / 2, rel=0.01)
    whole.reset()
    assert math.isnan(float(whole.compute()))


def test_items_without_a_value_count_in_neither_state() -> None:
    from neural_mastering.metrics.crest_error import CrestError

    target = torch.cat([_pair()[1], torch.zeros_like(_pair()[1])])
    metric = CrestError(RATE)
    metric.update(target.clamp(-0.05, 0.05), target)
    assert float(metric.count) == 1 and math.isfinite(float(metric.compute()))


def test_stereo_image_has_no_mid_and_side_of_its_own() -> None:
    with pytest.raises(ValueError, match="stereo image"):
        StereoWidthError(RATE, pair="ms")
