"""Several files from one master: the same samples, one dither, tags and cover in each, nothing half written."""

import base64
import json
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC, Picture

from neural_mastering import notes
from neural_mastering.audio_io import encoded_draft
from neural_mastering.audio_io.encode import encode
from neural_mastering.audio_io.encoded_draft import EncodedDraft
from neural_mastering.audio_io.file_format import parse_encoding, parse_encodings
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.audio_io.tags import read_tags
from neural_mastering.errors import InputError
from neural_mastering.rendering.delivery import drafted_files
from neural_mastering.rendering.delivery.deliverables import Deliverables
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from tests.rendering.conftest import RATE, music

HAS_FFMPEG = shutil.which("ffmpeg") is not None
needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")
ALL = "wav,flac,aiff,mp3,opus,vorbis" + (",alac" if HAS_FFMPEG else "")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
TEXT = {
    "title": "Träume / 夢",
    "artist": "A & B",
    "tracknumber": "3/12",
    "mood": "calm",
    "isrc": "DEXX12500001",
}


def also(texts: str, **others: Any) -> Deliverables:
    return Deliverables(also=parse_encodings(texts.split(","), "--also"), **others)


def tagged(source: Path) -> Path:
    """A FLAC file with text, a cover and a stale gain."""
    picture = Picture()
    picture.data, picture.type, picture.mime = PNG, 3, "image/png"
    file = FLAC(source)
    for name, text in TEXT.items():
        file[name] = text
    file["replaygain_track_gain"] = "-7 dB"
    file.add_picture(picture)
    file.save()
    return source


def samples(path: Path) -> np.ndarray:
    with AudioReader(path) as reader:
        return np.concatenate(list(reader.blocks()), axis=1)


def text_of(path: Path) -> dict[str, str]:
    """Tags by lower-case name: by ffprobe where it is there, which has nothing to do with who wrote them."""
    if HAS_FFMPEG and path.suffix != ".wav":  # it reads no ID3 chunk in WAV
        command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)]
        told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        own: dict[str, str] = {}
        for part in (told["format"], *told["streams"]):
            own = {key.lower(): text for key, text in part.get("tags", {}).items()} | own
        names = {"tsrc": "isrc", "track": "tracknumber"}
        return {names.get(key, key): text for key, text in own.items()}
    tags = read_tags(path)
    opened = mutagen.File(path)  # pyright: ignore[reportPrivateImportUsage]
    assert opened is not None and opened.tags is not None
    own = {key: values[0] for key, values in tags.text.items()}
    if "ID3" in type(opened.tags).__name__:
        own |= {frame.desc.lower(): str(frame.text[0]) for frame in opened.tags.getall("TXXX")}
    else:
        own |= {key.lower(): str(opened.tags[key][0]) for key in opened.tags.keys()}  # noqa: SIM118
    return own


