"""A batch from manifest to table: lock, plan, work, merge, page."""

from __future__ import annotations

import glob
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from neural_mastering.atomic import remove_drafts, write_text
from neural_mastering.batch.digests import Digests
from neural_mastering.batch.engines.engine import Engine
from neural_mastering.batch.lock import locked
from neural_mastering.batch.plan import Plan, plan
from neural_mastering.batch.request import BatchRequest
from neural_mastering.batch.results import PARTS, ResultWriter, merge, read_records
from neural_mastering.batch.work import Row
from neural_mastering.errors import InputError

_ABOUT = "batch.json"

Done = Callable[[Row], None]
"""Is told each row as it comes."""


@dataclass(frozen=True)
class BatchOutcome:
    """What became of a run.

    Attributes:
        reasons: songs by why they were done, or left.
        done, failed: songs of this run.
        kinds: of its failures, with how many songs each.
    """

    reasons: Mapping[str, int]
    done: int = 0
    failed: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)


def plan_batch(request: BatchRequest) -> Plan:
    """What a run would do; changes nothing."""
    _check_kind(request)
    return plan(request, read_records(request.out) if request.out.exists() else {}, Digests(request.out))


def run_batch(request: BatchRequest, engine: Engine, done: Done = lambda _: None) -> BatchOutcome:
    """Do what is not done yet.

    Rows are kept as they come, so whatever ends this run, the next one goes on behind it.

    Args:
        request: what is asked for.
        engine: where it is done.
        done: is told each row.

    Raises:
        InputError: the folder can't be used, belongs to another kind of batch or is in use; or results could not be
            written.
    """
    with opened(request):
        digests = Digests(request.out)
        planned = plan(request, read_records(request.out), digests)
        digests.save()
        writer = ResultWriter(request.out)
        counted = {"done": 0, "failed": 0}
        kinds: dict[str, int] = {}
        try:
            with closing(engine.run(planned.works)) as coming:  # whatever happens, its processes end first
                for rows in coming:
                    if not engine.keeps_rows:
                        writer.add(rows)
                    for row in rows:
                        counted[row["status"]] += 1
                        if row["status"] == "failed":
                            kinds[row["error_kind"]] = kinds.get(row["error_kind"], 0) + 1
                        done(row)
        finally:
            writer.close()
    return BatchOutcome(planned.reasons, counted["done"], counted["failed"], kinds)


@contextmanager
def opened(request: BatchRequest) -> Iterator[None]:
    """The folder of results, made where it is missing, held by this run alone, and swept."""
    out = request.out
    _check_kind(request)
    try:
        (out / PARTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {out} can't be made ({error.strerror})") from error
    with locked(out, request.shard):
        if not (out / _ABOUT).exists():
            write_text(out / _ABOUT, json.dumps({"kind": request.kind}) + "\n")
        if request.shard is None:  # nobody else is at work here
            remove_drafts(out)
            remove_drafts(out / PARTS)
            masters = Path(request.masters_place)
            for folder in (masters, *(f for f in masters.glob("*/") if not f.is_symlink())):
                remove_drafts(folder)
            merge(out)
        scratch = out / "scratch" if request.scratch is None else request.scratch
        remove_scratch(scratch)
        try:
            yield
        finally:  # of processes that were still about to end when this run began
            remove_scratch(scratch)


def remove_scratch(folder: Path) -> None:
    """Remove what killed processes of this machine have left in a folder of scratch files."""
    host = platform.node()
    for place in folder.glob(f"{glob.escape(host)}-*-*"):
        process = place.name.removeprefix(f"{host}-").partition("-")[0]
        if process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(place, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # one that has ended, but that nobody has asked about yet, still has a number
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


def _check_kind(request: BatchRequest) -> None:
    """A folder holds results of one kind."""
    path = request.out / _ABOUT
    if request.out.exists() and not request.out.is_dir():
        raise InputError(f"-o {request.out} is a file: give a folder")
    if not path.exists():
        return
    try:
        kind = json.loads(path.read_text(encoding="utf-8"))["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} can't be read: it says what {request.out} holds; choose another folder"
        ) from error
    if kind != request.kind:
        raise InputError(f"{request.out} holds results of nm-batch {kind}: choose another folder with -o")


def output_folder(path: str | Path) -> Path:
    """The folder of results as an absolute path, which workers elsewhere understand, too."""
    return Path(path).expanduser().absolute()
