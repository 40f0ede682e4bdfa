"""Several songs: where each goes, and mastering them side by side."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from neural_mastering.allocator import keep_freed_memory
from neural_mastering.audio_io.file_format import FORMAT_OF_SUFFIX, LOSSLESS_SUFFIXES
from neural_mastering.compile_cache import load_compiler
from neural_mastering.errors import InputError
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.outputs.paths import check_distinct, check_inputs, output_files
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.result import MasterResult
from neural_mastering.rendering.sources import MASTER_ENDING


@dataclass(frozen=True)
class Job:
    """One song of a batch."""

    source: Path
    output: Path
    options: Options


Report = Callable[[Job, MasterResult | Exception], None]
"""Is told the outcome of every song: its result, or why it failed."""


def plan(sources: Sequence[Path], output: str | Path | None, options: Options) -> list[Job]:
    """Which file becomes which.

    Args:
        sources: input files.
        output: a file for one song; a folder (existing, with a slash at its end, or without a suffix that is
            written) for any number; None puts `NAME_master` beside each input.
        options: for all; report, JSON and saved controls become one for each song in a batch, and controls that
            are a folder the file NAME.yaml in it. Where they name no format, a master has that of its source if it
            is lossless, else WAV.

    Raises:
        InputError: a file name for several songs, two files that would get the same name, a file that would
            replace a song, or a folder of controls that lacks a song's.
    """
    if not sources:
        raise InputError("no audio files were given")
    named = None if output is None else Path(output)
    is_folder = named is not None and _is_folder(str(output), named, len(sources))
    jobs, taken = [], {}
    for source in sources:
        end = master_suffix(source, options)
        if named is None:
            path = source.with_name(f"{source.stem}{MASTER_ENDING}{end}")
        else:
            path = named / f"{source.stem}{end}" if is_folder else named
        for file in (path, *(copy for copy, _ in options.deliverables.copies(path))):
            key = str(file.resolve()).casefold()
            if key in taken:
                raise InputError(
                    f"{taken[key]} and {source} would both become {file}: master them one by one"
                )
            taken[key] = source
        jobs.append(Job(source, path, options))
    if len(jobs) > 1 or _has_folder_of_controls(options):
        jobs = _with_own_files(jobs)
    files = [file for job in jobs for file in output_files(job.output, job.options)]
    check_distinct(files)
    if len(jobs) > 1 and options.overwrite:
        check_inputs(files, options, sources)
    return jobs


def master_suffix(source: Path, options: Options) -> str:
    """Of a master that is named after its source: that of the format asked for, of a lossless source, or ".wav"."""
    encoding = options.deliverables.encoding
    if encoding is not None:
        return encoding.format.suffix
    return source.suffix.lower() if source.suffix.lower() in LOSSLESS_SUFFIXES else ".wav"


def _is_folder(typed: str, output: Path, songs: int) -> bool:
    """Whether the output is meant to be a folder."""
    ends = typed.endswith(("/", os.sep))
    is_folder = ends or output.is_dir() or output.suffix.lower() not in FORMAT_OF_SUFFIX
    if is_folder and output.exists() and not output.is_dir():
        raise InputError(
            f"{output} is a file: -o needs a folder, or a name that ends in {', '.join(FORMAT_OF_SUFFIX)}"
        )
    if not is_folder and songs > 1:
        raise InputError(f"-o {output} names one file but {songs} songs were given: name a folder")
    if is_folder and output.suffix and not output.exists() and songs == 1 and not ends:
        raise InputError(
            f"-o {output}: can't write {output.suffix}; expected {', '.join(FORMAT_OF_SUFFIX)}, or a folder "
            "(with / at its end)"
        )
    return is_folder


def _with_own_files(jobs: Sequence[Job]) -> list[Job]:
    """Files beside the masters get their names."""
    found: list[Job] = []
    for job, name in zip(jobs, names_beside([job.output for job in jobs]), strict=True):
        options = _with_own_controls(job, name)
        if len(jobs) > 1:
            options = _own(options, name, None if name == job.output.stem else name)
        found.append(replace(job, options=options))
    return found


def names_beside(outputs: Sequence[Path]) -> list[str]:
    """What files that belong to masters are called: the master's stem, or its whole name where stems are equal."""
    stems = Counter(output.stem.casefold() for output in outputs)
    found: list[str] = []
    taken: set[str] = set()
    for output in outputs:
        name = wanted = output.stem if stems[output.stem.casefold()] == 1 else output.name
        number = 2
        while name.casefold() in taken:
            name, number = f"{wanted} ({number})", number + 1
        taken.add(name.casefold())
        found.append(name)
    return found


def _has_folder_of_controls(options: Options) -> bool:
    return options.controls is not None and options.controls.is_dir()


def _with_own_controls(job: Job, name: str) -> Options:
    """A folder of controls has a file for each song."""
    options = job.options
    if options.controls is None or not options.controls.is_dir():
        return options
    own = options.controls / f"{name}.yaml"
    if not own.is_file():
        raise InputError(f"--controls {options.controls}: expected {own.name} in it, for {job.source.name}")
    return replace(options, controls=own)


def _own(options: Options, name: str, preset_name: str | None) -> Options:
    """Files beside the master get the song's name in a batch."""

    def named(path: Path | None, suffix: str) -> Path | None:
        return None if path is None else path / f"{name}{suffix}"

    return replace(
        options,
        report=named(options.report, ""),
        json=named(options.json, ".json"),
        save_controls=named(options.save_controls, ".yaml"),
        preset_name=preset_name,
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
    # a fresh interpreter: forks of a process with threads can hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context, initializer=_start_worker) as pool:
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


def _try(job: Job) -> MasterResult | Exception:
    try:
        return master(job.source, job.output, job.options)
    except (InputError, MemoryError) as error:
        return error
    except OSError as error:  # one song's disk or name never stops the others
        return InputError(f"{job.source.name}: {error.strerror or error}")


def _start_worker() -> None:
    """Workers share the cores: one thread each for what has a choice; numba and memory as in the first process."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    keep_freed_memory()
    load_compiler()
