"""The `bext` chunk of a broadcast WAV file, version 2, with its loudness fields (EBU Tech 3285)."""

import math
import struct
from collections.abc import Mapping
from pathlib import Path

from neural_mastering.errors import InputError

_UNSET = 0x7FFF
"""Of a loudness field that holds no value."""

_FIELDS = ("lufs", "lra", "true_peak_db", "momentary_max_lufs", "short_term_max_lufs")
_LARGEST = 2**32 - 1


def bext_chunk(readings: Mapping[str, float]) -> bytes:
    """The chunk's content: 602 bytes, everything empty but the originator, the version and the loudness.

    LoudnessValue, LoudnessRange, MaxTruePeakLevel, MaxMomentaryLoudness and MaxShortTermLoudness in 1/100 LUFS,
    LU or dBTP, rounded half away from 0; 0x7FFF where there is no value. No date is written, so that the same
    input gives the same file.

    Args:
        readings: `lufs`, `lra`, `true_peak_db`, `momentary_max_lufs` and `short_term_max_lufs`.
    """
    return struct.pack(
        "<256s32s32s10s8sIIH64s5h180s",
        b"",
        b"neural_mastering",
        b"",
        b"",
        b"",
        0,
        0,
        2,
        b"",
        *(_hundredths(readings[name]) for name in _FIELDS),
        b"",
    )


def append_bext(path: Path, readings: Mapping[str, float]) -> None:
    """Put the chunk behind the others of a finished WAV file.

    Raises:
        InputError: not a RIFF file, or one that would pass 4 GB.
    """
    chunk = bext_chunk(readings)
    with path.open("r+b") as file:
        if file.read(4) != b"RIFF":
            raise InputError(f"{path.name} is no RIFF file (above 4 GB it is RF64): it has no bext chunk")
        end = file.seek(0, 2)
        size = end + end % 2 + 8 + len(chunk) - 8
        if size > _LARGEST:
            raise InputError(f"{path.name} has no room for a bext chunk")
        file.write(b"\0" * (end % 2) + b"bext" + struct.pack("<I", len(chunk)) + chunk)
        file.seek(4)
        file.write(struct.pack("<I", size))


def _hundredths(value: float) -> int:
    if not math.isfinite(value):
        return _UNSET
    return max(min(int(math.copysign(math.floor(abs(value) * 100.0 + 0.5), value)), 9_999), -9_999)
