"""A folder of pairs, mended into another folder that training can open."""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from neural_mastering.atomic import Draft, remove_drafts
from neural_mastering.data.alignment_manifest import READINGS, write_manifests
from neural_mastering.data.alignment_record import (
    FOLDER,
    Record,
    encoded,
    file_hash,
    load_record,
    record_file,
)
from neural_mastering.data.alignment_render import AlignmentPlan, render
from neural_mastering.data.audio_file import probe
from neural_mastering.data.audit.decoded import decoded
from neural_mastering.data.audit.folder import SIDES, compare_songs, list_pairs, one_thread
from neural_mastering.data.audit.pair import PairFiles, audit_pair
from neural_mastering.data.audit.problems import Problem, relation_problems, verdict
from neural_mastering.data.audit.relation import relate
from neural_mastering.data.audit.report import PairReport
from neural_mastering.data.errors import DataError
from neural_mastering.worker_pool import run_jobs

WHOLE_SAMPLES = 0.02
"""A delay this near to a whole number of samples is taken as that number, and needs no filter."""


def align_folder(
    root: str | Path,
    out: str | Path,
    jobs: int = 1,
    done: Callable[[Any], None] | None = None,
) -> list[Record]:
    """Mend what is fixable in `root` into `out`; copy what is ok; leave out what is broken.

    `out` gets unmastered/, mastered/, manifest.csv (groups, splits, hashes, what was done, what is left of the
    delay) and align.jsonl (the same in more words, with the pairs left out). The originals are never written to.
    Files appear whole or not at all; a run that was stopped goes on, and one on a finished result changes nothing.
    `done` is called twice a pair: when it is measured and when it is written.

    Raises:
        DataError: `root` is no folder of pairs, or `out` is inside it, or holds something else.
    """
    root, out = Path(root).expanduser(), Path(out).expanduser()
    pairs = list_pairs(root)
    _prepare(root, out)
    try:
        records = run_jobs(partial(_measured, out=out), pairs, jobs, done, one_thread)
        compared = compare_songs([record.report() for record in records])
        for record, report in zip(records, compared, strict=True):
            record.problems = [dataclasses.asdict(problem) for problem in report.problems]
        _merge_groups(records, compared)
        jobs_to_do = list(zip(records, pairs, strict=True))
        records = run_jobs(partial(_written, out=out), jobs_to_do, jobs, done, one_thread)
        _drop_strangers(out, records)
        write_manifests(out, records)
    except OSError as error:
        raise DataError(
            f"{out} cannot be written ({error}): free some space, or name another folder"
        ) from error
    return records


def _prepare(root: Path, out: Path) -> None:
    here, there = root.resolve(), out.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise DataError(f"{out} must lie outside {root}, since the originals are never touched")
    if out.exists() and not (out / FOLDER).is_dir() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} holds something else than mended pairs: name an empty or new folder")
    try:
        for folder in (*SIDES, FOLDER):
            (out / folder).mkdir(parents=True, exist_ok=True)
            remove_drafts(out / folder)
    except OSError as error:
        raise DataError(f"{out} cannot be written ({error})") from error


def _measured(files: PairFiles, out: Path) -> Record:
    """The record of a pair: the stored one where the files are the same, else a new audit."""
    sources = {side: file_hash(path) for side, path in zip(SIDES, (files.before, files.after), strict=True)}
    stored = load_record(record_file(out, files.name))
    if stored is not None and stored.sources == sources:
        stored.group, stored.split = files.group, files.split
        # findings that concern other songs are made anew
        stored.problems = [p for p in stored.problems if p["kind"] not in ("duplicate", "mistaken")]
        return stored
    report = audit_pair(files)
    plain = report.to_dict()
    record = Record(
        files.name,
        files.group,
        files.split,
        sources,
        [dataclasses.asdict(problem) for problem in report.problems],
        dataclasses.asdict(plan_of(report)) if report.state != "broken" else None,
        {key: plain[key] for key in READINGS},
        encoded(report.prints),
    )
    record.save(out)
    return record


def plan_of(report: PairReport) -> AlignmentPlan:
    """What mends a pair that is not broken."""
    relation, before, after = report.relation, report.before, report.after
    assert relation is not None and before is not None and after is not None
    assert before.levels is not None and after.levels is not None
    drift = relation.drift_ppm * 1e-6 if report.has("drift") else 0.0
    delay = 0.0
    if drift:
        delay = relation.delay_samples
    elif report.has("delay"):
        delay = relation.middle_samples
        if abs(delay - round(delay)) < WHOLE_SAMPLES:
            delay = float(round(delay))
    dc = report.has("dc")
    assignment = relation.assignment
    plan = AlignmentPlan(
        delay,
        drift,
        assignment.source if assignment.swapped else tuple(range(before.file.channels)),
        assignment.sign[: before.file.channels],
        before.levels.dc_by_channel if dc else (),
        after.levels.dc_by_channel if dc else (),
        cut=before.file.frames != after.file.frames,
        resample=before.file.sample_rate != after.file.sample_rate,
    )
    # lengths that differ by a little are training's to cut, unless there is something to do anyway
    return dataclasses.replace(plan, cut=False) if plan.cut and not report.has("length") else plan


