"""What a song sounds like over all of its length: loudness and third-octave spectrum, measured from a stream."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.dsp import spectrum_kernels
from neural_mastering.dsp.real_fft import rfft
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.metering.fine_structure import fine_structure
from neural_mastering.metering.meter import Meter
from neural_mastering.units import power_to_db, third_octave_hz

if TYPE_CHECKING:
    from neural_mastering.audio_io.block import Block

RESOLUTION_HZ = 2.7  # enough for the 25 Hz band, 5.8 Hz wide
EMPTY_DB = -60.0
"""A band this far below the mean of the loudest three counts as empty: nothing to match there."""

STEEPEST_DB = 25.0
"""A fall of more than this from one band to the next, at 5 kHz or above, is the edge of a lossy codec."""


@dataclass(frozen=True)
class Profile:
    """The long-term sound of a song.

    Attributes:
        levels_db: (third,) level of each third octave less the song's integrated loudness.
        filled: (third,) bands that hold sound; others say nothing.
        lufs: integrated loudness, −inf where there is none.
        seconds: length.
        fine_db: of its spectrum, see `fine_structure`; empty where it was not measured.
    """

    levels_db: Float64s
    filled: NDArray[np.bool_]
    lufs: float
    seconds: float
    fine_db: Float64s = field(default_factory=lambda: np.zeros(0))

    @property
    def is_usable(self) -> bool:
        """There is a loudness, and sound in enough bands to compare."""
        return math.isfinite(self.lufs) and int(self.filled.sum()) >= 6


class Spectrum:
    """Welch's estimate of the power in third octaves, block by block, in flat memory.

    Hann windows of at most 2.7 Hz resolution, half overlapped; the mean over time and channels. A bin that lies
    across a band's edge counts with its part inside. Equals `dsp.ltas.third_octave_levels_db`.
    """

    def __init__(self, sample_rate: float, channels: int) -> None:
        self._rate = sample_rate
        self._size = 1 << math.ceil(math.log2(sample_rate / RESOLUTION_HZ))
        self._window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(self._size) / self._size)
        self._windowed = np.zeros((channels, self._size), np.float32)  # far below a spectrum's own spread
        self._kept = np.zeros((channels, 0))
        self._power = np.zeros(self._size // 2 + 1)
        self._frames = 0

    def push(self, block: Block) -> None:
        """Read the next block (channel, time)."""
        audio = np.concatenate([self._kept, block], axis=1)
        hop, start = self._size // 2, 0
        while start + self._size <= audio.shape[1]:
            self._add(audio[:, start : start + self._size])
            start += hop
        self._kept = audio[:, start:].copy()

    def finish(self) -> Float64s:
        """Mean power of each third octave; bands above half the sample rate are 0."""
        if self._frames == 0 and self._kept.shape[1]:
            self._add(np.pad(self._kept, ((0, 0), (0, self._size - self._kept.shape[1]))))
        scale = 2.0 / (self._size * (self._window**2).sum() * max(self._frames, 1) * len(self._kept))
        return self._band_weights() @ self._power * scale

    def profile(self, lufs: float, seconds: float) -> Profile:
        """The profile of what was read; its loudness is measured elsewhere."""
        powers = self.finish()  # first, since it reads what is left of a very short song
        return from_powers(powers, self._rate, lufs, seconds, fine_structure(*self.bins()))

    def bins(self) -> tuple[Float64s, Float64s]:
        """Frequencies in Hz and power so far at each, without the bin at 0 Hz; of no particular unit."""
        at_hz = np.arange(self._size // 2 + 1) * self._rate / self._size
        return at_hz[1:], self._power[1:]

    def _add(self, frame: Float64s) -> None:
        spectrum_kernels.windowed(frame, self._window, self._windowed)
        spectrum_kernels.add_powers(rfft(self._windowed), self._power)
        self._frames += 1

    def _band_weights(self) -> Float64s:
        lower, upper = CENTRES_HZ[:, None] / third_octave_hz(0.5), CENTRES_HZ[:, None] * third_octave_hz(0.5)
        width = self._rate / self._size
        bins = np.arange(self._size // 2 + 1)[None] * width
        overlap = np.minimum(upper, bins + width / 2.0) - np.maximum(lower, bins - width / 2.0)
        return np.clip(overlap / width, 0.0, 1.0)


def profile_of(blocks: Iterable[Block], sample_rate: int) -> Profile:
    """Measure a song from its blocks (channel, time)."""
    meter: Meter | None = None
    spectrum: Spectrum | None = None
    for block in blocks:
        if meter is None or spectrum is None:
            meter = Meter(sample_rate, len(block), with_true_peak=False)
            spectrum = Spectrum(sample_rate, len(block))
        meter.push(block)
        spectrum.push(block)
    if meter is None or spectrum is None:
        return Profile(np.zeros(len(CENTRES_HZ)), np.zeros(len(CENTRES_HZ), dtype=bool), -math.inf, 0.0)
    readings = meter.finish()
    return spectrum.profile(readings.lufs, readings.frames / sample_rate)


def profile_of_file(path: str | Path) -> Profile:
    """Measure an audio file.

    Raises:
        InputError: a file that can't be read, or one with nothing to hear in it.
    """
    with AudioReader(path) as reader:
        profile = profile_of(reader.blocks(), reader.sample_rate)
    if not profile.is_usable:
        raise InputError(f"{path} is too short or too quiet to be a reference: give a song of some seconds")
    return profile


def from_powers(
    powers: Float64s, sample_rate: float, lufs: float, seconds: float, fine_db: Float64s
) -> Profile:
    """A profile from the mean power of each third octave and the fine structure."""
    levels_db = power_to_db(powers + 1e-15)
    loudest_db = np.sort(levels_db)[-3:].mean()
    filled = (levels_db > loudest_db + EMPTY_DB) & (sample_rate / 2.0 > CENTRES_HZ * third_octave_hz(0.5))
    steep = np.flatnonzero((np.diff(levels_db) < -STEEPEST_DB) & (CENTRES_HZ[1:] >= 5_000.0))
    if steep.size:
        filled[steep[0] :] = False  # the band before the fall may be cut in part
    return Profile(levels_db - (lufs if math.isfinite(lufs) else 0.0), filled, lufs, seconds, fine_db)


def weighted_mean(profiles: Sequence[Profile], weights: Sequence[float]) -> Profile:
    """One profile for several songs: means in dB; a band counts where all have sound.

    Raises:
        InputError: no profile, or weights that are not above 0.
    """
    share = np.asarray(weights, dtype=np.float64)
    if not len(profiles) or len(profiles) != len(share):
        raise InputError(f"expected a weight for each reference; got {len(profiles)} and {len(share)}")
    if not np.all(np.isfinite(share) & (share > 0.0)):
        raise InputError(f"weights of references must be above 0, got {', '.join(f'{w:g}' for w in share)}")
    share = share / share.sum()
    return Profile(
        levels_db=share @ np.stack([p.levels_db for p in profiles]),
        filled=np.all([p.filled for p in profiles], axis=0),
        lufs=float(share @ np.array([p.lufs for p in profiles])),
        seconds=float(sum(p.seconds for p in profiles)),
        fine_db=share @ np.stack([p.fine_db for p in profiles]),
    )
