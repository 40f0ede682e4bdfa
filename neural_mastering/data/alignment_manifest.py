"""What `nm-data align` says of its result: a table that training reads, and a line of JSON for every pair."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neural_mastering.atomic import write_text
from neural_mastering.data.alignment_record import Record
from neural_mastering.data.errors import DataError
from neural_mastering.data.manifest import song_key

COLUMNS: tuple[str, ...] = (
    "file",
    "group",
    "split",
    "action",
    "delay_samples",
    "drift_ppm",
    "polarity",
    "inverted_channel",
    "channels_swapped",
    "residual_delay_samples",
    "residual_end_delay_samples",
    "residual_drift_ppm",
    "source_unmastered_sha256",
    "source_mastered_sha256",
    "unmastered_sha256",
    "mastered_sha256",
)
READINGS: tuple[str, ...] = (
    "delay_samples",
    "drift_ppm",
    "polarity",
    "inverted_channel",
    "channels_swapped",
    "confidence",
    "coherence",
)
"""What a record keeps of the audit's report."""


def write_manifests(out: Path, records: Sequence[Record]) -> None:
    """Write manifest.csv (the pairs that are there) and align.jsonl (all, with what was measured and done)."""
    ordered = sorted(records, key=lambda record: song_key(record.name))
    table = io.StringIO()
    writer = csv.DictWriter(table, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    for record in ordered:
        if record.outputs:
            writer.writerow(_row(record))
    write_text(out / "manifest.csv", table.getvalue(), errors="surrogateescape", error=DataError)
    lines = []
    for record in ordered:
        report = record.report()
        entry = {
            "name": record.name,
            "group": record.new_group,
            "split": record.split or None,
            "verdict": report.verdict,
            "action": _action(record),
            "done": record.done,
            "measured": record.measured,
            "plan": record.plan,
            "residual": record.residual,
            "sources": record.sources,
            "outputs": record.outputs,
        }
        lines.append(json.dumps(entry))
    write_text(out / "align.jsonl", "\n".join(lines) + "\n", errors="surrogateescape", error=DataError)


def _row(record: Record) -> dict[str, Any]:
    return {
        "file": record.outputs["unmastered"]["file"],
        "group": record.new_group,
        "split": record.split,
        "action": _action(record),
        **{key: "" if record.measured[key] is None else record.measured[key] for key in READINGS[:5]},
        "residual_delay_samples": _number(record.residual.get("delay_samples")),
        "residual_end_delay_samples": _number(record.residual.get("end_delay_samples")),
        "residual_drift_ppm": _number(record.residual.get("drift_ppm")),
        "source_unmastered_sha256": record.sources["unmastered"],
        "source_mastered_sha256": record.sources["mastered"],
        "unmastered_sha256": record.outputs["unmastered"]["sha256"],
        "mastered_sha256": record.outputs["mastered"]["sha256"],
    }


def _action(record: Record) -> str:
    if not record.outputs:
        return "left out"
    return "mended" if record.done else "copied"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
