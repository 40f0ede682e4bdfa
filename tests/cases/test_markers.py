"""bext, markers, labels, loops of a WAV file: at the same moments of the music in the master, or named."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.audio_io.riff_chunks import RiffChunk, append_chunks, read_chunks

NmMaster = Callable[..., tuple[int, str, str]]
RATE = 44_100
CUES = {1: 0, 2: 30_000, 3: 50_001, 7: 88_000}
LABELS = {1: b"Verse\0", 2: b"Refrain\0", 7: b"End\0"}
REFERENCE = 123_456_789


def chunks() -> list[RiffChunk]:
    cue = struct.pack("<I", len(CUES))
    cue += b"".join(struct.pack("<II4sIII", n, at, b"data", 0, 0, at) for n, at in CUES.items())
    labels = b"adtl"
    for number, text in LABELS.items():
        content = struct.pack("<I", number) + text
        labels += b"labl" + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    region = struct.pack("<III4sHHHH", 2, 10_000, 0, b"rgn ", 0, 0, 0, 0)
    labels += b"ltxt" + struct.pack("<I", len(region)) + region
    loops = struct.pack("<9I", 0, 0, round(1e9 / RATE), 60, 0, 0, 0, 2, 0)
    loops += struct.pack("<6I", 0, 0, 30_000, 60_000, 0, 0) + struct.pack("<6I", 1, 0, 10, 88_100, 0, 0)
    bext = struct.pack("<256s32s32s10s8sQH", b"Take 12", b"me", b"", b"2024-05-06", b"10:11:12", REFERENCE, 1)
    return [
        RiffChunk(b"bext", bext.ljust(602, b"\0")),
        RiffChunk(b"cue ", cue),
        RiffChunk(b"LIST", labels),
        RiffChunk(b"smpl", loops),
        RiffChunk(b"iXML", b"<BWFXML><SCENE>12</SCENE></BWFXML>"),
    ]


@pytest.fixture
def marked(music: np.ndarray, tmp_path: Path) -> Path:
    """88,200 samples of music behind 10,000 of silence; places count from the beginning of the music."""
    path = tmp_path / "marked.wav"
    soundfile.write(path, music, RATE, subtype="PCM_24")
    append_chunks(path, chunks())
    return path


def held(path: Path) -> dict[bytes, bytes]:
    return {chunk.name: chunk.data for chunk in read_chunks(path)}


def cues(data: bytes) -> dict[int, int]:
    return {
        number: offset
        for number, _, _, _, _, offset in (
            struct.unpack_from("<II4sIII", data, 4 + 24 * i) for i in range(struct.unpack_from("<I", data)[0])
        )
    }


def test_they_survive_as_they_are(marked: Path, nm_master: NmMaster, tmp_path: Path) -> None:
    code, _, err = nm_master(marked, "-o", tmp_path / "out.wav")
    assert code == 0 and "not carried" not in err
    assert held(tmp_path / "out.wav") == held(marked) == {chunk.name: chunk.data for chunk in chunks()}
    assert soundfile.info(tmp_path / "out.wav").frames == 88_200


@pytest.mark.parametrize("rate", [48_000, 22_050, 96_000])
def test_they_move_with_the_sample_rate(rate: int, marked: Path, nm_master: NmMaster, tmp_path: Path) -> None:
    code, _, _ = nm_master(marked, "-o", tmp_path / "out.wav", "--sample-rate", rate)
    found = held(tmp_path / "out.wav")
    assert code == 0
    assert cues(found[b"cue "]) == {number: round(at * rate / RATE) for number, at in CUES.items()}
    loop = struct.unpack_from("<6I", found[b"smpl"], 36)
    assert loop[2:4] == (round(30_000 * rate / RATE), round(60_000 * rate / RATE))
    assert struct.unpack_from("<9I", found[b"smpl"])[2] == round(1e9 / rate)
    assert struct.unpack_from("<Q", found[b"bext"], 338)[0] == round(REFERENCE * rate / RATE)


def test_they_move_when_silence_is_cut_off(music: np.ndarray, nm_master: NmMaster, tmp_path: Path) -> None:
    """Markers in the silence go, with their labels; the others stay at their moments of the music."""
    path, cut = tmp_path / "late.wav", 20_000
    soundfile.write(path, np.concatenate([np.zeros((cut, 2)), music[: 88_200 - cut]]), RATE, subtype="PCM_24")
    append_chunks(path, chunks())
    code, _, _ = nm_master(path, "-o", tmp_path / "out.wav", "--trim")
    found = held(tmp_path / "out.wav")
    first = 88_200 - soundfile.info(tmp_path / "out.wav").frames
    assert code == 0 and first == pytest.approx(cut, abs=0.001 * RATE + 1)
    assert cues(found[b"cue "]) == {number: at - first for number, at in CUES.items() if at >= first}
    assert b"Verse" not in found[b"LIST"] and b"Refrain" in found[b"LIST"]
    assert struct.unpack_from("<I", found[b"smpl"], 28)[0] == 1  # the other loop began in the silence
    assert struct.unpack_from("<Q", found[b"bext"], 338)[0] == REFERENCE + first


def test_old_loudness_in_bext_is_replaced(marked: Path, nm_master: NmMaster, tmp_path: Path) -> None:
    code, _, _ = nm_master(marked, "-o", tmp_path / "out.wav", "--replaygain")
    bext = held(tmp_path / "out.wav")[b"bext"]
    assert code == 0 and bext[:7] == b"Take 12"
    assert struct.unpack_from("<H", bext, 346)[0] == 2
    assert struct.unpack_from("<h", bext, 412)[0] == pytest.approx(-1400, abs=15)  # −14 LUFS


@pytest.mark.parametrize("suffix", [".flac", ".aiff", ".mp3"])
def test_elsewhere_they_are_named(suffix: str, marked: Path, nm_master: NmMaster, tmp_path: Path) -> None:
    code, _, err = nm_master(marked, "-o", tmp_path / f"out{suffix}")
    assert code == 0 and all(word in err for word in ("bext", "cue points", "labels", "loops", "iXML"))


@pytest.mark.parametrize("seed", range(30))
def test_damaged_chunks_never_cost_the_master(
    seed: int, music: np.ndarray, nm_master: NmMaster, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    path = tmp_path / "damaged.wav"
    soundfile.write(path, music[:25_000], RATE, subtype="PCM_16")
    damaged = []
    for chunk in chunks():
        data = bytearray(chunk.data[: rng.integers(0, len(chunk.data) + 1)])
        for place in rng.integers(0, max(len(data), 1), 6) if data else []:
            data[place] = rng.integers(0, 256)
        damaged.append(RiffChunk(chunk.name, bytes(data)))
    append_chunks(path, damaged)
    code, _, err = nm_master(path, "-o", tmp_path / "out.wav", "--trim", "-q")
    assert code == 0 and "Traceback" not in err
    assert soundfile.info(tmp_path / "out.wav").frames > 24_000
