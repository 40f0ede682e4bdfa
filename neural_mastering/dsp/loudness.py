"""Loudness after ITU-R BS.1770-5 and EBU Tech 3341/3342: batched, gated, differentiable, for any length.

With z_c the mean square of the K-weighted channel c over a window and G_c its weight (1 for mono, left, right
and centre, 1.41 for the surrounds):

    loudness = −0.691 + 10·log10 Σ_c G_c·z_c

The K-weighting is applied as a convolution with its impulse response, which is computed in float64 and has
fallen below 10⁻¹⁴ where it is cut. Long audio goes through in pieces, so that memory stays bounded where no
gradient is asked for; the pieces carry the filter's whole past and change nothing. Loudness runs in float32
at least, outside autocast. Gates are masks: gradients flow through the energies of the blocks that pass.

Float32 leaves a noise floor about 130 dB below the loudest sound within the same few seconds, so digital
silence beside music reads as such a low number in momentary and short-term loudness, and as −∞ elsewhere.
NaN and infinite samples make an item's readings NaN.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from neural_mastering.dsp.stream_kernels import cascade
from neural_mastering.dsp.weighting import k_weighting_sections
from neural_mastering.shapes import Audio, Frames, PerItem, check_audio
from neural_mastering.units import db_to_power, power_to_db

BLOCK_MS = 400.0
SHORT_TERM_MS = 3000.0
HOP_MS = 100.0
ABSOLUTE_GATE_LUFS = -70.0

_OFFSET_LU = -0.691
_SURROUND_WEIGHT = 1.41
_RESPONSE_MS = 150.0  # both poles of the 38 Hz high-pass decay by 2·10⁻¹⁶
_PIECE_SAMPLES = 1 << 18
_SILENT_ENERGY = 1e-20  # −200 LUFS; below it 1/energy would leave the range of float32


def integrated_loudness(audio: Audio, sample_rate: float, floor_lufs: float = -math.inf) -> PerItem:
    """Gated loudness of whole items in LUFS, (batch,).

    Blocks of 400 ms every 100 ms; those above −70 LUFS give the relative gate, 10 LU below the loudness of
    their mean energy; the result is that of the mean energy of the blocks above both.

    Args:
        audio: (batch, channel, time) with 1 (mono), 2 (left, right) or 5 channels (L, R, C, Ls, Rs; no LFE).
        sample_rate: in Hz, 8000 or more.
        floor_lufs: the reading, with zero gradient, of what is quieter, shorter than 400 ms or silent.

    Raises:
        ValueError: another number of channels, or a sample rate below 8 kHz.

    Source: ITU-R BS.1770-5, annex 1.

    Examples:
        A stereo sine of 997 Hz and −23 dBFS reads −23 LUFS (EBU Tech 3341, signal 1):

        >>> import math
        >>> import torch
        >>> time = torch.arange(5 * 48_000) / 48_000
        >>> sine = 10 ** (-23 / 20) * torch.sin(2 * math.pi * 997 * time)
        >>> integrated_loudness(sine.expand(1, 2, -1), 48_000)
        tensor([-23.00])
        >>> integrated_loudness(torch.zeros(1, 2, 48_000), 48_000, floor_lufs=-70.0)
        tensor([-70.])
    """
    return gated_loudness(k_weighted_energy(audio, sample_rate, BLOCK_MS, HOP_MS), floor_lufs)


def gated_loudness(energy: Frames, floor_lufs: float = -math.inf) -> PerItem:
    """Integrated loudness in LUFS from the energies of 400 ms blocks every 100 ms (`k_weighted_energy`)."""
    loudness = _to_lufs(_masked_mean(energy, _gate(energy, relative_lu=-10.0)), floor_lufs)
    return torch.where(energy.isnan().any(dim=-1), math.nan, loudness)


def momentary_loudness(
    audio: Audio, sample_rate: float, hop_ms: float = HOP_MS, floor_lufs: float = -math.inf
) -> Frames:
    """Ungated loudness in LUFS of 400 ms windows, (batch, frame); frame i ends at 400 ms + i·hop.

    Windows that the audio does not fill are left out. Arguments and errors as in `integrated_loudness`.

    Source: EBU Tech 3341, section 2.2.

    Examples:
        A second of audio holds seven windows of 400 ms, 100 ms apart:

        >>> import math
        >>> import torch
        >>> sine = 0.1 * torch.sin(2 * math.pi * 997 / 48_000 * torch.arange(48_000))
        >>> momentary_loudness(sine.expand(1, 2, -1), 48_000)
        tensor([[-20.0, -20.0, -20.0, -20.0, -20.0, -20.0, -20.0]])
    """
    return _to_lufs(k_weighted_energy(audio, sample_rate, BLOCK_MS, hop_ms), floor_lufs)


def short_term_loudness(
    audio: Audio, sample_rate: float, hop_ms: float = HOP_MS, floor_lufs: float = -math.inf
) -> Frames:
    """Ungated loudness in LUFS of 3 s windows, (batch, frame); frame i ends at 3 s + i·hop.

    Windows that the audio does not fill are left out. Arguments and errors as in `integrated_loudness`.

    Source: EBU Tech 3341, section 2.2.
    """
    return _to_lufs(k_weighted_energy(audio, sample_rate, SHORT_TERM_MS, hop_ms), floor_lufs)


def loudness_range(audio: Audio, sample_rate: float) -> PerItem:
    """Loudness range in LU, (batch,): the 95th less the 10th percentile of the gated short-term loudness.

    Short-term values every 100 ms, gated at −70 LUFS and at 20 LU below their mean energy. 0 LU where nothing
    passes (silence, less than 3 s). Errors as in `integrated_loudness`.

    Source: EBU Tech 3342, section 3.

    Examples:
        Twenty seconds of a tone and twenty seconds of it 10 dB lower (EBU Tech 3342, signal 1):

        >>> import math
        >>> import torch
        >>> tone = 0.1 * torch.sin(2 * math.pi * 1_000 / 8_000 * torch.arange(20 * 8_000))
        >>> programme = torch.cat((tone, 10 ** (-10 / 20) * tone))
        >>> loudness_range(programme.expand(1, 2, -1), 8_000)
        tensor([10.00])
    """
    return gated_range(k_weighted_energy(audio, sample_rate, SHORT_TERM_MS, HOP_MS))


def gated_range(energy: Frames) -> PerItem:
    """Loudness range in LU from the energies of 3 s windows every 100 ms (`k_weighted_energy`)."""
    if energy.shape[-1] == 0:
        return energy.new_zeros(energy.shape[0])
    kept = _gate(energy, relative_lu=-20.0)
    count = kept.sum(dim=-1, keepdim=True)
    ordered = torch.where(kept, energy, math.inf).sort(dim=-1).values
    ordered = torch.where(ordered.isinf(), 1.0, ordered)  # where none is kept, both percentiles are this
    last = (count - 1).clamp(min=0)
    # rounded half up, as round((n − 1)·p/100) is in the specification's own listing
    low, high = (ordered.gather(-1, (last * percent + 50) // 100) for percent in (10, 95))
    spread = (power_to_db(high) - power_to_db(low)).squeeze(-1)
    return torch.where(energy.isnan().any(dim=-1), math.nan, spread)


def k_weighted_energy(audio: Audio, sample_rate: float, window_ms: float, hop_ms: float) -> Frames:
    """Σ_c G_c·z_c of each whole window, (batch, frame): the energies that all the meters read.

    Window and hop are rounded to samples; (batch, 0) when the audio is shorter than a window.

    Raises:
        ValueError: no audio (`check_audio`), channels other than 1, 2 or 5, a rate below 8 kHz, a window or hop
            under one sample.
    """
    check_audio(audio)
    channels, time = audio.shape[1:]
    if channels not in (1, 2, 5):
        raise ValueError(f"loudness needs 1 (mono), 2 (L, R) or 5 channels (L, R, C, Ls, Rs); got {channels}")
    window, hop = (round(ms * sample_rate / 1000.0) for ms in (window_ms, hop_ms))
    if window < 1 or hop < 1:
        raise ValueError(f"window and hop must last a sample or more; got {window_ms:g} and {hop_ms:g} ms")
    history = k_weighting_impulse_response(sample_rate).size - 1
    dtype = torch.float64 if audio.dtype == torch.float64 else torch.float32
    frames = (time - window) // hop + 1
    if frames < 1:
        return audio[:, 0, :0].to(dtype)  # no frames, but still part of the graph
    # Windows are sums of cells of the largest length that divides both window and hop.
    cell = math.gcd(window, hop)
    used = window + (frames - 1) * hop
    piece = min(used, max(1, _PIECE_SAMPLES // cell) * cell)
    with torch.autocast(audio.device.type, enabled=False):
        # Filled in place: small results kept between large temporaries would break up the heap.
        sums = torch.empty((audio.shape[0], used // cell), dtype=dtype, device=audio.device)
        for start in range(0, used, piece):
            past, stop = min(start, history), min(start + piece, used)
            signal = audio[..., start - past : stop].to(dtype)
            sums[:, start // cell : stop // cell] = _cell_sums(signal, past, cell, sample_rate)
        return sums.unfold(-1, window // cell, hop // cell).sum(dim=-1) / window


@lru_cache(maxsize=32)
def k_weighting_impulse_response(sample_rate: float) -> np.ndarray:
    """The first 150 ms of the K-weighting's impulse response, float64; what follows is below 10⁻¹⁴."""
    impulse = np.zeros((1, round(_RESPONSE_MS * sample_rate / 1000.0)))
    impulse[:, :1] = 1.0
    sections = np.asarray(k_weighting_sections(sample_rate), dtype=np.float64)
    response = np.empty_like(impulse)
    cascade(impulse, sections, np.zeros((1, len(sections), 2)), response)
    return response[0]


