"""Names of tags: those of Vorbis comments, which are used inside, and those of other kinds of files."""

import re

STALE = ("replaygain_", "r128_", "itunnorm", "itunsmpb", "encoder", "tencoder", "encodedby", "encoding")
"""Tags that are wrong on a new master begin so: loudness of the old one, its encoder."""

VORBIS_NAME = re.compile(r"[ -<>-}]+")
"""What a Vorbis comment may be called (xiph.org, "Ogg Vorbis I format specification: comment field")."""

ID3_OF_VORBIS = {
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
    "titlesort": "TSOT",
    "artistsort": "TSOP",
    "albumsort": "TSOA",
    "albumartistsort": "TSO2",
    "composersort": "TSOC",
}

MP4_OF_VORBIS = {
    "title": "\xa9nam",
    "artist": "\xa9ART",
    "albumartist": "aART",
    "album": "\xa9alb",
    "date": "\xa9day",
    "tracknumber": "trkn",
    "discnumber": "disk",
    "genre": "\xa9gen",
    "composer": "\xa9wrt",
    "copyright": "cprt",
    "comment": "\xa9cmt",
    "lyrics": "\xa9lyr",
    "grouping": "\xa9grp",
    "description": "desc",
    "bpm": "tmpo",
    "compilation": "cpil",
    "titlesort": "sonm",
    "artistsort": "soar",
    "albumsort": "soal",
    "albumartistsort": "soaa",
    "composersort": "soco",
}

VORBIS_OF_ID3 = {frame: name for name, frame in ID3_OF_VORBIS.items()}
VORBIS_OF_MP4 = {key: name for name, key in MP4_OF_VORBIS.items()}

MP4_FREE = "----:com.apple.iTunes:"
"""Prefix of text in MP4 that has no key of its own."""

VORBIS_OF_APE = {
    "track": "tracknumber",
    "disc": "discnumber",
    "year": "date",
    "album artist": "albumartist",
    "publisher": "organization",
    "mixartist": "remixer",
    "subtitle": "version",
}

VORBIS_OF_ASF = {
    "title": "title",
    "author": "artist",
    "copyright": "copyright",
    "description": "comment",
    "wm/albumtitle": "album",
    "wm/albumartist": "albumartist",
    "wm/tracknumber": "tracknumber",
    "wm/partofset": "discnumber",
    "wm/year": "date",
    "wm/genre": "genre",
    "wm/composer": "composer",
    "wm/publisher": "organization",
    "wm/isrc": "isrc",
    "wm/beatsperminute": "bpm",
    "wm/lyrics": "lyrics",
    "wm/writer": "lyricist",
    "wm/conductor": "conductor",
    "wm/modifiedby": "remixer",
    "wm/contentgroupdescription": "grouping",
    "wm/subtitle": "version",
    "wm/language": "language",
    "wm/initialkey": "initialkey",
    "wm/titlesortorder": "titlesort",
    "wm/artistsortorder": "artistsort",
    "wm/albumsortorder": "albumsort",
    "wm/albumartistsortorder": "albumartistsort",
    "wm/composersortorder": "composersort",
}

ASF_TECHNICAL = (
    "wm/encod",
    "wm/mediaclass",
    "wm/wmad",
    "isvbr",
    "deviceconformance",
    "wmfsdk",
    "wm/provider",
)
"""What ASF says of the file itself begins so."""


def is_stale(name: str) -> bool:
    """Whether a tag is wrong on a new master."""
    return name.lower().startswith(STALE)
