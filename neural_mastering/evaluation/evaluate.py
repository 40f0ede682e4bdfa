"""An evaluation from checkpoints and a data folder to a folder of tables, pictures and a report."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from neural_mastering.atomic import commit_file
from neural_mastering.data import SongPair
from neural_mastering.data.manifest import song_key
from neural_mastering.errors import InputError
from neural_mastering.evaluation import result_files as files
from neural_mastering.evaluation.eq_statistics import band_statistics, bands_by_song
from neural_mastering.evaluation.measure_song import SongTask
from neural_mastering.evaluation.outcome import Evaluation, sum_up
from neural_mastering.evaluation.pictures import Drawn, draw_pictures
from neural_mastering.evaluation.plan import (
    EvaluationPlan,
    build_systems,
    common_rate,
    model_rows,
    peer_references,
)
from neural_mastering.evaluation.recovery import true_corrections
from neural_mastering.evaluation.report import write_report
from neural_mastering.evaluation.request import EvaluationRequest
from neural_mastering.evaluation.run_info import read_run
from neural_mastering.evaluation.runner import default_jobs, measure_all
from neural_mastering.evaluation.song_result import SongResult
from neural_mastering.evaluation.song_set import SongSet, choose_songs
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.training_average import average, training_songs


class EvaluationProgress(Protocol):
    """Where an evaluation tells how far it is."""

    def say(self, message: str) -> None:
        """A line for the user."""

    def start(self, what: str, total: int) -> None:
        """A new stretch of work begins."""

    def advance(self) -> None:
        """One more song is done."""


def evaluate(request: EvaluationRequest, progress: EvaluationProgress) -> Evaluation:
    """Evaluate, and write everything into `request.out`: all of it at the end, or nothing.

    Raises:
        InputError: bad input, results that are there already, data or checkpoints that don't fit.
    """
    _refuse_to_overwrite(request)
    runs = [read_run(path) for path in request.checkpoints]
    rate = common_rate(runs, request.sample_rate)
    chosen = choose_songs(request.data, request.split, runs, request.songs)
    _check_rates(chosen, rate, progress)
    references, reason = peer_references(chosen, request.peers)
    plan = EvaluationPlan(
        rate, model_rows(runs), dict(request.systems or {}), None, references, request.cache_folder
    )
    build_systems(plan, [song.name for song in chosen.songs])  # mistakes show before the long work
    if reason:
        progress.say(reason)
    pairs, source = training_songs(chosen, runs)
    progress.start("training songs", len(pairs))
    plan = replace(plan, average=average(pairs, plan.cache, source, progress.advance))
    if plan.average is None:
        progress.say("no training songs can be reached: the average EQ and the spectral match are left out")
    else:
        progress.say(f"average EQ and spectral match: mean over {plan.average.songs} songs, {source}")
    systems = build_systems(plan, [song.name for song in chosen.songs])
    truths = true_corrections(chosen.root)
    songs = chosen.songs
    tasks = [
        SongTask(pair, i, _other(songs, i), truths.get(song_key(pair.name))) for i, pair in enumerate(songs)
    ]
    request.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{request.out.name}.", dir=request.out.parent) as draft:
        folder, audio = Path(draft) / "results", Path(draft) / "audio"
        folder.mkdir()
        audio.mkdir()
        options = replace(request.options, audio_folder=audio if request.report else None)
        jobs = request.jobs or default_jobs(len(tasks))
        progress.start("songs", len(tasks))
        results = measure_all(tasks, plan, systems, options, jobs, lambda name: progress.advance())
        progress.start("tables, pictures, report", 1)
        systems = _with_scores(systems, results, progress)
        evaluation = sum_up(request, plan, chosen, systems, results)
        drawn = _write(folder, evaluation, truths)
        if request.report:
            write_report(folder, evaluation, drawn)
        progress.advance()
        _move(folder, request.out)
    return evaluation


def _write(folder: Path, evaluation: Evaluation, truths: Mapping[str, Any]) -> list[Drawn]:
    e = evaluation
    files.write_json(folder / "metrics.json", e.content)
    files.write_scores(folder / "metrics.csv", e.results, e.systems, segments=False)
    if e.segments is not None:
        files.write_scores(folder / "segments.csv", e.results, e.systems, segments=True)
    if e.plan.models:
        statistics = {m.key: band_statistics(bands_by_song(e.results, m.key)) for m in e.plan.models}
        files.write_bands(folder / "bands.csv", statistics)
        files.write_controls(folder / "controls.csv", e.results)
    if any(result.recovery for result in e.results):
        files.write_recovery(folder / "recovery.csv", e.results)
    return draw_pictures(folder, e.plan.models, e.results, e.whole, e.systems, truths, e.chosen.grouped)


def _with_scores(
    systems: Sequence[SongSystem], results: Sequence[SongResult], progress: EvaluationProgress
) -> list[SongSystem]:
    """Rows without any song leave the tables, with a line that says why."""
    kept = []
    for system in systems:
        if any(system.key in result.whole for result in results):
            kept.append(system)
        else:
            reasons = sorted({r.skipped[system.key] for r in results if system.key in r.skipped})
            progress.say(f"{system.name} has no row: {'; '.join(reasons)}")
    return kept


def _other(songs: Sequence[SongPair], index: int) -> SongPair | None:
    """The next song of another group, else the next song; None where there is only one."""
    if len(songs) < 2:
        return None
    following = [songs[(index + i) % len(songs)] for i in range(1, len(songs))]
    return next((song for song in following if song.group != songs[index].group), following[0])


def _check_rates(chosen: SongSet, rate: int, progress: EvaluationProgress) -> None:
    others = sorted(
        {side.sample_rate for song in chosen.songs for side in (song.unmastered, song.mastered)} - {rate}
    )
    if others:
        listed = ", ".join(f"{other} Hz" for other in others)
        progress.say(f"songs at {listed} are resampled to {rate} Hz, at which everything is compared")


def _refuse_to_overwrite(request: EvaluationRequest) -> None:
    out = request.out
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file: name a folder")
    own = [name for name in _OWN if (out / name).exists()]
    if own and not request.overwrite:
        raise InputError(
            f"{out} holds results already ({', '.join(own)}): name another folder, or add --overwrite"
        )


_OWN = ("metrics.json", "metrics.csv", "report.html")
_STALE = ("segments.csv", "bands.csv", "controls.csv", "recovery.csv", *_OWN)


def _move(draft: Path, out: Path) -> None:
    """Put each file in its place; what an earlier evaluation left and this one did not make goes away."""
    out.mkdir(parents=True, exist_ok=True)
    made = sorted(draft.iterdir())
    stale = [out / name for name in _STALE] + list(out.glob("phase_*_*.png"))
    for path in made:
        commit_file(path, out / path.name)
    for path in stale:
        if path.name not in {file.name for file in made}:
            path.unlink(missing_ok=True)
