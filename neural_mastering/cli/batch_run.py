"""What the commands of nm-batch have in common: read the manifest, plan, work, and say what came of it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neural_mastering.batch.engines.choose import EngineOptions, choose_engine
from neural_mastering.batch.errors import KINDS
from neural_mastering.batch.estimate import estimate
from neural_mastering.batch.manifest import read_manifest
from neural_mastering.batch.plan import DONE, GIVEN_UP, Plan
from neural_mastering.batch.request import BatchRequest, SongLimits, parse_shard
from neural_mastering.batch.results import TABLE
from neural_mastering.batch.run import BatchOutcome, output_folder, plan_batch, run_batch
from neural_mastering.batch.summary import write_summary
from neural_mastering.batch.work import Kind, Row
from neural_mastering.cli.invocation import STOPPED
from neural_mastering.cli.progress import progress
from neural_mastering.errors import InputError
from neural_mastering.worker_pool import default_jobs

_GIGABYTE = 1_000_000_000
_NAMED = 5


@dataclass(frozen=True)
class BatchOptions:
    """What was typed, by the names of the options."""

    output: Path
    jobs: int
    engine: str
    shard: str | None
    retry: str | None
    dry_run: bool
    time_limit: float
    memory_limit_gb: float
    max_download_gb: float
    scratch: Path | None
    any_version: bool
    quiet: bool
    ray_address: str | None
    slurm_jobs: int
    slurm_option: list[str] | None
    slurm_cluster: str | None


def run(
    kind: Kind,
    manifest_path: Path,
    options: BatchOptions,
    settings: Mapping[str, Any],
    masters: str | None = None,
    reports: bool = False,
) -> int:
    """Do a batch; returns the exit code: 0 when every song of the manifest is done."""
    if options.retry not in (None, "failed"):
        raise InputError(f"--retry {options.retry}: expected failed")
    manifest = read_manifest(manifest_path)
    memory = round(options.memory_limit_gb * _GIGABYTE)
    request = BatchRequest(
        kind=kind,
        songs=manifest.songs,
        out=output_folder(options.output),
        settings=settings,
        masters=masters if masters is None or "://" in masters else str(Path(masters).absolute()),
        scratch=None if options.scratch is None else options.scratch.absolute(),
        reports=reports,
        shard=parse_shard(options.shard),
        retry="passing" if options.retry is None else "failed",
        any_version=options.any_version,
        limits=SongLimits(options.time_limit, memory, round(options.max_download_gb * _GIGABYTE)),
    )
    for note in manifest.notes:
        _say(f"note: {note}")
    if options.dry_run:
        planned = plan_batch(request)
        _say_plan(planned, out=sys.stdout)
        print(f"{estimate(request, planned, options.jobs or default_jobs())}")
        return 0
    engine = choose_engine(
        EngineOptions(
            options.engine,
            options.jobs,
            memory,
            options.ray_address,
            options.slurm_jobs,
            tuple(options.slurm_option or ()),
            options.slurm_cluster,
        ),
        request,
    )
    with progress("songs", len(request.songs), options.quiet) as advance:

        def done(row: Row) -> None:
            advance(row)
            if row["status"] == "failed":
                _say(f"{row['path']}: {row['error']}")

        try:
            outcome = run_batch(request, engine, done)
        except KeyboardInterrupt:
            if request.shard is None and (request.out / TABLE).exists():
                write_summary(request)
            _say("nm-batch: stopped; what is done is kept, and the same command goes on from here")
            sys.exit(STOPPED)
    if request.shard is None:
        page = write_summary(request)
        if not options.quiet:
            _say(f"results: {request.out / 'results.parquet'}, page: {page}")
    return _conclude(outcome)


def _conclude(outcome: BatchOutcome) -> int:
    left = outcome.reasons.get(GIVEN_UP, 0)
    _say(
        f"{outcome.done} song{'s' * (outcome.done != 1)} done, {outcome.failed} failed, "
        f"{outcome.reasons.get(DONE, 0)} done before"
        + (f", {left} left, failed before (--retry failed tries them again)" if left else "")
    )
    for kind, count in sorted(outcome.kinds.items()):
        _say(f"  {count} × {kind}: {KINDS[kind]}")
    return 1 if outcome.failed or left else 0


def _say_plan(planned: Plan, out: Any) -> None:
    for reason, count in planned.reasons.items():
        print(f"{count:8d}  {reason}", file=out)
    print(f"{planned.songs:8d}  to do", file=out)
    missing = planned.missing
    if missing:
        named = ", ".join(song.path for song in missing[:_NAMED]) + ", …" * (len(missing) > _NAMED)
        print(f"{len(missing):8d}  of these not found: {_printable(named)}", file=out)


def _say(text: str) -> None:
    print(_printable(text), file=sys.stderr)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
