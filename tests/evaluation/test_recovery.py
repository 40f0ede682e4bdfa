"""Planted corrections are recovered with no error, and errors are those that were planted."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from neural_mastering.data import default_demo_folder, make_demo_pairs
from neural_mastering.evaluation.controls_trace import CURVE_HZ, ControlsTrace
from neural_mastering.evaluation.recovery import (
    TrueCorrection,
    recovery,
    true_corrections,
    width_change_db,
)
from neural_mastering.metrics.signal import Signal

SLOPE = np.log2(CURVE_HZ / 800.0)
TRUTH = TrueCorrection(2.0 * SLOPE, 3.0, 1.0)


def test_the_truth_itself_has_no_error() -> None:
    got = recovery(ControlsTrace(2.0 * SLOPE, 3.0), 1.0, TRUTH)
    assert (got.curve_rms_db, got.gain_error_db, got.width_error_db) == pytest.approx((0.0, 0.0, 0.0))


def test_a_level_moved_from_the_gain_to_the_curve_is_no_error() -> None:
    got = recovery(ControlsTrace(2.0 * SLOPE + 5.0, -2.0), 1.0, TRUTH)
    assert (got.curve_rms_db, got.gain_error_db) == pytest.approx((0.0, 0.0))


def test_the_zero_correction_costs_the_whole_curve() -> None:
    got = recovery(ControlsTrace(np.zeros_like(CURVE_HZ), 0.0), 0.0, TRUTH)
    octaves = math.log2(16_000 / 40)  # a straight line over so many octaves, 2 dB each
    assert got.curve_rms_db == pytest.approx(2.0 * octaves / math.sqrt(12), rel=0.01)
    middle = 2.0 * math.log2(math.sqrt(40 * 16_000) / 800)
    assert got.gain_error_db == pytest.approx(3.0 + middle, abs=0.05)
    assert got.width_error_db == 1.0


def test_an_outside_master_shows_no_curve() -> None:
    got = recovery(None, 0.5, TRUTH)
    assert math.isnan(got.curve_rms_db) and got.width_error_db == 0.5


def test_width_is_read_band_by_band_so_that_an_equaliser_does_not_move_it() -> None:
    rate = 44_100
    generator = torch.Generator().manual_seed(0)
    mid, side = 0.1 * torch.randn(2, 1, 4 * rate, generator=generator)
    side = torch.cumsum(side - side.mean(), -1) * 0.02  # darker than the mid
    wide = torch.cat([mid + side, mid - side])[None]
    factor = 1.6
    wider = torch.cat([mid + factor * side, mid - factor * side])[None]
    from neural_mastering.dsp.biquad import equalize

    settings = [torch.tensor([[v]]) for v in (300.0, -10.0, 0.7)]
    filtered = equalize(wider, settings[0], settings[1], settings[2], rate, ("low_shelf",))
    levels = [Signal(x, rate).third_octaves_db.numpy() for x in (filtered, wide)]
    assert width_change_db(levels[0], levels[1]) == pytest.approx(20 * math.log10(factor), abs=0.05)
    broadband = float(Signal(filtered, rate).width_db - Signal(wide, rate).width_db)
    assert abs(broadband - 20 * math.log10(factor)) > 1.0
    assert math.isnan(width_change_db(levels[0][:1], levels[1][:1]))


def test_the_demo_pairs_bring_their_truth() -> None:
    root = make_demo_pairs(default_demo_folder())
    truths = true_corrections(root)
    assert len(truths) == 8
    from neural_mastering.data.demo import VALIDATION_SONGS

    truth = truths[VALIDATION_SONGS[0]]
    assert truth.gain_db == 6.0 and truth.width_db == 0.0
    assert abs(truth.curve_db[0]) > 0.5 and abs(truth.curve_db[len(SLOPE) // 2]) < 0.3


def test_pairs_without_parameters_have_no_truth(eval_pairs: Path, tmp_path: Path) -> None:
    assert true_corrections(eval_pairs) == {} == true_corrections(tmp_path)
