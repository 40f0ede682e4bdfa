"""The degradation of single segments while training."""

import dataclasses
import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.chance import seed_of
from neural_mastering.data.degradation.chain import DegradationChain
from neural_mastering.data.degradation.preset import DegradationPreset
from neural_mastering.data.degradation.song import CEILING_DBFS, recipe_of, song_seed
from neural_mastering.data.errors import DataError
from neural_mastering.data.loudness_meter import k_weighted_power
from neural_mastering.units import db_to_gain, gain_to_db, power_to_db

_LARGEST_CHANGE_DB = 24.0


class SegmentDegrader:
    """Makes the input of a segment from its target, by the same chain that `nm-data degrade` applies.

    It has no state: a segment depends on its samples, its track's loudness and the seed of its draw. The
    chain begins at rest with the segment. The last gain brings a track of the drawn `level_lufs` out of one
    of the track's loudness: the change of loudness by width, equaliser and low-pass is measured in the segment
    (K-weighted, ungated) and taken back, the expander's is not, so that quiet passages stay quiet. As in a
    file, no sample passes −0.1 dBFS.

    Args:
        preset: the strengths.
        seed: of the draws of fixed segments, which belong to a track's name as in `nm-data degrade`.
        sample_rate: of the segments, in Hz.
    """

    def __init__(self, preset: DegradationPreset, seed: int, sample_rate: int) -> None:
        self.preset, self.seed, self.sample_rate = preset, seed, sample_rate

    @property
    def recipe(self) -> str:
        """Names the rule and its numbers; a run goes on only with the same."""
        return recipe_of(self.preset)

    def of_item(
        self, target: Float[Tensor, "channel time"], lufs: float, item_seed: int
    ) -> Float[Tensor, "channel time"]:
        """A training input: a new draw for each item's seed."""
        return self._degrade(target, lufs, seed_of(item_seed, "degradation"))

    def of_track(
        self, target: Float[Tensor, "channel time"], lufs: float, name: str
    ) -> Float[Tensor, "channel time"]:
        """An evaluation input: the draw of the track's name, the same for all its segments."""
        return self._degrade(target, lufs, song_seed(self.seed, name))

    def _degrade(self, target: Tensor, lufs: float, draw_seed: int) -> Tensor:
        if not math.isfinite(lufs):
            raise DataError("a track without loudness (silent, or a rate below 8 kHz) cannot be degraded")
        drawn = self.preset.draw(draw_seed).at_rate(self.sample_rate, target.shape[0])
        chain = DegradationChain(dataclasses.replace(drawn, reference_lufs=lufs), target.shape[0])
        audio = chain.expand(np.array(target.numpy(), dtype=np.float64))
        before = k_weighted_power(audio, self.sample_rate)
        audio = chain.colour(audio)
        after = k_weighted_power(audio, self.sample_rate)
        change_db = power_to_db(after / before) if before > 0.0 and after > 0.0 else 0.0
        change_db = min(max(change_db, -_LARGEST_CHANGE_DB), _LARGEST_CHANGE_DB)
        peak = max(float(audio.max()), -float(audio.min()))
        gain_db = drawn.level_lufs - lufs - change_db
        if peak > 0.0:
            gain_db = min(gain_db, CEILING_DBFS - gain_to_db(peak))
        audio *= db_to_gain(gain_db)
        return torch.from_numpy(audio.astype(np.float32))
