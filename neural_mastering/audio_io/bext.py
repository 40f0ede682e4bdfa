"""The `bext` chunk of a broadcast WAV file, version 2, with its loudness fields (EBU Tech 3285)."""

import math
import struct
from collections.abc import Mapping

_UNSET = 0x7FFF
"""Of a loudness field that holds no value."""

_FIELDS = ("lufs", "lra", "true_peak_db", "momentary_max_lufs", "short_term_max_lufs")
_VERSION_AT, _LOUDNESS_AT, _LENGTH = 346, 412, 602


def bext_chunk(readings: Mapping[str, float]) -> bytes:
    """The chunk's content: 602 bytes, everything empty but the originator, the version and the loudness.

    LoudnessValue, LoudnessRange, MaxTruePeakLevel, MaxMomentaryLoudness and MaxShortTermLoudness in 1/100 LUFS,
    LU or dBTP, rounded half away from 0; 0x7FFF where there is no value. No date is written, so that the same
    input gives the same file.

    Args:
        readings: `lufs`, `lra`, `true_peak_db`, `momentary_max_lufs` and `short_term_max_lufs`.
    """
    empty = struct.pack(
        "<256s32s32s10s8sIIH64s190s", b"", b"neural_mastering", *(b"",) * 3, 0, 0, 2, b"", b""
    )
    return with_loudness(empty, readings)


def with_loudness(chunk: bytes, readings: Mapping[str, float]) -> bytes:
    """A chunk of any version with the loudness of the file that it is in, as version 2."""
    chunk = chunk.ljust(_LENGTH, b"\0")
    values = struct.pack("<5h", *(_hundredths(readings[name]) for name in _FIELDS))
    version = struct.pack("<H", max(holds_loudness(chunk), 2))
    loud = chunk[:_LOUDNESS_AT] + values + chunk[_LOUDNESS_AT + len(values) :]
    return loud[:_VERSION_AT] + version + loud[_VERSION_AT + 2 :]


def holds_loudness(chunk: bytes) -> int:
    """The chunk's version where it has loudness fields (2 and later), else 0."""
    if len(chunk) < _LENGTH:
        return 0
    version = struct.unpack_from("<H", chunk, _VERSION_AT)[0]
    return version if version >= 2 else 0


def _hundredths(value: float) -> int:
    if not math.isfinite(value):
        return _UNSET
    return max(min(int(math.copysign(math.floor(abs(value) * 100.0 + 0.5), value)), 9_999), -9_999)
