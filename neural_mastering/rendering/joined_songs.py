"""Songs of an album that join without a gap: found, mastered in one piece, and cut where they were cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block, cut
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.file_format import FORMATS, default_encoding
from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.audio_io.writer import AtomicWriter, OutputFormat
from neural_mastering.dsp.linear_prediction import prediction_errors
from neural_mastering.metering.forecast import LimiterForecast, forecast
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.metering.meter import HOP_MS
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.loop import deliver
from neural_mastering.rendering.delivery.spec import DeliveryResult, DeliverySpec
from neural_mastering.rendering.prepared_song import PreparedSong, RenderedSong
from neural_mastering.units import db_to_gain

JOINED_WITHIN_S = 0.01
"""Silence at an edge that is longer than this parts two songs."""

HEARD_AT_SEAM_DB = -60.0
AT_SEAM_MS, FADED = 2.0, 0.16
"""A song whose last 2 ms are lower than this part of its last 20 ms has faded out."""

NOISY = 1.1
"""Where steps are this much larger than the wave itself (white noise: 1.4), nothing tells whether it goes on; a
seam is not heard there either."""

UNLIKELY = 5.0
"""Prediction misses by less at 99 % of 400 places inside of songs, and at 94 % of 791 where a beat begins; 1.5 % of
1,500 pairs of unrelated cuts pass."""

_ORDER = 32
_ROUNDING = 2e-5  # about a step of 16 bits
_BELOW_DB, _FURTHER_DB = 0.005, 0.002
_ROUNDS = 4


def join_groups(songs: Sequence[MeasuredSong], apart: Collection[int] = ()) -> list[list[int]]:
    """Neighbouring songs that join, by their places; a song that joins none is alone.

    Args:
        songs: in the order of the album.
        apart: places of songs that are kept from the song before, whatever their waves say.
    """
    groups: list[list[int]] = [[0]]
    for i in range(1, len(songs)):
        if i not in apart and joins(songs[i - 1], songs[i]):
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def joins(one: MeasuredSong, other: MeasuredSong) -> bool:
    """Whether a waveform goes on from the end of one song to the beginning of the other.

    Both sound at the seam without a fade, and linear prediction over 20 ms, from either side and in every channel,
    misses the first sample beyond it by no more than `UNLIKELY` times what it usually misses by (on both sides, the
    geometric mean: a beat may begin at the seam).
    """
    if (one.sample_rate, one.channels) != (other.sample_rate, other.channels):
        return False
    before, behind = one.inspection.edges, other.inspection.edges
    if before.trailing_s > JOINED_WITHIN_S or behind.leading_s > JOINED_WITHIN_S:
        return False
    last, first = before.tail, behind.head
    if min(last.shape[1], first.shape[1]) < 2 * _ORDER:
        return False
    if _is_faded(last[:, ::-1], one.sample_rate) or _is_faded(first, one.sample_rate):
        return False
    beside = float(max(np.abs(np.diff(last, axis=1)).max(), np.abs(np.diff(first, axis=1)).max()))
    if beside > NOISY * max(np.abs(last).max(), np.abs(first).max()):
        return False
    return all(_surprise(left, right) <= UNLIKELY for left, right in zip(last, first, strict=True))


def _surprise(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """The larger error of prediction across a seam, over what is usual beside it."""
    forward, before = prediction_errors(left, float(right[0]), _ORDER)
    backward, behind = prediction_errors(right[::-1], float(left[-1]), _ORDER)
    return max(forward, backward) / math.sqrt((before + _ROUNDING) * (behind + _ROUNDING))


def _is_faded(edge: Block, sample_rate: int) -> bool:
    """Whether a song reaches silence at its edge, which is the first sample."""
    near = float(np.abs(edge[:, : round(AT_SEAM_MS * sample_rate / 1000.0)]).max())
    return near < max(db_to_gain(HEARD_AT_SEAM_DB), FADED * float(np.abs(edge).max()))


def joined_song(songs: Sequence[MeasuredSong]) -> MeasuredSong:
    """Songs in one piece; what their files and warnings say is the first one's."""
    first = songs[0]

    def blocks() -> Iterator[Block]:
        return chain.from_iterable(song.blocks() for song in songs)

    frames = sum(song.readings.frames for song in songs)
    measured = forecast(prefetch(blocks()), first.sample_rate, first.channels, frames)
    return replace(first, blocks=blocks, forecast=measured)


