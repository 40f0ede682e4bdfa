"""All numbers of an evaluation, summed up from its songs."""

import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from neural_mastering import __version__
from neural_mastering.evaluation import result_files as files
from neural_mastering.evaluation.ablation_scores import ABLATION_COLUMNS
from neural_mastering.evaluation.measure_song import PARTS
from neural_mastering.evaluation.plan import EvaluationPlan, ModelRow
from neural_mastering.evaluation.recovery_table import recovery_estimates
from neural_mastering.evaluation.request import EvaluationRequest
from neural_mastering.evaluation.song_result import SongResult
from neural_mastering.evaluation.song_set import SongSet
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.statistics import FEW_GROUPS
from neural_mastering.evaluation.summary import (
    AblationRow,
    Summary,
    summarise_ablations,
    summarise_segments,
    summarise_whole,
)


@dataclass(frozen=True)
class Evaluation:
    """All numbers of an evaluation.

    Attributes:
        plan, chosen, systems: what was evaluated.
        results: one a song.
        whole, segments: summaries; `segments` is None where they were left out.
        ablations: rows.
        facts: label → text.
        warnings: sentences.
        content: what metrics.json holds.
    """

    plan: EvaluationPlan
    chosen: SongSet
    systems: Sequence[SongSystem]
    results: Sequence[SongResult]
    whole: Summary
    segments: Summary | None
    ablations: Sequence[AblationRow]
    facts: Mapping[str, str]
    warnings: Sequence[str]
    content: Mapping[str, Any]


def sum_up(
    request: EvaluationRequest,
    plan: EvaluationPlan,
    chosen: SongSet,
    systems: Sequence[SongSystem],
    results: Sequence[SongResult],
) -> Evaluation:
    """Everything that was found about the songs: tables, facts, warnings and the numbers for JSON."""
    whole = summarise_whole(results, systems, request.seed)
    segments = summarise_segments(results, systems, request.seed)
    ablations = summarise_ablations(results, ABLATION_COLUMNS, request.seed)
    facts = _facts(request, plan, chosen, results)
    warnings = [*chosen.notes, *_warnings(chosen, results, systems)]
    content = {
        "version": __version__,
        "facts": facts,
        "warnings": warnings,
        "data": str(chosen.root),
        "outside_masters": {name: str(folder) for name, folder in plan.outside.items()},
        "command": request.command,
        "models": [_model_content(row) for row in plan.models],
        "systems": [{"key": s.key, "name": s.name, "kind": s.kind, "note": s.note} for s in systems],
        "metrics": files.metric_content(),
        "whole_songs": files.summary_content(whole, systems),
        "segments": None if segments is None else files.summary_content(segments, systems),
        "ablations": files.ablation_content(ablations),
        "recovery": {
            s.key: {name: asdict(value) for name, value in estimates.items()}
            for s in systems
            if (estimates := recovery_estimates(results, s.key, request.seed)) is not None
        },
        "residual_share_db": {r.name: dict(r.residual_share_db) for r in results if r.residual_share_db},
        "skipped": {r.name: dict(r.skipped) for r in results if r.skipped},
        "seconds": {
            "audio": sum(r.duration_s for r in results),
            **{part: sum(r.seconds.get(part, 0.0) for r in results) for part in PARTS},
        },
    }
    return Evaluation(plan, chosen, systems, results, whole, segments, ablations, facts, warnings, content)


def _model_content(row: ModelRow) -> dict[str, Any]:
    run = row.run
    return {
        "key": row.key,
        "name": row.name,
        "checkpoint": str(run.checkpoint),
        "phase": run.phase,
        "epoch": run.epoch,
        "step": run.step,
        "version": run.version,
        "confidence": None if run.confidence is None else asdict(run.confidence),
    }


def _without_folders(command: str) -> str:
    """A command with absolute paths cut to their last part; metrics.json holds it as typed."""
    cut = []
    for word in shlex.split(command):
        before, separator, path = word.rpartition("=")
        short = f"…/{Path(path).name}" if Path(path).is_absolute() else path
        cut.append(f"{before}{separator}{short}")
    return " ".join(f"'{word}'" if " " in word else word for word in cut)


def _facts(
    request: EvaluationRequest, plan: EvaluationPlan, chosen: SongSet, results: Sequence[SongResult]
) -> dict[str, str]:
    minutes = sum(result.duration_s for result in results) / 60.0
    facts = {
        "data": chosen.folder,
        "split": f"{chosen.split}, {chosen.split_source}",
        "songs": f"{len(results)}, {minutes:.1f} minutes",
        "groups": f"{chosen.groups}"
        + ("" if chosen.grouped else " (no manifest names groups: each song is its own)"),
        "sample rate": f"{plan.sample_rate} Hz",
        "LTAS up to": f"{request.options.high_hz:g} Hz",
    }
    segments = sum(result.segment_count for result in results)
    if segments:
        facts["fixed segments"] = f"{segments} of {request.options.segment_s:g} s"
    for row in plan.models:
        facts[row.name] = row.run.note
    if plan.average is not None:
        facts["baselines learned from"] = f"{plan.average.songs} songs: {plan.average.source}"
    facts["made"] = (
        f"{datetime.now():%Y-%m-%d %H:%M}, neural_mastering {__version__}, Python {platform.python_version()}"
    )
    if request.command:
        facts["command"] = _without_folders(request.command)
    return facts


def _warnings(chosen: SongSet, results: Sequence[SongResult], systems: Sequence[SongSystem]) -> list[str]:
    warnings = []
    if chosen.groups < 2:
        warnings.append("One group only: there is nothing to draw intervals from.")
    elif chosen.groups < FEW_GROUPS:
        warnings.append(f"{chosen.groups} groups only: the intervals are narrower than they should be.")
    for system in systems:
        missing = [result.name for result in results if system.key in result.skipped]
        if missing:
            warnings.append(f"{system.name} has no result for {len(missing)} of {len(results)} songs.")
    return warnings
