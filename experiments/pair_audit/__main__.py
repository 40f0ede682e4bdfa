"""Plant 200 faults, let `nm-data check` find them and `nm-data align` repair them, and count.

    python -m experiments.pair_audit [MUSIC_FOLDER] [--work FOLDER] [--jobs N] [--pairs N]

MUSIC_FOLDER holds songs of 25 s or more, at any depth; without it the eight bundled excerpts of 10 s are used.
"""

import json
import tempfile
from collections.abc import Sequence
from functools import partial
from importlib.resources import as_file
from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.pair_audit.cases import Case, all_cases, write_manifest
from experiments.pair_audit.comparison import wrong
from experiments.pair_audit.faults import find_songs, plant
from experiments.pair_audit.tables import detection_table, error_table, residual_table
from neural_mastering.data.alignment_folder import align_folder
from neural_mastering.data.audit.folder import audit_folder, list_pairs, one_thread
from neural_mastering.data.demo import demo_assets
from neural_mastering.worker_pool import run_jobs


def main() -> None:
    """Run the study and print its tables."""
    parser = parser_of(__doc__)
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


def study(cases: Sequence[Case], songs: list[Path], work: Path, length_s: float, jobs: int) -> str:
    """Plant, check, repair, and put the numbers into tables."""
    pairs, repaired = work / "pairs", work / "repaired"
    run_jobs(partial(plant, songs=songs, folder=pairs, length_s=length_s), cases, jobs, start=one_thread)
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
    records = {r.name: r for r in align_folder(pairs, repaired, jobs)}
    return tables + "\n" + residual_table(cases, found, records)


if __name__ == "__main__":
    main()
