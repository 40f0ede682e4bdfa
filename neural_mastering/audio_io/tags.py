"""Tags and cover art from the source to the master, between ID3 (WAV, AIFF, MP3), Vorbis comments and MP4."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile

_STALE = ("replaygain_", "r128_", "itunnorm", "itunsmpb", "encoder", "tencoder")
"""Tags that are wrong on a new master: loudness of the old one, its encoder."""

_ID3_OF_VORBIS = {
    "title": "TIT2",
    "artist": "TPE1",
    "albumartist": "TPE2",
    "album": "TALB",
    "date": "TDRC",
    "tracknumber": "TRCK",
    "discnumber": "TPOS",
    "genre": "TCON",
    "composer": "TCOM",
    "copyright": "TCOP",
    "isrc": "TSRC",
    "bpm": "TBPM",
    "organization": "TPUB",
    "lyricist": "TEXT",
    "conductor": "TPE3",
    "remixer": "TPE4",
    "grouping": "TIT1",
    "version": "TIT3",
    "language": "TLAN",
    "compilation": "TCMP",
    "media": "TMED",
    "initialkey": "TKEY",
}
_VORBIS_OF_MP4 = {
    "\xa9nam": "title",
    "\xa9ART": "artist",
    "aART": "albumartist",
    "\xa9alb": "album",
    "\xa9day": "date",
    "trkn": "tracknumber",
    "disk": "discnumber",
    "\xa9gen": "genre",
    "\xa9wrt": "composer",
    "cprt": "copyright",
    "\xa9cmt": "comment",
}

_FREE = "----:com.apple.iTunes:"
"""Prefix of text in MP4 that has no key of its own."""


@dataclass
class Tags:
    """Text by lower-case Vorbis name, pictures as mutagen's FLAC pictures, ID3 frames where there were any."""

    text: dict[str, list[str]] = field(default_factory=dict)
    pictures: list[Any] = field(default_factory=list)
    id3: Any = None

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
            else:
                _from_vorbis(file, tags)
    except Exception:  # mutagen raises many types on damaged tags; music without tags is still music
        tags = Tags()
    if not tags and path.suffix.lower() in (".wav", ".aif", ".aiff"):
        _from_chunks(path, tags)
    tags.text = {k: v for k, v in tags.text.items() if not k.lower().startswith(_STALE)}
    return tags


def write_tags(path: Path, container: str, tags: Tags, loudness: Mapping[str, str] | None = None) -> None:
    """Put tags into a finished file.

    Args:
        path: of the file.
        container: "WAV", "AIFF", "FLAC", "MP3", "VORBIS", "OPUS" or "MP4".
        tags: of the source.
        loudness: text by upper-case name, such as REPLAYGAIN_TRACK_GAIN.

    Raises:
        mutagen.MutagenError: the file can't take them.
    """
    loudness = loudness or {}
    if not tags and not loudness:
        return
    if container == "MP4":
        _write_mp4(path, tags, loudness)
    elif container in ("FLAC", "VORBIS", "OPUS"):
        _write_vorbis(path, container, tags, loudness)
    else:
        _write_id3(path, container, tags, loudness)


def _write_vorbis(path: Path, container: str, tags: Tags, loudness: Mapping[str, str]) -> None:
    from mutagen.flac import FLAC  # only where a file has tags
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis

    opened: Any = {"FLAC": FLAC, "VORBIS": OggVorbis, "OPUS": OggOpus}[container]
    file = opened(path)
    if file.tags is None:
        file.add_tags()
    for name, values in tags.text.items():
        file[name] = values
    for name, value in loudness.items():
        file[name] = [value]
    if container == "FLAC":
        for picture in tags.pictures:
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


def _write_mp4(path: Path, tags: Tags, loudness: Mapping[str, str]) -> None:
    from mutagen import mp4  # only where a file has tags

    file: Any = mp4.MP4(path)
    if file.tags is None:
        file.add_tags()
    key_of = {name: key for key, name in _VORBIS_OF_MP4.items()}
    for name, values in tags.text.items():
        key = key_of.get(name)
        if key in ("trkn", "disk"):
            number, _, total = values[0].partition("/")
            if number.strip().isdigit():
                file[key] = [(int(number), int(total) if total.strip().isdigit() else 0)]
        elif key is not None:
            file[key] = values
        else:
            file[f"{_FREE}{name.upper()}"] = [mp4.MP4FreeForm(value.encode()) for value in values]
    for name, value in loudness.items():
        file[f"{_FREE}{name.lower()}"] = [mp4.MP4FreeForm(value.encode())]
    covers = [
        mp4.MP4Cover(
            picture.data,
            mp4.MP4Cover.FORMAT_PNG if picture.mime == "image/png" else mp4.MP4Cover.FORMAT_JPEG,
        )
        for picture in tags.pictures
        if picture.mime in ("image/png", "image/jpeg", "image/jpg")
    ]
    if covers:
        file["covr"] = covers
    file.save()


