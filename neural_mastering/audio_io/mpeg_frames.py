"""The frames of an MPEG audio file (MP3), counted, and a header that says so.

A decoder takes the length of an MP3 file from its Xing or Info frame (ISO/IEC 11172-3 has none) and guesses it
from the size where there is no such frame: wrong at a variable bit rate. Files that were joined end to end hold
more than the first one's frame says.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

_KBPS = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By (MPEG 1, layer): bit rates of the indices 1 to 14."""

_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the version's two bits."""

_SAME = 0xFFFE0C00
"""Bits of a header that stay the same in a stream: sync, version, layer, sample rate."""

_COUNTED = 1
"""Flag of a Xing frame that holds a number of frames."""


@dataclass(frozen=True)
class MpegHeader:
    """Four bytes that begin a frame.

    Attributes:
        word: the four bytes.
        size: of the frame in bytes.
        info_at: where the name of a Xing or Info frame stands in it.
    """

    word: int
    size: int
    info_at: int


@dataclass(frozen=True)
class MpegFrames:
    """What a scan of a file found.

    Attributes:
        first: header of the first frame.
        start: its place in the file.
        count: frames that hold audio, those of all joined files.
        promised: as many as the file's own Xing or Info frame says; None without one.
        info_places: (start, size) of every such frame.
    """

    first: MpegHeader
    start: int
    count: int
    promised: int | None
    info_places: tuple[tuple[int, int], ...]


def scan(path: Path) -> MpegFrames | None:
    """Count the frames of a layer III file; None for what isn't one, or has a free bit rate."""
    data = path.read_bytes()
    place = first_frame(data)
    if place is None:
        return None
    start, first = place, header_at(data, place)
    assert first is not None
    count, promised, infos = 0, None, []
    while place + 4 <= len(data):
        header = header_at(data, place)
        if header is None or (header.word ^ first.word) & _SAME:
            following = _next_frame(data, place + 1, first.word)
            if following is None:
                break
            place = following
            continue
        if place + header.size > len(data):
            break  # cut off
        info = data[place + header.info_at : place + header.info_at + 12]
        if info[:4] in (b"Xing", b"Info"):
            if not infos and struct.unpack(">I", info[4:8])[0] & _COUNTED:
                promised = struct.unpack(">I", info[8:12])[0]
            infos.append((place, header.size))
        else:
            count += 1
        place += header.size
    return MpegFrames(first, start, count, promised, tuple(infos))


def counted_stream(path: Path, found: MpegFrames) -> bytes:
    """The file's frames behind an info frame that holds their number."""
    data = path.read_bytes()
    pieces, place = [data[: found.start], info_frame(found.first, found.count)], found.start
    for start, size in found.info_places:
        pieces.append(data[place:start])
        place = start + size
    return b"".join((*pieces, data[place:]))


def info_frame(like: MpegHeader, count: int) -> bytes:
    """A frame without audio that says how many follow (a Xing frame), of the kind of a stream's other frames."""
    word = like.word & ~0x0000F200 | 0x00010000  # no padding, no checksum
    for index in range(1, 15):
        raw = struct.pack(">I", word | index << 12)
        header = header_at(raw, 0)
        assert header is not None
        if header.size >= header.info_at + 12:
            body = raw.ljust(header.info_at, b"\0") + b"Xing" + struct.pack(">II", _COUNTED, count)
            return body.ljust(header.size, b"\0")
    raise ValueError("no bit rate has room for the frame")


def header_at(data: bytes, place: int) -> MpegHeader | None:
    """The header at a place; None where there is none."""
    if place + 4 > len(data):
        return None
    word = int.from_bytes(data[place : place + 4], "big")
    if word >> 21 != 0x7FF:
        return None
    version, layer = word >> 19 & 3, 4 - (word >> 17 & 3)
    index, rate_index, padding = word >> 12 & 15, word >> 10 & 3, word >> 9 & 1
    if version == 1 or layer != 3 or index in (0, 15) or rate_index == 3:
        return None
    is_first = version == 3
    bits = 1000 * _KBPS[is_first, layer][index - 1]
    size = (144 if is_first else 72) * bits // _RATES_HZ[version][rate_index] + padding
    is_mono = word >> 6 & 3 == 3
    side = (17 if is_mono else 32) if is_first else (9 if is_mono else 17)
    return MpegHeader(word, size, 4 + side)


def first_frame(data: bytes) -> int | None:
    """Where the audio begins: behind ID3v2 tags, at a header that another one follows."""
    place = 0
    while data[place : place + 3] == b"ID3" and len(data) >= place + 10:
        size = 0
        for byte in data[place + 6 : place + 10]:
            size = size << 7 | byte & 0x7F
        place += 10 + size + (10 if data[place + 5] & 0x10 else 0)
    return _next_frame(data, place, None)


def _next_frame(data: bytes, place: int, like: int | None) -> int | None:
    """The next header that fits a stream and is followed by another one, by a tag or by the end."""
    while (place := data.find(b"\xff", place)) >= 0:
        header = header_at(data, place)
        if header is not None and (like is None or not (header.word ^ like) & _SAME):
            end = place + header.size
            after = header_at(data, end)
            follows = after is not None and not (after.word ^ header.word) & _SAME
            if follows or end == len(data) or data[end : end + 3] in (b"TAG", b"ID3", b"APE"):
                return place
        place += 1
    return None
