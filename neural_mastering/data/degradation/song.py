"""One track from a file to a pair of files, in pieces, so that memory does not grow with its length."""

import dataclasses
import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from neural_mastering.atomic import Draft
from neural_mastering.chance import seed_of
from neural_mastering.data.audio_file import AudioFile, probe
from neural_mastering.data.decoding import decode
from neural_mastering.data.degradation.chain import DegradationChain
from neural_mastering.data.degradation.parameters import NO_EXPANSION, Degradation
from neural_mastering.data.degradation.preset import DegradationPreset
from neural_mastering.data.degradation.records import Record
from neural_mastering.data.errors import DataError
from neural_mastering.data.loudness_meter import LoudnessMeter
from neural_mastering.data.music import Track
from neural_mastering.dsp.k_weighting import LOWEST_RATE_HZ
from neural_mastering.units import db_to_gain, gain_to_db

SIDES = ("unmastered", "mastered")
CEILING_DBFS = -0.1
"""No sample of an input is above this, and no sample of a target that had to be lowered."""

_VERSION = 1
_STEPS = float(1 << 23)  # of 24 bits
_HIGHEST = (_STEPS - 1.0) / _STEPS


@dataclass(frozen=True)
class DegradationTask:
    """What a worker needs to make one pair.

    Attributes:
        track: the released track.
        music: the folder of which `track.path` is recorded relative.
        out: the folder of the pairs.
        preset, seed: of the draw.
        previous: the record of an earlier run, whose files are kept if they are still right.
    """

    track: Track
    music: Path
    out: Path
    preset: DegradationPreset
    seed: int
    previous: Record | None = None


def song_seed(seed: int, name: str) -> int:
    """The seed of a track's degradation, from its name: what other tracks there are does not matter."""
    return seed_of(seed, "degradation", name)


def recipe_of(preset: DegradationPreset) -> str:
    """A short name of the rule and the preset's numbers."""
    return f"{_VERSION}-{preset.recipe}"


def pair_files(out: Path, name: str) -> tuple[Path, Path]:
    """The unmastered and the mastered file of a pair."""
    return out / SIDES[0] / f"{name}.flac", out / SIDES[1] / f"{name}.flac"


def make_pair(task: DegradationTask) -> tuple[Record, bool]:
    """Make one pair, or keep that of an earlier run; returns its record and whether it was made.

    Raises:
        DataError: the track cannot be read, is silent or shorter than 0.4 s, holds NaN, or has a rate below 8 kHz;
            a file cannot be written.
    """
    try:
        source_hash = _sha256(task.track.path)
        if _is_still_right(task, source_hash):
            assert task.previous is not None
            return task.previous, False
        return _make(task, source_hash), True
    except OSError as error:
        raise DataError(f"{task.track.path}: {error}") from error


def _is_still_right(task: DegradationTask, source_hash: str) -> bool:
    """Whether the earlier record belongs to this source and settings, and to the files that are there."""
    previous = task.previous
    if previous is None or previous["source_sha256"] != source_hash:
        return False
    if previous["recipe"] != recipe_of(task.preset) or previous["seed"] != task.seed:
        return False
    files = pair_files(task.out, task.track.name)
    return all(
        path.is_file() and _sha256(path) == previous[f"{side}_sha256"]
        for side, path in zip(SIDES, files, strict=True)
    )


