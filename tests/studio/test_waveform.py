"""The waveform pyramid, loudness lines and the cache of samples, against the samples themselves."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from neural_mastering.audio_io.block import blocks_of
from neural_mastering.dsp import loudness
from neural_mastering.errors import InputError
from neural_mastering.metering.meter import Meter
from neural_mastering.studio.loudness_lines import loudness_over_time
from neural_mastering.studio.pcm import MOST_FRAMES, PcmCache, keep_blocks
from neural_mastering.studio.waveform import pyramid


def parsed(data: bytes) -> tuple[int, list[tuple[int, NDArray[np.int8]]]]:
    """Channels and levels (samples_per_bin, (bin, channel, 2)), as a page reads them."""
    magic, version, channels, count = struct.unpack_from("<4sIII", data)
    assert (magic, version) == (b"NMWF", 1)
    at, levels = 16, []
    for _ in range(count):
        size, bins = struct.unpack_from("<II", data, at)
        rows = np.frombuffer(data, np.int8, bins * channels * 2, at + 8).reshape(bins, channels, 2)
        levels.append((size, rows))
        at += 8 + rows.size
    assert at == len(data)
    return channels, levels


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [1, 256, 257, 300_001, 1_200_000])
@pytest.mark.parametrize("block", [100, 1 << 16])
def test_every_level_holds_the_extremes_of_its_bins(channels: int, frames: int, block: int) -> None:
    if frames > 300_000 and block == 100:
        frames = 90_003
    audio = np.clip(0.6 * np.random.default_rng(1).standard_normal((channels, frames)), -1.2, 1.2)
    found, levels = parsed(pyramid(blocks_of(audio, block), channels))
    assert found == channels
    assert [size for size, _ in levels] == [256 * 4**i for i in range(len(levels))]
    assert len(levels[-1][1]) <= 1024 and all(len(rows) > 1024 for _, rows in levels[:-1])
    for size, rows in levels:
        assert len(rows) == -(-frames // size)
        for place in {0, len(rows) // 2, len(rows) - 1}:
            part = np.clip(audio[:, place * size : (place + 1) * size], -1.0, 1.0)
            low, high = rows[place, :, 0] / 127.0, rows[place, :, 1] / 127.0
            assert (low <= part.min(axis=1)).all() and (low > part.min(axis=1) - 1 / 127).all()
            assert (high >= part.max(axis=1)).all() and (high < part.max(axis=1) + 1 / 127).all()


def test_loudness_lines_are_those_of_bs_1770() -> None:
    import torch

    rate = 44_100
    time = np.arange(8 * rate) / rate
    audio = np.where(time < 4.0, 0.1, 0.4) * np.sin(2 * np.pi * 997 * time)
    audio[6 * rate :] = 0.0
    stereo = np.stack([audio, audio])
    meter = Meter(rate, 2)
    for block in blocks_of(stereo):
        meter.push(block)
    lines = loudness_over_time(meter.finish())
    whole = torch.from_numpy(stereo)[None]
    for line, window_s, from_s in (("short_term", 3.0, 3.0), ("momentary", 0.4, 0.4)):
        points = lines[line]
        assert lines[f"{line}_s"] == from_s  # type: ignore[literal-required]
        for end_s in (3.0, 3.9, 5.5):
            part = whole[..., round((end_s - window_s) * rate) : round(end_s * rate)]
            # −0.691 + 10·log10 of the K-weighted mean square: of a steady tone the integrated loudness
            if end_s == 3.9:
                expected = float(loudness.integrated_loudness(part, rate))
                assert points[round((end_s - from_s) / lines["hop_s"])] == pytest.approx(expected, abs=0.1)
    assert lines["momentary"][-1] is None and lines["short_term"][-1] is not None
    assert len(lines["momentary"]) == 77 and len(lines["short_term"]) == 51


def test_any_range_of_the_cache_is_the_song(tmp_path: Path) -> None:
    audio = (0.3 * np.random.default_rng(2).standard_normal((2, 200_000))).astype(np.float32)
    path = tmp_path / "song.wav"
    passed = np.concatenate(list(keep_blocks(blocks_of(audio), path, 48_000, 2, 200_000)), axis=1)
    np.testing.assert_array_equal(passed, audio)
    cache = PcmCache(path)
    assert (cache.sample_rate, cache.channels, cache.frames) == (48_000, 2, 200_000)
    for start, frames in ((0, 1), (65_530, 20), (199_990, 100), (200_000, 5), (1, 150_000)):
        expected = audio[:, start : start + frames].T
        np.testing.assert_array_equal(cache.read(start, frames), expected)
        assert cache.read_bytes(start, frames) == np.ascontiguousarray(expected, "<f4").tobytes()
    streamed = np.concatenate(list(cache.blocks(70_000, 140_001)), axis=1)
    np.testing.assert_array_equal(streamed, audio[:, 70_000:140_001])
    assert soundfile.info(str(path)).subtype == "FLOAT"  # a browser plays it, too


@pytest.mark.parametrize(
    ("start", "frames"), [(-1, 10), (101, 10), (0, 0), (0, MOST_FRAMES + 1)], ids=lambda v: str(v)
)
def test_ranges_outside_the_song_are_refused(tmp_path: Path, start: int, frames: int) -> None:
    for _ in keep_blocks(blocks_of(np.zeros((1, 100))), tmp_path / "a.wav", 44_100, 1):
        pass
    with pytest.raises(InputError, match="expected"):
        PcmCache(tmp_path / "a.wav").read(start, frames)


def test_a_song_that_breaks_off_leaves_no_cache(tmp_path: Path) -> None:
    stream = keep_blocks(blocks_of(np.zeros((1, 200_000))), tmp_path / "a.wav", 44_100, 1)
    next(stream)
    stream.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="add the song again"):
        PcmCache(tmp_path / "a.wav")
