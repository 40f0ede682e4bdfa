"""Scores of several systems on the same fixed segments, side by side."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from neural_mastering.data import FixedSegments
from neural_mastering.evaluation.baselines import System
from neural_mastering.losses import WeightedSum
from neural_mastering.output import MasteringOutput


@dataclass(frozen=True)
class Row:
    """One system's scores.

    Attributes:
        system: its name.
        objective: weighted sum of the terms that judge the sound, mean over segments; lower is better.
        terms: each term unweighted, mean over segments.
        songs_improved: songs whose objective is below the identity's.
        songs: number of songs.
        per_song: objective by song.
    """

    system: str
    objective: float
    terms: Mapping[str, float]
    songs_improved: int
    songs: int
    per_song: Mapping[str, float]


def compare(systems: Sequence[System], segments: FixedSegments, objective: WeightedSum) -> list[Row]:
    """Score systems on fixed segments, one at a time.

    The first system must be the identity: the others' songs are counted against it.
    """
    terms: dict[str, dict[str, list[float]]] = {s.name: defaultdict(list) for s in systems}
    songs: dict[str, dict[str, list[float]]] = {s.name: defaultdict(list) for s in systems}
    totals: dict[str, list[float]] = {s.name: [] for s in systems}
    with torch.inference_mode():
        for index in range(len(segments)):
            item = segments[index]
            audio, target, song = item["input"][None], item["target"][None], segments.songs[item["song"]].name
            for system in systems:
                values = objective.values(MasteringOutput.of_audio(system.master(audio, target)), target)
                total = float(objective.audio_total(values))
                totals[system.name].append(total)
                songs[system.name][song].append(total)
                for name, value in values.items():
                    if not objective.is_regularizer(name):
                        terms[system.name][name].append(float(value))
    per_song = {name: {song: _mean(v) for song, v in by_song.items()} for name, by_song in songs.items()}
    reference = per_song[systems[0].name]
    return [
        Row(
            system=system.name,
            objective=_mean(totals[system.name]),
            terms={name: _mean(values) for name, values in terms[system.name].items()},
            songs_improved=sum(value < reference[song] for song, value in per_song[system.name].items()),
            songs=len(reference),
            per_song=per_song[system.name],
        )
        for system in systems
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
