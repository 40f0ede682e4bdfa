"""Whether a file is lossy is what its codec says; what ffmpeg reads is read."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.audio_io.reader import AudioReader

FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="needs ffmpeg")
NmMaster = Callable[..., tuple[int, str, str]]

LOSSLESS = {
    "alac.m4a": ["-c:a", "alac"],
    "alac.mov": ["-c:a", "alac"],
    "book.m4b": ["-c:a", "alac", "-f", "ipod"],
    "pack.wv": [],
    "true.tta": [],
    "inside.mka": ["-c:a", "flac"],
    "misnamed flac.wav": ["-c:a", "flac", "-f", "flac"],
}
LOSSY = {
    "aac.m4a": ["-c:a", "aac"],
    "misnamed aac.wav": ["-c:a", "aac", "-f", "adts"],
    "win.wma": [],
    "ulaw.wav": ["-c:a", "pcm_mulaw"],
    "alaw.wav": ["-c:a", "pcm_alaw"],
    "adpcm.wav": ["-c:a", "adpcm_ms"],
    "sound.mp3": [],
    "misnamed mp3.flac": ["-f", "mp3"],
}


@needs_ffmpeg
@pytest.mark.parametrize(("name", "codec"), [*LOSSLESS.items(), *LOSSY.items()])
def test_lossy_is_what_the_codec_says(
    name: str, codec: list[str], song: Path, tmp_path: Path, nm_master: NmMaster
) -> None:
    path = tmp_path / name
    subprocess.run([str(FFMPEG), "-v", "error", "-i", str(song), *codec, str(path)], check=True)
    code, _, err = nm_master(path, "-o", tmp_path / "out.wav")
    assert code == 0, err
    assert ("lossy format" in err) == (name in LOSSY)
    length = soundfile.info(tmp_path / "out.wav").frames
    assert length == pytest.approx(soundfile.info(song).frames, abs=0 if name in LOSSLESS else 5_000)
    if name in LOSSLESS:
        with AudioReader(path) as reader:
            assert reader.is_lossless and reader.bits in (24, 32)
            assert np.allclose(
                np.concatenate(list(reader.blocks()), axis=1), soundfile.read(song)[0].T, atol=2**-22
            )


@needs_ffmpeg
def test_a_bw64_file_is_read(song: Path, tmp_path: Path, nm_master: NmMaster) -> None:
    """ITU-R BS.2088: RF64 by another name."""
    plain = song.read_bytes()
    assert plain[:4] == b"RIFF"
    chunk = b"ds64" + (28).to_bytes(4, "little")
    data_size = int.from_bytes(plain[plain.index(b"data") + 4 :][:4], "little")
    frames = soundfile.info(song).frames
    sizes = [len(plain) - 8 + 36, data_size, frames]
    chunk += b"".join(size.to_bytes(8, "little") for size in sizes) + bytes(4)
    place = plain.index(b"data")
    body = plain[12:place] + b"data\xff\xff\xff\xff" + plain[place + 8 :]
    (tmp_path / "bw64.wav").write_bytes(b"BW64\xff\xff\xff\xffWAVE" + chunk + body)
    code, _, err = nm_master(tmp_path / "bw64.wav", "-o", tmp_path / "out.wav")
    assert code == 0, err
    assert soundfile.info(tmp_path / "out.wav").frames == frames


@needs_ffmpeg
@pytest.mark.parametrize(
    "text", ["#EXTM3U\nsong.wav\n", "ffconcat version 1.0\nfile song.wav\n", "plain text", "<html></html>"]
)
@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a"])
def test_text_that_names_other_files_is_no_song(
    text: str, suffix: str, song: Path, tmp_path: Path, nm_master: NmMaster
) -> None:
    assert song.exists()
    (tmp_path / f"list{suffix}").write_text(text)
    code, _, err = nm_master(tmp_path / f"list{suffix}", "-o", tmp_path / "out.wav")
    assert code == 2 and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out.wav").exists()


def test_without_ffmpeg_the_message_says_so(
    tmp_path: Path, nm_master: NmMaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "odd.wav").write_bytes(b"not a sound at all" * 100)
    code, _, err = nm_master(tmp_path / "odd.wav", "-o", tmp_path / "out.wav")
    assert code == 2 and "ffmpeg" in err
