"""Distance of A-weighted spectrograms."""

from torch import Tensor

from neural_mastering.dsp.a_weighted import a_weighted_distance
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio


class AWeighted(LossTerm):
    """Relative distance of A-weighted STFT magnitudes of L, R, M and S, mean over items.

    Equation, arguments and what has a gradient: `dsp.a_weighted`. A common gain on both sides changes nothing;
    1 is the cost of silence in place of the target.

    Args:
        sample_rate: in Hz.
        fft_size: window length in samples, even.
        hop: between frames, in samples.
        floor_db: level of the quietest target that is told apart from silence.
    """

    def __init__(
        self, sample_rate: float, fft_size: int = 2048, hop: int = 512, floor_db: float = -60.0
    ) -> None:
        super().__init__()
        if fft_size < 4 or fft_size % 2 or hop < 1:
            raise ValueError(f"expected an even fft_size of 4 or more and a hop; got {fft_size} and {hop}")
        self.sample_rate, self.fft_size, self.hop, self.floor_db = sample_rate, fft_size, hop, floor_db

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class; errors as in `a_weighted_distance`."""
        return a_weighted_distance(
            output.audio, target, self.sample_rate, self.fft_size, self.hop, self.floor_db
        ).mean()
