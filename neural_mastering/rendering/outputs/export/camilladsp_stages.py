"""Stages that a CamillaDSP configuration can hold exactly, made of mixers and biquads."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from neural_mastering.controls.catalogue import Values
from neural_mastering.rendering.outputs.export.camilladsp_parts import (
    biquad,
    filter_step,
    mixer,
    mixer_step,
    number,
)
from neural_mastering.rendering.outputs.export.preset import HeldStage
from neural_mastering.rendering.outputs.export.stage_bands import BandKeys, Form, held_stage, stage_bands

_TO_MID_SIDE = (((0, 0.5), (1, 0.5)), ((0, 0.5), (1, -0.5)))
_TO_LEFT_RIGHT = (((0, 1.0), (1, 1.0)), ((0, 1.0), (1, -1.0)))
_MID_SIDE = {
    part: BandKeys(Form.EQUALISER, f"{part}_frequency_hz", f"{part}_gain_db", f"{part}_q")
    for part in ("mid", "side")
}


@dataclass(frozen=True)
class StageParts:
    """Lines of YAML for a stage's filters, mixers and steps of the pipeline, and what the head says of it."""

    held: HeldStage
    filters: list[str]
    mixers: list[str]
    pipeline: list[str]


def stage_parts(name: str, values: Values, sample_rate: float) -> StageParts | None:
    """A stage's part of the configuration; None where CamillaDSP can't hold the stage or this form of it."""
    make = _MAKERS.get(name)
    return None if make is None else make(name, values, sample_rate)


def _stereo_width(name: str, values: Values, sample_rate: float) -> StageParts | None:
    """Left and right to mid, side and a side without bass, and back with the width."""
    keys = ("width", "bass_frequency_hz", "bass_amount")
    numbers = [value for key in keys if isinstance(value := values.get(key), (int, float))]
    if len(numbers) != len(keys) or len(values) != len(keys):
        return None
    width, bass_hz, amount = numbers
    plain, high = width * (1.0 - amount), width * amount
    to = (*_TO_MID_SIDE, _TO_MID_SIDE[1])
    back = (((0, 1.0), (1, plain), (2, high)), ((0, 1.0), (1, -plain), (2, -high)))
    filters = [
        "  bass_of_side:  # Butterworth high-pass",
        "    type: Biquad",
        f"    parameters: {{type: Highpass, freq: {number(bass_hz, 4)}, q: {number(math.sqrt(0.5), 12)}}}",
    ]
    return StageParts(
        HeldStage(name),
        filters,
        [*mixer("to_mid_side", 2, to), *mixer("to_left_right", 3, back)],
        [*mixer_step("to_mid_side"), *filter_step((2,), ["bass_of_side"]), *mixer_step("to_left_right")],
    )


def _mid_side_eq(name: str, values: Values, sample_rate: float) -> StageParts | None:
    """Left and right to mid and side, a cascade on each, and back."""
    design_rate_hz = values.get("design_rate_hz")
    known = {"bands", "design_rate_hz", *(key for keys in _MID_SIDE.values() for key in keys.all)}
    if set(values) != known or not isinstance(design_rate_hz, (int, float)):
        return None
    filters, steps, groups = [], [], []
    for channel, (part, keys) in enumerate(_MID_SIDE.items()):
        groups.append(stage_bands(values, keys, design_rate_hz, sample_rate))
        names = [f"{part}_{i:02d}" for i in range(1, len(groups[-1].bands) + 1)]
        for filter_name, band in zip(names, groups[-1].bands, strict=True):
            filters += biquad(filter_name, band)
        steps += filter_step((channel,), names) if names else []
    to, back = f"to_{name}", f"from_{name}"
    return StageParts(
        held_stage(name, groups),
        filters,
        [*mixer(to, 2, _TO_MID_SIDE), *mixer(back, 2, _TO_LEFT_RIGHT)],
        [*mixer_step(to), *steps, *mixer_step(back)],
    )


_MAKERS: dict[str, Callable[[str, Values, float], StageParts | None]] = {
    "stereo": _stereo_width,
    "mid_side_eq": _mid_side_eq,
}
"""Stages that the format holds; one that isn't here is left out and listed."""
