"""A folder of released music to a folder of pairs: in parallel, resumable, one bad file at a time."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.atomic import remove_drafts
from neural_mastering.data.degradation.preset import DegradationPreset
from neural_mastering.data.degradation.records import (
    JOURNAL,
    MANIFEST,
    RECORDS,
    Record,
    append_record,
    read_records,
    write_journal,
    write_records,
)
from neural_mastering.data.degradation.song import SIDES, DegradationTask, make_pair, pair_files, recipe_of
from neural_mastering.data.errors import DataError
from neural_mastering.data.manifest import read_manifest, song_key
from neural_mastering.data.music import Track, find_music
from neural_mastering.data.splits import check_fractions, split_groups

Progress = Callable[[str], None]
"""Called with the name of each track that is done, well or not."""


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes:
        records: of all pairs in the folder now, by name.
        made, kept: names of pairs that were made, and that an earlier run had made.
        failed: (file, reason) of tracks that gave no pair.
    """

    records: dict[str, Record]
    made: tuple[str, ...]
    kept: tuple[str, ...]
    failed: tuple[tuple[Path, str], ...]


class DegradeJob:
    """Makes pairs out of the music in a folder.

    Args:
        music: the folder; see `find_music`.
        out: an empty or new folder, or one that this job has written with the same preset and seed.
        preset, seed: of the draws.
        validation_fraction, test_fraction: of the splits in the manifest, where the music names none.

    Raises:
        DataError: folders that cannot be used, settings other than those of the pairs in `out`.
    """

    def __init__(
        self,
        music: str | Path,
        out: str | Path,
        preset: DegradationPreset,
        seed: int = 0,
        validation_fraction: float = 0.2,
        test_fraction: float = 0.1,
    ) -> None:
        self.music, self.out = (Path(folder).expanduser().resolve() for folder in (music, out))
        self.preset, self.seed = preset, seed
        check_fractions(validation_fraction, test_fraction)
        self._fractions = (validation_fraction, test_fraction)
        if self.out == self.music or self.music in self.out.parents:
            raise DataError(f"--out {self.out} lies in the folder of the music: name one outside it")
        self.tracks: list[Track] = find_music(self.music)
        self._previous = self._open_folder()

    def run(self, jobs: int = 1, progress: Progress = lambda name: None) -> Outcome:
        """Make what is not there yet; what an interrupted run has finished is kept.

        Args:
            jobs: worker processes; 1 works in this process.
            progress: told of each track.
        """
        tasks = [
            DegradationTask(
                track, self.music, self.out, self.preset, self.seed, self._previous.get(track.name)
            )
            for track in self.tracks
        ]
        records, made, kept = dict(self._previous), [], []
        failed: list[tuple[Path, str]] = []
        for task, result in _results(tasks, min(jobs, len(tasks))):
            name = task.track.name
            if isinstance(result, DataError):
                failed.append((task.track.path, str(result)))
                self._discard(name, records)
            else:
                record, is_new = result
                (made if is_new else kept).append(name)
                records[name] = record
                if is_new:
                    append_record(self.out / JOURNAL, record)
            progress(name)
        self._finish(records)
        return Outcome(records, tuple(sorted(made)), tuple(sorted(kept)), tuple(sorted(failed)))

    def remove_drafts(self) -> None:
        """Remove what killed processes have left half written."""
        for side in SIDES:
            remove_drafts(self.out / side)

    def _open_folder(self) -> dict[str, Record]:
        """The records of earlier runs; makes the folders."""
        journal = self.out / JOURNAL
        try:
            foreign = self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir()))
            if foreign and not (journal.exists() or (self.out / RECORDS).exists()):
                raise DataError(f"{self.out} holds something else already: name an empty or new folder")
            for side in SIDES:
                (self.out / side).mkdir(parents=True, exist_ok=True)
            finished = read_records(self.out / RECORDS, may_be_cut=False)
            records = {r["name"]: r for r in [*finished, *read_records(journal, may_be_cut=True)]}
            for record in records.values():
                if (record["recipe"], record["seed"]) != (recipe_of(self.preset), self.seed):
                    raise DataError(
                        f"{self.out} holds pairs of preset {record['preset']}, seed {record['seed']}, which "
                        f"are not those of preset {self.preset.name}, seed {self.seed}: name another folder, "
                        "or the same settings"
                    )
            # A journal without a torn last line, there from the beginning: it marks the folder as ours.
            write_journal(journal, records.values())
            self.remove_drafts()
        except OSError as error:
            raise DataError(f"the folder {self.out} cannot be used ({error})") from error
        return records

    def _discard(self, name: str, records: dict[str, Record]) -> None:
        """A pair that could not be made again leaves no old files behind that training would take for a pair."""
        for path in pair_files(self.out, name):
            path.unlink(missing_ok=True)
        records.pop(name, None)

    def _finish(self, records: dict[str, Record]) -> None:
        """Write the manifest with its splits, and drop the journal."""
        gone = [n for n in records if not all(path.is_file() for path in pair_files(self.out, n))]
        for name in gone:
            del records[name]
        self._assign_splits(records)
        try:
            write_records(self.out, records.values())
            (self.out / JOURNAL).unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"the manifest in {self.out} cannot be written ({error})") from error

    def _assign_splits(self, records: dict[str, Record]) -> None:
        """The music's own splits, else those of an earlier manifest, else the rule of `split_groups`."""
        named = {track.name: track.split for track in self.tracks if track.split}
        earlier = read_manifest(self.out / MANIFEST)
        stored = {
            record["group"]: earlier[song_key(name)].split
            for name, record in records.items()
            if song_key(name) in earlier and earlier[song_key(name)].split
        }
        groups = {record["group"] for record in records.values()}
        splits = split_groups(groups, self.seed, *self._fractions, stored) if len(groups) > 1 else {}
        for name, record in records.items():
            record["split"] = named.get(name, "") if named else splits.get(record["group"], "")


def _results(
    tasks: list[DegradationTask], jobs: int
) -> Iterator[tuple[DegradationTask, tuple[Record, bool] | DataError]]:
    if jobs <= 1:
        for task in tasks:
            yield task, _attempt(task)
        return
    with _workers(jobs) as pool:
        waiting: dict[Future[tuple[Record, bool] | DataError], DegradationTask] = {
            pool.submit(_attempt, task): task for task in tasks
        }
        for future in as_completed(waiting):
            try:
                yield waiting.pop(future), future.result()
            except BrokenProcessPool as error:
                raise DataError(
                    "a worker process was killed (out of memory?): run the same command again with fewer --jobs; "
                    "what is finished is kept"
                ) from error


def _attempt(task: DegradationTask) -> tuple[Record, bool] | DataError:
    """One bad file must not stop the others; everything else may."""
    try:
        return make_pair(task)
    except DataError as error:
        return DataError(str(error))


@contextmanager
def _workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that leave Ctrl-C to the main one, which stops them at once."""
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts
    )
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - before:
            with contextlib.suppress(ValueError):
                process.terminate()
                process.join(5.0)
        raise


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
