"""Distance of A-weighted spectrograms."""

import torch
from torch import Tensor

from neural_mastering.dsp.weighting import a_weighting_gain
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio
from neural_mastering.units import db_to_gain


class AWeighted(LossTerm):
    """Relative distance of A-weighted STFT magnitudes, mean over items:

        loss = Σ w(f)·| |P| − |T| | / max(Σ w(f)·|T|, c)

    P and T are the STFTs (Hann, zero-padded at the ends) of the views L, R, M = (L + R)/2 and S = (L − R)/2
    of output and target, or of the one channel of mono audio; the sums run over views, frequencies and frames
    of an item. w is the exact amplitude weight of IEC 61672-1. A common gain on both sides changes nothing; 1
    is the cost of silence in place of the target. c is the sum that a 1 kHz sine at `floor_db` dBFS in one
    view would give, so that a silent target gives a finite value.

    Args:
        sample_rate: in Hz.
        fft_size: window length in samples.
        hop: between frames, in samples.
        floor_db: level of the quietest target that is told apart from silence.
    """

    window: Tensor
    weight: Tensor

    def __init__(
        self, sample_rate: float, fft_size: int = 2048, hop: int = 512, floor_db: float = -60.0
    ) -> None:
        super().__init__()
        self.fft_size, self.hop = fft_size, hop
        window = torch.hann_window(fft_size, dtype=torch.float64)
        frequency_hz = torch.arange(fft_size // 2 + 1, dtype=torch.float64) * (sample_rate / fft_size)
        # A sine of amplitude a puts a·Σ window/2 on its bin and as much again, in sum, on the bins beside it.
        self.floor_per_frame = db_to_gain(floor_db) * window.sum().item()
        # float32, as not every device has float64
        self.register_buffer("window", window.float(), persistent=False)
        self.register_buffer("weight", a_weighting_gain(frequency_hz).float(), persistent=False)

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class.

        Raises:
            ValueError: output and target of different shapes, or neither mono nor stereo.
        """
        if output.audio.shape != target.shape:
            raise ValueError(
                "output and target must share one shape (batch, channel, time); "
                f"got {tuple(output.audio.shape)} and {tuple(target.shape)}"
            )
        predicted, wanted = self._magnitudes(output.audio), self._magnitudes(target)
        distance = (predicted - wanted).abs().sum(dim=(1, 2, 3))
        floor = self.floor_per_frame * wanted.shape[-1]
        return (distance / wanted.sum(dim=(1, 2, 3)).clamp(min=floor)).mean()

    def _magnitudes(self, audio: Audio) -> Tensor:
        """A-weighted magnitudes (batch, view, frequency, frame)."""
        with torch.autocast(audio.device.type, enabled=False):
            signal = audio if audio.dtype == torch.float64 else audio.float()
            views = _stereo_views(signal)
            spectrum = torch.stft(
                views.flatten(0, 1),
                self.fft_size,
                self.hop,
                window=self.window.to(signal),
                center=True,
                pad_mode="constant",
                return_complex=True,
            )
            return spectrum.abs().unflatten(0, views.shape[:2]) * self.weight.to(signal).unsqueeze(-1)


def _stereo_views(audio: Audio) -> Tensor:
    """L, R, M and S of stereo audio, the one channel of mono audio."""
    if audio.shape[1] == 1:
        return audio
    if audio.shape[1] != 2:
        raise ValueError(f"expected mono or stereo audio; got {audio.shape[1]} channels")
    left, right = audio[:, :1], audio[:, 1:]
    return torch.cat([audio, (left + right) / 2.0, (left - right) / 2.0], dim=1)
