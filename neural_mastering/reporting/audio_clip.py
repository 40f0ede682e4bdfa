"""Excerpts of audio inside a page: which part, how long, and how encoded."""

import base64
import io
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import ArrayLike, NDArray

from neural_mastering.audio_io.sound_source import sound_source
from neural_mastering.errors import InputError
from neural_mastering.reporting.report_data import Clip, Role
from neural_mastering.units import db_to_power, gain_to_db

LONGEST_S, SHORTEST_S = 24.0, 5.0
"""A player's excerpt lasts at most and, where its budget allows any at all, at least this long."""

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 48_000
"""Clips at other rates are resampled: loudness is defined from 8 kHz on."""

LOSSLESS_BYTES_PER_S, LOSSY_BYTES_PER_S = 165_000, 25_000
"""Planned for a stereo clip at 44.1 kHz: 16-bit FLAC of dense music (up to 1.3 Mbit/s), Vorbis (200 kbit/s)."""

_BASE64 = 4.0 / 3.0
_VORBIS_COMPRESSION = 0.5  # libsndfile's scale, 1 the smallest: about 150 kbit/s for stereo music
_BLOCK_SAMPLES = 1 << 14  # libsndfile's Vorbis encoder overruns its stack on long blocks
_HOP_S = 0.5


@dataclass(frozen=True)
class EncodedClip:
    """A clip as it stands in the page.

    Attributes:
        name, role: of the source.
        mime: media type.
        data: the encoded file in base64.
        lufs: integrated loudness of the excerpt as it is decoded; −inf for silence.
        stored_gain_db: what the samples were turned down by (0 or below) so that no peak clips.
        seconds: length.
        start_s: where in the song it begins.
        peaks: 0…100, the largest sample of each of about 240 parts, for the picture of the waveform.
    """

    name: str
    role: Role
    mime: str
    data: str
    lufs: float
    stored_gain_db: float
    seconds: float
    start_s: float
    peaks: tuple[int, ...]


@dataclass(frozen=True)
class ClipPlan:
    """How long a player's clips are and how they are encoded."""

    seconds: float
    lossless: bool


def plan(clips: int, budget_bytes: float) -> ClipPlan | None:
    """The longest excerpt, lossless if possible, with which so many clips stay within a budget; None for none.

    Lossless needs room for the full length; else Ogg Vorbis, from 24 s down to 5 s. All clips of a player are
    encoded alike, so that a codec never tells them apart.
    """
    share = budget_bytes / max(clips, 1) / _BASE64
    if share >= LONGEST_S * LOSSLESS_BYTES_PER_S:
        return ClipPlan(LONGEST_S, lossless=True)
    seconds = math.floor(min(LONGEST_S, share / LOSSY_BYTES_PER_S) * 2.0) / 2.0
    return ClipPlan(seconds, lossless=False) if seconds >= SHORTEST_S else None


def shortest_bytes(clips: int) -> float:
    """The smallest budget with which `plan` allows a player of so many clips."""
    return SHORTEST_S * LOSSY_BYTES_PER_S * _BASE64 * clips * 1.001


def loudest_start_s(time_s: ArrayLike, loudness_lufs: ArrayLike, duration_s: float, seconds: float) -> float:
    """Where the loudest excerpt begins, from the song's short-term loudness.

    Args:
        time_s: (point,) end of each 3 s window, evenly spaced.
        loudness_lufs: (point,); −inf counts as silence.
        duration_s: of the song.
        seconds: of the excerpt.
    """
    times, levels = np.asarray(time_s, dtype=float), np.asarray(loudness_lufs, dtype=float)
    if duration_s <= seconds or times.size < 2:
        return 0.0
    power = np.where(np.isfinite(levels), db_to_power(np.nan_to_num(levels, neginf=-200.0)), 0.0)
    spacing = float(times[1] - times[0])
    # the windows that lie within an excerpt of this length
    width = int(np.clip(round((seconds - 3.0) / spacing), 1, times.size))
    total = np.convolve(power, np.ones(width), mode="valid")
    return float(np.clip(times[int(total.argmax())] - 3.0, 0.0, duration_s - seconds))


def clip_from_file(
    path: Path | str, name: str, role: Role, start_s: float = 0.0, seconds: float = LONGEST_S
) -> Clip:
    """Read only an excerpt of an audio file.

    Raises:
        InputError: a file that can't be read as audio.
    """
    try:
        with soundfile.SoundFile(sound_source(path)) as file:
            file.seek(min(max(round(start_s * file.samplerate), 0), file.frames))
            audio = file.read(round(seconds * file.samplerate), dtype="float32", always_2d=True)
            return Clip(name, np.asarray(audio, dtype=np.float32).T, file.samplerate, role, start_s)
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(f"{path} can't be read as audio: {error}") from error


