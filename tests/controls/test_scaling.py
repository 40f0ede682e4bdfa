"""Strengths: decibels times a number, a stage's controls towards the values at which it does nothing."""

import math

import numpy as np
import pytest

from neural_mastering.controls import CATALOGUE, Bands, ChainControls, EqBand, StageSpec, scaled
from neural_mastering.errors import InputError

CONTROLS = ChainControls(
    design_rate_hz=48_000.0,
    eq=Bands.of(
        (
            EqBand("low_shelf", 80.0, 1.0 / 3.0, 0.7),
            EqBand("peak", 1_000.1, -3e-7, 2.0),
            EqBand("high_shelf", 9e3, 4.0, 1.0),
        )
    ),
    gain_db=-1.25,
    stages={"compressor": {"threshold_db": -12.0, "mix": 0.5, "crossovers_hz": (100.0, 2e3)}},
    residual="1c",
    residual_amount=0.3,
    words={"warm": 0.5},
)


def test_strength_scales_decibels() -> None:
    half = scaled(CONTROLS, 0.5)
    at_hz = np.geomspace(20.0, 20_000.0, 50)
    assert [band.gain_db for band in half.eq] == [0.5 * band.gain_db for band in CONTROLS.eq]
    assert half.gain_db == 0.5 * CONTROLS.gain_db
    assert half.stages["compressor"] == {**CONTROLS.stages["compressor"], "mix": 0.25}
    assert half.residual_amount == 0.15 and half.residual == CONTROLS.residual
    whole, part = (c.eq.level_db(at_hz, c.design_rate_hz) for c in (CONTROLS, half))
    # decibels of one curve, to the change of its shape with gain
    assert np.abs(part - 0.5 * whole).max() < 0.1


def test_strength_0_takes_stages_out_and_1_changes_nothing() -> None:
    assert scaled(CONTROLS, 1.0) == CONTROLS
    assert scaled(CONTROLS, 0.0) == ChainControls(design_rate_hz=48_000.0)
    without = scaled(CONTROLS, {"eq": 0.0, "residual": 0.0})
    assert not len(without.eq) and without.residual is None and without.words == {}
    assert without.gain_db == CONTROLS.gain_db and without.stages == CONTROLS.stages


@pytest.mark.parametrize(
    ("strength", "message"),
    [
        (1.5, "between 0 and 1"),
        (-0.1, "between 0 and 1"),
        (math.nan, "between 0 and 1"),
        ({"exciter": 0.5}, "unknown stage 'exciter'"),
    ],
)
def test_wrong_strengths(strength: float | dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        scaled(CONTROLS, strength)


@pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.name)
def test_a_part_of_any_stage_lies_between_it_and_nothing(spec: StageSpec) -> None:
    """Every control with a neutral value keeps that share of its distance, in each band; the rest stays."""
    away = {key: neutral + 0.8 for key, neutral in spec.neutral.items()}
    by_band = {key: (neutral + 0.8, neutral - 0.4) for key, neutral in spec.neutral.items()}
    others = {"attack_ms": 7.0, "frequencies_hz": (100.0, 900.0)}
    for values in (away, by_band):
        controls = ChainControls(stages={spec.name: {**values, **others}})
        weaker = scaled(controls, {spec.name: 0.25}).stages[spec.name]
        for key, neutral in spec.neutral.items():
            np.testing.assert_allclose(
                np.asarray(weaker[key]) - neutral, 0.25 * (np.asarray(values[key]) - neutral), atol=1e-12
            )
        assert {key: weaker[key] for key in others} == others
        assert scaled(controls, 0.0).stages == {} and scaled(controls, 1.0) == controls
    assert spec.is_idle(spec.weakened(away, 0.0)) and not spec.is_idle(spec.weakened(away, 0.25))


def test_a_stage_that_does_not_exist_is_named() -> None:
    controls = ChainControls(stages={"exciter": {"tilt_db": 1.2}})
    with pytest.raises(InputError, match=r"'exciter'.*expected one of compressor"):
        scaled(controls, 0.5)
    assert scaled(controls, 0.0).stages == {}


def test_thresholds_follow_the_gain_before_them() -> None:
    """The loudness that a compressor stands on is measured behind the gain, so it moves with the gain."""
    controls = ChainControls(gain_db=4.0, stages={"compressor": {"mix": 1.0, "input_lufs": -16.0}})
    assert scaled(controls, {"gain": 0.5}).stages["compressor"]["input_lufs"] == -18.0
    assert scaled(controls, {"gain": 0.0}).stages["compressor"]["input_lufs"] == -20.0
    assert scaled(controls, {"compressor": 0.5}).stages["compressor"]["input_lufs"] == -16.0
