"""Formats as they are typed, the rates at which they encode, and encoders that are missing."""

import shutil

import pytest
import soundfile

from neural_mastering.audio_io.file_format import (
    FORMATS,
    check_available,
    default_encoding,
    parse_encoding,
    parse_encodings,
    why_unavailable,
)
from neural_mastering.errors import InputError


@pytest.mark.parametrize(
    ("text", "name", "suffix"),
    [
        ("mp3", "mp3:320", ".mp3"),
        (" MP3:128 ", "mp3:128", ".mp3"),
        ("ogg:192k", "vorbis:192", ".ogg"),
        (".opus", "opus:160", ".opus"),
        ("m4a", "aac:256", ".m4a"),
        ("alac", "alac", ".m4a"),
        ("aif", "aiff", ".aiff"),
    ],
)
def test_what_is_typed(text: str, name: str, suffix: str) -> None:
    encoding = parse_encoding(text, "--also")
    assert (encoding.name, encoding.format.suffix) == (name, suffix)
    assert parse_encoding(encoding.name, "--also") == encoding


@pytest.mark.parametrize(
    ("text", "lossy_only", "said"),
    [
        ("mp4", False, "expected wav, flac"),
        ("", False, "expected wav"),
        ("mp3:", False, "mp3:64 to mp3:320"),
        ("mp3:1000", False, "mp3:64 to mp3:320"),
        ("mp3:130", False, "has 64, 80"),
        ("opus:-3", False, "opus:16"),
        ("opus:٣٢", False, "opus:16"),
        ("flac:5", False, "lossless"),
        ("flac", True, "expected mp3"),
        ("vorbys", True, "did you mean vorbis"),
    ],
)
def test_what_is_refused(text: str, lossy_only: bool, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_encoding(text, "--codec-check", lossy_only)


def test_a_format_counts_once() -> None:
    assert [e.name for e in parse_encodings(["mp3", "mp3:320", "mp3:128"], "--also")] == [
        "mp3:320",
        "mp3:128",
    ]


@pytest.mark.parametrize(
    ("name", "source_hz", "encoded_hz"),
    [
        ("mp3", 44_100, 44_100),
        ("mp3", 88_200, 44_100),
        ("mp3", 96_000, 48_000),
        ("mp3", 37_800, 44_100),
        ("vorbis", 37_800, 37_800),
        ("vorbis", 176_400, 44_100),
        ("vorbis", 192_000, 48_000),
        ("opus", 44_100, 48_000),
        ("opus", 88_200, 48_000),
        ("opus", 8_000, 48_000),
        ("aac", 384_000, 48_000),
        ("alac", 96_000, 96_000),
        ("flac", 192_000, 192_000),
    ],
)
def test_rates(name: str, source_hz: int, encoded_hz: int) -> None:
    assert FORMATS[name].rate_for(source_hz) == encoded_hz


def test_a_missing_encoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    why_unavailable.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(
        soundfile, "available_formats", lambda: {"WAV": "", "FLAC": "", "AIFF": "", "OGG": ""}
    )
    monkeypatch.setattr(soundfile, "available_subtypes", lambda _: {"VORBIS": ""})
    try:
        missing = {name for name, form in FORMATS.items() if why_unavailable(form) is not None}
        assert missing == {"aac", "alac", "mp3", "opus"}
        with pytest.raises(InputError, match="--also aac:256: AAC needs ffmpeg, which isn't installed"):
            check_available([default_encoding(FORMATS["aac"])], "--also")
    finally:
        why_unavailable.cache_clear()