def encode_clips(clips: Sequence[Clip], plan: ClipPlan) -> list[EncodedClip]:
    """The loudest common part of the clips of one player, encoded.

    The part with the highest mean square of the first clip is taken from all of them.

    Raises:
        ValueError: more than two channels, or no samples.
    """
    arrays = [_two_dimensional(clip) for clip in clips]
    common_s = min(a.shape[1] / c.sample_rate_hz for a, c in zip(arrays, clips, strict=True))
    offset_s = _loudest_offset_s(arrays[0], clips[0].sample_rate_hz, common_s, plan.seconds)
    seconds = min(plan.seconds, common_s)
    parts = []
    for clip, audio in zip(clips, arrays, strict=True):
        first, count = round(offset_s * clip.sample_rate_hz), max(round(seconds * clip.sample_rate_hz), 1)
        part = audio[:, first : first + count]
        parts.append(replace(clip, audio=part, start_s=clip.start_s + offset_s))
    # libsndfile works outside the interpreter's lock, and its Vorbis encoder is what a page waits for
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(lambda clip: _encode(clip, plan.lossless), parts))


def _encode(clip: Clip, lossless: bool) -> EncodedClip:
    audio, rate = _playable_rate(np.nan_to_num(clip.audio.astype(np.float32)), clip.sample_rate_hz)
    peak = float(np.abs(audio).max(initial=0.0))
    scale = min(1.0, 0.999 / peak) if peak > 0.0 else 1.0
    audio = audio * np.float32(scale)
    buffer = io.BytesIO()
    kind = ("FLAC", "PCM_16", 1.0) if lossless else ("OGG", "VORBIS", _VORBIS_COMPRESSION)
    with soundfile.SoundFile(
        buffer, "w", rate, len(audio), format=kind[0], subtype=kind[1], compression_level=kind[2]
    ) as file:
        for start in range(0, audio.shape[1], _BLOCK_SAMPLES):
            file.write(audio[:, start : start + _BLOCK_SAMPLES].T)
    if not lossless:  # a lossy codec changes the loudness by some tenths: what is heard is what counts
        buffer.seek(0)
        audio = np.ascontiguousarray(soundfile.read(buffer, always_2d=True)[0].T, dtype=np.float32)
    return EncodedClip(
        name=clip.name,
        role=clip.role,
        mime="audio/flac" if lossless else "audio/ogg",
        data=base64.b64encode(buffer.getvalue()).decode("ascii"),
        lufs=_lufs(audio, rate),
        stored_gain_db=gain_to_db(scale),
        seconds=audio.shape[1] / rate,
        start_s=clip.start_s,
        peaks=_peaks(audio / scale if scale < 1.0 else audio),
    )


def _two_dimensional(clip: Clip) -> NDArray[np.floating]:
    audio = np.atleast_2d(np.asarray(clip.audio))
    if audio.ndim != 2 or audio.shape[0] > 2 or audio.shape[1] == 0:
        raise ValueError(f"clip {clip.name!r}: expected (1 or 2 channels, time), got shape {audio.shape}")
    return audio


def _loudest_offset_s(audio: NDArray[np.floating], rate: float, common_s: float, seconds: float) -> float:
    if common_s <= seconds:
        return 0.0
    hop = max(round(_HOP_S * rate), 1)
    cells = min(audio.shape[1], int(common_s * rate)) // hop
    power = np.square(audio[:, : cells * hop], dtype=np.float64).sum(axis=0).reshape(cells, hop).sum(axis=1)
    width = min(max(round(seconds / _HOP_S), 1), cells)
    best = int(np.convolve(power, np.ones(width), mode="valid").argmax())
    return min(best * hop / rate, common_s - seconds)


def _playable_rate(audio: NDArray[np.float32], rate: float) -> tuple[NDArray[np.float32], int]:
    whole = round(rate)
    if LOWEST_RATE_HZ <= whole <= HIGHEST_RATE_HZ:
        return audio, whole

    other = 44_100 if whole % 11_025 == 0 else HIGHEST_RATE_HZ
    return np.ascontiguousarray(soxr.resample(audio.T, whole, other).T, dtype=np.float32), other


def _lufs(audio: NDArray[np.float32], rate: int) -> float:
    """Integrated loudness; of excerpts under 400 ms, that of the excerpt repeated."""
    import torch  # seconds

    from neural_mastering.dsp.loudness import integrated_loudness  # loads torch

    short = math.ceil(0.5 * rate / audio.shape[1])
    if short > 1:
        audio = np.tile(audio, (1, short))
    return float(integrated_loudness(torch.from_numpy(np.ascontiguousarray(audio))[None], rate))


def _peaks(audio: NDArray[np.float32], parts: int = 240) -> tuple[int, ...]:
    edges = np.linspace(0, audio.shape[1], min(parts, audio.shape[1]) + 1).astype(int)[:-1]
    largest = np.maximum.reduceat(np.abs(audio).max(axis=0), edges)
    return tuple(int(v) for v in np.clip(np.round(100.0 * largest), 0, 100))
