"""How far equalisers, compression and the sample rate move content features and the prediction, on audio.

    python -m experiments.normality.invariance MUSIC OUT [--songs 24]

Songs are from the training packages. Features are in standard deviations between songs; the prediction's change is
the RMS over broad tone, less its mean.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.normality.posterior import random_errors
from experiments.normality.songs import load
from experiments.normality.train import training_songs
from neural_mastering.audio_io.block import blocks_of
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.metering.content import Content, ContentMeter
from neural_mastering.normality import load_normal_tone

Samples = NDArray[np.float64]
TAPS = 16_384


def content_of(audio: Samples, rate: int) -> Content | None:
    """Features of samples (channel, time)."""
    meter = ContentMeter(rate, len(audio))
    for block in blocks_of(audio):
        meter.push(block)
    return meter.finish()


def equalised(audio: Samples, rate: int, curve_db: Samples) -> Samples:
    """Through a linear-phase filter with the levels of a curve at the third octaves."""
    at_hz = np.fft.rfftfreq(TAPS, 1.0 / rate)
    level_db = np.interp(np.log(np.maximum(at_hz, 1.0)), np.log(CENTRES_HZ), curve_db)
    impulse = np.roll(np.fft.irfft(10.0 ** (level_db / 20.0), TAPS), TAPS // 2) * np.hanning(TAPS)
    wet = scipy.signal.fftconvolve(audio, impulse[None], axes=1)
    return np.ascontiguousarray(wet[:, TAPS // 2 : TAPS // 2 + audio.shape[1]])


def compressed(audio: Samples) -> Samples:
    """Ratio 2 above the median of a level smoothed over some 45 ms: about mild bus compression."""
    level = np.asarray(scipy.signal.lfilter([5e-4], [1.0, -(1.0 - 5e-4)], (audio**2).mean(axis=0))) + 1e-12
    threshold = np.median(level)
    return audio * np.where(level > threshold, (level / threshold) ** -0.25, 1.0)


def changed(
    audio: Samples, rate: int, small_db: Samples, large_db: Samples
) -> Iterator[tuple[str, tuple[Samples, int]]]:
    """Names of changes with what they make of a song, one after the other."""
    middle = audio.shape[1] // 2
    yield "equaliser, 1.9 dB RMS", (equalised(audio, rate, small_db), rate)
    yield "equaliser, 4 dB RMS", (equalised(audio, rate, large_db), rate)
    yield "level, −20 dB", (0.1 * audio, rate)
    yield "compression 2:1", (compressed(audio), rate)
    yield "48 kHz", (np.asarray(scipy.signal.resample_poly(audio, 48_000, rate, axis=1)), 48_000)
    yield "12 s from the middle", (audio[:, middle - 6 * rate : middle + 6 * rate], rate)


def main() -> None:
    """Print and write OUT/tables/invariance.csv."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--songs", type=int, default=24)
    arguments = parser.parse_args()
    songs = training_songs(load(arguments.music, arguments.out))
    scale = songs.features.std(axis=0) + 1e-3
    tone, rng = load_normal_tone(), np.random.default_rng(0)
    chosen = rng.permutation(len(songs))[: arguments.songs]
    errors = {size: random_errors(len(chosen), size, rng) for size in (1.9, 4.0)}
    moved: dict[str, list[tuple[float, float, float]]] = {}
    seconds = []
    for index, song in enumerate(chosen):
        with AudioReader(
            arguments.music / "flac" / songs.package[song] / f"{songs.name[song]}.flac"
        ) as reader:
            rate = reader.sample_rate
            audio = np.concatenate(list(reader.blocks()), axis=1)
        start = time.process_time()
        plain = content_of(audio, rate)
        seconds.append((time.process_time() - start) / (audio.shape[1] / rate) * 60.0)
        if plain is None:
            continue
        changes = changed(audio, rate, errors[1.9][index], errors[4.0][index])
        before = tone.predict(plain).mean[BROAD]
        for name, (other_audio, other_rate) in changes:
            other = content_of(other_audio, other_rate)
            if other is None:
                continue
            feature = np.abs(other.values - plain.values) / scale
            shift = tone.predict(other).mean[BROAD] - before
            moved.setdefault(name, []).append((feature.mean(), np.quantile(feature, 0.95), shift.std()))
    rows = []
    for name, values in moved.items():
        mean, most, shift = np.mean(values, axis=0)
        rows.append(
            {
                "change": name,
                "features_moved": round(float(mean), 4),
                "95 % of features below": round(float(most), 3),
                "prediction_moved_db": round(float(shift), 2),
            }
        )
        sys.stdout.write(f"{rows[-1]}\n")
    sys.stdout.write(f"CPU time: {np.median(seconds):.3f} s a minute of audio\n")
    write_rows(arguments.out / "tables" / "invariance.csv", rows)


if __name__ == "__main__":
    main()
