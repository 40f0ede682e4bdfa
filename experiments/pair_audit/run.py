"""Plant 200 faults, let `nm-data check` find them and `nm-data align` mend them, and count.

    python experiments/pair_audit/run.py MUSIC_FOLDER [--work FOLDER] [--jobs N] [--pairs N]

MUSIC_FOLDER holds songs of 25 s or more, at any depth; without it the eight bundled excerpts of 10 s are used.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from functools import partial
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import numpy as np
from faults import Case, all_cases, plant, write_manifest

from neural_mastering.data.alignment_folder import align_folder
from neural_mastering.data.alignment_record import Record
from neural_mastering.data.audit.folder import audit_folder, list_pairs, run_jobs
from neural_mastering.data.audit.report import PairReport
from neural_mastering.data.demo import demo_assets
from neural_mastering.reporting.table import markdown_table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path, nargs="?")
    parser.add_argument("--work", type=Path, help="keep the pairs here, and go on with those that are there")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument(
        "--pairs", type=int, default=200, help="every so-many-th of the 200, for a quick look"
    )
    parser.add_argument("--output", type=Path, help="write the tables as Markdown")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, as_file(demo_assets()) as assets:
        work = arguments.work or Path(scratch)
        songs = find_songs(arguments.music or Path(assets))
        chosen = all_cases(len(songs))[:: max(1, 200 // arguments.pairs)]
        length_s = 20.0 if arguments.music else 5.5
        print(f"{len(chosen)} pairs of {length_s:g} s from {len(songs)} songs", flush=True)
        text = study(chosen, songs, work, length_s, arguments.jobs)
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


def find_songs(folder: Path) -> list[Path]:
    """Songs, shuffled so that neighbours are not of one album."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix in (".flac", ".ogg", ".wav"))
    return [paths[i] for i in np.random.default_rng(0).permutation(len(paths))]


def study(cases: Sequence[Case], songs: list[Path], work: Path, length_s: float, jobs: int) -> str:
    """Plant, check, mend, and put the numbers into tables."""
    pairs, mended = work / "pairs", work / "mended"
    run_jobs(partial(plant, songs=songs, folder=pairs, length_s=length_s), cases, jobs)
    write_manifest(cases, pairs)
    print("planted", flush=True)
    found = {r.name: r for r in audit_folder(list_pairs(pairs), jobs)}
    (work / "check.json").write_text(json.dumps([r.to_dict() for r in found.values()], indent=1))
    tables = detection_table(cases, found) + "\n" + error_table(cases, found)
    print(tables, flush=True)
    for case in cases:
        if wrong(case, found[case.name]):
            print(
                f"  {case.name}: planted {case.delay_samples} samples, {case.drift_ppm} ppm; "
                f"{found[case.name].verdict}",
                flush=True,
            )
    records = {r.name: r for r in align_folder(pairs, mended, jobs)}
    return tables + "\n" + residual_table(cases, found, records)


def hit(case: Case, report: PairReport) -> bool:
    """Whether the planted fault is among the problems."""
    return any(report.has(kind) for kind in case.kinds)


def wrong(case: Case, report: PairReport) -> bool:
    """Missed, or something reported that was not planted."""
    return (bool(case.kinds) and not hit(case, report)) or bool(surplus(case, report))


def surplus(case: Case, report: PairReport) -> list[str]:
    """Kinds of problems, other than notes, that nobody planted."""
    expected = set(case.kinds)
    if case.polarity < 0:
        expected.add("polarity")
    if case.swapped:
        expected.add("swapped")
    if case.delay_samples:
        expected.add("delay")
    if case.fault == "piece missing inside" or case.filled or case.drift_ppm:
        expected.add("length")
    if case.fault == "other song":
        expected |= {"mistaken", "rate", "length"}
    if 0 <= case.song < 6:
        expected.add("duplicate")  # these songs are in the folder under another name
    if has_own_offset(report):
        expected.add("dc")
    return [p.kind for p in report.problems if p.severity != "note" and p.kind not in expected]


