"""Every file resampled once to the model's rate and kept on disk, so that training reads by seeking."""

import errno
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soxr

from neural_mastering.atomic import Draft
from neural_mastering.data.audio_file import AudioFile
from neural_mastering.data.cached_audio import BYTES_PER_SAMPLE, CachedAudio, block_frames
from neural_mastering.data.decoding import decode
from neural_mastering.data.errors import DataError
from neural_mastering.data.loudness_meter import LoudnessMeter

_FORMAT = 1


def default_cache_folder() -> Path:
    """`$XDG_CACHE_HOME/neural_mastering`, or `~/.cache/neural_mastering` where the variable is not set."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "neural_mastering"


class AudioCache:
    """Resampled copies, keyed by path, size and time of change of the source, and by the rate.

    soxr's very-high-quality resampler, chunk by chunk, so that memory does not grow with the file. An entry
    appears whole or not at all (written beside and renamed), so several processes may fill one cache. It
    takes 8 bytes per stereo sample: 1.3 GB per hour at 44.1 kHz. Old entries are never removed; the folder
    may be deleted at any time.

    Args:
        folder: where to keep the copies; `default_cache_folder()` by default.
        sample_rate: of the copies, in Hz.
    """

    def __init__(self, folder: str | Path | None = None, sample_rate: int = 44_100) -> None:
        self.folder = Path(folder).expanduser() if folder else default_cache_folder()
        self.sample_rate = sample_rate

    def fetch(self, file: AudioFile) -> CachedAudio:
        """The resampled copy of a file, made now if it is not there.

        Raises:
            DataError: the file is damaged or holds NaN or infinite samples, or the cache cannot be written.
        """
        stem = self.folder / self._key(file)
        samples, index = stem.with_suffix(".f32"), stem.with_suffix(".npz")
        found = self._load(samples, index)
        if found is not None:
            return found
        self._check_space(file)
        with self._writing(samples) as draft:
            energy, lufs = self._resample(file, draft)
            frames = draft.stat().st_size // (BYTES_PER_SAMPLE * file.channels)
        header = np.array([frames, file.channels, self.sample_rate], dtype=np.int64)
        with self._writing(index) as draft, draft.open("wb") as out:
            np.savez(out, header=header, energy=energy, lufs=np.float64(lufs))
        return CachedAudio(samples, frames, file.channels, self.sample_rate, energy, lufs)

    def _key(self, file: AudioFile) -> str:
        stat = file.path.stat()
        text = f"{_FORMAT}|{file.path}|{stat.st_size}|{stat.st_mtime_ns}|{self.sample_rate}"
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()

    def _load(self, samples: Path, index: Path) -> CachedAudio | None:
        """The entry, or None where it is missing or damaged."""
        try:
            with np.load(index) as stored:
                frames, channels, rate = (int(value) for value in stored["header"])
                energy, lufs = stored["energy"], float(stored["lufs"])
            size = samples.stat().st_size
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        if rate != self.sample_rate or size != frames * channels * BYTES_PER_SAMPLE:
            return None
        return CachedAudio(samples, frames, channels, rate, energy, lufs)

    def _resample(self, file: AudioFile, draft: Path) -> tuple[np.ndarray, float]:
        """Write the resampled file; return its block energies and its loudness in LUFS."""
        meter = LoudnessMeter(self.sample_rate, file.channels)
        block = block_frames(self.sample_rate)
        energies: list[np.ndarray] = []
        open_block = np.zeros((0, file.channels), dtype=np.float32)
        with draft.open("wb") as out:
            for chunk in _resampled(file, self.sample_rate):
                out.write(np.ascontiguousarray(chunk, dtype="<f4").data)
                meter.add(chunk.T)
                pending = np.concatenate([open_block, chunk])
                whole = len(pending) // block * block
                energies.append(_energy(pending[:whole].reshape(-1, block, file.channels)))
                open_block = pending[whole:]
        if len(open_block):
            energies.append(_energy(open_block[None]))
        return np.concatenate(energies), meter.integrated_lufs()

    def _check_space(self, file: AudioFile) -> None:
        needed = int(file.duration_s * self.sample_rate) * file.channels * BYTES_PER_SAMPLE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise DataError(
                f"the cache folder {self.folder} cannot be used ({error}): set cache_dir"
            ) from error
        if needed > free:
            raise _no_space(
                self.folder, f"{needed / 1e6:.0f} MB needed for {file.path.name}, {free / 1e6:.0f} MB free"
            )

    @contextmanager
    def _writing(self, final: Path) -> Iterator[Path]:
        """A draft that takes the place of `final` when the block ends well, and vanishes when it does not."""
        try:
            with Draft(final) as draft:
                yield draft
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _no_space(self.folder, str(error)) from error
            raise DataError(
                f"the cache folder {self.folder} cannot be written ({error}): set cache_dir"
            ) from error


def _no_space(folder: Path, detail: str) -> DataError:
    return DataError(f"no space for the cache in {folder} ({detail}): free some, or set cache_dir elsewhere")


def _energy(blocks: np.ndarray) -> np.ndarray:
    """Sum of squares over time, mean over channels, of (block, time, channel)."""
    return np.square(blocks, dtype=np.float64).sum(axis=1).mean(axis=-1).astype(np.float32)


def _resampled(file: AudioFile, sample_rate: int) -> Iterator[np.ndarray]:
    """The file in chunks (time, channel) of float32 at another rate."""
    if file.sample_rate == sample_rate:
        yield from decode(file, "float32")
        return
    stream = soxr.ResampleStream(file.sample_rate, sample_rate, file.channels, dtype="float32", quality="VHQ")
    for chunk in decode(file, "float32"):
        yield stream.resample_chunk(chunk)
    yield stream.resample_chunk(np.zeros((0, file.channels), dtype=np.float32), last=True)
