"""Pairs with planted faults whose truth is known."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr

from experiments.common.middle import read_middle
from experiments.common.song_folders import songs_below
from experiments.pair_audit.cases import Case
from experiments.pair_audit.mastering import master

MARGIN_S = 2.2
QUIETER_DB = -10.0


def find_songs(folder: Path) -> list[Path]:
    """Songs, shuffled so that neighbours are not of one album."""
    paths = songs_below(folder)
    return [paths[i] for i in np.random.default_rng(0).permutation(len(paths))]


def plant(case: Case, songs: list[Path], folder: Path, length_s: float = 30.0) -> None:
    """Write the two files of one case; leaves those that are there already."""
    one, two = (folder / side / f"{case.name}.flac" for side in ("unmastered", "mastered"))
    done = folder / f".{case.name}.done"
    if done.exists():
        return
    audio, rate = _source(case, songs, length_s)
    margin = round(MARGIN_S * rate)
    shift = -round(0.3 * rate) if case.fault == "same song twice" else 0
    audio = audio * 10 ** (QUIETER_DB / 20)
    wet = audio * 2 if case.fault in ("identical", "gain only") else 0.93 * master(audio, rate, case.seed)
    frames = len(audio) - 2 * margin
    x = audio[margin + shift : margin + shift + frames]
    y = delayed(wet, case, margin + shift, frames)
    y = y[:, ::-1] * case.polarity if case.swapped and y.shape[1] == 2 else y * case.polarity
    x, y, rate_y = _with_fault(case, x, y, rate, songs, length_s)
    y = y * min(1.0, 0.98 / max(float(np.abs(y).max()), 1e-9))  # a shift by a fraction raises peaks
    _write(one, x, rate)
    if case.fault != "missing side":
        _write(two, y, rate_y)
    if case.fault == "damaged file":
        two.write_bytes(two.read_bytes()[: two.stat().st_size // 2])
    done.touch()


def delayed(wet: np.ndarray, case: Case, margin: int, frames: int) -> np.ndarray:
    """`frames` samples of a longer signal, late by the case's delay at the start, with its drift."""
    whole = math.floor(case.delay_samples)
    rest = case.delay_samples - whole
    if case.drift_ppm:
        ratio = 1.0 + case.drift_ppm * 1e-6
        first = margin * ratio - case.delay_samples
        stretched = soxr.resample(wet, 1e6, 1e6 * ratio, "VHQ")
        return _fraction(stretched, math.ceil(first) - first)[math.ceil(first) :][:frames]
    moved = _fraction(wet, rest)
    if not case.filled:
        return moved[margin - whole : margin - whole + frames]
    inside = moved[margin : margin + frames]
    gap = np.zeros((min(abs(whole), frames), wet.shape[1]))
    return np.concatenate([gap, inside])[:frames] if whole >= 0 else np.concatenate([inside[-whole:], gap])


def _fraction(audio: np.ndarray, late_samples: float) -> np.ndarray:
    """Late by a fraction of a sample: a linear phase in the spectrum of the whole."""
    if late_samples == 0.0:
        return audio
    padded = np.pad(audio, ((4096, 4096), (0, 0)))
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(padded)) * late_samples)
    return np.fft.irfft(np.fft.rfft(padded, axis=0) * turn[:, None], len(padded), axis=0)[4096:-4096]


def _with_fault(
    case: Case, x: np.ndarray, y: np.ndarray, rate: int, songs: list[Path], length_s: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Faults other than time, polarity and order of channels."""
    half = len(y) // 2
    loud = 4.0 * x / np.abs(x).max()
    faults: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
        "one channel inverted": lambda: (x, y * (np.array([1, -1]) if case.seed % 2 else np.array([-1, 1]))),
        "identical": lambda: (x, x),
        "clipped": lambda: (np.clip(loud, -0.99, 0.99), y),
        "silent master": lambda: (x, 0.0 * y),
        "silent source": lambda: (0.0 * x, y),
        "DC": lambda: (x + 0.02, y) if case.seed % 2 else (x, 0.9 * y - 0.05),
        "truncated": lambda: (x, y[: round(0.7 * len(y))]),
        "piece missing inside": lambda: (x, np.concatenate([y[:half], y[half + round(0.4 * rate) :]])),
    }
    if case.fault == "other song":
        other, rate = _source(Case("", "", song=case.song + 37), songs, length_s)
        return x, 0.93 * master(other * 10 ** (QUIETER_DB / 20), rate, case.seed)[: len(x)], rate
    if case.fault == "48 kHz master":
        other_rate = 48_000 if rate != 48_000 else 44_100
        return x, 0.9 * soxr.resample(y, rate, other_rate, "VHQ"), other_rate
    x, y = faults.get(case.fault, lambda: (x, y))()
    return x, y, rate


def _write(path: Path, audio: np.ndarray, rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if "NaN" in path.stem:
        audio = audio.copy()
        audio[len(audio) // 3] = np.nan
        soundfile.write(path.with_suffix(".wav"), audio, rate, subtype="FLOAT")
        return
    if (peak := np.abs(audio).max()) >= 1.0:
        raise ValueError(f"{path.name} would clip ({peak:.3f})")
    soundfile.write(path, audio, rate, subtype="PCM_24")


def _source(case: Case, songs: list[Path], length_s: float) -> tuple[np.ndarray, int]:
    """An excerpt with margins, float64 (time, channel) in stereo."""
    if case.song < 0:
        return loop(case.seed, length_s + 2 * MARGIN_S), 44_100
    path = songs[case.song % len(songs)]
    piece, rate = read_middle(path, length_s + 2 * MARGIN_S)
    return (np.repeat(piece, 2, axis=1) if piece.shape[1] == 1 else piece), rate


def loop(seed: int, length_s: float) -> np.ndarray:
    """A bar of drums and bass at 120 bpm, repeated to the sample: every beat looks like every other."""
    rate, rng = 44_100, np.random.default_rng(seed)
    time = np.arange(rate // 2) / rate
    kick = np.sin(2 * np.pi * (50 * time + 12 * (1 - np.exp(-30 * time)))) * np.exp(-8 * time)
    hat = rng.standard_normal(time.size) * np.exp(-60 * ((time - 0.25) % 0.5))
    bass = np.sign(np.sin(2 * np.pi * 110 * time)) * 0.3
    beat = np.stack([kick + 0.2 * hat + bass, kick - 0.15 * hat + 0.8 * bass], axis=1)
    repeats = math.ceil(length_s * rate / len(beat))
    return 0.3 * np.tile(beat, (repeats, 1))[: round(length_s * rate)]
