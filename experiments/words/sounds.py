"""Sounds of the study and what is measured on them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from neural_mastering.metering.meter import Meter
from neural_mastering.metering.profile import EMPTY_DB, Spectrum
from neural_mastering.words.shape import HEARD, Float64s

RATE = 44_100
Bools = NDArray[np.bool_]
Row = dict[str, str | float]


def chosen(folder: Path, count: int, seconds: float) -> Iterator[tuple[str, Float64s]]:
    """(name, (channel, time)) of one song in each of the groups, from its middle."""
    found = 0
    for group in sorted(path for path in folder.iterdir() if path.is_dir()):
        songs = sorted(f for f in group.iterdir() if f.suffix.lower() in (".flac", ".wav"))
        for song in songs:
            info = soundfile.info(song)
            if info.samplerate != RATE or info.duration < 2.0 * seconds or info.channels != 2:
                continue
            start = int(0.5 * (info.duration - seconds) * RATE)
            yield f"{group.name}/{song.stem}", samples_of(song, start, int(seconds * RATE))
            found += 1
            break
        if found == count:
            return


def samples_of(file: Path, start: int = 0, frames: int = -1) -> Float64s:
    """(channel, time)."""
    audio, _ = soundfile.read(file, frames=frames, start=start, dtype="float64", always_2d=True)
    return np.array(audio.T, dtype=np.float64, order="C")


def pink(seconds: float) -> Float64s:
    """Stereo noise with equal power in every octave."""
    rng = np.random.default_rng(0)
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal((2, count)))
    spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
    spectrum[:, 0] = 0.0
    audio = np.fft.irfft(spectrum, count)
    return 0.1 * audio / audio.std()


def spectrum_of(audio: Float64s) -> Float64s:
    """Mean power of each third octave."""
    meter = Spectrum(RATE, len(audio))
    meter.push(audio)
    return meter.finish()


def lufs_of(audio: Float64s) -> float:
    """Integrated loudness."""
    meter = Meter(RATE, len(audio), with_true_peak=False)
    meter.push(audio)
    return meter.finish().lufs


def audible_bands(powers: Float64s) -> Bools:
    """Third octaves from 50 Hz on that hold sound."""
    levels = 10.0 * np.log10(powers + 1e-15)
    return HEARD & (levels > np.sort(levels)[-3:].mean() + EMPTY_DB)


def projection(change_db: Float64s, shape: Float64s, used: Bools) -> float:
    """How much of a shape is in a change of the spectrum: 1 is strength 1; level left out."""
    a, b = change_db[used] - change_db[used].mean(), shape[used] - shape[used].mean()
    return float(a @ b / (b @ b))


def correlation(a: Float64s, b: Float64s, used: Bools) -> float:
    """Over the third octaves that hold sound."""
    return float(np.corrcoef(a[used], b[used])[0, 1])


def with_minus(text: str) -> str:
    """Numbers with a proper minus."""
    return text.replace("-", "−")
