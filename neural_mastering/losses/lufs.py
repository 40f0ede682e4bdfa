"""Distance of integrated loudness."""

from torch import Tensor
from torch.nn import functional

from neural_mastering.dsp.loudness import ABSOLUTE_GATE_LUFS, BLOCK_MS, integrated_loudness
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio, check_same_shape


class Lufs(LossTerm):
    """|LUFS(output) − LUFS(target)| in LU, mean over items, by the gated meter of ITU-R BS.1770.

    Clips shorter than one block of 400 ms are lengthened to it by zeros on both sides alike: the same gain
    then costs the same number of LU at any length. Items below the floor read as the floor, so that silence
    against silence costs nothing and no gradient is infinite.

    Args:
        sample_rate: in Hz, 8000 or more.
        floor_lufs: the lowest reading.
    """

    level_only = True

    def __init__(self, sample_rate: float, floor_lufs: float = ABSOLUTE_GATE_LUFS) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.floor_lufs = floor_lufs

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class; errors as in `integrated_loudness`, or shapes that differ."""
        check_same_shape(output.audio, target)
        own, wanted = (clip_loudness(a, self.sample_rate, self.floor_lufs) for a in (output.audio, target))
        return (own - wanted).abs().mean()


def clip_loudness(audio: Audio, sample_rate: float, floor_lufs: float = ABSOLUTE_GATE_LUFS) -> Tensor:
    """Integrated loudness (batch,) in LUFS, at least the floor; what is shorter than a block ends in zeros."""
    missing = round(BLOCK_MS * sample_rate / 1000.0) - audio.shape[-1]
    if missing > 0:
        audio = functional.pad(audio, (0, missing))
    return integrated_loudness(audio, sample_rate, floor_lufs)