def _make(task: DegradationTask, source_hash: str) -> Record:
    file = probe(task.track.path)
    if file.sample_rate < LOWEST_RATE_HZ:
        raise DataError(
            f"{file.path} has a sample rate of {file.sample_rate} Hz: loudness is defined from "
            f"{LOWEST_RATE_HZ} Hz on"
        )
    target_lufs, lowest, highest = _measure(file, _decoded(file))
    target_peak_db = gain_to_db(max(-lowest, highest))
    if not math.isfinite(target_lufs):
        raise DataError(
            f"{file.path} has no loudness: it is silent, or shorter than 0.4 s ({file.duration_s:.2f} s). Remove it"
        )
    target_gain_db = 0.0
    if lowest < -1.0 or highest > _HIGHEST:  # as lossy decoders and float files may have it
        target_gain_db = CEILING_DBFS - target_peak_db
    drawn = task.preset.draw(song_seed(task.seed, task.track.name)).at_rate(file.sample_rate, file.channels)
    whole = dataclasses.replace(drawn, reference_lufs=target_lufs + target_gain_db)
    factor = db_to_gain(target_gain_db)
    for applied in (whole, dataclasses.replace(whole, upward=NO_EXPANSION)):
        lufs, lowest, highest = _measure(file, (piece for _, piece in _degraded(file, applied, factor)))
        peak_db = gain_to_db(max(-lowest, highest))
        gain_db = min(applied.level_lufs - lufs, CEILING_DBFS - peak_db)
        if lufs + gain_db >= task.preset.level_lufs[0] - 1e-6:
            break  # otherwise the peaks are too high for the loudness: once more without raising them
    if not math.isfinite(gain_db):
        raise DataError(f"{file.path} has no loudness after the degradation: remove it")
    applied = dataclasses.replace(applied, gain_db=gain_db)
    gain = db_to_gain(gain_db)
    hashes = _write(
        task, file, ((piece * gain, target) for target, piece in _degraded(file, applied, factor))
    )
    return {
        "name": task.track.name,
        "source": os.path.relpath(task.track.path, task.music),
        "group": task.track.group,
        "split": task.track.split,
        "preset": task.preset.name,
        "recipe": recipe_of(task.preset),
        "seed": task.seed,
        "sample_rate": file.sample_rate,
        "channels": file.channels,
        "frames": file.frames,
        "target_gain_db": target_gain_db,
        "target_lufs": target_lufs + target_gain_db,
        "input_lufs": lufs + gain_db,
        "target_peak_db": target_peak_db + target_gain_db,
        "input_peak_db": peak_db + gain_db,
        "degradation": applied.to_dict(),
        "source_sha256": source_hash,
        **hashes,
    }


def _degraded(
    file: AudioFile, degradation: Degradation, factor: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The target, scaled by a factor, and the degraded track before its last gain, in pieces."""
    chain = DegradationChain(degradation, file.channels)
    for piece in _decoded(file):
        target = piece * factor
        yield target, chain(target.copy())


def _decoded(file: AudioFile) -> Iterator[np.ndarray]:
    """The file in float64 pieces (channel, time) at its own rate."""
    return (np.ascontiguousarray(piece.T) for piece in decode(file, "float64"))


def _measure(file: AudioFile, pieces: Iterator[np.ndarray]) -> tuple[float, float, float]:
    """Integrated loudness in LUFS, lowest and highest sample."""
    meter = LoudnessMeter(file.sample_rate, file.channels)
    lowest, highest = 0.0, 0.0
    for piece in pieces:
        meter.add(piece)
        lowest, highest = min(lowest, float(piece.min())), max(highest, float(piece.max()))
    return meter.integrated_lufs(), lowest, highest


def _write(
    task: DegradationTask, file: AudioFile, pieces: Iterator[tuple[np.ndarray, np.ndarray]]
) -> dict[str, str]:
    """Write both sides as 24-bit FLAC, each appearing whole; returns their hashes."""
    finals = pair_files(task.out, task.track.name)
    form = {"samplerate": file.sample_rate, "channels": file.channels, "subtype": "PCM_24", "format": "FLAC"}
    try:
        with Draft(finals[0]) as before, Draft(finals[1]) as after:
            with (
                soundfile.SoundFile(before, "w", **form) as first,
                soundfile.SoundFile(after, "w", **form) as second,
            ):
                for sides in pieces:
                    for side, out in zip(sides, (first, second), strict=True):
                        out.write(_quantised(side, file))
            return {f"{side}_sha256": _sha256(d) for side, d in zip(SIDES, (before, after), strict=True)}
    except soundfile.LibsndfileError as error:
        raise DataError(f"the pair '{task.track.name}' cannot be written to {task.out} ({error})") from error


def _quantised(audio: np.ndarray, file: AudioFile) -> np.ndarray:
    """Interleaved 24-bit samples in the upper bits of int32; nothing is clipped."""
    steps = np.rint(audio.T * _STEPS)
    if steps.size and not (steps.min() >= -_STEPS and steps.max() < _STEPS):
        raise DataError(f"{file.path}: a sample would clip; this is a fault of the program, please report it")
    return np.ascontiguousarray(steps.astype(np.int32) << 8)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
