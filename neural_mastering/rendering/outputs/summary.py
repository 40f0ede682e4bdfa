"""What was done to a song, and what could not be, as notes."""

import math
from collections.abc import Iterator
from dataclasses import replace

from neural_mastering.notes import Note
from neural_mastering.rendering.outputs.stage_sentences import stage_sentences
from neural_mastering.rendering.result import MasterResult


def summarised(result: MasterResult) -> MasterResult:
    """The result with its actions, and with the delivery's warnings behind the others."""
    return replace(
        result, actions=tuple(_actions(result)), warnings=(*result.warnings, *_delivery_warnings(result))
    )


def _actions(result: MasterResult) -> Iterator[Note]:
    tone, target, delivery = result.tone, result.target, result.delivery
    yield tone.origin
    yield from tone.actions
    if tone.words is not None:
        yield from (Note("words", text) for text in tone.words.sentences)
    yield from (Note("stage", text) for text in stage_sentences(result.stages, with_reduction=True))
    if not math.isfinite(result.result.lufs):
        yield Note("level", "no loudness could be measured: the level was left alone")
    else:
        named = target.lufs is not None and not target.is_number
        asked = f"{target.name} ({target.lufs:.1f} LUFS)" if named else target.name
        yield Note(
            "level",
            f"gain of {delivery.gain_db:+.2f} dB: {result.input.lufs:.1f} LUFS in, "
            f"{result.result.lufs:.1f} LUFS out, asked for: {asked}",
        )
    if delivery.max_reduction_db > 0.0:
        yield Note("limiter", f"the limiter took off {delivery.max_reduction_db:.1f} dB at the most")
    if target.ceiling_db is not None and math.isfinite(result.result.true_peak_db):
        yield Note(
            "true_peak",
            f"true peak {result.result.true_peak_db:.2f} dBTP, ceiling {target.ceiling_db:g} dBTP",
        )


def _delivery_warnings(result: MasterResult) -> Iterator[Note]:
    delivery, spec, lufs = result.delivery, result.spec, result.result.lufs
    if delivery.limited_by is not None and spec.lufs is None:
        yield Note(
            "turned_down",
            f"turned down by {-delivery.gain_db:.1f} dB so that the peaks stay below the ceiling",
        )
    elif delivery.limited_by == "reduction":
        yield Note(
            "target_not_reached",
            f"stopped at {lufs:.1f} LUFS: {spec.lufs:.1f} LUFS would take more than "
            f"{spec.max_reduction_db:g} dB off the peaks (--max-reduction allows more)",
        )
    elif delivery.limited_by == "peaks":
        yield Note(
            "target_not_reached",
            f"stopped at {lufs:.1f} LUFS instead of {spec.lufs:.1f}: the peaks are at the ceiling",
        )
    if delivery.clipped_samples:
        yield Note(
            "clipped_output",
            f"{delivery.clipped_samples} samples went over full scale and were clipped: keep a ceiling, or write "
            "--bits 32f",
        )
