"""Another term, judged at the target's loudness."""

from dataclasses import replace

import torch
from torch import Tensor

from neural_mastering.dsp.loudness import ABSOLUTE_GATE_LUFS
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.losses.lufs import clip_loudness
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio
from neural_mastering.units import db_to_gain


class LoudnessMatched(LossTerm):
    """term(10^((LUFS(target) − LUFS(output))/20)·output, target): what is wrong beside the level.

    A level that can't be guessed costs more than tone, dynamics and width together, and its gradient can hide
    theirs; where the level is set afterwards (`nm-master --target`), it need not be learned at all. The match is
    part of the gradient, which therefore has no component along the audio. Items with a silent side are left as
    they are.

    Args:
        term: judges the sound.
        sample_rate: in Hz, 8000 or more.

    Raises:
        ValueError: a term that judges controls, which a gain does not change.

    Source: loudness by ITU-R BS.1770-5, Annex 1.
    """

    def __init__(self, term: LossTerm, sample_rate: float) -> None:
        super().__init__()
        if term.regularizer:
            raise ValueError(f"{type(term).__name__} judges controls: there is no loudness to match")
        self.term, self.sample_rate = term, sample_rate

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class; errors as in `integrated_loudness`."""
        own, wanted = (clip_loudness(audio, self.sample_rate) for audio in (output.audio, target))
        audible = (own > ABSOLUTE_GATE_LUFS) & (wanted > ABSOLUTE_GATE_LUFS)
        gain_db = torch.where(audible, wanted - own, 0.0)
        gain = db_to_gain(gain_db)[:, None, None]
        return self.term(replace(output, audio=gain * output.audio), target)
