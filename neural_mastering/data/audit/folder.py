"""The audit of a folder of pairs, several at a time."""

from collections.abc import Callable, Sequence
from pathlib import Path

from neural_mastering.data.audio_file import SUFFIXES, UNREADABLE_SUFFIXES
from neural_mastering.data.audit.fingerprint import same_music
from neural_mastering.data.audit.pair import PairFiles, audit_pair
from neural_mastering.data.audit.problems import Problem
from neural_mastering.data.audit.report import PairReport
from neural_mastering.data.errors import DataError
from neural_mastering.data.manifest import read_manifest, song_key
from neural_mastering.worker_pool import run_jobs

SIDES = ("unmastered", "mastered")


def list_pairs(root: str | Path) -> list[PairFiles]:
    """The songs of `root/unmastered` and `root/mastered`, sorted by name, with sides that may be missing.

    Raises:
        DataError: there is no such folder, or no audio in it, or its manifest.csv cannot be read.
    """
    root = Path(root).expanduser()
    if not root.is_dir():
        raise DataError(f"there is no data folder {root}: it must hold the folders unmastered/ and mastered/")
    missing = [side for side in SIDES if not (root / side).is_dir()]
    if missing:
        raise DataError(
            f"{root} has no folder {' and no folder '.join(f'{side}/' for side in missing)}: expected "
            "unmastered/ and mastered/ with files of the same names"
        )
    sides = [_listed(root / side) for side in SIDES]
    keys = sorted(set(sides[0]) | set(sides[1]))
    if not keys:
        raise DataError(f"{root} holds no audio files in unmastered/ and mastered/")
    manifest = read_manifest(root / "manifest.csv")
    pairs = []
    for key in keys:
        found = [side.get(key, []) for side in sides]
        name = (found[0] or found[1])[0].stem
        entry = manifest.get(key)
        pairs.append(
            PairFiles(
                name,
                (entry.group or name) if entry else name,
                entry.split if entry else "",
                *(paths[0] if paths else None for paths in found),
                fault=next((fault for fault in map(_fault, found) if fault), ""),
            )
        )
    return pairs


def audit_folder(
    pairs: Sequence[PairFiles], jobs: int = 1, done: Callable[[PairReport], None] | None = None
) -> list[PairReport]:
    """Audit pairs in `jobs` processes, and find those that are the same music; in the order given.

    `done` is called with each report as it comes, before songs are compared with each other.
    """
    reports = run_jobs(audit_pair, pairs, jobs, done, one_thread)
    return compare_songs(reports)


def compare_songs(reports: Sequence[PairReport]) -> list[PairReport]:
    """Reports with a problem for each song that is in the folder twice, or whose master is another song's."""
    compared = list(reports)
    owners = [(i, side) for i, report in enumerate(reports) for side in range(len(report.prints))]
    twins: dict[int, set[int]] = {}
    for one, two in same_music([reports[i].prints[side] for i, side in owners]):
        (i, side_i), (j, side_j) = owners[one], owners[two]
        if i == j:
            continue
        if side_i == side_j == 0:
            twins.setdefault(i, set()).add(j)
            twins.setdefault(j, set()).add(i)
        else:
            for here, side, there in ((i, side_i, j), (j, side_j, i)):
                if side == 1 and not compared[here].has("mistaken"):
                    text = f"its mastered side is the song '{reports[there].name}'"
                    compared[here] = compared[here].with_problem(Problem("mistaken", "broken", text))
    for i, others in twins.items():
        compared[i] = _with_twins(compared[i], [reports[j] for j in sorted(others)])
    return compared


def _with_twins(report: PairReport, twins: Sequence[PairReport]) -> PairReport:
    others = tuple(twin.name for twin in twins)
    apart = [twin for twin in twins if twin.split != report.split]
    if apart:
        names = ", ".join(f"'{twin.name}' ({twin.split or 'no split'})" for twin in apart)
        text = f"the same music as {names} in another split: keep one, or name one split for both"
        return report.with_problem(Problem("duplicate", "broken", text, others))
    strange = [twin for twin in twins if song_key(twin.group) != song_key(report.group)]
    if strange:
        names = ", ".join(f"'{twin.name}'" for twin in strange)
        text = f"the same music as {names}, but of another group, so that they may come to different splits"
        return report.with_problem(Problem("duplicate", "fixable", text, others))
    names = ", ".join(f"'{name}'" for name in others)
    return report.with_problem(
        Problem("duplicate", "note", f"the same music as {names}, in the same group", others)
    )


def one_thread() -> None:
    """Processes share the cores: one thread of torch each."""
    import torch  # seconds

    torch.set_num_threads(1)


def _listed(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if (
            path.suffix.lower() in SUFFIXES + UNREADABLE_SUFFIXES
            and not path.name.startswith(".")
            and path.is_file()
        ):
            found.setdefault(song_key(path.stem), []).append(path)
    return found


def _fault(paths: list[Path]) -> str:
    if len(paths) > 1:
        names = ", ".join(f"'{path.name}'" for path in paths)
        return f"there are two files of one name in {paths[0].parent.name}/: {names}"
    if paths and paths[0].suffix.lower() in UNREADABLE_SUFFIXES:
        return f"'{paths[0].name}' has a format that is not read: convert it to WAV or FLAC"
    return ""
