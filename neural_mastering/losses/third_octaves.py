"""Distance of long-term average spectra in third octaves."""

from torch import Tensor

from neural_mastering.dsp.ltas_error import HIGH_HZ, LOW_HZ, ltas_error
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio, check_same_shape


class ThirdOctaves(LossTerm):
    """RMS over third octaves of the difference of levels in dB, mean over channels and items: tone alone.

    What `metrics.LtasError` measures, blind to time and dynamics. Inside `LoudnessMatched` a gain costs nothing.

    Args:
        sample_rate: in Hz.
        low_hz: first mid-band frequency.
        high_hz: bands whose upper edge lies above are left out.
    """

    def __init__(self, sample_rate: float, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ) -> None:
        super().__init__()
        self.sample_rate, self.low_hz, self.high_hz = sample_rate, low_hz, high_hz

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class; 0 with gradient 0 where both sides have the same spectrum.

        Raises:
            ValueError: shapes that differ.
        """
        check_same_shape(output.audio, target)
        return ltas_error(output.audio, target, self.sample_rate, self.low_hz, self.high_hz).mean()
