"""An album as a CUE sheet and a playlist beside its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.atomic import write_text


@dataclass(frozen=True)
class AlbumTrack:
    """One song of an album.

    Attributes:
        path: of its file.
        seconds: its length.
        tags: text by Vorbis name.
    """

    path: Path
    seconds: float
    tags: Mapping[str, str]


def write_album_files(tracks: Sequence[AlbumTrack], folder: Path, name: str) -> tuple[Path, Path]:
    """Write NAME.cue and NAME.m3u8 into a folder; returns their paths.

    Raises:
        InputError: one can't be written.
    """
    sheet, playlist = album_file_paths(folder, name)
    write_text(sheet, cue_sheet(tracks, folder), errors="surrogateescape")
    write_text(playlist, m3u8(tracks, folder), errors="surrogateescape")
    return sheet, playlist


def album_file_paths(folder: Path, name: str) -> tuple[Path, Path]:
    """Where they go."""
    return folder / f"{name}.cue", folder / f"{name}.m3u8"


def cue_sheet(tracks: Sequence[AlbumTrack], folder: Path) -> str:
    """One FILE and one TRACK a song; each begins at its file's first sample."""
    first = tracks[0].tags
    lines = [f"CATALOG {first['barcode'].zfill(13)}"] if "barcode" in first else []
    performer = first.get("albumartist") or first.get("artist")
    if performer:
        lines.append(f"PERFORMER {_quoted(performer)}")
    if "album" in first:
        lines.append(f"TITLE {_quoted(first['album'])}")
    for number, track in enumerate(tracks, 1):
        kind = {".mp3": "MP3", ".aif": "AIFF", ".aiff": "AIFF"}.get(track.path.suffix.lower(), "WAVE")
        lines += [f"FILE {_quoted(_relative(track.path, folder))} {kind}", f"  TRACK {number:02d} AUDIO"]
        lines.append(f"    TITLE {_quoted(track.tags.get('title', track.path.stem))}")
        if "artist" in track.tags:
            lines.append(f"    PERFORMER {_quoted(track.tags['artist'])}")
        if "isrc" in track.tags:
            lines.append(f"    ISRC {track.tags['isrc']}")
        lines.append("    INDEX 01 00:00:00")
    return "\n".join(lines) + "\n"


def m3u8(tracks: Sequence[AlbumTrack], folder: Path) -> str:
    """An extended playlist in UTF-8."""
    lines = ["#EXTM3U"]
    for track in tracks:
        title = track.tags.get("title", track.path.stem)
        artist = track.tags.get("artist")
        lines.append(f"#EXTINF:{round(track.seconds)},{_line(f'{artist} - {title}' if artist else title)}")
        name = _relative(track.path, folder)
        lines.append(f"./{name}" if name.startswith("#") else name)
    return "\n".join(lines) + "\n"


def _relative(path: Path, folder: Path) -> str:
    """The name from the folder on where the file is in it."""
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return str(path.resolve())


def _quoted(text: str) -> str:
    """CUE has no way to write a double quote inside quotes."""
    return '"' + _line(text).replace('"', "'") + '"'


def _line(text: str) -> str:
    return " ".join(text.split())
