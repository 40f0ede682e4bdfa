"""Several songs: where each goes, side by side, and albums that keep the relations between their tracks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neural_mastering.errors import InputError
from neural_mastering.rendering.mastering import MasterResult, Song, check_paths, finish, master
from neural_mastering.rendering.meter import gated_loudness
from neural_mastering.rendering.options import Options, chosen_target
from neural_mastering.rendering.writer import SUFFIX_FORMATS


@dataclass(frozen=True)
class Job:
    """One song of a batch."""

    source: Path
    output: Path
    options: Options


Report = Callable[[Job, MasterResult | Exception], None]


def plan(
    sources: Sequence[Path], output: Path | None, options: Options, suffix: str | None = None
) -> list[Job]:
    """Which file becomes which.

    Args:
        sources: input files.
        output: a file for one song; a folder (existing, or without a suffix that is written) for any number;
            None puts `NAME_master` beside each input.
        options: for all; report, JSON and controls become one for each song in a batch.
        suffix: such as ".flac"; None keeps that of the source where it is written, else ".wav".

    Raises:
        InputError: a file name for several songs, or two songs that would get the same name.
    """
    if not sources:
        raise InputError("no audio files were given")
    is_folder = output is not None and (output.is_dir() or output.suffix.lower() not in SUFFIX_FORMATS)
    if output is not None and is_folder and output.exists() and not output.is_dir():
        raise InputError(
            f"{output} is a file: -o needs a folder, or a name that ends in .wav, .flac or .aiff"
        )
    if output is not None and not is_folder and len(sources) > 1:
        raise InputError(f"-o {output} names one file but {len(sources)} songs were given: name a folder")
    if output is not None and is_folder and output.suffix and not output.exists() and len(sources) == 1:
        raise InputError(
            f"-o {output}: can't write {output.suffix}; expected {', '.join(SUFFIX_FORMATS)}, or a folder"
        )
    jobs, taken = [], {}
    for source in sources:
        kept = source.suffix.lower() if source.suffix.lower() in SUFFIX_FORMATS else ".wav"
        end = suffix or kept
        if output is None:
            path = source.with_name(f"{source.stem}_master{end}")
        elif is_folder:
            path = output / f"{source.stem}{end}"
        else:
            path = output
        key = str(path.resolve()).casefold()
        if key in taken:
            raise InputError(f"{taken[key]} and {source} would both become {path}: master them one by one")
        taken[key] = source
        jobs.append(Job(source, path, _own(options, path.stem) if len(sources) > 1 else options))
    return jobs


def _own(options: Options, name: str) -> Options:
    """Files beside the master get the song's name in a batch."""

    def named(path: Path | None, suffix: str) -> Path | None:
        return None if path is None else path / f"{name}{suffix}"

    return replace(
        options,
        report=named(options.report, ""),
        json=named(options.json, ".json"),
        save_controls=named(options.save_controls, ".yaml"),
    )


def run_batch(jobs: Sequence[Job], report: Report, workers: int = 1) -> int:
    """Master each song; the others go on when one fails. Returns how many failed."""
    failed = 0
    if workers <= 1 or len(jobs) == 1:
        for job in jobs:
            outcome = _try(job)
            failed += isinstance(outcome, Exception)
            report(job, outcome)
        return failed
    import multiprocessing

    # a fresh interpreter: forks of a process with threads can hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context, initializer=_one_thread) as pool:
        futures: dict[Future[MasterResult | Exception], Job] = {pool.submit(_try, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                error = future.exception()
                outcome = error if isinstance(error, Exception) else future.result()
                failed += isinstance(outcome, Exception)
                report(futures[future], outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failed


def run_album(jobs: Sequence[Job], report: Report) -> int:
    """Master songs with one gain for all, so that their relations stay; the album as a whole meets the target.

    Every track is brought to its own loudness plus that gain. The track with the highest peaks decides how much the
    limiters may take. A file that can't be read stops the album, since its share of the loudness is unknown.

    Raises:
        InputError: of the first track that fails.
    """
    for job in jobs:
        check_paths(job.source, job.output, job.options)
    with ExitStack() as stack:
        songs = [stack.enter_context(Song(job.source, job.options, job.output.parent)) for job in jobs]
        target = chosen_target(jobs[0].options, songs[0].tone.target)
        energies = np.concatenate([song.before.readings.hop_energy for song in songs])
        album_lufs = gated_loudness(energies)
        asked = target.lufs
        if asked is None:  # keep: as loud as the sources were together
            asked = gated_loudness(np.concatenate([song.input.hop_energy for song in songs]))
        if not (math.isfinite(album_lufs) and math.isfinite(asked)):
            raise InputError("the album is silent: nothing to master")
        gain_db = asked - album_lufs
        if target.ceiling_db is not None:
            room = [
                target.ceiling_db + job.options.allowed_reduction_db - song.before.readings.true_peak_db
                for job, song in zip(jobs, songs, strict=True)
            ]
            if gain_db > min(room):
                loudest = jobs[int(np.argmin(room))].source.name
                note = (
                    f"the album stops at {album_lufs + min(room):.1f} LUFS instead of {asked:.1f}: the peaks of "
                    f"{loudest} allow no more"
                )
                gain_db = min(room) - 0.01
                for song in songs:
                    song.warnings.append(note)
        for job, song in zip(jobs, songs, strict=True):
            own = song.before.readings.lufs + gain_db
            track = replace(target, name=f"{target.name} (album)", lufs=own if math.isfinite(own) else None)
            report(job, finish(song, job.output, job.options, track))
    return 0


def _try(job: Job) -> MasterResult | Exception:
    try:
        return master(job.source, job.output, job.options)
    except (InputError, MemoryError) as error:
        return error


def _one_thread() -> None:
    """Workers share the cores: one thread each."""
    import os

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
