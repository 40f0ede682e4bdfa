"""The last step of a master: the files that were asked for beside it."""

from __future__ import annotations

import json
import time
from dataclasses import replace

from neural_mastering.atomic import write_text
from neural_mastering.controls import save_controls
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.notes import Note, texts
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.outputs.export import export_controls
from neural_mastering.rendering.outputs.numbers import as_json
from neural_mastering.rendering.result import MasterResult


def write_outputs(result: MasterResult, song: MeasuredSong, options: Options) -> MasterResult:
    """Write presets, JSON, controls and the report page; the result with what was exported among its actions.

    Raises:
        InputError: one of them can't be written.
    """
    started = time.perf_counter()
    result = replace(result, actions=(*result.actions, *_export(result, options)))
    if options.json is not None:
        write_text(options.json, json_text(result), errors="replace")
    if options.save_controls is not None:
        tone = result.tone
        followed = tone.model is not None and tone.model.confidence is not None
        origin = "\n".join(texts([tone.origin, *tone.actions])) if followed else ""
        save_controls(result.controls, options.save_controls, origin)
    if options.report is not None:
        from neural_mastering.rendering.outputs.report import write_report  # plots and encoders

        write_report(result, song, options.report)
    return replace(result, seconds={**result.seconds, "report": time.perf_counter() - started})


def json_text(result: MasterResult) -> str:
    """The numbers of a master as the text of a JSON file."""
    return json.dumps(as_json(result), indent=2, ensure_ascii=False) + "\n"


def _export(result: MasterResult, options: Options) -> list[Note]:
    stem = result.output.with_name(options.preset_name or result.output.stem)
    found = []
    for written in export_controls(result.controls, options.export, stem, result.input.sample_rate):
        rest = f"; left out: {', '.join(written.left_out)}" if written.left_out else ""
        found.append(
            Note(
                "export",
                f"Exported {written.path.name} for {result.input.sample_rate} Hz: the equaliser is within "
                f"{written.max_deviation_db:.2g} dB of ours{rest}.",
            )
        )
    return found