def has_own_offset(report: PairReport) -> bool:
    """Whether the song itself has a DC offset, as some chip music has: found rightly, but not planted."""
    levels = report.before.levels if report.before else None
    return levels is not None and levels.dc > 0.05 * levels.rms


def detection_table(cases: Sequence[Case], found: dict[str, PairReport]) -> str:
    """Per fault: how many, how many found, and in how many pairs of the others it was reported."""
    rows = []
    for fault in dict.fromkeys(case.fault for case in cases):
        group = [case for case in cases if case.fault == fault]
        faulty = [case for case in group if case.kinds]
        extra = sum(bool(surplus(case, found[case.name])) for case in group)
        rows.append(
            {
                "planted": fault,
                "pairs": str(len(group)),
                "found": f"{sum(hit(c, found[c.name]) for c in faulty)}/{len(faulty)}" if faulty else "–",
                "reported, not planted": str(extra),
                "ok": str(sum(found[c.name].state == "ok" for c in group)),
                "fixable": str(sum(found[c.name].state == "fixable" for c in group)),
                "broken": str(sum(found[c.name].state == "broken" for c in group)),
            }
        )
    return markdown_table(rows)


def error_table(cases: Sequence[Case], found: dict[str, PairReport]) -> str:
    """Errors of delay and drift, wrong signs, and locks on a wrong beat."""
    timed = [c for c in cases if measured(c, found[c.name])]
    groups = {
        "no delay planted": [c for c in timed if not c.delay_samples],
        "delay": [c for c in timed if c.fault == "delay"],
        "drift": [c for c in timed if c.drift_ppm],
        "exact loop": [c for c in timed if c.song < 0],
        "all": timed,
    }
    rows = []
    for name, group in groups.items():
        if not group:
            continue
        off = np.array([delay_error(c, found[c.name]) for c in group])
        drift = np.array([abs(relation(found[c.name]).drift_ppm - c.drift_ppm) for c in group])
        signs = sum(
            relation(found[c.name]).assignment.polarity != c.polarity
            or relation(found[c.name]).assignment.swapped != c.swapped
            for c in group
        )
        rows.append(
            {
                "pairs": name,
                "n": str(len(group)),
                "delay error, median": f"{np.median(off):.3f}",
                "95 %": f"{np.percentile(off, 95):.3f}",
                "largest": f"{off.max():.3f}",
                "wrong place (> 5 ms)": str(int((off > 220).sum())),
                "drift error in ppm, median": f"{np.median(drift):.4f}",
                "largest drift error": f"{drift.max():.3f}",
                "wrong polarity or order": str(signs),
            }
        )
    return markdown_table(rows)


def residual_table(cases: Sequence[Case], found: dict[str, PairReport], records: dict[str, Record]) -> str:
    """What the same measurement finds in the files that `nm-data align` has written."""
    rows = []
    for fault in dict.fromkeys(case.fault for case in cases):
        fixable = [c for c in cases if c.fault == fault and found[c.name].state == "fixable"]
        if not fixable:
            continue
        mended = [records[c.name] for c in fixable if records[c.name].outputs]
        left = [r.residual for r in mended if "end_delay_samples" in r.residual]
        off = [max(abs(r["delay_samples"]), abs(r["end_delay_samples"])) for r in left]
        rows.append(
            {
                "planted": fault,
                "fixable": str(len(fixable)),
                "mended": str(len(mended)),
                "largest delay in the song, median": f"{np.median(off):.3f}" if off else "–",
                "of all": f"{max(off):.3f}" if off else "–",
            }
        )
    return markdown_table(rows)


def measured(case: Case, report: PairReport) -> bool:
    """Whether there is a true delay to compare with."""
    return report.relation is not None and case.fault not in (
        "other song",
        "piece missing inside",
        "one channel inverted",
    )


def relation(report: PairReport) -> Any:
    """The measured relation of a pair that has one."""
    assert report.relation is not None
    return report.relation


def delay_error(case: Case, report: PairReport) -> float:
    """|found − planted| at the start, in samples."""
    return abs(relation(report).delay_samples - case.delay_samples)


if __name__ == "__main__":
    main()
