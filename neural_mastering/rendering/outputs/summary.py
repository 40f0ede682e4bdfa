"""What was done to a song, and what could not be, as notes."""

import math
from collections.abc import Iterator
from dataclasses import replace

from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.density import most_loss_lu
from neural_mastering.rendering.delivery.spec import MOST_REDUCTION_DB
from neural_mastering.rendering.outputs.codec_sentences import codec_actions, codec_warnings
from neural_mastering.rendering.outputs.curves import (
    eq_curve,
    limiter_reductions,
    report_delivery,
    report_readings,
)
from neural_mastering.rendering.outputs.stage_sentences import stage_sentences
from neural_mastering.rendering.outputs.tone import tone_notes
from neural_mastering.rendering.result import MasterResult
from neural_mastering.reporting.sentences import master_actions, sentence


def summarised(result: MasterResult) -> MasterResult:
    """The result with its actions, and with the delivery's warnings behind the others."""
    return replace(
        result,
        actions=tuple(Note(note.kind, sentence(note.text)) for note in _actions(result)),
        warnings=(*result.warnings, *_delivery_warnings(result), *codec_warnings(result)),
    )


def _actions(result: MasterResult) -> Iterator[Note]:
    tone = result.tone
    yield tone.origin
    yield from tone.actions
    yield from tone_notes(tone)
    if result.reference is not None:
        yield from (Note("reference", text) for text in result.reference.sentences)
    if tone.words is not None:
        yield from (Note("words", text) for text in tone.words.sentences)
    yield from master_actions(
        report_readings(result.input),
        report_readings(result.result),
        report_delivery(result),
        result.controls.gain_db + result.delivery.gain_db,
        eq_curve(result.controls, result.input.sample_rate),
        [
            *(Note("stage", text) for text in stage_sentences(result.stages)),
            *_peak_control(result),
            *_limiter_settings(result),
        ],
        limiter_reductions(result),
    )
    yield from codec_actions(result)


def _peak_control(result: MasterResult) -> Iterator[Note]:
    most_db = result.delivery.peak_control_db
    if most_db > 0.05:
        yield Note(
            "peak_control", f"Short peaks were clipped by at most {most_db:.1f} dB before the limiter."
        )


def _limiter_settings(result: MasterResult) -> Iterator[Note]:
    values = result.controls.limiter
    if values and result.delivery.max_reduction_db > 0.0:
        wide = values["recovery_widths"]
        crests = f", at least {wide:g} times the width of a peak" if wide > 0.0 else ""
        yield Note(
            "limiter_settings",
            f"The limiter looks {values['lookahead_ms']:g} ms ahead and recovers from short peaks in "
            f"{values['recovery_ms']:g} ms{crests}: set for this song on its loudest passages.",
        )


def _remedy(result: MasterResult) -> str:
    """The options with which the target would be reached."""
    delivery, spec = result.delivery, result.spec
    asked = []
    if delivery.needed_reduction_db > spec.max_reduction_db:
        most_db = min(delivery.needed_reduction_db + 0.5, MOST_REDUCTION_DB)
        asked.append(f"--max-reduction {math.ceil(most_db)}")
    if most_loss_lu(delivery.needed_density) > spec.max_loss_lu:
        asked.append(f"--density {delivery.needed_density:g}")
    return f" ({' '.join(asked)} allows it)" if asked else ""


def _delivery_warnings(result: MasterResult) -> Iterator[Note]:
    delivery, spec, lufs = result.delivery, result.spec, result.result.lufs
    if delivery.limited_by is not None and spec.lufs is None:
        yield Note(
            "turned_down",
            f"turned down by {-delivery.gain_db:.1f} dB to keep the peaks below the ceiling",
        )
    elif delivery.limited_by in ("reduction", "density") and not delivery.is_reachable:
        yield Note(
            "target_not_reached",
            f"stopped at {lufs:.1f} LUFS: to reach {spec.lufs:.1f} LUFS, the limiter would need more than "
            f"{MOST_REDUCTION_DB:g} dB of gain reduction, the most that can be asked for "
            f"({'no setting' if spec.densest is not None else 'no other bound'} reaches it)",
        )
    elif delivery.limited_by == "reduction":
        yield Note(
            "target_not_reached",
            f"stopped at {lufs:.1f} LUFS: to reach {spec.lufs:.1f} LUFS, the limiter would need about "
            f"{max(delivery.needed_reduction_db, spec.max_reduction_db + 0.1):.1f} dB of gain reduction, more than "
            f"{spec.max_reduction_db:g} dB{_remedy(result)}",
        )
    elif delivery.limited_by == "density":
        yield Note(
            "target_not_reached",
            f"stopped at {lufs:.1f} LUFS: to reach {spec.lufs:.1f} LUFS, the limiter would have to take about "
            f"{delivery.needed_loss_lu:.1f} LU off the loudness, more than {spec.max_loss_lu:.1f} LU"
            f"{_remedy(result)}",
        )
    elif delivery.limited_by == "peaks":
        yield Note(
            "target_not_reached",
            f"stopped at {lufs:.1f} LUFS instead of {spec.lufs:.1f} LUFS: the peaks are already at the ceiling",
        )
    elif delivery.limited_by == "encoder":
        yield Note(
            "target_not_reached",
            f"stopped at {lufs:.1f} LUFS instead of {spec.lufs:.1f} LUFS: louder, the peaks would pass the ceiling "
            "after the encoder",
        )
    if delivery.clipped_samples:
        yield Note(
            "clipped_output",
            f"{delivery.clipped_samples} samples exceeded full scale and were clipped: set a --ceiling, or write "
            "floating point with --bits 32f",
        )
