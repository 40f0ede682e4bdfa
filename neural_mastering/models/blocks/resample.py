"""Anti-aliased changes of rate by an integer factor inside a network: fixed filters, nothing to learn.

Both directions use one linear-phase low-pass, a windowed sinc with an odd number of taps, centred so that
sample m at the low rate lies on sample factor·m at the high rate. A block of neighbouring outputs is one
product with a banded matrix: several times faster on a CPU than a depthwise convolution.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

Signal = Float[Tensor, "batch channel _"]

_BLOCK = 32
"""Low-rate samples computed by one row of the matrix product."""


def low_pass_taps(
    factor: int, half_width: int = 14, cutoff: float = 0.845, beta: float = 6.76
) -> Float[Tensor, " tap"]:
    """Kaiser-windowed sinc of 2·factor·half_width + 1 taps and unit sum, in float64.

    Args:
        factor: the low rate's Nyquist frequency is 1/factor of the high rate's.
        half_width: length to either side in samples of the low rate.
        cutoff: −6 dB point as a fraction of the low rate's Nyquist frequency.
        beta: of the window; with the defaults the level is within 0.02 dB up to 0.7 of the low rate's Nyquist
            frequency and below −68 dB from that frequency on.

    Source: Oppenheim, Schafer, "Discrete-Time Signal Processing", 3rd ed., section 7.6.
    """
    if factor < 2:
        raise ValueError(f"the factor of a change of rate must be at least 2, got {factor}")
    reach = factor * half_width
    at = torch.arange(-reach, reach + 1, dtype=torch.float64)
    window = torch.kaiser_window(2 * reach + 1, periodic=False, beta=beta, dtype=torch.float64)
    taps = torch.sinc(at * (cutoff / factor)) * window
    return taps / taps.sum()


class Downsample(nn.Module):
    """Low-pass, then keep every factor-th sample: y[m] = Σ_k h[k]·x[factor·m − k], with zeros outside.

    Attributes:
        reach: samples of the input that an output sees to either side of its own place.
    """

    matrix: Tensor

    def __init__(self, factor: int) -> None:
        super().__init__()
        taps = low_pass_taps(factor)
        self.factor, self.reach = factor, len(taps) // 2
        matrix = torch.zeros(factor * (_BLOCK - 1) + len(taps), _BLOCK, dtype=torch.float64)
        for column in range(_BLOCK):
            matrix[factor * column : factor * column + len(taps), column] = taps
        self.register_buffer("matrix", matrix, persistent=False)

    def forward(self, x: Signal) -> Signal:
        """(batch, channel, time) → (batch, channel, ⌈time/factor⌉)."""
        length = math.ceil(x.shape[-1] / self.factor)
        blocks = math.ceil(length / _BLOCK)
        needed = self.factor * _BLOCK * (blocks - 1) + self.matrix.shape[0]
        return _banded(x, self.matrix, self.reach, needed, self.factor * _BLOCK)[..., :length]


class Upsample(nn.Module):
    """Put factor − 1 zeros behind each sample, then low-pass: y[n] = factor·Σ_i h[n − factor·i]·x[i].

    Attributes:
        reach: samples of the output that an input sample touches to either side of its own place.
    """

    matrix: Tensor

    def __init__(self, factor: int) -> None:
        super().__init__()
        taps = low_pass_taps(factor) * factor
        self.factor, self.reach = factor, len(taps) // 2
        self.half_width = self.reach // factor
        matrix = torch.zeros(_BLOCK + 2 * self.half_width, factor * _BLOCK, dtype=torch.float64)
        for row in range(matrix.shape[0]):
            centre = factor * (row - self.half_width)
            first, last = max(centre - self.reach, 0), min(centre + self.reach + 1, matrix.shape[1])
            matrix[row, first:last] = taps[first - centre + self.reach : last - centre + self.reach]
        self.register_buffer("matrix", matrix, persistent=False)

    def forward(self, x: Signal) -> Signal:
        """(batch, channel, time) → (batch, channel, factor·time)."""
        blocks = math.ceil(x.shape[-1] / _BLOCK)
        needed = _BLOCK * (blocks - 1) + self.matrix.shape[0]
        return _banded(x, self.matrix, self.half_width, needed, _BLOCK)[..., : self.factor * x.shape[-1]]


def _banded(x: Signal, matrix: Tensor, left: int, needed: int, hop: int) -> Signal:
    """Blocks of outputs from overlapping blocks of the padded input; float32 at least, outside autocast."""
    batch, channels, time = x.shape
    with torch.autocast(x.device.type, enabled=False):
        signal = x if x.dtype == torch.float64 else x.float()
        padded = torch.nn.functional.pad(signal, (left, max(needed - left - time, 0)))
        blocks = padded.reshape(batch * channels, -1).unfold(-1, matrix.shape[0], hop)
        return (blocks @ matrix.to(signal)).reshape(batch, channels, -1).to(x.dtype)
