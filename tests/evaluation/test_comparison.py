"""Scores of systems: means, songs improved, and the identity they count against."""

from dataclasses import dataclass
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from neural_mastering.evaluation.baselines import Identity, System
from neural_mastering.evaluation.comparison import compare
from neural_mastering.evaluation.validation_table import table_rows
from neural_mastering.losses import LossTerm, WeightedSum, WeightedTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.reporting.table import markdown_table


class _Distance(LossTerm):
    def forward(self, output: MasteringOutput, target: Tensor) -> Tensor:
        return (output.audio - target).abs().mean()


class _Half(System):
    name = "half"

    def master(self, audio: Tensor, target: Tensor) -> Tensor:
        return audio / 2


@dataclass(frozen=True)
class _Song:
    name: str


class _Segments:
    """Song a wants half the input, song b the input itself plus one."""

    songs = (_Song("a"), _Song("b"))

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> dict[str, Any]:
        audio = torch.full((2, 4), 2.0)
        return {"input": audio, "target": audio / 2 if index < 2 else audio + 1, "song": min(index, 2) // 2}


def test_scores_are_means_and_songs_count_against_the_identity() -> None:
    objective = WeightedSum({"distance": WeightedTerm(_Distance(), 2.0)})
    identity, half = compare([Identity(), _Half()], cast(Any, _Segments()), objective)
    assert identity.per_song == {"a": 2.0, "b": 2.0} and half.per_song == {"a": 0.0, "b": 4.0}
    assert identity.objective == 2.0 and half.objective == pytest.approx(4.0 / 3)
    assert half.terms["distance"] == pytest.approx(2.0 / 3)
    assert (half.songs_improved, half.songs) == (1, 2)
    table = markdown_table(table_rows([identity, half]))
    assert "| identity | 2.000 | – |" in table and "| half | 1.333 | -33.3 % |" in table and "1/2" in table
