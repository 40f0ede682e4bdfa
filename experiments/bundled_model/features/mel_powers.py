"""Mel powers of songs, frame by frame, computed once."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from torch import Tensor

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.weighting import k_weighting_db
from neural_mastering.models.blocks.mid_side import mid_side
from neural_mastering.models.encoders import LogMel

RATE = 44_100
FRAMES_AT_ONCE = 512
TENSORS = ("mid", "side", "cross", "peak", "power", "k_power")


@dataclass(frozen=True)
class SongMelPowers:
    """One song, frame by frame, see `encoders.MelPowers`.

    Attributes:
        mid, side, cross: (band, frame) mel powers.
        peak, power: (hop,) largest sample and mean power of both channels in each hop.
        k_power: (frame,) K-weighted power of both channels.
        lufs: integrated loudness.
        name, group: of the song.
    """

    mid: Tensor
    side: Tensor
    cross: Tensor
    peak: Tensor
    power: Tensor
    k_power: Tensor
    lufs: float
    name: str = ""
    group: str = ""


def measure(path: Path, encoder: LogMel, name: str = "", group: str = "") -> SongMelPowers:
    """The mel powers of a song (mono counts as two equal channels)."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE, quality="VHQ")
    audio = torch.from_numpy(samples.T.copy())[None].expand(1, 2, -1)
    k_weights = torch.pow(10.0, k_weighting_db(bins_hz(encoder), RATE) / 10.0).float()
    # Parseval: both channels' mean square, one-sided, for a window that makes a full-scale sine read 1
    k_weights = k_weights * 4.0 / (encoder.fft_size * encoder.window.square().sum().float())
    parts: list[list[Tensor]] = [[] for _ in TENSORS]
    frames = (audio.shape[-1] - encoder.fft_size) // encoder.hop + 1
    for start in range(0, frames, FRAMES_AT_ONCE):
        stop = min(start + FRAMES_AT_ONCE, frames)
        piece = audio[..., start * encoder.hop : (stop - 1) * encoder.hop + encoder.fft_size]
        powers = encoder.mel_powers(piece)
        hops = (
            stop - start if stop < frames else None
        )  # the frames of the next piece reach back into this one
        windows = mid_side(piece).unfold(-1, encoder.fft_size, encoder.hop) * encoder.window.float()
        k_power = torch.fft.rfft(windows).abs().square().sum(dim=1) @ k_weights
        found = (
            powers.mid,
            powers.side,
            powers.cross,
            powers.peak[:, :hops],
            powers.power[:, :hops],
            k_power,
        )
        for part, value in zip(parts, found, strict=True):
            part.append(value[0])
    return SongMelPowers(
        *(torch.cat(part, dim=-1) for part in parts),
        lufs=float(integrated_loudness(audio, RATE)),
        name=name,
        group=group,
    )


def load(path: Path, encoder: LogMel, cache: Path, name: str, group: str) -> SongMelPowers:
    """`measure`, kept in a file."""
    kept = cache / f"{name}.npz"
    if kept.is_file():
        with np.load(kept) as found:
            fields = {key: torch.from_numpy(found[key]) for key in TENSORS}
            return SongMelPowers(**fields, lufs=float(found["lufs"]), name=name, group=group)
    song = measure(path, encoder, name, group)
    cache.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(".part.npz")
    arrays = {key: getattr(song, key).numpy() for key in TENSORS}
    np.savez(draft, **arrays, lufs=song.lufs)
    draft.replace(kept)
    return song


def bins_hz(encoder: LogMel) -> Tensor:
    """Frequencies of the bins of the encoder's FFT."""
    return torch.arange(encoder.fft_size // 2 + 1) * (RATE / encoder.fft_size)
