"""What is known of the files of a library: so that a start opens none of them again.

Beside the cached audio lie, for each data folder and rate, `library_KEY.npz` (a row of numbers a file) and one
file with the block energies of all. A row holds as long as the file has the size and time of change that it
had, and its cached copy the right size; only other files are read.
"""

import hashlib
import json
import os
import uuid
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from neural_mastering.atomic import Draft
from neural_mastering.data.audio_file import AudioFile, probe
from neural_mastering.data.cache import AudioCache
from neural_mastering.data.cached_audio import BYTES_PER_SAMPLE, CachedAudio
from neural_mastering.data.errors import DataError
from neural_mastering.data.song_table import CachedFiles, EnergyFile

_FORMAT = 1
_COLUMNS = ("size", "mtime_ns", "frames", "rate", "channels", "cached_frames", "first", "blocks")
_SIZE, _MTIME, _FRAMES, _RATE, _CHANNELS, _CACHED, _FIRST, _BLOCKS = range(len(_COLUMNS))


class LibraryIndex:
    """The index of one data folder at one rate.

    Args:
        root: the data folder.
        cache: where the copies and the index are.
    """

    def __init__(self, root: Path, cache: AudioCache) -> None:
        self._cache, self._folder = cache, str(cache.folder)
        text = f"{_FORMAT}|{root.expanduser().resolve()}|{cache.sample_rate}"
        key = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        self._path = cache.folder / f"library_{key}.npz"
        self._rows: dict[str, int] = {}
        self._given: dict[str, str] = {}
        self._checked: dict[str, int | None] = {}
        self._targets: list[str] = []
        self._stems: list[str] = []
        self._numbers = np.zeros((0, len(_COLUMNS)), dtype=np.int64)
        self._lufs = np.zeros(0)
        self._energies: EnergyFile | None = None
        self._load()

    def probe(self, path: Path) -> AudioFile:
        """What the header of a file says, from the index where the file has not changed.

        Raises:
            DataError: as in `audio_file.probe`.
        """
        given = str(path)
        row = self._valid_row(given)
        if row is None:
            file = probe(path)
        else:
            target, numbers = self._targets[row], self._numbers[row].tolist()
            resolved = path if target == given else Path(target)
            file = AudioFile(resolved, numbers[_FRAMES], numbers[_RATE], numbers[_CHANNELS])
        self._given[str(file.path)] = given
        return file

    def cached(self, files: Sequence[AudioFile]) -> CachedFiles:
        """The cache entries of files, made where they are missing; the index is written if it changed.

        Args:
            files: what `probe` answered.

        Raises:
            DataError: as in `AudioCache.fetch`.
        """
        paths = [self._given.get(str(file.path), str(file.path)) for file in files]
        rows = [self._valid_row(path) for path in paths]
        if self._energies is not None and None not in rows and len(set(rows)) == len(self._rows):
            return self._entries([row for row in rows if row is not None], self._energies)
        return self._rewrite(paths, files, rows)

    def _valid_row(self, path: str) -> int | None:
        if path not in self._checked:
            self._checked[path] = self._check(path)
        return self._checked[path]

    def _check(self, path: str) -> int | None:
        row = self._rows.get(path)
        if row is None:
            return None
        try:
            source = os.stat(path)  # noqa: PTH116 - ten thousand files: Path takes twice as long
            cached = os.stat(f"{self._folder}/{self._stems[row]}.f32")  # noqa: PTH116
        except OSError:
            return None
        numbers = self._numbers[row].tolist()
        size = numbers[_CACHED] * numbers[_CHANNELS] * BYTES_PER_SAMPLE
        same = source.st_size == numbers[_SIZE] and source.st_mtime_ns == numbers[_MTIME]
        return row if same and cached.st_size == size else None

    def _entries(self, rows: Sequence[int], energies: EnergyFile) -> CachedFiles:
        numbers = self._numbers[rows][:, [_CACHED, _CHANNELS, _FIRST, _BLOCKS]]
        stems = [self._stems[row] for row in rows]
        return CachedFiles(
            self._cache.folder, self._cache.sample_rate, stems, numbers, self._lufs[rows], energies
        )

    def _rewrite(
        self, paths: Sequence[str], files: Sequence[AudioFile], rows: Sequence[int | None]
    ) -> CachedFiles:
        """Fetch what is missing, one file's energies in memory at a time, and write the index anew."""
        old = self._energies
        numbers = np.zeros((len(paths), len(_COLUMNS)), dtype=np.int64)
        lufs, stems, first = np.zeros(len(paths)), [], 0
        missing = [file for file, row in zip(files, rows, strict=True) if row is None]
        energies = EnergyFile(self._path.with_name(f"{self._path.stem}_{uuid.uuid4().hex[:12]}.energy"))
        # Decoding and resampling run outside the interpreter's lock.
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            fetched = pool.map(self._cache.fetch, missing)
            try:
                self._cache.folder.mkdir(parents=True, exist_ok=True)
                with energies.path.open("wb") as out:
                    for place, (path, file, row) in enumerate(zip(paths, files, rows, strict=True)):
                        if row is None:
                            audio: CachedAudio = next(fetched)
                            stat = os.stat(path)  # noqa: PTH116
                            blocks, lufs[place] = audio.block_energy, audio.lufs
                            stems.append(audio.path.stem)
                            values = (stat.st_size, stat.st_mtime_ns, file.frames, file.sample_rate)
                            numbers[place, :_FIRST] = (*values, file.channels, audio.frames)
                        else:
                            assert old is not None
                            begin, count = self._numbers[row, [_FIRST, _BLOCKS]].tolist()
                            blocks, lufs[place] = old.array[begin : begin + count], self._lufs[row]
                            stems.append(self._stems[row])
                            numbers[place] = self._numbers[row]
                        numbers[place, [_FIRST, _BLOCKS]] = (first, len(blocks))
                        first += len(blocks)
                        out.write(np.ascontiguousarray(blocks, dtype="<f4").data)
                self._numbers, self._lufs, self._stems = numbers, lufs, stems
                self._targets = [str(file.path) for file in files]
                self._rows = {path: place for place, path in enumerate(paths)}
                self._checked = {}
                self._energies = energies
                self._save(list(paths))
            except BaseException as error:
                energies.path.unlink(missing_ok=True)
                if not isinstance(error, OSError):
                    raise
                raise DataError(
                    f"the cache folder {self._cache.folder} cannot be written ({error}): set cache_dir"
                ) from error
        if old is not None:
            old.path.unlink(missing_ok=True)  # who has it mapped keeps it
        return self._entries(range(len(paths)), energies)

    def _save(self, paths: list[str]) -> None:
        assert self._energies is not None
        strings = json.dumps(
            {
                "paths": paths,
                "targets": self._targets,
                "stems": self._stems,
                "energy": self._energies.path.name,
            }
        )
        with Draft(self._path) as draft, draft.open("wb") as out:
            np.savez(
                out,
                strings=np.frombuffer(strings.encode(), dtype=np.uint8),
                numbers=self._numbers,
                lufs=self._lufs,
            )

    def _load(self) -> None:
        """Read the stored index; one that is missing or damaged is empty."""
        try:
            with np.load(self._path) as stored:
                strings = json.loads(stored["strings"].tobytes())
                numbers, lufs = stored["numbers"], stored["lufs"]
            energies = EnergyFile(self._path.with_name(strings["energy"]))
            blocks = int(numbers[:, _BLOCKS].sum())
            whole = energies.path.stat().st_size == blocks * BYTES_PER_SAMPLE
            energies.array  # noqa: B018 - mapped now: another process may replace the file
            if not whole or not len(numbers) == len(lufs) == len(strings["paths"]) == len(strings["stems"]):
                return
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return
        self._numbers, self._lufs, self._energies = numbers, lufs, energies
        self._targets, self._stems = strings["targets"], strings["stems"]
        self._rows = {path: row for row, path in enumerate(strings["paths"])}
