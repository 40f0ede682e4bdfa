"""ReplayGain, R128 gain and the bext chunk, by the numbers of their standards."""

import math
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.audio_io.bext import bext_chunk
from neural_mastering.audio_io.gain_tags import gain_tags
from neural_mastering.audio_io.riff_chunks import RiffChunk, append_chunks
from neural_mastering.errors import InputError

READINGS = {
    "lufs": -14.02,
    "lra": 6.125,
    "true_peak_db": -1.004,
    "momentary_max_lufs": -9.876,
    "short_term_max_lufs": -11.5,
}
SILENT = dict.fromkeys(READINGS, -math.inf) | {"lra": 0.0}


def test_replay_gain_2() -> None:
    assert gain_tags({"lufs": -14.02, "true_peak_db": 20 * math.log10(0.5)}, "FLAC") == {
        "REPLAYGAIN_TRACK_GAIN": "-3.98 dB",
        "REPLAYGAIN_TRACK_PEAK": "0.500000",
        "REPLAYGAIN_REFERENCE_LOUDNESS": "-18.00 LUFS",
    }


def test_opus_has_r128_gain_in_256ths_of_a_decibel() -> None:
    assert gain_tags(READINGS, "OPUS") == {"R128_TRACK_GAIN": str(round(-8.98 * 256))}


@pytest.mark.parametrize("container", ["WAV", "OPUS"])
def test_silence_has_no_gain(container: str) -> None:
    assert gain_tags(SILENT, container) == {}


def fields(chunk: bytes) -> tuple[int, ...]:
    """Version, and the loudness fields at their offsets in EBU Tech 3285 v2, table 1."""
    return struct.unpack_from("<H", chunk, 346) + struct.unpack_from("<5h", chunk, 412)


def test_the_chunk_is_laid_out_after_tech_3285() -> None:
    chunk = bext_chunk(READINGS)
    assert len(chunk) == 602
    assert chunk[256:288].rstrip(b"\0") == b"neural_mastering"
    assert fields(chunk) == (2, -1402, 613, -100, -988, -1150)
    assert fields(bext_chunk(SILENT)) == (2, 0x7FFF, 0, 0x7FFF, 0x7FFF, 0x7FFF)


@pytest.mark.parametrize("frames", [1000, 1001])
def test_the_chunk_is_found_and_the_samples_stay(frames: int, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, (frames, 1)).astype(np.int16)
    soundfile.write(path, samples, 8_000, subtype="PCM_16")
    append_chunks(path, [RiffChunk(b"bext", bext_chunk(READINGS))])
    data = path.read_bytes()
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    chunks, place = {}, 12
    while place < len(data):
        size = struct.unpack_from("<I", data, place + 4)[0]
        chunks[data[place : place + 4]] = data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
    assert place == len(data) and fields(chunks[b"bext"])[1] == -1402
    assert np.array_equal(soundfile.read(path, dtype="int16", always_2d=True)[0], samples)


def test_another_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.zeros(100), 8_000)
    before = path.read_bytes()
    with pytest.raises(InputError, match="no RIFF file"):
        append_chunks(path, [RiffChunk(b"bext", bext_chunk(READINGS))])
    assert path.read_bytes() == before
