"""Tags and cover art of a song: ID3 (WAV, AIFF, MP3), Vorbis comments, MP4, APE (WavPack) and ASF (WMA)."""

import base64
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile

from neural_mastering.audio_io.sound_source import native_name
from neural_mastering.audio_io.tag_names import (
    ASF_TECHNICAL,
    MP4_FREE,
    VORBIS_OF_APE,
    VORBIS_OF_ASF,
    VORBIS_OF_ID3,
    VORBIS_OF_MP4,
    is_stale,
)


@dataclass
class Tags:
    """What a file says about its song.

    Attributes:
        text: by lower-case Vorbis name.
        pictures: mutagen's FLAC pictures.
        id3: ID3 frames where there were any; they go into ID3 as they are.
        foreign: what only the source's kind of file holds.
    """

    text: dict[str, list[str]] = field(default_factory=dict)
    pictures: list[Any] = field(default_factory=list)
    id3: list[Any] | None = None
    foreign: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.text or self.pictures or self.id3)


def read_tags(path: Path) -> Tags:
    """Tags of a file; empty where there are none or they can't be read."""
    import mutagen  # only where a file has tags

    tags = Tags()
    try:
        file: Any = mutagen.File(path)  # pyright: ignore[reportPrivateImportUsage]
        if file is not None and file.tags is not None:
            kind = type(file.tags).__name__
            if "ID3" in kind:
                _from_id3(file.tags, tags)
            elif kind == "MP4Tags":
                _from_mp4(file.tags, tags)
            elif kind == "APEv2":
                _from_ape(file.tags, tags)
            elif kind == "ASFTags":
                _from_asf(file.tags, tags)
            else:
                _from_vorbis(file, tags)
    except Exception:  # mutagen raises many types on damaged tags; music without tags is still music
        tags = Tags()
    if not tags and path.suffix.lower() in (".wav", ".wave", ".aif", ".aiff"):
        _from_chunks(path, tags)
    tags.text = {name: values for name, values in tags.text.items() if not is_stale(name)}
    return tags


def picture_of(data: bytes, mime: str, kind: int = 3, description: str = "") -> Any:
    """A picture (3 is the front cover) as mutagen holds it for FLAC."""
    from mutagen.flac import Picture  # only where a file has tags

    picture = Picture()
    picture.data, picture.mime, picture.type, picture.desc = data, mime, kind, description
    return picture


def _from_id3(source: Any, tags: Tags) -> None:
    tags.id3 = [
        frame
        for frame in source.values()
        if not is_stale(str(getattr(frame, "desc", ""))) and frame.FrameID not in ("RVA2", "TSSE", "TENC")
    ]
    for frame in tags.id3:
        if frame.FrameID == "APIC":
            tags.pictures.append(picture_of(frame.data, frame.mime, frame.type, frame.desc))
        elif frame.FrameID == "TXXX":
            tags.text[frame.desc.lower()] = [str(text) for text in frame.text]
        elif frame.FrameID == "COMM":
            name = "comment" if not frame.desc else f"comment:{frame.desc.lower()}"
            tags.text.setdefault(name, [str(text) for text in frame.text])
        elif frame.FrameID == "USLT":
            tags.text.setdefault("lyrics", [str(frame.text)])
        elif frame.FrameID in VORBIS_OF_ID3:
            tags.text[VORBIS_OF_ID3[frame.FrameID]] = [str(text) for text in frame.text]
        else:
            tags.foreign.append(frame.HashKey)


def _from_mp4(source: Any, tags: Tags) -> None:
    for key, value in source.items():
        if key == "covr":
            for cover in value:
                mime = "image/png" if getattr(cover, "imageformat", 13) == 14 else "image/jpeg"
                tags.pictures.append(picture_of(bytes(cover), mime))
        elif key in ("trkn", "disk"):
            tags.text[VORBIS_OF_MP4[key]] = [f"{v[0]}/{v[1]}" if v[1] else str(v[0]) for v in value]
        elif key == "cpil":
            tags.text["compilation"] = ["1" if value else "0"]
        elif key in VORBIS_OF_MP4:
            tags.text[str(VORBIS_OF_MP4[key])] = [str(v) for v in value]
        elif key.startswith(MP4_FREE):
            tags.text[key.removeprefix(MP4_FREE).lower()] = [
                bytes(v).decode("utf-8", "replace") for v in value
            ]
        elif key != "\xa9too":  # its encoder
            tags.foreign.append(key)


def _from_ape(source: Any, tags: Tags) -> None:
    for key, value in source.items():
        name = key.lower()
        if name.startswith("cover art"):
            _, _, data = bytes(value.value).partition(b"\0")
            mime = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
            tags.pictures.append(picture_of(data, mime, 4 if "back" in name else 3))
        elif type(value).__name__ == "APETextValue":
            tags.text[VORBIS_OF_APE.get(name) or name] = [str(text) for text in value]
        else:
            tags.foreign.append(key)


def _from_asf(source: Any, tags: Tags) -> None:
    for key, value in ((key, value) for key, values in source.items() for value in values):
        name = key.lower()
        if name.startswith(ASF_TECHNICAL):
            continue
        if name == "wm/picture":
            tags.pictures.append(_asf_picture(bytes(value.value)))
        elif name in VORBIS_OF_ASF:
            tags.text.setdefault(VORBIS_OF_ASF[name], []).append(str(value))
        elif type(value).__name__ == "ASFUnicodeAttribute":
            tags.text.setdefault(name.removeprefix("wm/"), []).append(str(value))
        else:
            tags.foreign.append(key)


def _asf_picture(raw: bytes) -> Any:
    """WM/Picture: kind, size, MIME type and description in UTF-16 that end with a zero, data."""
    kind, size = struct.unpack_from("<bi", raw)
    place, texts = 5, []
    for _ in range(2):
        end = place
        while raw[end : end + 2] not in (b"\0\0", b""):
            end += 2
        texts.append(raw[place:end].decode("utf-16-le"))
        place = end + 2
    return picture_of(raw[place : place + size], texts[0], kind, texts[1])


def _from_vorbis(file: Any, tags: Tags) -> None:
    from mutagen.flac import Picture  # only where a file has tags

    for name in dict.fromkeys(key.lower() for key, _ in file.tags):  # in order: equal input, equal bytes
        values = list(file.tags[name])
        if name == "metadata_block_picture":
            tags.pictures += [Picture(base64.b64decode(value)) for value in values]
        else:
            tags.text[name] = [str(value) for value in values]
    tags.pictures += list(getattr(file, "pictures", []))


def _from_chunks(path: Path, tags: Tags) -> None:
    """RIFF INFO and AIFF text chunks, which libsndfile reads."""
    try:
        with soundfile.SoundFile(native_name(path)) as file:
            found = file.copy_metadata()
    except (soundfile.LibsndfileError, OSError, RuntimeError):
        return
    for name, value in found.items():
        if name != "software" and value:
            tags.text[name] = [value]
