"""The manifest of made pairs: `manifest.csv` for training and people, `degradation.jsonl` for programs."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from neural_mastering.atomic import write_text
from neural_mastering.data.degradation.parameters import Degradation
from neural_mastering.data.errors import DataError

RECORDS = "degradation.jsonl"
JOURNAL = ".degradation.journal.jsonl"
MANIFEST = "manifest.csv"

Record = dict[str, Any]
"""One pair: name, source, group, split, preset, recipe, seed, degradation, measured values, hashes."""

_COLUMNS: tuple[str, ...] = (
    "file",
    "group",
    "split",
    "source",
    "preset",
    "seed",
    "sample_rate",
    "channels",
    "duration_s",
    "input_lufs",
    "target_lufs",
    "input_peak_db",
    "target_peak_db",
    "target_gain_db",
    "gain_db",
    "up_threshold_db",
    "up_ratio",
    "down_threshold_db",
    "down_ratio",
    "attack_ms",
    "release_ms",
    "width",
    "lowpass_hz",
    "eq",
    "source_sha256",
    "unmastered_sha256",
    "mastered_sha256",
)


def read_degradations(root: str | Path) -> dict[str, Degradation]:
    """The true parameters of every pair in a folder that `nm-data degrade` wrote, by the pair's name.

    Raises:
        DataError: no `degradation.jsonl` there, or one that cannot be read.
    """
    path = Path(root).expanduser() / RECORDS
    if not path.is_file():
        raise DataError(f"there is no {path}: name a folder that nm-data degrade has finished")
    return {
        record["name"]: Degradation.from_dict(record["degradation"]) for record in read_records(path, False)
    }


def read_records(path: Path, may_be_cut: bool) -> list[Record]:
    """The records of a file of JSON lines; none where there is no such file.

    Args:
        path: of the file.
        may_be_cut: leave out a last line that is incomplete, as a killed run may have left it.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    records = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            _ = record["name"], record["degradation"], record["recipe"], record["seed"]
            records.append(record)
        except (ValueError, KeyError, TypeError) as error:
            if may_be_cut and number == len(lines):
                break
            raise DataError(f"{path} is damaged in line {number} ({error}): make the pairs anew") from error
    return records


def append_record(path: Path, record: Record) -> None:
    """Add a line; a kill leaves at most an incomplete last one."""
    with path.open("a", encoding="utf-8") as out:
        out.write(_lines([record]))


def write_records(root: Path, records: Iterable[Record]) -> None:
    """Write both files, sorted by name."""
    ordered = sorted(records, key=lambda record: record["name"])
    write_text(root / RECORDS, _lines(ordered), error=DataError)
    table = io.StringIO()
    writer = csv.DictWriter(table, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(record) for record in ordered)
    write_text(root / MANIFEST, table.getvalue(), error=DataError)


def write_journal(path: Path, records: Iterable[Record]) -> None:
    """Write a journal to go on appending to."""
    write_text(path, _lines(records), error=DataError)


def _lines(records: Iterable[Record]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _row(record: Mapping[str, Any]) -> dict[str, str]:
    """A record as a row of the manifest; empty where an operation did not happen."""
    done = Degradation.from_dict(record["degradation"])
    row = {"file": f"{record['name']}.flac", "duration_s": f"{record['frames'] / record['sample_rate']:.3f}"}
    for key in ("group", "split", "source", "preset", "seed", "sample_rate", "channels"):
        row[key] = str(record[key])
    for key in ("input_lufs", "target_lufs", "input_peak_db", "target_peak_db", "target_gain_db"):
        row[key] = f"{record[key]:.2f}"
    for prefix, expansion in (("up", done.upward), ("down", done.downward)):
        if expansion.ratio > 1.0:
            row[f"{prefix}_threshold_db"] = f"{expansion.threshold_db:.2f}"
            row[f"{prefix}_ratio"] = f"{expansion.ratio:.3f}"
            row |= {"attack_ms": f"{done.attack_ms:.1f}", "release_ms": f"{done.release_ms:.0f}"}
    row |= {"gain_db": f"{done.gain_db:.2f}", "width": f"{done.width:.3f}"}
    row["lowpass_hz"] = "" if done.lowpass_hz is None else f"{done.lowpass_hz:.0f}"
    row["eq"] = "; ".join(
        f"{band.kind} {band.frequency_hz:.0f} Hz {band.gain_db:+.2f} dB Q {band.q:.2f}" for band in done.bands
    )
    return row | {key: record[key] for key in _COLUMNS if key.endswith("_sha256")}
