"""What a WAV file holds beside its samples and tags: broadcast data, markers, labels, loops.

Layouts: RIFF (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0"), `bext` (EBU Tech 3285),
RF64 and BW64 (ITU-R BS.2088). All numbers are little-endian.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.errors import InputError

_LARGEST = 2**32 - 1
_TIME_REFERENCE_AT = 338
_TITLES = {
    b"bext": "broadcast data (bext)",
    b"iXML": "iXML",
    b"axml": "axml",
    b"cart": "cart",
    b"cue ": "cue points",
    b"LIST": "labels",
    b"smpl": "loops (smpl)",
    b"inst": "instrument data (inst)",
    b"acid": "tempo data (acid)",
}
"""Chunks that a master carries on, LIST only where it is of the type adtl."""

_LOOP_AT, _LOOP_BYTES, _CUE_BYTES = 36, 24, 24


@dataclass(frozen=True)
class RiffChunk:
    """One chunk: its four letters and its content."""

    name: bytes
    data: bytes

    @property
    def title(self) -> str:
        """For people."""
        return _TITLES[self.name]


@dataclass(frozen=True)
class TimeMap:
    """Where the samples of a source are in its master.

    Attributes:
        first: sample of the source that became the first one.
        frames: length of the master in samples.
        source_rate, rate: sample rates of both in Hz.
    """

    first: int
    frames: int
    source_rate: int
    rate: int

    def place(self, sample: int) -> int | None:
        """The sample of the master that a sample of the source became; None outside it."""
        moved = round((sample - self.first) * self.rate / self.source_rate)
        return moved if 0 <= moved <= self.frames else None

    def length(self, samples: int) -> int:
        """So many samples of the source at the master's rate."""
        return round(samples * self.rate / self.source_rate)


def read_chunks(path: Path) -> list[RiffChunk]:
    """The chunks of a WAV file that a master carries on; none for other files and damaged ones."""
    found = []
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
                return []
            end, large = path.stat().st_size, None
            while file.tell() + 8 <= end:
                name, size = struct.unpack("<4sI", file.read(8))
                place = file.tell()
                if name == b"ds64":
                    large = struct.unpack("<Q", file.read(16)[8:])[0]
                if name == b"data" and size == _LARGEST and large is not None:
                    size = large
                if name in _TITLES and place + size <= end:
                    file.seek(place)
                    data = file.read(size)
                    if name != b"LIST" or data[:4] == b"adtl":
                        found.append(RiffChunk(name, data))
                file.seek(place + size + size % 2)
    except (OSError, struct.error):
        return found
    return found


def append_chunks(path: Path, chunks: list[RiffChunk]) -> None:
    """Put chunks behind the others of a finished WAV file.

    Raises:
        InputError: not a RIFF file, or one that would pass 4 GB.
    """
    with path.open("r+b") as file:
        if file.read(4) != b"RIFF":
            raise InputError(
                f"{path.name} is no RIFF file (above 4 GB it is RF64): it takes no further chunks"
            )
        end = file.seek(0, 2)
        added = b"\0" * (end % 2)
        for chunk in chunks:
            added += (
                chunk.name + struct.pack("<I", len(chunk.data)) + chunk.data + b"\0" * (len(chunk.data) % 2)
            )
        if end + len(added) - 8 > _LARGEST:
            raise InputError(f"{path.name} has no room for further chunks")
        file.write(added)
        file.seek(4)
        file.write(struct.pack("<I", end + len(added) - 8))


def moved_chunks(chunks: list[RiffChunk], times: TimeMap) -> list[RiffChunk]:
    """Chunks with their places in samples moved to those of the master; what lies outside it is left out.

    Chunks that are too short for what they promise are left out, too.
    """
    cues = {number for chunk in chunks if chunk.name == b"cue " for number in _kept_cues(chunk.data, times)}
    found = []
    for chunk in chunks:
        try:
            data = _moved(chunk, times, cues)
        except struct.error:
            continue
        if data:
            found.append(RiffChunk(chunk.name, data))
    return found


def _moved(chunk: RiffChunk, times: TimeMap, cues: set[int]) -> bytes:
    if chunk.name == b"cue ":
        return _moved_cues(chunk.data, times)
    if chunk.name == b"LIST":
        return _kept_labels(chunk.data, times, cues)
    if chunk.name == b"smpl":
        return _moved_loops(chunk.data, times)
    if chunk.name == b"bext" and len(chunk.data) >= _TIME_REFERENCE_AT + 8:
        reference = struct.unpack_from("<Q", chunk.data, _TIME_REFERENCE_AT)[0]
        packed = struct.pack("<Q", times.length(reference + times.first))
        return chunk.data[:_TIME_REFERENCE_AT] + packed + chunk.data[_TIME_REFERENCE_AT + 8 :]
    return chunk.data


def _cues(data: bytes) -> list[tuple[int, int, bytes, int, int, int]]:
    count = struct.unpack_from("<I", data)[0]
    held = min(count, (len(data) - 4) // _CUE_BYTES)
    return [struct.unpack_from("<II4sIII", data, 4 + _CUE_BYTES * i) for i in range(held)]


def _kept_cues(data: bytes, times: TimeMap) -> set[int]:
    if len(data) < 4:
        return set()
    return {cue[0] for cue in _cues(data) if times.place(cue[5]) is not None}


def _moved_cues(data: bytes, times: TimeMap) -> bytes:
    found = []
    for number, position, name, chunk_start, block_start, offset in _cues(data):
        place = times.place(offset)
        if place is not None:
            order = position if position != offset else place
            found.append(struct.pack("<II4sIII", number, order, name, chunk_start, block_start, place))
    return struct.pack("<I", len(found)) + b"".join(found) if found else b""


def _kept_labels(data: bytes, times: TimeMap, cues: set[int]) -> bytes:
    """Labels, notes and regions of cue points that are still there."""
    found, place = [], 4
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        content = data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
        if name in (b"labl", b"note", b"ltxt"):
            if struct.unpack_from("<I", content)[0] not in cues:
                continue
            if name == b"ltxt":
                length = times.length(struct.unpack_from("<I", content, 4)[0])
                content = content[:4] + struct.pack("<I", length) + content[8:]
        found.append(name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2))
    return b"adtl" + b"".join(found) if found else b""


def _moved_loops(data: bytes, times: TimeMap) -> bytes:
    head = list(struct.unpack_from("<9I", data))
    head[2] = round(1e9 / times.rate)  # nanoseconds a sample
    held = min(head[7], (len(data) - _LOOP_AT) // _LOOP_BYTES)
    loops = []
    for i in range(held):
        loop = list(struct.unpack_from("<6I", data, _LOOP_AT + _LOOP_BYTES * i))
        start, end = times.place(loop[2]), times.place(loop[3])
        if start is not None and end is not None:
            loops.append(struct.pack("<6I", *loop[:2], start, end, *loop[4:]))
    rest = data[_LOOP_AT + _LOOP_BYTES * head[7] :]
    head[7] = len(loops)
    return struct.pack("<9I", *head) + b"".join(loops) + rest
