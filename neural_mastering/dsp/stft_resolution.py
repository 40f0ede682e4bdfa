"""What the STFT distances share: views of a stereo signal, and one Fourier transform with its constants."""

from dataclasses import dataclass
from typing import Literal, get_args

from neural_mastering.units import db_to_power

View = Literal["left", "right", "mid", "side"]
VIEWS: tuple[View, ...] = get_args(View)
FloorReference = Literal["sine", "bin"]

FFT_SIZES = (8192, 4096, 2048, 1024, 512, 256)

MIX: dict[View, tuple[float, float]] = {
    "left": (1.0, 0.0),
    "right": (0.0, 1.0),
    "mid": (0.5, 0.5),
    "side": (0.5, -0.5),
}
"""The parts of left and right in each view."""


@dataclass(frozen=True)
class Resolution:
    """One short-time Fourier transform and its constants.

    Attributes:
        fft_size, hop: in samples.
        floor_power: squared magnitudes below this count as this.
        silence_power: mean squared magnitude of a bin for noise at the level of silence.
    """

    fft_size: int
    hop: int
    floor_power: float
    silence_power: float


def resolution(
    fft_size: int, hop_ratio: float, floor_db: float, floor_reference: FloorReference, silence_db: float
) -> Resolution:
    """One Fourier transform of `fft_size` samples; see `dsp.stft.multi_resolution_stft_distance` for the rest."""
    reference = fft_size / 4.0 if floor_reference == "sine" else 1.0
    # Σ w² of a periodic Hann window is 3/8 of its length: the mean power of a bin for noise of power 1.
    return Resolution(
        fft_size,
        max(1, round(fft_size * hop_ratio)),
        reference**2 * db_to_power(floor_db),
        0.375 * fft_size * db_to_power(silence_db),
    )
