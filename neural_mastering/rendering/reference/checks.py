"""What a person should know about the references they gave, before they trust the result."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s
from neural_mastering.normality import load_normal_tone
from neural_mastering.notes import Note
from neural_mastering.rendering.reference.measured import MeasuredReference, SongMeasures
from neural_mastering.reporting.markup import frequency, number

SHORTEST_S = 3.0
LARGEST_DB = 6.0
"""A smooth difference above this is more than a master usually corrects."""

CERTAIN = 0.4
"""Probability of a kind of music from which it is worth a warning."""

UNSURE = "unsure"
_EQUAL_DB = 0.05


def reference_warnings(song: SongMeasures, references: Sequence[MeasuredReference]) -> tuple[Note, ...]:
    """Warnings about each reference: too short, clipped, lossy, the song itself, of other channels or rate."""
    return tuple(note for reference in references for note in _warnings(song, reference))


def far_warning(difference_db: Float64s, known: NDArray[np.bool_]) -> tuple[Note, ...]:
    """A warning where following in full would need more than 6 dB.

    Args:
        difference_db: (third,) smooth difference of references and song.
        known: (third,) bands that are compared.
    """
    used = np.flatnonzero(known & BROAD)
    if not used.size:
        return ()
    most = used[int(np.abs(difference_db[used]).argmax())]
    size_db = float(difference_db[most])
    if abs(size_db) <= LARGEST_DB:
        return ()
    where = frequency(float(CENTRES_HZ[most]))
    return (
        Note(
            "reference_far",
            f"following in full would need {number(size_db, signed=True)} dB at {where}: so large a difference is "
            "more often the arrangement's than the master's",
        ),
    )


def other_kinds(ours: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[str, str] | None:
    """The kinds of music of a song and of a reference, where both are fairly certain and differ.

    Args:
        ours, theirs: probability of each kind, "unsure" among them.
    """
    pair = []
    for kinds in (ours, theirs):
        certain = {name: share for name, share in kinds.items() if name != UNSURE}
        best = max(certain, key=lambda name: certain[name], default=None)
        if best is None or certain[best] < CERTAIN:
            return None
        pair.append(best)
    return (pair[0], pair[1]) if pair[0] != pair[1] else None


def _kind_warning(song: SongMeasures, reference: MeasuredReference) -> Iterator[Note]:
    if song.content is None or reference.measures.content is None:
        return
    model = load_normal_tone()
    ours, theirs = model.kinds(song.content), model.kinds(reference.measures.content)
    found = other_kinds(ours, theirs)
    if found is not None:
        yield Note(
            "reference_of_another_kind",
            f"by its content {reference.path.name} is {found[1]} music ({100.0 * theirs[found[1]]:.0f} %) and the "
            f"song {found[0]} ({100.0 * ours[found[0]]:.0f} %): what sets the two apart may be the kind of music",
        )


def _warnings(song: SongMeasures, reference: MeasuredReference) -> Iterator[Note]:
    name, theirs = reference.path.name, reference.measures
    if theirs.profile.seconds < SHORTEST_S:
        yield Note(
            "reference_short",
            f"{name} is only {theirs.profile.seconds:.1f} s long: its spectrum may not be that of the song; "
            "give all of it",
        )
    if theirs.readings.clipped_samples:
        yield Note(
            "reference_clipped",
            f"{name} is clipped ({theirs.readings.clipped_samples} samples in runs at full scale): part of its "
            "density and treble is distortion",
        )
    if theirs.edge_hz is not None:
        yield Note(
            "reference_lossy",
            f"the spectrum of {name} ends at {frequency(theirs.edge_hz)}, as that of a lossy file does: nothing is "
            "followed above",
        )
    elif not reference.is_lossless:
        yield Note(
            "reference_lossy", f"{name} is in a lossy format: its treble may not be that of the master"
        )
    yield from _kind_warning(song, reference)
    if is_the_song(song, theirs):
        yield Note("reference_is_the_song", f"{name} is the song itself: there is nothing to follow")
    ours, channels = len(song.readings.channel_power), len(theirs.readings.channel_power)
    if ours != channels:
        which = ("mono", "stereo") if channels == 1 else ("stereo", "mono")
        yield Note(
            "reference_channels", f"{name} is {which[0]} and the song {which[1]}: the width was left alone"
        )
    elif channels == 2 and theirs.readings.width_db == -math.inf and song.readings.width_db > -math.inf:
        yield Note("reference_channels", f"{name} has identical channels: the width was left alone")
    rate = theirs.readings.sample_rate
    if rate < min(song.readings.sample_rate, 32_000):
        yield Note(
            "reference_rate",
            f"{name} has a sample rate of {rate} Hz: nothing is followed above {frequency(rate / 2.0)}",
        )


def is_the_song(song: SongMeasures, reference: SongMeasures) -> bool:
    """Whether both hold the same sound, but for a gain."""
    if abs(song.profile.seconds - reference.profile.seconds) > 0.1:
        return False
    pairs = (
        (song.profile.levels_db, reference.profile.levels_db, song.profile.filled & reference.profile.filled),
        (song.profile.fine_db, reference.profile.fine_db, np.ones(len(song.profile.fine_db), dtype=bool)),
        (song.movement.levels_db, reference.movement.levels_db, np.isfinite(song.movement.levels_db)),
        (song.movement.side_db, reference.movement.side_db, np.isfinite(song.movement.side_db)),
    )
    return all(
        one.shape == other.shape and bool(np.all(np.abs(one - other)[used] < _EQUAL_DB))
        for one, other, used in pairs
    )
