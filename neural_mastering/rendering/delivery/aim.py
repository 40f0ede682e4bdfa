"""What the loudness loop aims at: the target, the song's channels, and what the user allows."""

from __future__ import annotations

import math

from neural_mastering.metering.meter import Readings
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.delivery.targets import Target
from neural_mastering.rendering.options import Options
from neural_mastering.units import power_to_db

TWO_LOUDSPEAKERS_DB = power_to_db(2.0)
"""A mono file that two loudspeakers play is this much louder than BS.1770 measures its one channel."""


def aimed_lufs(source: Readings, target: Target, options: Options) -> tuple[float, tuple[Note, ...]]:
    """The loudness to aim at for a source, −inf where it has none, and what is worth saying of it."""
    notes: list[Note] = []
    lufs = source.lufs if target.lufs is None else target.lufs
    if options.dual_mono and len(source.channel_power) == 1 and target.lufs is not None:
        lufs -= TWO_LOUDSPEAKERS_DB
        notes.append(
            Note(
                "dual_mono",
                f"mono for two loudspeakers: {lufs:.1f} LUFS in the file are {target.lufs:.1f} LUFS",
            )
        )
    if options.lower_only and math.isfinite(source.lufs) and source.lufs < lufs:
        notes.append(
            Note(
                "lower_only",
                f"the song ({source.lufs:.1f} LUFS) is quieter than {lufs:.1f} LUFS: it stays so",
            )
        )
        lufs = source.lufs
    return lufs, tuple(notes)


def delivery_spec(lufs: float, target: Target, options: Options) -> DeliverySpec:
    """Loudness, ceiling and what may be taken off the peaks."""
    return options.delivery_spec(lufs if math.isfinite(lufs) else None, target.ceiling_db)