@pytest.mark.parametrize("bits", ["16", "24", "32f"])
def test_lossless_files_hold_the_very_samples_of_the_master(
    bits: str, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    """At 16 bits this means: dithered once."""
    options = Options(model="none", target="-16", bits=bits, deliverables=also(ALL.removeprefix("wav,")))
    result = master(write_song(music(1.0)), tmp_path / "m.wav", options)
    assert len(result.copies) == len(ALL.split(",")) - 1
    held = samples(tmp_path / "m.wav")
    for suffix in (".flac", ".aiff", *([".m4a"] if HAS_FFMPEG else [])):
        copy = samples(tmp_path / f"m{suffix}")
        assert copy.shape == held.shape
        step = 2.0**-24 if bits == "32f" and suffix != ".aiff" else 0.0
        assert np.abs(copy - held).max() <= step


def test_a_lossy_encoder_is_fed_the_float_samples(
    write_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the 16-bit file: what reaches the encoder lies between its steps, without dither."""
    fed: list[np.ndarray] = []
    true_encode = EncodedDraft.encode

    def spy(self: EncodedDraft, blocks: Any, rate: int, channels: int) -> int:
        kept = [block.copy() for block in blocks]
        fed.append(np.concatenate(kept, axis=1))
        return true_encode(self, iter(kept), rate, channels)

    monkeypatch.setattr(EncodedDraft, "encode", spy)
    source = write_song(music(1.0))
    options: dict[str, Any] = {"model": "none", "target": "-16"}
    master(source, tmp_path / "a.wav", Options(**options, bits="16", deliverables=also("mp3")))
    master(source, tmp_path / "b.wav", Options(**options, bits="32f"))
    assert np.abs(fed[0] - samples(tmp_path / "b.wav")).max() < 1e-4  # its gain is found by the 16-bit file
    steps = fed[0] * 2**15
    assert np.abs(steps - np.rint(steps)).mean() > 0.2


@pytest.mark.parametrize("kind", ["wav", "flac", "aiff", "mp3", "opus", "vorbis", "aac", "alac"])
def test_tags_cover_and_loudness_reach_every_format(
    kind: str, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    encoding = parse_encoding(kind, "")
    if encoding.format.encoder == "ffmpeg" and not HAS_FFMPEG:
        pytest.skip("ffmpeg is not installed")
    source = tagged(write_song(music(1.5), "in.flac"))
    output = tmp_path / f"out{encoding.format.suffix}"
    options = Options(model="none", deliverables=Deliverables(encoding=encoding, replaygain=True))
    result = master(source, output, options)
    assert not notes.has(result.warnings, "tags_lost")
    held = text_of(output)
    assert {name: held.get(name) for name in TEXT} == TEXT
    if kind == "opus":
        assert int(held["r128_track_gain"]) == pytest.approx(256 * (-23.0 - result.result.lufs), abs=1.0)
        assert "replaygain_track_gain" not in held
    else:
        gain = float(held["replaygain_track_gain"].removesuffix(" dB"))
        assert gain == pytest.approx(-18.0 - result.result.lufs, abs=0.006)
        peak = float(held["replaygain_track_peak"])
        assert 20 * np.log10(peak) == pytest.approx(result.result.true_peak_db, abs=0.001)
    pictures = read_tags(output).pictures
    assert [picture.data for picture in pictures] == [PNG]
    if kind == "vorbis":
        block = mutagen.File(output)["metadata_block_picture"][0]  # pyright: ignore
        assert Picture(base64.b64decode(block)).mime == "image/png"
    bext = output.read_bytes().find(b"bext")
    assert (bext >= 0) == (kind == "wav")
    if kind == "wav":
        loudness = struct.unpack_from("<h", output.read_bytes(), bext + 8 + 412)[0]
        assert loudness == pytest.approx(100 * result.result.lufs, abs=0.51)
    assert samples(output).shape[1] == pytest.approx(1.5 * (48_000 if kind == "opus" else RATE), abs=1024)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("söng (1) 夢.opus", 96_000),
        ("-dash.mp3", RATE),
        ("-dash.mp3", 96_000),
        ('a\'b "c" $x.ogg', RATE),
        ("new\nline.m4a", 96_000),
    ],
)
def test_odd_names(name: str, rate: int, write_song: Callable[..., Path], tmp_path: Path) -> None:
    if name.endswith(".m4a") and not HAS_FFMPEG:
        pytest.skip("ffmpeg is not installed")
    output = tmp_path / "out" / name
    master(write_song(music(0.6, rate), rate=rate), output, Options(model="none"))
    assert [path.name for path in output.parent.iterdir()] == [name]
    with AudioReader(output) as reader:
        assert reader.sample_rate == (48_000 if rate == 96_000 or name.endswith("opus") else rate)
        assert reader.duration_s == pytest.approx(0.6, abs=1024 / reader.sample_rate)


@pytest.mark.parametrize(
    ("seconds", "channels", "level"),
    [(0.02, 2, 1.0), (0.3, 1, 1.0), (0.3, 2, 0.0), (1.0, 1, 0.0), (1.0, 2, 1.0)],
)
def test_short_mono_and_silent_songs(
    seconds: float, channels: int, level: float, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_song(level * music(seconds, channels=channels))
    asked = also("mp3,opus,vorbis,flac" + (",aac" if HAS_FFMPEG else ""), replaygain=True)
    result = master(source, tmp_path / "m.wav", Options(model="none", deliverables=asked))
    assert not notes.has(result.warnings, "copy_failed") and not notes.has(result.warnings, "tags_lost")
    for path in (result.output, *result.copies):
        held = samples(path)
        assert held.shape[0] == channels
        rate = 48_000 if path.suffix == ".opus" else RATE
        assert held.shape[1] == pytest.approx(seconds * rate, abs=1024)
        if level == 0.0:
            assert np.abs(held).max() < 1e-4
        else:
            assert np.abs(held).max() > 1e-3


def test_a_song_of_one_sample_is_too_short_for_an_encoder(
    write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_song(np.full((1, 1), 0.5), rate=192_000)
    with pytest.raises(InputError, match="too short for it"):
        master(source, tmp_path / "out" / "m.mp3", Options(model="none"))
    result = master(source, tmp_path / "out" / "m.wav", Options(model="none", deliverables=also("mp3,flac")))
    assert notes.has(result.warnings, "copy_failed")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["m.flac", "m.wav"]


@pytest.mark.parametrize("rate_hz", [96_000, 22_050])
def test_a_sample_rate_is_reached_before_the_limiter(
    rate_hz: int, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    asked = Deliverables(sample_rate_hz=rate_hz)
    source = write_song(music(3.0) * 3.0, subtype="FLOAT")
    result = master(source, tmp_path / "m.wav", Options(model="none", target="-12", deliverables=asked))
    info = soundfile.info(tmp_path / "m.wav")
    assert (info.samplerate, info.frames) == (rate_hz, 3 * rate_hz)
    assert result.result.true_peak_db <= -1.0
    if result.delivery.limited_by is None:
        assert result.result.lufs == pytest.approx(-12.0, abs=0.1)
    own = master(source, tmp_path / "n.wav", Options(model="none", target="-12", deliverables=Deliverables()))
    assert own.result.sample_rate == RATE and result.delivery.max_reduction_db > 0.3


def test_one_copy_fails_and_the_others_go_on(
    write_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_copy = drafted_files._copy

    def copy(delivered: Any, path: Path, *others: Any) -> Any:
        if path.suffix == ".opus":
            raise InputError(f"{path} can't be written: the encoder has gone")
        return true_copy(delivered, path, *others)

    monkeypatch.setattr(drafted_files, "_copy", copy)
    options = Options(model="none", deliverables=also("mp3,opus,flac"))
    result = master(write_song(music(0.6)), tmp_path / "out" / "m.wav", options)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["m.flac", "m.mp3", "m.wav"]
    (note,) = (note for note in result.warnings if note.kind == "copy_failed")
    assert "the encoder has gone" in note.text


@pytest.mark.parametrize("name", ["m.opus", "m.mp3", pytest.param("m.m4a", marks=needs_ffmpeg)])
def test_a_file_that_came_out_short_is_not_taken(
    name: str, write_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk, which not every encoder notices."""

    def short(blocks: Any, *others: Any) -> int:
        kept = np.concatenate(list(blocks), axis=1)
        return encode(iter([kept[:, : kept.shape[1] // 2]]), *others) + kept.shape[1] // 2

    monkeypatch.setattr(encoded_draft, "encode", short)
    encoding = parse_encoding("alac" if name.endswith("m4a") else name[2:], "")
    options = Options(model="none", ceiling="off", deliverables=Deliverables(encoding=encoding))
    with pytest.raises(InputError, match="the file came out short"):
        master(write_song(music(0.6)), tmp_path / "out" / name, options)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("stop", [KeyboardInterrupt, InputError("the disk is full")])
def test_nothing_is_left_when_it_stops(
    stop: BaseException, write_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise stop

    monkeypatch.setattr(drafted_files, "read_decoded", fail)
    source = write_song(music(0.6))
    for name in ("m.mp3", "m.wav"):
        options = Options(model="none", deliverables=also("opus,flac"))
        if name == "m.wav" and not isinstance(stop, type):
            assert notes.has(master(source, tmp_path / "out" / name, options).warnings, "copy_failed")
            assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["m.flac", "m.wav"]
            continue
        with pytest.raises(type(stop) if not isinstance(stop, type) else stop):
            master(source, tmp_path / "out" / name, options)
        assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("output", "texts", "said"),
    [
        ("m.wav", "wav", "is the master itself"),
        ("m.WAV", "wav", "is the master itself"),
        ("m.wav", "mp3:128,mp3:320", "two .mp3 files"),
    ],
)
def test_two_files_of_one_name_are_refused(
    output: str, texts: str, said: str, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        master(write_song(music(0.5)), tmp_path / output, Options(deliverables=also(texts)))
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


def test_an_existing_copy_is_not_replaced(write_song: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "m.mp3").write_text("mine")
    with pytest.raises(InputError, match=r"m\.mp3 exists"):
        master(write_song(music(0.5)), tmp_path / "m.wav", Options(deliverables=also("mp3")))
    assert (tmp_path / "m.mp3").read_text() == "mine" and not (tmp_path / "m.wav").exists()
