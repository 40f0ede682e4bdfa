"""Mastering a song, or an album, of a batch."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from neural_mastering.atomic import write_text
from neural_mastering.batch.settings_of_work import options_of
from neural_mastering.batch.storage import deliver, joined
from neural_mastering.batch.work import Work
from neural_mastering.rendering.album import run_album
from neural_mastering.rendering.batch import Job, master_suffix
from neural_mastering.rendering.outputs.numbers import as_json
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.result import MasterResult

_HERE = ("files", "date", "version", "schema_version")
"""Said by the row itself, or true of the scratch folder only."""


def master_songs(work: Work, sources: Sequence[Path], scratch: Path) -> list[dict[str, Any]]:
    """Master the songs in `scratch`, then put all files in their places.

    Returns:
        For each song the numbers of `--json`, the path of the master below the folder of the masters, and its size.
    """
    made = scratch / "out"
    made.mkdir()
    options = options_of(work, scratch)
    jobs = []
    for place, source in enumerate(sources):
        name = Path(work.names[place]).name
        report = None if work.places.reports is None else scratch / "reports" / name
        output = made / f"{name}{master_suffix(source, options)}"
        jobs.append(Job(source, output, replace(options, overwrite=True, report=report)))
    results = _mastered(jobs, is_album=work.songs[0].album is not None)
    found = []
    for place, result in enumerate(results):
        numbers = as_json(result)
        output = result.output
        found.append(
            {key: value for key, value in numbers.items() if key not in _HERE}
            | {"master": f"{_folder(work, place)}{output.name}", "master_bytes": output.stat().st_size}
        )
        if work.places.reports is not None:
            folder = joined(work.places.reports, work.names[place])
            report = scratch / "reports" / Path(work.names[place]).name
            write_text(
                report / "numbers.json", json.dumps(numbers, indent=1, ensure_ascii=False), errors="replace"
            )
            for file in sorted(report.rglob("*")):
                if file.is_file():
                    deliver(file, folder, file.relative_to(report).as_posix())
    # the masters last: where they are, all else is
    for file in sorted(f for f in made.iterdir() if f.is_file()):
        deliver(file, work.places.masters, f"{_folder(work, 0)}{file.name}")
    return found


def _mastered(jobs: Sequence[Job], is_album: bool) -> list[MasterResult]:
    if not is_album:
        return [master(job.source, job.output, job.options) for job in jobs]
    results: dict[Path, MasterResult] = {}

    def keep(job: Job, outcome: MasterResult | Exception) -> None:
        if isinstance(outcome, Exception):
            raise outcome
        results[job.output] = outcome

    run_album(jobs, keep)
    return [results[job.output] for job in jobs]


def _folder(work: Work, place: int) -> str:
    """Of a song below the masters: "" or "ALBUM/"."""
    folder = os.path.dirname(work.names[place])  # noqa: PTH120 - part of a URL, perhaps
    return f"{folder}/" if folder else ""