def _from_id3(source: Any, tags: Tags) -> None:
    from mutagen.flac import Picture  # only where a file has tags

    tags.id3 = [
        frame
        for frame in source.values()
        if not str(getattr(frame, "desc", "")).lower().startswith(_STALE)
        and frame.FrameID not in ("RVA2", "TSSE")
    ]
    vorbis_of_id3 = {value: key for key, value in _ID3_OF_VORBIS.items()}
    for frame in tags.id3:
        if frame.FrameID == "APIC":
            picture = Picture()
            picture.data, picture.mime, picture.type, picture.desc = (
                frame.data,
                frame.mime,
                frame.type,
                frame.desc,
            )
            tags.pictures.append(picture)
        elif frame.FrameID == "TXXX":
            tags.text[frame.desc.lower()] = [str(t) for t in frame.text]
        elif frame.FrameID == "COMM":
            tags.text.setdefault("comment", [str(t) for t in frame.text])
        elif frame.FrameID == "USLT":
            tags.text.setdefault("lyrics", [str(frame.text)])
        elif frame.FrameID in vorbis_of_id3:
            tags.text[vorbis_of_id3[frame.FrameID]] = [str(t) for t in frame.text]


def _from_mp4(source: Any, tags: Tags) -> None:
    from mutagen.flac import Picture  # only where a file has tags

    for key, value in source.items():
        if key == "covr":
            for cover in value:
                picture = Picture()
                picture.data, picture.type = bytes(cover), 3
                picture.mime = "image/png" if getattr(cover, "imageformat", 13) == 14 else "image/jpeg"
                tags.pictures.append(picture)
        elif key in _VORBIS_OF_MP4:
            texts = (
                [f"{v[0]}/{v[1]}" if v[1] else str(v[0]) if isinstance(v, tuple) else v for v in value]
                if (key in ("trkn", "disk"))
                else [str(v) for v in value]
            )
            tags.text[_VORBIS_OF_MP4[key]] = texts
        elif key.startswith(_FREE):
            tags.text[key.removeprefix(_FREE).lower()] = [bytes(v).decode("utf-8", "replace") for v in value]


def _from_vorbis(file: Any, tags: Tags) -> None:
    from mutagen.flac import Picture  # only where a file has tags

    for name in {key.lower() for key, _ in file.tags}:
        values = list(file.tags[name])
        if name == "metadata_block_picture":
            tags.pictures += [Picture(base64.b64decode(value)) for value in values]
        else:
            tags.text[name] = [str(value) for value in values]
    tags.pictures += list(getattr(file, "pictures", []))


def _from_chunks(path: Path, tags: Tags) -> None:
    """RIFF INFO and AIFF text chunks, which libsndfile reads."""
    try:
        with soundfile.SoundFile(str(path)) as file:
            found = file.copy_metadata()
    except (soundfile.LibsndfileError, OSError, RuntimeError):
        return
    names = {"software": None, "license": "license"}
    for key, value in found.items():
        name = names.get(key, key)
        if name and value:
            tags.text[name] = [value]


def _id3_frames(tags: Tags) -> list[Any]:
    from mutagen import id3  # only where a file has tags

    frames: list[Any] = []
    for name, values in tags.text.items():
        if name in _ID3_OF_VORBIS:
            frames.append(getattr(id3, _ID3_OF_VORBIS[name])(encoding=3, text=values))
        elif name in ("comment", "description"):
            frames.append(id3.COMM(encoding=3, lang="und", desc="", text=values))  # pyright: ignore[reportPrivateImportUsage]
        elif name == "lyrics":
            frames.append(id3.USLT(encoding=3, lang="und", desc="", text="\n".join(values)))  # pyright: ignore[reportPrivateImportUsage]
        else:
            frames.append(id3.TXXX(encoding=3, desc=name.upper(), text=values))  # pyright: ignore[reportPrivateImportUsage]
    for picture in tags.pictures:
        frames.append(
            id3.APIC(encoding=3, mime=picture.mime, type=picture.type, desc=picture.desc, data=picture.data)  # pyright: ignore[reportPrivateImportUsage]
        )
    return frames
