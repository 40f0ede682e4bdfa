"""Systems that a trained model must beat: they know nothing of the single song."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.ltas import interpolate_third_octaves, third_octave_levels_db
from neural_mastering.models import MasteringModel
from neural_mastering.shapes import Audio
from neural_mastering.units import db_to_gain


class System(ABC):
    """Anything that turns inputs into masters, a row of a table.

    Attributes:
        name: the row's label.
    """

    name: str

    @abstractmethod
    def master(self, audio: Audio, target: Audio) -> Audio:
        """Master audio (batch, channel, time). Only oracles, which say so, may look at the target."""


class Identity(System):
    """Does nothing: the first row of every table."""

    name = "identity"

    def master(self, audio: Audio, target: Audio) -> Audio:
        """The audio itself."""
        return audio


class LoudnessOnly(System):
    """Scales the input to the target's own integrated loudness: an oracle for level, blind for tone."""

    name = "loudness only*"

    def __init__(self, sample_rate: float) -> None:
        self.sample_rate = sample_rate

    def master(self, audio: Audio, target: Audio) -> Audio:
        """Input times one gain an item."""
        return match_loudness(audio, target, self.sample_rate)


class AverageEq(System):
    """Applies the training set's mean spectral correction to every song, then the oracle's level.

    The correction is the mean over training songs of the difference of third-octave levels (target − input),
    interpolated over log frequency, as a zero-phase filter.
    """

    name = "average EQ*"

    def __init__(self, sample_rate: float) -> None:
        self.sample_rate = sample_rate
        self.curve_db: Tensor | None = None

    def fit(self, pairs: Iterable[tuple[Audio, Audio]]) -> "AverageEq":
        """Learn the mean correction from (input, target) of each training song.

        Raises:
            ValueError: no pairs.
        """
        differences = [
            third_octave_levels_db(target, self.sample_rate) - third_octave_levels_db(audio, self.sample_rate)
            for audio, target in pairs
        ]
        if not differences:
            raise ValueError("the average EQ needs at least one training pair")
        self.curve_db = torch.cat(differences).mean(dim=0)
        return self

    def master(self, audio: Audio, target: Audio) -> Audio:
        """Filtered and levelled input."""
        if self.curve_db is None:
            raise ValueError("call fit() with the training pairs first")
        return match_loudness(self.equalize(audio), target, self.sample_rate)

    def equalize(self, audio: Audio) -> Audio:
        """The mean correction alone."""
        assert self.curve_db is not None
        size = 2 * audio.shape[-1]
        bins_hz = torch.fft.rfftfreq(size, 1.0 / self.sample_rate)
        curve_db = interpolate_third_octaves(self.curve_db, bins_hz)
        return torch.fft.irfft(torch.fft.rfft(audio, n=size) * db_to_gain(curve_db), n=size)[
            ..., : audio.shape[-1]
        ]


class Model(System):
    """A trained model."""

    def __init__(self, name: str, model: MasteringModel) -> None:
        self.name, self.model = name, model

    def master(self, audio: Audio, target: Audio) -> Audio:
        """The model's output in evaluation mode."""
        self.model.eval()
        with torch.inference_mode():
            return self.model(audio).audio


def match_loudness(audio: Audio, target: Audio, sample_rate: float) -> Audio:
    """Scale each item to the integrated loudness of its target; silent items stay as they are."""
    own, wanted = integrated_loudness(audio, sample_rate), integrated_loudness(target, sample_rate)
    gain_db = torch.where(own.isfinite() & wanted.isfinite(), wanted - own, 0.0)
    return audio * db_to_gain(gain_db)[:, None, None]
