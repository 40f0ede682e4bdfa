"""An album: one gain for all songs, so that the relations between its tracks stay."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from neural_mastering.audio_io.tags import read_tags
from neural_mastering.controls import load_controls
from neural_mastering.errors import InputError
from neural_mastering.metering.measure import MeasuredSong, measure, trimmed
from neural_mastering.metering.meter import gated_loudness
from neural_mastering.notes import Note
from neural_mastering.rendering.album_gain import write_album_gain
from neural_mastering.rendering.album_info import AlbumInfo
from neural_mastering.rendering.batch import Job, Report
from neural_mastering.rendering.delivery.aim import aimed_lufs, delivery_spec
from neural_mastering.rendering.delivery.reference_peaks import follow_plr
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.delivery.targets import Target
from neural_mastering.rendering.edits import SongEdits
from neural_mastering.rendering.joined_songs import as_it_is, deliver_joined, join_groups, joined_song, joins
from neural_mastering.rendering.options import chosen_target
from neural_mastering.rendering.outputs.cue_sheet import AlbumTrack, album_file_paths, write_album_files
from neural_mastering.rendering.outputs.paths import check_distinct, check_paths, check_place, output_files
from neural_mastering.rendering.pipeline import finish, prepare_measured
from neural_mastering.rendering.prepared_song import PreparedSong
from neural_mastering.rendering.result import MasterResult

LONGEST_GAP_S = 60.0
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')


@dataclass(frozen=True)
class _Group:
    """Neighbouring songs in one piece: one alone, or several that join.

    Attributes:
        places: of its songs in the album.
        songs: as they were measured, edges cut.
        prepared: in one piece.
    """

    places: tuple[int, ...]
    songs: tuple[MeasuredSong, ...]
    prepared: PreparedSong


def run_album(
    jobs: Sequence[Job], report: Report, gap_s: float | None = None, info: AlbumInfo | None = None
) -> int:
    """Master songs with one gain for all; the album as a whole meets the target. Returns 0: all or none succeed.

    Every track is brought to its own loudness plus that gain. The track with the highest peaks decides how much the
    limiters may take. A file that can't be read stops the album, since its share of the loudness is unknown. Songs
    that join without a gap are mastered in one piece, so that the waveform goes on from file to file; songs with
    controls of their own keep them.

    Args:
        jobs: songs, in the order of the album unless `info` gives another.
        report: is told what became of each.
        gap_s: seconds of silence between songs that don't join, instead of what was there.
        info: order and tags.

    Raises:
        InputError: of the first track that fails.
    """
    if gap_s is not None and not 0.0 <= gap_s <= LONGEST_GAP_S:
        raise InputError(f"--album-gap {gap_s:g}: expected 0 to {LONGEST_GAP_S:g} seconds")
    jobs, further = _in_order(jobs, info)
    folder, name = jobs[0].output.parent, _name(further)
    beside = album_file_paths(folder, name)
    check_distinct(
        [
            *(file for job in jobs for file in output_files(job.output, job.options)),
            *(("--album", path) for path in beside),
        ]
    )
    for job in jobs:
        check_paths(job.source, job.output, job.options)
    for path in beside:
        check_place(path, jobs[0].source, jobs[0].options.overwrite)
    with ExitStack() as resources:
        songs = [measure(job.source, job.output.parent, resources) for job in jobs]
        seams = _seams(jobs, songs)
        together = join_groups(songs, seams)
        groups = [_prepared(places, jobs, songs, gap_s, resources) for places in together]
        target = chosen_target(jobs[0].options, groups[0].prepared.tone.suggested_target)
        gain_db, notes = _common_gain(jobs, groups, target)
        results: list[MasterResult] = []
        for group in groups:
            said = (*notes, *seams.get(group.places[0], ()))
            for place, song, track, spec in _deliveries(group, jobs, target, gain_db, said, resources):
                job = jobs[place]
                results.append(
                    finish(song, job.output, job.options, track, spec=spec, further=further[place])
                )
                report(job, results[-1])
    if jobs[0].options.deliverables.replaygain:
        write_album_gain(results)
    write_album_files([_track(*pair) for pair in zip(results, further, strict=True)], folder, name)
    return 0


def _seams(jobs: Sequence[Job], songs: Sequence[MeasuredSong]) -> dict[int, tuple[Note]]:
    """Places of songs that join the one before but have other controls, with what is said of them.

    Controls that were given for a song are followed, even where one setting for both would hide the seam.
    """
    chains = [None if job.options.controls is None else load_controls(job.options.controls) for job in jobs]
    return {
        i: (
            Note(
                "seam",
                f"the song joins {jobs[i - 1].source.name}, but its controls are others: the seam may be heard "
                f"(the same settings in {_file_name(jobs[i - 1])} and {_file_name(jobs[i])} avoid it)",
            ),
        )
        for i in range(1, len(jobs))
        if chains[i - 1] != chains[i] and joins(songs[i - 1], songs[i])
    }


def _file_name(job: Job) -> str:
    return "none" if job.options.controls is None else job.options.controls.name


def _in_order(jobs: Sequence[Job], info: AlbumInfo | None) -> tuple[list[Job], list[Mapping[str, str]]]:
    """The jobs in the album's order, and what is said of each."""
    if info is None:
        return list(jobs), [{} for _ in jobs]
    rows = info.ordered([job.source for job in jobs])
    total = len(rows)
    return [jobs[place] for place, _ in rows], [
        {"tracknumber": f"{number}/{total}", **tags} for number, (_, tags) in enumerate(rows, 1)
    ]


