"""Multi-resolution STFT loss on left, right, mid and side."""

from collections.abc import Sequence

from torch import Tensor

from neural_mastering.dsp.stft import Engine, multi_resolution_stft_distance
from neural_mastering.dsp.stft_resolution import FFT_SIZES, VIEWS, FloorReference, View
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio


class MultiResolutionSTFT(LossTerm):
    """Spectral convergence plus log-magnitude distance, mean over items; equation, arguments: `dsp.stft`.

    Mid and side make a channel swap or an inverted channel cost, which magnitudes of left and right alone do
    not all see. Each item is measured by itself, so the value does not depend on how a batch is divided.
    """

    def __init__(
        self,
        fft_sizes: Sequence[int] = FFT_SIZES,
        hop_ratio: float = 0.25,
        views: Sequence[View] = VIEWS,
        floor_db: float = -100.0,
        floor_reference: FloorReference = "sine",
        silence_db: float = -60.0,
        engine: Engine = "auto",
    ) -> None:
        super().__init__()
        self.fft_sizes = tuple(fft_sizes)
        self.hop_ratio = hop_ratio
        self.views: tuple[View, ...] = tuple(views)
        self.floor_db = floor_db
        self.floor_reference: FloorReference = floor_reference
        self.silence_db = silence_db
        self.engine: Engine = engine

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class; errors as in `multi_resolution_stft_distance`."""
        return multi_resolution_stft_distance(
            output.audio,
            target,
            self.fft_sizes,
            self.hop_ratio,
            self.views,
            self.floor_db,
            self.floor_reference,
            self.silence_db,
            self.engine,
        ).mean()
