"""Evaluating a song of a batch: what a mix and its versions measure against its finished master."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from neural_mastering.batch.storage import fetch, is_url
from neural_mastering.batch.work import Work
from neural_mastering.data import AudioCache, SongPair
from neural_mastering.data.audio_file import probe
from neural_mastering.errors import InputError
from neural_mastering.evaluation.measure_song import EvaluationOptions, SongTask, measure_song
from neural_mastering.evaluation.plan import EvaluationPlan, build_systems, common_rate, model_rows
from neural_mastering.evaluation.run_info import read_run
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.rendering.outputs.numbers import finite


def evaluate_songs(work: Work, sources: Sequence[Path], scratch: Path) -> list[dict[str, Any]]:
    """Scores of each system against the song's `reference`, as `nm-eval` computes them.

    Columns `score.SYSTEM.METRIC`: of the untouched mix, the mix at the master's loudness, and the models asked for.

    Raises:
        InputError: a row without a reference, or a side that can't be read.
    """
    rate, systems = _systems(tuple(work.settings.get("models", ())))
    cache = AudioCache(scratch / "cache", rate)
    options = EvaluationOptions(segments=0, ablations=False, excerpt_s=0.0)
    found = []
    for place, source in enumerate(sources):
        song = work.songs[place]
        if song.reference is None:
            raise InputError("evaluating needs the finished master of this song in the column 'reference'")
        target = Path(song.reference)
        if is_url(song.reference):
            folder = scratch / f"reference{place}"
            folder.mkdir()
            target = fetch(song.reference, folder, work.places.most_download_bytes).path
        pair = SongPair(work.names[place], probe(source), probe(target), song.album or work.names[place])
        result = measure_song(SongTask(pair, place), systems, cache, options)
        scores = {key: dict(values) for key, values in result.whole.items()}
        found.append(
            finite(
                {"score": scores, "input": {"duration_s": result.duration_s}, "skipped": dict(result.skipped)}
            )
        )
    return found


@lru_cache(maxsize=1)
def _systems(models: tuple[str, ...]) -> tuple[int, tuple[SongSystem, ...]]:
    """The sample rate, and the systems, built once in each process."""
    runs = [read_run(model) for model in models]
    rate = common_rate(runs)
    return rate, tuple(build_systems(EvaluationPlan(rate, model_rows(runs)), ()))