@dataclass(frozen=True)
class _Piece:
    """A part of a delivered group."""

    blocks: Callable[[], Iterator[Block]]
    forecast: LimiterForecast
    delivered: DeliveryResult


def deliver_joined(
    prepared: PreparedSong,
    songs: Sequence[MeasuredSong],
    spec: DeliverySpec,
    scratch: Path,
    resources: ExitStack,
) -> list[PreparedSong]:
    """Bring songs that join to their loudness in one piece; each is then ready to be written as it is.

    A file that ends in the middle of a waveform has higher peaks between samples at its ends than the whole; the
    ceiling of the whole is lowered until all files keep it.

    Args:
        prepared: `joined_song` after its chain.
        songs: the songs that it was joined from.
        spec: of the whole.
        scratch: folder for temporary files.
        resources: closes them.
    """
    readings = prepared.rendered.forecast.readings
    ends = np.cumsum([song.readings.frames for song in songs]) / sum(song.readings.frames for song in songs)
    total = round(sum(song.readings.frames for song in songs) * readings.sample_rate / songs[0].sample_rate)
    places = [0, *(round(float(end) * total) for end in ends)]
    places[-1] = readings.frames  # with the silence that may follow
    lowered_db, over_db = _BELOW_DB, 0.0
    pieces = _delivered(prepared, spec, lowered_db, places, scratch, resources)
    for _ in range(_ROUNDS):
        if spec.ceiling_db is not None:
            highest_db = max(piece.forecast.readings.true_peak_db for piece in pieces)
            over_db = highest_db - spec.ceiling_db + _BELOW_DB
        if over_db <= 0.0:
            break
        lowered_db += over_db + _FURTHER_DB
        pieces = _delivered(prepared, spec, lowered_db, places, scratch, resources)
    names = [song.reader.path.name for song in songs]
    found = []
    for i, (song, piece) in enumerate(zip(songs, pieces, strict=True)):
        others = ", ".join(name for k, name in enumerate(names) if k != i)
        said = Note("joined", f"mastered in one piece with {others}, which it joins")
        tone = replace(prepared.tone, actions=(*prepared.tone.actions, said))
        rendered = RenderedSong(piece.blocks, piece.forecast, prepared.rendered.stages)
        found.append(PreparedSong(song, tone, rendered, dict(prepared.seconds), piece.delivered))
    return found


def as_it_is(spec: DeliverySpec) -> DeliverySpec:
    """The delivery of a song that is finished but for its file."""
    return replace(spec, lufs=None, max_reduction_db=0.0, clip_db=0.0)


def _delivered(
    prepared: PreparedSong,
    spec: DeliverySpec,
    lowered_db: float,
    places: Sequence[int],
    scratch: Path,
    resources: ExitStack,
) -> list[_Piece]:
    rendered = prepared.rendered
    rate, channels = rendered.forecast.readings.sample_rate, prepared.song.channels
    buffer = resources.enter_context(DiskBuffer(scratch, channels))
    form = OutputFormat(default_encoding(FORMATS["wav"]), "32f")

    def open_writer() -> AtomicWriter:
        return AtomicWriter(
            scratch / "joined.wav", form, rate, channels, rendered.forecast.readings.frames, overwrite=True
        )

    ceiling_db = None if spec.ceiling_db is None else spec.ceiling_db - lowered_db
    result, writer = deliver(
        rendered.blocks, rendered.forecast, replace(spec, ceiling_db=ceiling_db), open_writer, buffer
    )
    writer.abandon()
    pieces = []
    for start, end in pairwise(places):

        def blocks(start: int = start, end: int = end) -> Iterator[Block]:
            return cut(buffer.blocks(), start, end)

        first, last = (round(place * 1000.0 / (HOP_MS * rate)) for place in (start, end))
        own = replace(result, reduction_db=result.reduction_db[first:last])
        pieces.append(_Piece(blocks, forecast(prefetch(blocks()), rate, channels, end - start), own))
    return pieces
