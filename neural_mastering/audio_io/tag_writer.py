"""Tags into a finished file, one by one: what its kind can't hold is left out and named."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neural_mastering.audio_io.tag_names import ID3_OF_VORBIS, MP4_FREE, MP4_OF_VORBIS, VORBIS_NAME
from neural_mastering.audio_io.tags import Tags

LARGEST_FLAC_BLOCK = (1 << 24) - 1
"""Bytes of a picture with its description in FLAC (RFC 9639)."""


def write_tags(
    path: Path, container: str, tags: Tags, loudness: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Put tags into a finished file; returns what it can't hold, for people.

    Args:
        path: of the file.
        container: "WAV", "AIFF", "FLAC", "MP3", "VORBIS", "OPUS" or "MP4".
        tags: of the source.
        loudness: text by upper-case name, such as REPLAYGAIN_TRACK_GAIN.

    Raises:
        mutagen.MutagenError: the file can't take them.
    """
    loudness = loudness or {}
    is_id3 = container in ("WAV", "AIFF", "MP3")
    lost = [] if is_id3 and tags.id3 is not None else list(tags.foreign)
    if not tags and not loudness:
        return tuple(lost)
    if container == "MP4":
        _write_mp4(path, tags, loudness, lost)
    elif is_id3:
        _write_id3(path, container, tags, loudness)
    else:
        _write_vorbis(path, container, tags, loudness, lost)
    return tuple(lost)


def _write_vorbis(
    path: Path, container: str, tags: Tags, loudness: Mapping[str, str], lost: list[str]
) -> None:
    from mutagen.flac import FLAC  # only where a file has tags
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis

    opened: Any = {"FLAC": FLAC, "VORBIS": OggVorbis, "OPUS": OggOpus}[container]
    file = opened(path)
    if file.tags is None:
        file.add_tags()
    for name, values in tags.text.items():
        if VORBIS_NAME.fullmatch(name) is None:
            lost.append(_quoted(name))
        else:
            file[name] = [_encodable(value) for value in values]
    for name, value in loudness.items():
        file[name] = [value]
    if container == "FLAC":
        for picture in tags.pictures:
            if len(picture.write()) > LARGEST_FLAC_BLOCK:
                lost.append(f"a picture of {len(picture.data) / 1e6:.0f} MB")
            else:
                file.add_picture(picture)
    elif tags.pictures:
        file["metadata_block_picture"] = [base64.b64encode(p.write()).decode("ascii") for p in tags.pictures]
    file.save()


def _write_id3(path: Path, container: str, tags: Tags, loudness: Mapping[str, str]) -> None:
    from mutagen import id3  # only where a file has tags
    from mutagen.aiff import AIFF
    from mutagen.mp3 import MP3
    from mutagen.wave import WAVE

    opened: Any = {"AIFF": AIFF, "MP3": MP3, "WAV": WAVE}[container]
    file = opened(path)
    if file.tags is None:
        file.add_tags()
    held: Any = file.tags
    for frame in tags.id3 if tags.id3 is not None else _id3_frames(tags):
        held.add(frame)
    for name, value in loudness.items():
        held.add(id3.TXXX(encoding=3, desc=name, text=[value]))  # pyright: ignore[reportPrivateImportUsage]
    file.save()


def _write_mp4(path: Path, tags: Tags, loudness: Mapping[str, str], lost: list[str]) -> None:
    from mutagen import mp4  # only where a file has tags

    file: Any = mp4.MP4(path)
    if file.tags is None:
        file.add_tags()
    for name, values in tags.text.items():
        key = MP4_OF_VORBIS.get(name)
        held = None if key is None else _mp4_value(key, values)
        if key is not None and held is not None:
            file[key] = held
        elif not name or not name.isascii():
            lost.append(_quoted(name))
        else:
            texts = [_encodable(value).encode() for value in values]
            file[f"{MP4_FREE}{name.upper()}"] = [mp4.MP4FreeForm(text) for text in texts]
    for name, value in loudness.items():
        file[f"{MP4_FREE}{name.lower()}"] = [mp4.MP4FreeForm(value.encode())]
    covers = []
    for picture in tags.pictures:
        if picture.mime in ("image/png", "image/jpeg", "image/jpg"):
            is_png = picture.mime == "image/png"
            form = mp4.MP4Cover.FORMAT_PNG if is_png else mp4.MP4Cover.FORMAT_JPEG
            covers.append(mp4.MP4Cover(picture.data, form))
        else:
            lost.append(f"a picture of the type {picture.mime}")
    if covers:
        file["covr"] = covers
    file.save()


def _mp4_value(key: str, values: list[str]) -> Any:
    """What MP4 holds under a key; None where the text is no number and must be one."""
    first = values[0].strip() if values else ""
    if key in ("trkn", "disk"):
        number, _, total = first.partition("/")
        if not number.strip().isdecimal() or int(number) > 0xFFFF:
            return None
        return [(int(number), min(int(total), 0xFFFF) if total.strip().isdecimal() else 0)]
    if key == "tmpo":
        return [int(first)] if first.isdecimal() and int(first) <= 0xFFFF else None
    if key == "cpil":
        return first == "1" if first in ("0", "1") else None
    return [_encodable(value) for value in values]


def _id3_frames(tags: Tags) -> list[Any]:
    from mutagen import id3  # only where a file has tags

    frames: list[Any] = []
    for name, values in tags.text.items():
        texts = [_encodable(value) for value in values]
        frame = getattr(id3, ID3_OF_VORBIS[name])(encoding=3, text=texts) if name in ID3_OF_VORBIS else None
        if frame is not None and any(str(text) for text in frame.text):  # "spring" is no date
            frames.append(frame)
        elif name == "comment":
            frames.append(id3.COMM(encoding=3, lang="und", desc="", text=texts))  # pyright: ignore[reportPrivateImportUsage]
        elif name == "lyrics":
            frames.append(id3.USLT(encoding=3, lang="und", desc="", text="\n".join(texts)))  # pyright: ignore[reportPrivateImportUsage]
        else:
            frames.append(id3.TXXX(encoding=3, desc=name.upper(), text=texts))  # pyright: ignore[reportPrivateImportUsage]
    for picture in tags.pictures:
        frames.append(
            id3.APIC(encoding=3, mime=picture.mime, type=picture.type, desc=picture.desc, data=picture.data)  # pyright: ignore[reportPrivateImportUsage]
        )
    return frames


def _encodable(text: str) -> str:
    """Without what UTF-8 can't hold, which some taggers leave."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _quoted(name: str) -> str:
    return f"the tag {name!r}"
