"""An album: one gain for all songs, so that the relations between its tracks stay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from neural_mastering.errors import InputError
from neural_mastering.metering.meter import gated_loudness
from neural_mastering.notes import Note
from neural_mastering.rendering.album_gain import write_album_gain
from neural_mastering.rendering.batch import Job, Report
from neural_mastering.rendering.delivery.targets import Target
from neural_mastering.rendering.options import chosen_target
from neural_mastering.rendering.outputs.paths import check_paths
from neural_mastering.rendering.pipeline import PreparedSong, finish, prepare
from neural_mastering.rendering.result import MasterResult


def run_album(jobs: Sequence[Job], report: Report) -> int:
    """Master songs with one gain for all; the album as a whole meets the target. Returns 0: all or none succeed.

    Every track is brought to its own loudness plus that gain. The track with the highest peaks decides how much the
    limiters may take. A file that can't be read stops the album, since its share of the loudness is unknown.

    Raises:
        InputError: of the first track that fails.
    """
    for job in jobs:
        check_paths(job.source, job.output, job.options)
    with ExitStack() as resources:
        songs = [prepare(job.source, job.options, job.output.parent, resources) for job in jobs]
        first = songs[0].tone.reference
        target = chosen_target(jobs[0].options, None if first is None else first.target)
        gain_db, notes = _common_gain(jobs, songs, target)
        results: list[MasterResult] = []
        for job, prepared in zip(jobs, songs, strict=True):
            lufs = prepared.rendered.forecast.readings.lufs + gain_db
            track = replace(target, name=f"{target.name} (album)", lufs=lufs if math.isfinite(lufs) else None)
            tone = replace(prepared.tone, warnings=(*prepared.tone.warnings, *notes))
            results.append(finish(replace(prepared, tone=tone), job.output, job.options, track))
            report(job, results[-1])
    if jobs[0].options.deliverables.replaygain:
        write_album_gain(results)
    return 0


def _common_gain(
    jobs: Sequence[Job], songs: Sequence[PreparedSong], target: Target
) -> tuple[float, tuple[Note, ...]]:
    """The gain in dB that brings the album to its target, or as near as its highest peaks allow."""
    readings = [prepared.rendered.forecast.readings for prepared in songs]
    album_lufs = gated_loudness(np.concatenate([own.hop_energy for own in readings]))
    asked = target.lufs
    if asked is None:  # keep: as loud as the sources were together
        asked = gated_loudness(np.concatenate([prepared.song.readings.hop_energy for prepared in songs]))
    if not (math.isfinite(album_lufs) and math.isfinite(asked)):
        raise InputError("the album is silent: nothing to master")
    gain_db = asked - album_lufs
    if target.ceiling_db is None:
        return gain_db, ()
    room_db = [
        target.ceiling_db + job.options.allowed_reduction_db - own.true_peak_db
        for job, own in zip(jobs, readings, strict=True)
    ]
    if gain_db <= min(room_db):
        return gain_db, ()
    loudest = jobs[int(np.argmin(room_db))].source.name
    note = Note(
        "target_not_reached",
        f"the album stops at {album_lufs + min(room_db):.1f} LUFS instead of {asked:.1f}: the peaks of "
        f"{loudest} allow no more",
    )
    return min(room_db) - 0.01, (note,)
