"""The length of a FLAC file whose header leaves it open, as files from a pipe do (RFC 9639)."""

import struct
from pathlib import Path

_TAIL_BYTES = 1 << 20
"""Longer than any frame of two channels."""

_BLOCKS = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608} | {code: 256 << (code - 8) for code in range(8, 16)}
"""Samples of a frame by the code of its header; 6 and 7 are followed by a number."""


def header_with_length(path: Path) -> bytes | None:
    """The file's beginning up to the length, with the length in it; None where it has one or none can be found.

    The last frame's number and block size give it: the frame is the one whose checksums are right.
    """
    with path.open("rb") as file:
        head = file.read(42)
        if len(head) < 42 or head[:4] != b"fLaC" or head[4] & 0x7F:
            return None
        packed = int.from_bytes(head[18:26], "big")
        if packed & (1 << 36) - 1:
            return None
        size = file.seek(0, 2)
        file.seek(max(42, size - _TAIL_BYTES))
        tail = file.read()
    samples = _samples(tail, fixed_block=struct.unpack(">H", head[8:10])[0])
    if not samples:
        return None
    return head[:18] + (packed | samples).to_bytes(8, "big")


def _samples(tail: bytes, fixed_block: int) -> int:
    if tail[-128:-125] == b"TAG":  # ID3v1
        tail = tail[:-128]
    cut_off = 0
    place = len(tail)
    while (place := tail.rfind(b"\xff", 0, place)) >= 0:
        found = _frame(tail[place : place + 16], fixed_block)
        if found is not None:
            first, length = found
            if _crc16(tail[place:]) == 0:
                return first + length
            cut_off = max(cut_off, first)  # the last frame is not whole: the song ends before it
            if len(tail) - place > 1 << 16:
                break
    return cut_off


def _frame(head: bytes, fixed_block: int) -> tuple[int, int] | None:
    """First sample and length of the frame that begins here; None where none does."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    code, rate = head[2] >> 4, head[2] & 15
    if code == 0 or rate == 15 or head[3] >> 4 > 10:
        return None
    number, place = _utf8(head, 4)
    if number is None:
        return None
    block = _BLOCKS.get(code, 0)
    if code in (6, 7):
        size = code - 5
        block = int.from_bytes(head[place : place + size], "big") + 1
        place += size
    place += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if place >= len(head) or _crc8(head[:place]) != head[place]:
        return None
    return (number if head[1] & 1 else number * fixed_block), block


def _utf8(data: bytes, place: int) -> tuple[int | None, int]:
    """The number that begins at a place, in the code of UTF-8 extended to 36 bits, and where it ends."""
    lead = data[place]
    ones = 8 - (~lead & 0xFF).bit_length()
    if ones == 0:
        return lead, place + 1
    rest = data[place + 1 : place + ones]
    if ones == 1 or ones > 7 or len(rest) != ones - 1 or any(byte & 0xC0 != 0x80 for byte in rest):
        return None, place
    value = lead & (0x7F >> ones)
    for byte in rest:
        value = value << 6 | byte & 0x3F
    return value, place + ones


def _crc8(data: bytes) -> int:
    """Polynomial x⁸ + x² + x + 1."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc << 1 ^ (0x107 if crc & 0x80 else 0)
    return crc


def _crc16(data: bytes) -> int:
    """Polynomial x¹⁶ + x¹⁵ + x² + 1; 0 over a frame with its own checksum at the end."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _CRC16[crc >> 8 ^ byte]
    return crc


def _crc16_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = crc << 1 ^ (0x18005 if crc & 0x8000 else 0)
        table.append(crc)
    return tuple(table)


_CRC16 = _crc16_table()
