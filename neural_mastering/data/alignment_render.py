"""The two sides of a mended pair as audio: cut, shifted, resampled, turned the right way round; nothing filled in.

The mastered side is the target, so it is only ever cut (and freed of a DC offset). Everything else is done to the
unmastered side, which has headroom: a limited master that is shifted by a fraction of a sample would rise above
full scale. Ends that a filter has touched without knowing what lies beyond are cut off.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy.signal import oaconvolve

from neural_mastering.audio_io.sound_source import sound_source
from neural_mastering.data.audio_file import AudioFile
from neural_mastering.units import gain_to_db

HALF_TAPS = 128
"""Taps of the fractional delay to either side: flat to 0.001 dB up to 0.48 of the rate."""

TRANSIENT = 512
"""Samples at either end of resampled audio that are cut off."""

_KAISER_BETA = 10.0
_CHUNK_FRAMES = 1 << 17
_CEILING = 0.9999


@dataclass(frozen=True)
class AlignmentPlan:
    """What is to be done to a pair.

    Attributes:
        delay_samples: of the mastered side at the start, at its own rate.
        drift: growth of the delay in seconds a second.
        source, sign: for each new channel of the unmastered side, the old one and its sign.
        dc_before, dc_after: offsets to take away, a number a channel.
        cut: whether the lengths differ.
        resample: whether the rates differ.
    """

    delay_samples: float = 0.0
    drift: float = 0.0
    source: tuple[int, ...] = (0, 1)
    sign: tuple[int, ...] = (1, 1)
    dc_before: tuple[float, ...] = ()
    dc_after: tuple[float, ...] = ()
    cut: bool = False
    resample: bool = False

    @property
    def rearranges(self) -> bool:
        """Whether channels are exchanged or inverted."""
        return any(sign < 0 for sign in self.sign) or self.source == (1, 0)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not (
            self.delay_samples
            or self.drift
            or self.rearranges
            or self.dc_before
            or self.dc_after
            or self.cut
            or self.resample
        )


@dataclass(frozen=True)
class AlignedPair:
    """What was written, and how.

    Attributes:
        frames: of either side.
        first: sample of the mastered side that is the first one now.
        gain_before_db, gain_after_db: below 0 where full scale would have been passed.
    """

    frames: int
    first: int
    gain_before_db: float
    gain_after_db: float


def render(
    plan: AlignmentPlan, before: AudioFile, after: AudioFile, drafts: tuple[Path, Path]
) -> AlignedPair:
    """Write both sides as FLAC, 24 bits (16 where 16-bit audio is only cut), equally long.

    Raises:
        ValueError: nothing would be left.
    """
    whole = math.floor(plan.delay_samples)
    fraction = plan.delay_samples - whole
    ratio = after.sample_rate * (1.0 + plan.drift) / before.sample_rate
    resampled = plan.resample or plan.drift != 0.0
    margin = (TRANSIENT if resampled else 0) + (HALF_TAPS if fraction else 0)
    length = math.floor(before.frames * ratio) if resampled else before.frames
    # sample n of the mastered side belongs to n − delay of the resampled unmastered one
    first = max(0, whole + margin + (1 if fraction else 0))
    last = min(after.frames, whole + length - margin)
    if last <= first:
        raise ValueError("nothing would be left of the pair")
    start = first - whole  # in the resampled unmastered side, before its fractional delay

    def unmastered() -> Iterator[np.ndarray]:
        chunks = _resampled(before, after.sample_rate, plan) if resampled else _decoded(before)
        for chunk in _taken(_delayed(chunks, fraction), start, last - first):
            shifted = chunk - np.array(plan.dc_before) if plan.dc_before else chunk
            yield shifted[:, plan.source[: before.channels]] * np.array(plan.sign[: before.channels])

    def mastered() -> Iterator[np.ndarray]:
        for chunk in _taken(_decoded(after), first, last - first):
            yield chunk - np.array(plan.dc_after) if plan.dc_after else chunk

    touched = resampled or bool(fraction) or bool(plan.dc_before)
    if touched or not _is_integer(before):
        gain_before_db = _write(drafts[0], unmastered, after.sample_rate, before.channels)
    else:
        gain_before_db = 0.0
        _cut(before, drafts[0], start, last - first, plan)
    if plan.dc_after or not _is_integer(after):
        gain_after_db = _write(drafts[1], mastered, after.sample_rate, after.channels)
    else:
        gain_after_db = 0.0
        _cut(after, drafts[1], first, last - first, AlignmentPlan())
    return AlignedPair(last - first, first, gain_before_db, gain_after_db)


def _write(path: Path, chunks: Callable[[], Iterator[np.ndarray]], rate: int, channels: int) -> float:
    """Write FLAC of 24 bits; once more with less level, in dB, where the peak would pass full scale."""
    gain = 1.0
    for _ in range(2):
        peak = 0.0
        with soundfile.SoundFile(path, "w", rate, channels, "PCM_24", format="FLAC") as out:
            for chunk in chunks():
                peak = max(peak, float(np.abs(chunk).max(initial=0.0)))
                out.write(chunk * gain)
        if peak * gain < 1.0:
            break
        gain = _CEILING / peak
    return gain_to_db(gain)


def _cut(file: AudioFile, path: Path, first: int, frames: int, plan: AlignmentPlan) -> None:
    """Copy a range of samples bit by bit, with channels exchanged or inverted."""
    subtype = (
        "PCM_16"
        if soundfile.info(sound_source(file.path)).subtype in ("PCM_16", "PCM_S8", "PCM_U8")
        else "PCM_24"
    )
    signs = np.array(plan.sign[: file.channels])
    with (
        soundfile.SoundFile(sound_source(file.path)) as source,
        soundfile.SoundFile(path, "w", file.sample_rate, file.channels, subtype, format="FLAC") as out,
    ):
        source.seek(first)
        left = frames
        while left > 0:
            chunk = source.read(min(_CHUNK_FRAMES, left), dtype="int32", always_2d=True)
            chunk = chunk[:, plan.source[: file.channels]]
            # the negative of the lowest number does not fit
            turned = np.clip(chunk.astype(np.int64) * signs, -(1 << 31), (1 << 31) - 1)
            out.write(turned.astype(np.int32))
            left -= len(chunk)


def _is_integer(file: AudioFile) -> bool:
    return soundfile.info(sound_source(file.path)).subtype in ("PCM_16", "PCM_24", "PCM_S8", "PCM_U8")


def _decoded(file: AudioFile) -> Iterator[np.ndarray]:
    with soundfile.SoundFile(sound_source(file.path)) as source:
        while len(chunk := source.read(_CHUNK_FRAMES, dtype="float64", always_2d=True)):
            yield chunk


def _resampled(file: AudioFile, rate: int, plan: AlignmentPlan) -> Iterator[np.ndarray]:
    """At another rate and without the drift: sample n lies at n/(rate·(1 + drift)) seconds of the source."""
    stream = soxr.ResampleStream(
        file.sample_rate, rate * (1.0 + plan.drift), file.channels, dtype="float64", quality="VHQ"
    )
    for chunk in _decoded(file):
        yield stream.resample_chunk(chunk)
    yield stream.resample_chunk(np.zeros((0, file.channels)), last=True)


def _delayed(chunks: Iterator[np.ndarray], fraction: float) -> Iterator[np.ndarray]:
    """Late by a fraction of a sample; the ends, which lack neighbours, are for the caller to cut off."""
    if not fraction:
        yield from chunks
        return
    taps = _fractional(fraction)[:, None]
    kept: np.ndarray | None = None
    for chunk in chunks:
        if not len(chunk):
            continue
        if kept is None:
            kept = np.zeros((HALF_TAPS, chunk.shape[1]))
        joined = np.concatenate([kept, chunk])
        if len(joined) >= len(taps):
            yield oaconvolve(joined, taps, mode="valid", axes=0)
            joined = joined[len(joined) - len(taps) + 1 :]
        kept = joined


def _fractional(fraction: float) -> np.ndarray:
    """Taps (2·HALF_TAPS + 1,) of a windowed sinc that delays by a fraction, past its own HALF_TAPS samples."""
    distance = np.arange(-HALF_TAPS, HALF_TAPS + 1) - fraction
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1.0 - (distance / (HALF_TAPS + 1)) ** 2, 0.0, None)))
    taps = np.sinc(distance) * window
    return taps / taps.sum()


def _taken(chunks: Iterator[np.ndarray], first: int, frames: int) -> Iterator[np.ndarray]:
    """Samples first … first + frames of a stream.

    Raises:
        ValueError: the stream ends before.
    """
    at, left = 0, frames
    for chunk in chunks:
        begin = max(first - at, 0)
        at += len(chunk)
        piece = chunk[begin : begin + left]
        if len(piece):
            left -= len(piece)
            yield piece
        if left <= 0:
            return
    raise ValueError(f"{left} samples are missing at the end")