def _merge_groups(records: Sequence[Record], reports: Sequence[PairReport]) -> None:
    """Give all songs that are the same music one group, the first by name."""
    groups = {record.name: record.group for record in records}
    changed = True
    while changed:
        changed = False
        for record, report in zip(records, reports, strict=True):
            for problem in report.problems:
                for other in problem.others if problem.kind == "duplicate" else ():
                    first = min(groups[record.name], groups[other])
                    for old in {groups[record.name], groups[other]} - {first}:
                        groups = {name: first if group == old else group for name, group in groups.items()}
                        changed = True
    for record in records:
        record.new_group = groups[record.name]


def _written(job: tuple[Record, PairFiles], out: Path) -> Record:
    """Write the sides of one pair, where they are not there already."""
    record, files = job
    report = record.report()
    if report.state == "broken":
        _remove(record, out)
        record.outputs, record.residual, record.done = {}, {}, []
    elif not _is_complete(record, out):
        assert files.before is not None and files.after is not None
        plan = record.plan_object()
        record.done = _words(plan)
        if plan.idle:
            record.outputs = {
                s: _copied(p, out / s) for s, p in zip(SIDES, (files.before, files.after), strict=True)
            }
            record.residual = {key: record.measured[key] for key in ("delay_samples", "drift_ppm")}
        else:
            _mend(record, plan, files, out)
    record.save(out)
    return record


def _mend(record: Record, plan: AlignmentPlan, files: PairFiles, out: Path) -> None:
    assert files.before is not None and files.after is not None
    before, after = probe(files.before), probe(files.after)
    finals = [
        out / side / f"{path.stem}.flac"
        for side, path in zip(SIDES, (files.before, files.after), strict=True)
    ]
    try:
        with Draft(finals[0]) as first, Draft(finals[1]) as second:
            rendered = render(plan, before, after, (first, second))
            relation = relate(decoded(probe(first)), decoded(probe(second)))
            left = relation_problems(relation, after.sample_rate)
            if relation is None or verdict(left) != "ok":
                raise _StillWrong(f"what is left is: {verdict(left)}")
    except (_StillWrong, ValueError) as error:
        text = f"mending failed, {error}" if isinstance(error, _StillWrong) else f"mending failed ({error})"
        record.problems.append(dataclasses.asdict(Problem("unmended", "broken", text)))
        return
    record.residual = {
        "delay_samples": relation.delay_samples,
        "end_delay_samples": relation.end_samples,
        "drift_ppm": relation.drift_ppm,
    }
    for side, gain_db in (("unmastered", rendered.gain_before_db), ("mastered", rendered.gain_after_db)):
        if gain_db:
            record.done.append(f"{side} side turned down by {-gain_db:.3f} dB, so that it does not clip")
    record.done.append(
        f"{rendered.frames} samples kept, from sample {rendered.first} of the mastered side on"
    )
    record.outputs = {
        side: {"file": final.name, "sha256": file_hash(final)}
        for side, final in zip(SIDES, finals, strict=True)
    }


class _StillWrong(Exception):
    """The pair does not fit after mending either: its drafts are thrown away."""


def _words(plan: AlignmentPlan) -> list[str]:
    """What is done to the pair, in words."""
    words = []
    if plan.delay_samples:
        words.append(f"unmastered side moved by {plan.delay_samples:+.4f} samples")
    if plan.drift:
        words.append(f"unmastered side stretched by {plan.drift * 1e6:+.4f} ppm")
    if plan.resample:
        words.append("unmastered side resampled to the mastered side's rate")
    if plan.source == (1, 0):
        words.append("left and right of the unmastered side exchanged")
    inverted = [
        ("left", "right")[c] if len(plan.sign) > 1 else "only" for c, sign in enumerate(plan.sign) if sign < 0
    ]
    if inverted:
        words.append(f"unmastered side inverted ({' and '.join(inverted)} channel)")
    if plan.dc_before or plan.dc_after:
        words.append("DC offsets taken away")
    return words or (["cut to the common part"] if plan.cut else [])


def _copied(source: Path, folder: Path) -> dict[str, str]:
    """A copy of a file under its own name."""
    final = folder / source.name
    with Draft(final) as draft:
        shutil.copyfile(source, draft)
    return {"file": final.name, "sha256": file_hash(final)}


def _is_complete(record: Record, out: Path) -> bool:
    """Whether both results are there, as they were written."""
    return bool(record.outputs) and all(
        file_hash(out / side / output["file"]) == output["sha256"] for side, output in record.outputs.items()
    )


def _remove(record: Record, out: Path) -> None:
    for side, output in record.outputs.items():
        (out / side / output["file"]).unlink(missing_ok=True)


def _drop_strangers(out: Path, records: Sequence[Record]) -> None:
    """Results of songs that are no longer in the source, and records of them."""
    known = {record_file(out, record.name) for record in records}
    kept = {(side, output["file"]) for record in records for side, output in record.outputs.items()}
    for file in (out / FOLDER).glob("*.json"):
        if file in known:
            continue
        old = load_record(file)
        for side, output in (old.outputs if old else {}).items():
            if (side, output["file"]) not in kept:
                (out / side / output["file"]).unlink(missing_ok=True)
        file.unlink()
