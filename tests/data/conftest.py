"""Synthetic songs on disk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.data.audio_file import probe
from neural_mastering.data.cache import AudioCache
from neural_mastering.data.song import CachedSong

RATE = 8_000
SongWriter = Callable[..., None]


def song_noise(seconds: float, rate: int, channels: int, seed: int) -> np.ndarray:
    """Noise (time, channel) with a slow swell, so that no two crops are alike."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal((len(time), channels))
    return 0.1 * noise * (1.0 + 0.5 * np.sin(2 * np.pi * 0.3 * time))[:, None]


@pytest.fixture
def write_song(tmp_path: Path) -> SongWriter:
    """Write both sides of a song below `tmp_path`; the mastered side is twice the unmastered one."""

    def write(
        name: str,
        seconds: float = 4.0,
        rate: int = RATE,
        channels: int = 2,
        seed: int = 0,
        sides: tuple[str, ...] = ("unmastered", "mastered"),
        suffix: str = ".wav",
        audio: np.ndarray | None = None,
        subtype: str = "FLOAT",
    ) -> None:
        if audio is None:
            audio = song_noise(seconds, rate, channels, seed)
        for side in sides:
            (tmp_path / side).mkdir(exist_ok=True)
            path = tmp_path / side / f"{name}{suffix}"
            soundfile.write(path, audio * (2.0 if side == "mastered" else 1.0), rate, subtype=subtype)

    return write


@pytest.fixture
def make_song(tmp_path: Path) -> Callable[..., CachedSong]:
    """A cached song from two arrays (time, channel) at `RATE`."""

    def make(name: str, before: np.ndarray, after: np.ndarray | None = None) -> CachedSong:
        sides = []
        for side, audio in (("unmastered", before), ("mastered", 2.0 * before if after is None else after)):
            path = tmp_path / f"{name}.{side}.wav"
            soundfile.write(path, audio, RATE, subtype="FLOAT")
            sides.append(AudioCache(tmp_path / "cache", RATE).fetch(probe(path)))
        return CachedSong(name, name, *sides)

    return make
