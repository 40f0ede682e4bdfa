"""Files whose headers are wrong about their length, or silent about it: every sample is read, and no more said."""

import io
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from neural_mastering.audio_io import mpeg_frames
from neural_mastering.audio_io.block import joined
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.data.audio_file import probe
from neural_mastering.data.decoding import decode

MP3_DELAY = 529
"""Samples that a layer III decoder is late by, and leaves out at the beginning."""


def mp3(rate: int, channels: int, mode: str, seconds: float = 1.5) -> bytes:
    rng = np.random.default_rng(rate + channels)
    audio = 0.1 * rng.standard_normal((round(seconds * rate), channels))
    audio *= (np.arange(len(audio)) > len(audio) / 3)[
        :, None
    ]  # quiet first: a guess by the bit rate is wrong
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", rate, channels, "MPEG_LAYER_III", format="MP3", bitrate_mode=mode
    ) as file:
        file.write(audio)
    return buffer.getvalue()


def bare(data: bytes, folder: Path) -> bytes:
    """Without its Xing frame, as encoders write to a pipe."""
    path = folder / "whole.mp3"
    path.write_bytes(data)
    found = mpeg_frames.scan(path)
    assert found is not None and len(found.info_places) == 1 and found.promised == found.count
    (place, size), *_ = found.info_places
    return data[found.start : place] + data[place + size :]


def decoded(path: Path) -> NDArray[np.float64]:
    with AudioReader(path) as reader:
        audio = joined(reader.blocks(), reader.channels)
        assert audio.shape[1] == reader.frames  # the length is known before
    return audio


@pytest.mark.parametrize("rate", [44_100, 48_000, 22_050, 11_025])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_an_mp3_without_a_count_of_its_frames(rate: int, channels: int, mode: str, tmp_path: Path) -> None:
    data = mp3(rate, channels, mode)
    whole, path = decoded_of(data, tmp_path / "a.mp3"), tmp_path / "bare.mp3"
    path.write_bytes(bare(data, tmp_path))
    frames = mpeg_frames.scan(path)
    assert frames is not None and frames.promised is None
    audio = decoded(path)
    samples = 1152 if rate >= 32_000 else 576
    assert audio.shape[1] == frames.count * samples - MP3_DELAY
    # the same music, but for what LAME's own frame says of delay and padding
    start = audio.shape[1] - whole.shape[1]
    assert start >= 0
    best = max(
        np.corrcoef(audio[0, k : k + whole.shape[1]], whole[0])[0, 1] for k in range(min(start + 1, 2400))
    )
    assert best > 0.999
    assert probe(path).frames == audio.shape[1] == sum(len(piece) for piece in decode(probe(path), "float32"))


def decoded_of(data: bytes, path: Path) -> NDArray[np.float64]:
    path.write_bytes(data)
    return decoded(path)


def test_an_mp3_that_says_the_right_count_is_read_as_ever(tmp_path: Path) -> None:
    data = mp3(44_100, 2, "VARIABLE")
    path = tmp_path / "a.mp3"
    expected = soundfile.read(io.BytesIO(data))[0].T
    assert np.array_equal(decoded_of(data, path), expected)


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125), b"ID3\x04\x00\x00\x00\x00\x00\x05hello"])
@pytest.mark.parametrize("first_is_bare", [False, True])
def test_two_mp3s_joined_end_to_end(between: bytes, first_is_bare: bool, tmp_path: Path) -> None:
    one, two = mp3(44_100, 2, "CONSTANT"), mp3(44_100, 2, "VARIABLE", 1.0)
    path = tmp_path / "joined.mp3"
    path.write_bytes((bare(one, tmp_path) if first_is_bare else one) + between + two)
    counts = []
    for data in (one, two):
        (tmp_path / "one.mp3").write_bytes(data)
        frames = mpeg_frames.scan(tmp_path / "one.mp3")
        assert frames is not None
        counts.append(frames.count)
    assert decoded(path).shape[1] == sum(counts) * 1152 - MP3_DELAY


def test_an_mp3_that_was_cut_off_is_said(
    nm_master: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    data = mp3(44_100, 2, "CONSTANT", 4.0)
    (tmp_path / "cut.mp3").write_bytes(data[: len(data) // 2])
    code, _, err = nm_master(tmp_path / "cut.mp3", "-o", tmp_path / "out.wav")
    assert code == 0 and "its header promises" in err


def without_length(data: bytes) -> bytes:
    """A FLAC file as from a pipe: the 36 bits of the length are 0."""
    packed = int.from_bytes(data[18:26], "big") >> 36 << 36
    return data[:18] + packed.to_bytes(8, "big") + data[26:]


@pytest.mark.parametrize("frames", [1, 4095, 4096, 4097, 100_000])
@pytest.mark.parametrize(("channels", "subtype"), [(1, "PCM_16"), (2, "PCM_24"), (2, "PCM_S8")])
@pytest.mark.parametrize("rate", [44_100, 96_000, 37_800])
def test_a_flac_file_without_a_length(
    frames: int, channels: int, subtype: str, rate: int, tmp_path: Path
) -> None:
    audio = 0.2 * np.random.default_rng(frames).standard_normal((frames, channels))
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate, format="FLAC", subtype=subtype)
    expected = soundfile.read(io.BytesIO(buffer.getvalue()), always_2d=True)[0].T
    for ending in (b"", b"TAG" + bytes(125)):
        path = tmp_path / "a.flac"
        path.write_bytes(without_length(buffer.getvalue()) + ending)
        assert np.array_equal(decoded(path), expected)
        assert probe(path).frames == frames
        assert np.array_equal(np.concatenate(list(decode(probe(path), "float64"))).T, expected)


def test_a_flac_file_without_a_length_that_was_cut_off(tmp_path: Path) -> None:
    audio = 0.2 * np.random.default_rng(0).standard_normal((60_000, 2))
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, 44_100, format="FLAC", subtype="PCM_16")
    expected = soundfile.read(io.BytesIO(buffer.getvalue()), always_2d=True)[0].T
    data = without_length(buffer.getvalue())
    path = tmp_path / "a.flac"
    path.write_bytes(data[: len(data) * 2 // 3])
    audio = decoded(path)
    assert 0.5 * 60_000 < audio.shape[1] < 0.7 * 60_000 and audio.shape[1] % 4096 == 0  # libFLAC's blocks
    assert np.array_equal(audio, expected[:, : audio.shape[1]])


def test_a_wav_file_of_unknown_length(song: Path, tmp_path: Path) -> None:
    """Recorders write 0xFFFFFFFF, or nothing, until they are stopped."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    data = song.read_bytes()
    expected = soundfile.read(song)[0].T
    place = data.index(b"data") + 4
    for size in (0, 0xFFFFFFFF):
        path = tmp_path / f"{size}.wav"
        path.write_bytes(data[:place] + struct.pack("<I", size) + data[place + 4 :])
        assert np.allclose(decoded(path), expected, atol=1e-7)
