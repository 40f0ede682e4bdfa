"""Encoders against independent decoders: lengths, rates, levels, alignment, bit rates."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from neural_mastering.audio_io.block import Block, blocks_of, joined
from neural_mastering.audio_io.encode import encode
from neural_mastering.audio_io.file_format import FORMATS, Encoding, default_encoding, parse_encoding
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.audio_io.resample import resampled
from neural_mastering.errors import InputError
from tests.rendering.conftest import music

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def tone(seconds: float, rate: int, channels: int = 2) -> Block:
    time = np.arange(round(seconds * rate)) / rate
    return np.stack([0.25 * np.sin(2 * np.pi * 500.0 * time)] * channels)


def amplitude(channel: np.ndarray, rate: int) -> float:
    """Of the 500 Hz tone, over whole periods in the middle."""
    middle = channel[rate // 2 : rate // 2 + rate]
    return float(2.0 * abs(np.exp(-2j * np.pi * 500.0 * np.arange(rate) / rate) @ middle) / rate)


def decoded(path: Path, suffix: str) -> tuple[Block, int]:
    with AudioReader(path, suffix) as reader:
        return joined(reader.blocks(), reader.channels), reader.sample_rate


@needs_ffmpeg
@pytest.mark.parametrize("name", ["mp3", "vorbis", "opus", "aac", "alac"])
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (96_000, 1), (22_050, 1)])
def test_ffmpeg_decodes_the_same_music_at_the_same_place(
    name: str, rate: int, channels: int, tmp_path: Path
) -> None:
    form = FORMATS[name]
    fed_hz = form.rate_for(rate)
    fed = joined(
        resampled(blocks_of(0.3 * music(1.03, rate, channels=channels)), rate, fed_hz, channels), channels
    )
    fed = np.rint(fed * 2**15) / 2**15 if name == "alac" else fed
    path = tmp_path / f"a draft{form.suffix}.part"
    encode(blocks_of(fed, 5_000), path, default_encoding(form), fed_hz, channels, "16")
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f64le", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    theirs = np.frombuffer(raw).reshape(-1, channels).T
    ours, ours_hz = decoded(path, form.suffix)
    assert ours_hz == fed_hz
    if name != "aac":  # its end isn't trimmed by every decoder: a frame of 1024 more
        assert ours.shape == fed.shape
    assert 0 <= ours.shape[1] - fed.shape[1] <= 1024
    until = min(theirs.shape[1], fed.shape[1])
    if name == "alac":
        assert np.array_equal(theirs, fed)
    # the low half of the spectrum, in which every encoder keeps the wave form
    low = soxr.resample(fed[:, :until].T, fed_hz, 8_000)
    back = soxr.resample(theirs[:, :until].T, fed_hz, 8_000)
    assert np.corrcoef(low[:, 0], back[:, 0])[0, 1] > 0.97
    assert np.abs(ours[:, :until] - theirs[:, :until]).max() < 0.02 * np.abs(fed).max()


@pytest.mark.parametrize("text", [f"mp3:{kbps}" for kbps in (64, 160, 192, 224, 256)])
@pytest.mark.parametrize("rate", [44_100, 24_000])
def test_mp3_keeps_the_level_at_every_bit_rate(text: str, rate: int, tmp_path: Path) -> None:
    encode(blocks_of(tone(1.6, rate)), tmp_path / "a.mp3", parse_encoding(text, ""), rate, 2)
    samples, _ = soundfile.read(tmp_path / "a.mp3", always_2d=True)
    assert len(samples) == round(1.6 * rate)
    assert 20 * np.log10(amplitude(samples[:, 0], rate) / 0.25) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("text", "within"),
    [("mp3:128", 0.05), ("mp3:320", 0.05), ("vorbis:128", 0.35), ("vorbis:256", 0.35), ("opus:96", 0.2)],
)
def test_the_bit_rate_is_that_which_was_asked_for(
    text: str, within: float, channels: int, tmp_path: Path
) -> None:
    encoding = parse_encoding(text, "")
    if text == "vorbis:256" and channels == 1:
        pytest.skip("one channel of Vorbis has 240 kbit/s at most")
    noise = 0.1 * np.random.default_rng(0).standard_normal((channels, 3 * 48_000))
    path = tmp_path / f"a{encoding.format.suffix}"
    encode(blocks_of(noise), path, encoding, 48_000, channels)
    kbps = path.stat().st_size * 8 / 1000 / 3
    assert kbps == pytest.approx(encoding.kbps, rel=within)


@pytest.mark.parametrize(
    ("name", "peak"),
    # ffmpeg's AAC encoder turns down frames with a sample above 0.95; a master under -1 dBTP has none
    [("mp3", 1.3), ("vorbis", 1.3), ("opus", 1.3), pytest.param("aac", 0.89, marks=needs_ffmpeg)],
)
def test_peaks_are_neither_clipped_nor_turned_down(name: str, peak: float, tmp_path: Path) -> None:
    form, time = FORMATS[name], np.arange(72_000) / 48_000
    chord = sum(np.sin(2 * np.pi * f * time) for f in (500.0, 1_250.0, 3_100.0))
    scale = peak / np.abs(chord).max()
    encode(blocks_of(np.stack([scale * chord] * 2)), tmp_path / "a", default_encoding(form), 48_000, 2)
    samples, rate = decoded(tmp_path / "a", form.suffix)
    assert np.abs(samples).max() == pytest.approx(peak, rel=0.05)
    assert amplitude(samples[0], rate) == pytest.approx(scale, rel=0.03)


def test_without_ffmpeg_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="AAC needs ffmpeg"):
        encode(blocks_of(tone(0.1, 48_000)), tmp_path / "a.m4a", Encoding(FORMATS["aac"], 256), 48_000, 2)
    assert not list(tmp_path.iterdir())


@needs_ffmpeg
def test_what_ffmpeg_says_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ffmpeg can't write AAC"):
        encode(blocks_of(tone(5.0, 48_000)), tmp_path / "no" / "a", Encoding(FORMATS["aac"], 256), 48_000, 2)


@pytest.mark.parametrize(("source", "target"), [(44_100, 48_000), (96_000, 44_100), (48_000, 48_000)])
def test_a_stream_is_resampled_as_the_whole(source: int, target: int) -> None:
    audio = music(0.7, source)
    pieces = [audio[:, :1], audio[:, 1:1], audio[:, 1:7_000], audio[:, 7_000:]]
    stream = joined(resampled(iter(pieces), source, target, 2), 2)
    whole = soxr.resample(audio.T, source, target, "VHQ").T
    assert stream.shape[1] == pytest.approx(audio.shape[1] * target / source, abs=1)
    count = min(stream.shape[1], whole.shape[1])
    assert np.abs(stream[:, :count] - whole[:, :count]).max() < 1e-9