@lru_cache(maxsize=8)
def _response_spectrum(sample_rate: float, size: int) -> np.ndarray:
    # An array and not a tensor: one cached under torch.inference_mode could not serve autograd later.
    return np.fft.rfft(k_weighting_impulse_response(sample_rate), n=size)


def _cell_sums(audio: Audio, past: int, cell: int, sample_rate: float) -> Tensor:
    """Weighted sums of squares of the K-weighted samples after the first `past` ones, (batch, cell)."""
    # A circular product is wrong only where the tail wraps around: on the past, or on the padding.
    tail = k_weighting_impulse_response(sample_rate).size - 1
    size = next_fast_len(audio.shape[-1] + tail - past, real=True)
    spectrum = torch.fft.rfft(audio, n=size)
    weighting = torch.from_numpy(_response_spectrum(sample_rate, size)).to(spectrum)
    weighted = torch.fft.irfft(spectrum * weighting, n=size)[..., past : audio.shape[-1]]
    sums = weighted.unflatten(-1, (-1, cell)).square().sum(dim=-1)
    if audio.shape[1] == 5:
        return sums[:, :3].sum(dim=1) + _SURROUND_WEIGHT * sums[:, 3:].sum(dim=1)
    return sums.sum(dim=1)


def _gate(energy: Frames, relative_lu: float) -> Tensor:
    """Which windows are above the absolute and the relative gate: boolean (batch, frame)."""
    energy = energy.detach()
    audible = energy > db_to_power(ABSOLUTE_GATE_LUFS - _OFFSET_LU)
    threshold = _masked_mean(energy, audible) * db_to_power(relative_lu)
    return audible & (energy > threshold.unsqueeze(-1))


def _masked_mean(energy: Frames, kept: Tensor) -> PerItem:
    return torch.where(kept, energy, 0.0).sum(dim=-1) / kept.sum(dim=-1).clamp(min=1)


def _to_lufs(energy: Tensor, floor_lufs: float) -> Tensor:
    """Loudness of energies of any shape, `floor_lufs` at the least, with zero gradient there."""
    silent = energy <= _SILENT_ENERGY
    # log never sees 0: its infinite slope would turn into NaN behind the mask
    loudness = _OFFSET_LU + power_to_db(torch.where(silent, 1.0, energy))
    return torch.where(silent | (loudness < floor_lufs), floor_lufs, loudness)