def _name(further: Sequence[Mapping[str, str]]) -> str:
    """Of the CUE sheet and the playlist: the album's title as a file may be called."""
    title = _UNSAFE.sub("_", further[0].get("album", "")).strip(" .")
    return title[:80] or "album"


def _prepared(
    places: Sequence[int],
    jobs: Sequence[Job],
    songs: Sequence[MeasuredSong],
    gap_s: float | None,
    resources: ExitStack,
) -> _Group:
    """Songs in one piece, their outer edges cut where that was asked for, through the chain."""
    job = jobs[places[0]]
    cuts = job.options.edits.trim or gap_s is not None
    own = [songs[place] for place in places]
    if cuts:
        own[0] = trimmed(own[0], at_end=len(own) == 1)
        if len(own) > 1:
            own[-1] = trimmed(own[-1], at_start=False)
    edits = _edits(job.options.edits, places, len(songs), gap_s)
    whole = own[0] if len(own) == 1 else joined_song(own)
    options = replace(job.options, edits=edits)
    return _Group(tuple(places), tuple(own), prepare_measured(whole, options, job.output.parent, resources))


def _edits(asked: SongEdits, places: Sequence[int], count: int, gap_s: float | None) -> SongEdits:
    """An album fades in at its beginning and out at its end; gaps lie between its songs."""
    is_first, is_last = places[0] == 0, places[-1] == count - 1
    return replace(
        asked,
        fade_in=asked.fade_in if is_first else None,
        fade_out=asked.fade_out if is_last else None,
        silence_after_s=0.0 if is_last else gap_s or 0.0,
    )


def _deliveries(
    group: _Group,
    jobs: Sequence[Job],
    target: Target,
    gain_db: float,
    notes: tuple[Note, ...],
    resources: ExitStack,
) -> list[tuple[int, PreparedSong, Target, DeliverySpec]]:
    """What to write for each song of a group: its place, the song, its target, and what remains to be done."""
    job, prepared = jobs[group.places[0]], group.prepared
    prepared = replace(prepared, tone=replace(prepared.tone, warnings=(*prepared.tone.warnings, *notes)))
    lufs = prepared.rendered.forecast.readings.lufs + gain_db
    spec = delivery_spec(lufs, target, job.options)
    if job.options.plr is not None:
        spec, said = follow_plr(prepared.rendered.forecast, spec, job.options.plr, None)
        prepared = replace(prepared, tone=replace(prepared.tone, actions=(*prepared.tone.actions, *said)))
    pieces = [prepared]
    if len(group.songs) > 1:
        pieces = deliver_joined(prepared, group.songs, spec, job.output.parent, resources)
    found = []
    for place, piece in zip(group.places, pieces, strict=True):
        own = lufs if len(pieces) == 1 else piece.rendered.forecast.readings.lufs
        track = replace(target, name=f"{target.name} (album)", lufs=own if math.isfinite(own) else None)
        found.append((place, piece, track, spec if len(pieces) == 1 else as_it_is(spec)))
    return found


def _common_gain(
    jobs: Sequence[Job], groups: Sequence[_Group], target: Target
) -> tuple[float, tuple[Note, ...]]:
    """The gain in dB that brings the album to its target, or as near as its highest peaks allow."""
    readings = [group.prepared.rendered.forecast.readings for group in groups]
    album_lufs = gated_loudness(np.concatenate([own.hop_energy for own in readings]))
    sources = [group.prepared.song.readings for group in groups]
    # the album's own readings: one song's, with the energy of all
    whole = replace(sources[0], hop_energy=np.concatenate([own.hop_energy for own in sources]))
    asked, notes = aimed_lufs(whole, target, jobs[0].options)
    if not (math.isfinite(album_lufs) and math.isfinite(asked)):
        raise InputError("the album is silent: nothing to master")
    gain_db = asked - album_lufs
    if target.ceiling_db is None:
        return gain_db, notes
    room_db = [
        target.ceiling_db + jobs[group.places[0]].options.allowed_reduction_db - own.true_peak_db
        for group, own in zip(groups, readings, strict=True)
    ]
    if gain_db <= min(room_db):
        return gain_db, notes
    loudest = jobs[groups[int(np.argmin(room_db))].places[0]].source.name
    note = Note(
        "target_not_reached",
        f"the album stops at {album_lufs + min(room_db):.1f} LUFS instead of {asked:.1f}: the peaks of "
        f"{loudest} allow no more",
    )
    return min(room_db) - 0.01, (*notes, note)


def _track(result: MasterResult, further: Mapping[str, str]) -> AlbumTrack:
    own = {name: values[0] for name, values in read_tags(result.source).text.items() if values}
    return AlbumTrack(result.output, result.result.frames / result.result.sample_rate, {**own, **further})
