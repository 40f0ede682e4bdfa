"""What the training songs have in common: the corrections of baselines that know nothing of the single song."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neural_mastering.data import AudioCache, SongPair, find_pairs
from neural_mastering.data.manifest import song_key
from neural_mastering.dsp.ltas import third_octave_levels_db
from neural_mastering.errors import InputError
from neural_mastering.evaluation.run_info import RunInfo
from neural_mastering.evaluation.shared_songs import training_root
from neural_mastering.evaluation.song_set import SongSet, load_song


@dataclass(frozen=True)
class TrainingAverage:
    """Means over training songs, each song counting once.

    Attributes:
        correction_db: (third,) of the difference of third-octave levels, target − input.
        target_db: (third,) of the targets' levels, each less its own mean over bands.
        songs: number of songs.
        source: where they come from, in words.
    """

    correction_db: Tensor
    target_db: Tensor
    songs: int
    source: str


def training_songs(chosen: SongSet, runs: Sequence[RunInfo]) -> tuple[tuple[SongPair, ...], str]:
    """Pairs to average over: a run's own training songs where they can be reached, else those of the data folder.

    Songs that are evaluated are left out, unless the training split itself is evaluated.
    """
    for run in runs:
        root = training_root(run)
        if run.songs is None or root is None or not (root / "unmastered").is_dir():
            continue
        keys = {song_key(name) for name in run.songs["train"]}
        try:
            pairs = tuple(pair for pair in find_pairs(root) if song_key(pair.name) in keys)
        except InputError:
            continue
        if pairs:
            return _without_evaluated(pairs, chosen), f"the training songs of {run.name} in {root.name}"
    return _without_evaluated(chosen.training, chosen), f"the training split of {chosen.folder}"


def average(
    pairs: Sequence[SongPair], cache: AudioCache, source: str, advance: Callable[[], None] | None = None
) -> TrainingAverage | None:
    """Measure the pairs; None without any."""
    corrections, targets = [], []
    for pair in pairs:
        song = load_song(pair, cache)
        before, after = (
            third_octave_levels_db(side, song.sample_rate)[0] for side in (song.input, song.target)
        )
        corrections.append(after - before)
        targets.append(after - after.mean())
        if advance is not None:
            advance()
    if not corrections:
        return None
    return TrainingAverage(
        torch.stack(corrections).mean(0), torch.stack(targets).mean(0), len(corrections), source
    )


def _without_evaluated(pairs: Sequence[SongPair], chosen: SongSet) -> tuple[SongPair, ...]:
    if chosen.split in ("train", "all"):
        return tuple(pairs)
    evaluated = {song_key(song.name) for song in chosen.songs}
    return tuple(pair for pair in pairs if song_key(pair.name) not in evaluated)
