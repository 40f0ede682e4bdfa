"""The cache of resampled files."""

import errno
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from neural_mastering.data import cache as cache_module
from neural_mastering.data.audio_file import AudioFile, probe
from neural_mastering.data.cache import AudioCache
from neural_mastering.data.cached_audio import CachedAudio
from neural_mastering.data.errors import DataError


def wav(folder: Path, audio: np.ndarray, rate: int, name: str = "a.wav") -> AudioFile:
    soundfile.write(folder / name, audio, rate, subtype="FLOAT")
    return probe(folder / name)


def noise(frames: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return (0.2 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def test_same_rate_is_bit_exact_at_any_place(tmp_path: Path) -> None:
    audio = noise(200_001)
    cached = AudioCache(tmp_path / "cache", 44_100).fetch(wav(tmp_path, audio, 44_100))
    assert (cached.frames, cached.channels) == (200_001, 2)
    for start, frames in ((0, 200_001), (77_777, 4_321), (200_000, 1)):
        np.testing.assert_array_equal(cached.read(start, frames), audio[start : start + frames].T)
    with pytest.raises(DataError, match="lie outside"):
        cached.read(200_000, 2)
    cached.read(0, 10)[:] = 7.0  # a copy: what is read may be changed
    assert cached.read(0, 1)[0, 0] == audio[0, 0]


def test_a_cache_removed_under_way_is_named(tmp_path: Path) -> None:
    cached = AudioCache(tmp_path / "cache", 44_100).fetch(wav(tmp_path, noise(20_000), 44_100))
    cached.path.write_bytes(cached.path.read_bytes()[:800])
    cached.read(0, 100)
    with pytest.raises(DataError, match="removed or cut short"):
        cached.read(0, 101)
    cached.path.unlink()
    with pytest.raises(DataError, match="removed or cut short"):
        cached.read(0, 100)


@pytest.mark.parametrize("rates", [(48_000, 44_100), (44_100, 48_000), (96_000, 44_100), (22_050, 44_100)])
def test_streaming_equals_soxr_in_one_go(tmp_path: Path, rates: tuple[int, int]) -> None:
    audio = noise(180_000)  # three chunks
    cached = AudioCache(tmp_path / "cache", rates[1]).fetch(wav(tmp_path, audio, rates[0]))
    expected = soxr.resample(audio, *rates, quality="VHQ").T
    assert cached.frames == expected.shape[1] == pytest.approx(180_000 * rates[1] / rates[0], abs=1)
    np.testing.assert_allclose(cached.read(0, cached.frames), expected, atol=2e-6)


def test_a_sine_keeps_its_phase_and_level(tmp_path: Path) -> None:
    before, after = (np.sin(2 * np.pi * 997.0 * np.arange(rate) / rate) for rate in (48_000, 44_100))
    file = wav(tmp_path, (0.5 * before[:, None]).astype(np.float32), 48_000)
    cached = AudioCache(tmp_path / "cache", 44_100).fetch(file)
    middle = slice(4_000, 40_000)
    np.testing.assert_allclose(cached.read(0, 44_100)[0, middle], 0.5 * after[middle], atol=1e-6)


def test_energy_index(tmp_path: Path) -> None:
    audio = noise(10_050)  # 12 blocks of 800 and one of 450
    cached = AudioCache(tmp_path / "cache", 8_000).fetch(wav(tmp_path, audio, 8_000))
    power = np.square(audio.astype(np.float64)).mean(axis=1)
    expected = [power[start : start + 800].sum() for start in range(0, 10_050, 800)]
    np.testing.assert_allclose(cached.block_energy, expected, rtol=1e-6)


def test_second_fetch_reads_the_index_and_not_the_source(tmp_path: Path, monkeypatch) -> None:
    file = wav(tmp_path, noise(20_000), 44_100)
    first = AudioCache(tmp_path / "cache", 44_100).fetch(file)
    monkeypatch.setattr(cache_module, "decode", lambda *_: pytest.fail("decoded again"))
    second = AudioCache(tmp_path / "cache", 44_100).fetch(file)
    assert second.path == first.path
    np.testing.assert_array_equal(second.block_energy, first.block_energy)


def test_changed_source_and_damaged_entries_are_made_anew(tmp_path: Path) -> None:
    cache = AudioCache(tmp_path / "cache", 44_100)
    first = cache.fetch(wav(tmp_path, noise(20_000), 44_100))
    file = wav(tmp_path, noise(20_000, seed=1), 44_100)
    os.utime(file.path, ns=(1, 1))
    second = cache.fetch(file)
    assert second.path != first.path
    np.testing.assert_array_equal(second.read(0, 20_000), noise(20_000, seed=1).T)
    second.path.write_bytes(second.path.read_bytes()[:100])
    np.testing.assert_array_equal(cache.fetch(file).read(0, 20_000), noise(20_000, seed=1).T)
    second.path.with_suffix(".npz").write_bytes(b"PK junk")
    np.testing.assert_array_equal(cache.fetch(file).read(0, 20_000), noise(20_000, seed=1).T)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_is_named_with_its_time(tmp_path: Path, value: float) -> None:
    audio = noise(200_000)
    audio[88_200, 1] = value
    with pytest.raises(DataError, match=r"a\.wav holds NaN or infinite samples at 2\.000 s"):
        AudioCache(tmp_path / "cache", 44_100).fetch(wav(tmp_path, audio, 44_100))
    assert not list((tmp_path / "cache").iterdir())


def test_truncated_flac(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", noise(200_000), 44_100, subtype="PCM_16")
    data = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"a\.flac is damaged"):
        AudioCache(tmp_path / "cache", 44_100).fetch(probe(tmp_path / "a.flac"))
    assert not list((tmp_path / "cache").iterdir())


def test_file_that_is_shorter_than_its_header_said(tmp_path: Path) -> None:
    file = wav(tmp_path, noise(20_000), 44_100)
    wav(tmp_path, noise(15_000), 44_100)
    with pytest.raises(DataError, match="header promises 20000 samples, 15000 could be read"):
        AudioCache(tmp_path / "cache", 44_100).fetch(file)
    assert not list((tmp_path / "cache").iterdir())


def test_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch) -> None:
    file = wav(tmp_path, noise(200_000), 44_100)
    cache = AudioCache(tmp_path / "cache", 44_100)
    real, written = cache_module.decode, []

    def fails_after_a_chunk(source: AudioFile, dtype):
        for chunk in real(source, dtype):
            if written:
                raise OSError(errno.ENOSPC, "No space left on device")
            written.append(chunk)
            yield chunk

    monkeypatch.setattr(cache_module, "decode", fails_after_a_chunk)
    with pytest.raises(DataError, match=r"no space for the cache .*set cache_dir elsewhere"):
        cache.fetch(file)
    assert written and not list((tmp_path / "cache").iterdir())
    monkeypatch.setattr(cache_module, "decode", real)
    assert cache.fetch(file).frames == 200_000


def test_too_small_a_disk_is_noticed_before_writing(tmp_path: Path, monkeypatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match=r"2 MB needed for a\.wav, 1 MB free"):
        AudioCache(tmp_path / "cache", 44_100).fetch(wav(tmp_path, noise(200_000), 44_100))


def test_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch) -> None:
    def interrupted(_: AudioFile, dtype):
        yield noise(1_000)
        raise KeyboardInterrupt

    monkeypatch.setattr(cache_module, "decode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        AudioCache(tmp_path / "cache", 44_100).fetch(wav(tmp_path, noise(20_000), 44_100))
    assert not list((tmp_path / "cache").iterdir())


def test_cache_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"cannot be used .*: set cache_dir"):
        AudioCache(tmp_path / "file" / "cache", 44_100).fetch(wav(tmp_path, noise(2_000), 44_100))


def fetch_in_process(folder: Path) -> CachedAudio:
    return AudioCache(folder / "cache", 48_000).fetch(probe(folder / "a.wav"))


def test_several_processes_fill_one_cache(tmp_path: Path) -> None:
    wav(tmp_path, noise(300_000), 44_100)
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        entries = list(pool.map(fetch_in_process, [tmp_path] * 4))
    audio = [entry.read(0, entry.frames) for entry in entries]
    for other in audio[1:]:
        np.testing.assert_array_equal(other, audio[0])
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".f32", ".npz"]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    largest = 0
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 48_000, 2, subtype="PCM_16") as out:
        for index in range(20):
            out.write(noise(48_000, seed=index))
    for chunk in cache_module._resampled(probe(tmp_path / "a.wav"), 44_100):
        largest = max(largest, len(chunk))
    assert largest <= 70_000  # of 882,000
