"""The multi-resolution STFT loss of auraloss in the place of our own."""

from collections.abc import Sequence

import torch
from torch import Tensor

from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio
from neural_mastering.units import db_to_power


class AuralossSTFT(LossTerm):
    """`auraloss.freq.MultiResolutionSTFTLoss`, applied to each item and averaged.

    auraloss normalises the convergence over the whole batch, so that a loud item hides a quiet one and the
    value depends on how a batch is divided over devices: here it sees one item at a time. A silent target
    divides by (almost) nothing there, 15 237 for noise against zeros: here such an item costs the log
    magnitudes alone. Windows twice as long as the audio or longer cannot be reflected at the edges and are
    left out.

    Args:
        fft_sizes: in samples; the windows have these lengths too.
        hop_ratio: step from frame to frame, as a fraction of the FFT size.
        silence_db: RMS level of a target, re full scale, below which it counts as silent.

    Raises:
        ImportError: auraloss is not installed.
    """

    def __init__(
        self,
        fft_sizes: Sequence[int] = (8192, 4096, 2048, 1024, 512, 256),
        hop_ratio: float = 0.25,
        silence_db: float = -60.0,
    ) -> None:
        super().__init__()
        try:
            from auraloss.freq import STFTLoss  # optional package
        except ImportError as error:
            raise ImportError(
                "AuralossSTFT needs auraloss: pip install 'neural-mastering[interop]'"
            ) from error
        hops = [max(1, round(size * hop_ratio)) for size in fft_sizes]
        self.losses = [
            STFTLoss(size, hop, size, output="full") for size, hop in zip(fft_sizes, hops, strict=True)
        ]
        self.silence_power = db_to_power(silence_db)

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class.

        Raises:
            ValueError: output and target of different shapes, or audio too short for every FFT size.
        """
        if output.audio.shape != target.shape:
            raise ValueError(
                "output and target must share one shape (batch, channel, time); "
                f"got {tuple(output.audio.shape)} and {tuple(target.shape)}"
            )
        losses = [loss for loss in self.losses if loss.fft_size // 2 < target.shape[-1]]
        if not losses:
            raise ValueError(
                f"{target.shape[-1]} samples are too few for the shortest FFT size, "
                f"{min(loss.fft_size for loss in self.losses)}: give longer audio or smaller sizes"
            )
        with torch.autocast(target.device.type, enabled=False):
            # auraloss calls .view(), which refuses non-contiguous audio, and its window is float32.
            predicted, wanted = output.audio.float().contiguous(), target.float().contiguous()
            items = [self._item(losses, p[None], t[None]) for p, t in zip(predicted, wanted, strict=True)]
        return torch.stack(items).mean()

    def _item(self, losses: Sequence[torch.nn.Module], predicted: Tensor, wanted: Tensor) -> Tensor:
        silent = bool(wanted.square().mean() < self.silence_power)
        parts = []
        for loss in losses:
            total, _, log_magnitude, _, _ = loss(predicted, wanted)
            parts.append(log_magnitude if silent else total)
        return torch.stack(parts).mean()
