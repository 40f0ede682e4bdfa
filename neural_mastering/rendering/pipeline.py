"""One song from file to file: measure → choose the tone → render → deliver → write what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from neural_mastering.audio_io.block import with_silence
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.audio_io.resample import resampled
from neural_mastering.audio_io.writer import output_format
from neural_mastering.dsp.sections import sections_level_db
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.forecast import forecast
from neural_mastering.metering.measure import MeasuredSong, measure
from neural_mastering.rendering.delivery.aim import aimed_lufs, delivery_spec
from neural_mastering.rendering.delivery.drafted_files import draft_files
from neural_mastering.rendering.delivery.reference_peaks import (
    follow_plr,
)
from neural_mastering.rendering.delivery.song_metadata import read_metadata
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.delivery.targets import Target
from neural_mastering.rendering.edits import NO_EDITS, SongEdits
from neural_mastering.rendering.options import DC_REMOVAL, Options, chosen_target
from neural_mastering.rendering.outputs.paths import check_paths
from neural_mastering.rendering.outputs.summary import summarised
from neural_mastering.rendering.outputs.write import write_outputs
from neural_mastering.rendering.prepared_song import PreparedSong, RenderedSong
from neural_mastering.rendering.reference.measured import measures_of_file
from neural_mastering.rendering.reference.outcome import ReferenceOutcome, outcome_of
from neural_mastering.rendering.result import MasterResult
from neural_mastering.rendering.song_delivery import deliver_song, end_pass
from neural_mastering.rendering.stages.base import run_beside
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.stages.dc_removal import dc_removal
from neural_mastering.rendering.stages.fade import fade_stages
from neural_mastering.rendering.step_times import timed
from neural_mastering.rendering.tone.choose import choose_tone
from neural_mastering.rendering.tone.edited import edited_tone
from neural_mastering.rendering.tone.listening import Listening
from neural_mastering.rendering.tone.tone import Tone

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    """No progress is shown."""


def master(
    source: str | Path, output: str | Path, options: Options | None = None, progress: Progress = _silent
) -> MasterResult:
    """Master one file.

    Args:
        source: WAV, FLAC, AIFF, OGG, MP3; M4A and others where ffmpeg is installed.
        output: WAV, FLAC, AIFF, MP3, Ogg Vorbis or Opus by its suffix; M4A where ffmpeg is installed.
        options: target, strengths and everything else; `Options()` aims at −14 LUFS and −1 dBTP.
        progress: called with a word for each step.

    Raises:
        InputError: anything that the user can put right; nothing is written then.
    """
    options = options or Options()
    source, output = Path(source), Path(output)
    check_paths(source, output, options)
    with ExitStack() as resources:
        prepared = prepare(source, options, output.parent, resources, progress)
        target = chosen_target(options, prepared.tone.suggested_target)
        return finish(prepared, output, options, target, progress)


def prepare(
    source: Path, options: Options, scratch: Path, resources: ExitStack, progress: Progress = _silent
) -> PreparedSong:
    """Everything that does not depend on the target: measure, choose the tone, render.

    Args:
        source: the audio file.
        options: of the master.
        scratch: folder for temporary files.
        resources: closes and removes what the song needs until it is delivered.
        progress: called with a word for each step.
    """
    seconds: dict[str, float] = {}
    progress("measuring")
    listening = Listening(options)
    with timed(seconds, "measure"):
        beside = None if options.edits.trim else listening.start  # what is cut off must not be heard
        song = measure(source, scratch, resources, options.edits.trim, beside)
    end_pass(song)
    prepared = prepare_measured(song, options, scratch, resources, progress, listening)
    return replace(prepared, seconds=seconds | prepared.seconds)


def prepare_measured(
    song: MeasuredSong,
    options: Options,
    scratch: Path,
    resources: ExitStack,
    progress: Progress = _silent,
    listening: Listening | None = None,
) -> PreparedSong:
    """As `prepare`, for a song that was measured; `listening` has heard it then."""
    seconds: dict[str, float] = {}
    with timed(seconds, "analyse"):
        tone = choose_tone(song, options, progress, listening=listening)
        tone = edited_tone(tone, song, options.edits)
    progress("rendering")
    with timed(seconds, "render"):
        rendered = render(
            song,
            tone,
            scratch,
            resources,
            options.deliverables.sample_rate_hz,
            options.share_of(DC_REMOVAL) > 0.0,
            options.edits,
            where="" if options.controls is None else f"{options.controls}: ",
        )
    return PreparedSong(song, tone, rendered, seconds)


def render(
    song: MeasuredSong,
    tone: Tone,
    scratch: Path,
    resources: ExitStack,
    sample_rate: int | None = None,
    removes_dc: bool = True,
    edits: SongEdits = NO_EDITS,
    where: str = "",
) -> RenderedSong:
    """Run the chain once and keep what it gives, at another sample rate in Hz where one is asked for.

    A song without stages passes as it is. `where` stands before what is said of a stage that can't be built.
    """
    source = None if tone.model is None else tone.model.residual_source(tone.controls)
    stages = build_stages(tone.controls, song.sample_rate, song.channels, source, where)
    if removes_dc:
        stages = [*dc_removal(song.readings.channel_mean, song.sample_rate), *stages]
    stages += fade_stages(edits.fade_in, edits.fade_out, song.readings.frames, song.sample_rate)
    if not any(song.readings.channel_power):
        stages = []
    added = round(edits.silence_after_s * song.sample_rate)
    if not (stages or added) and sample_rate in (None, song.sample_rate):
        return RenderedSong(song.blocks, song.forecast)
    rate = sample_rate or song.sample_rate
    buffer = resources.enter_context(DiskBuffer(scratch, song.channels))
    chain = with_silence(run_beside(stages, song.blocks()), added, song.channels)
    kept = buffer.keep(resampled(chain, song.sample_rate, rate, song.channels))
    frames = round((song.readings.frames + added) * rate / song.sample_rate)
    measured = forecast(prefetch(kept), rate, song.channels, frames)
    return RenderedSong(buffer.blocks, measured, tuple(stage.record() for stage in stages))


def finish(
    prepared: PreparedSong,
    output: Path,
    options: Options,
    target: Target,
    progress: Progress = _silent,
    spec: DeliverySpec | None = None,
    further: Mapping[str, str] | None = None,
) -> MasterResult:
    """Bring a prepared song to its target and write it with everything that was asked for beside it.

    Args:
        prepared: by `prepare`.
        output, options, target: of the master.
        progress: called with a word for each step.
        spec: what to aim at; None takes it from target and options.
        further: tags by their Vorbis name, instead of the source's own.
    """
    song, rendered, seconds = prepared.song, prepared.rendered, dict(prepared.seconds)
    reader, asked, tone = song.reader, options.deliverables, prepared.tone
    form = output_format(output, options.bits, reader.bits, reader.is_float, asked.encoding)
    if spec is None:
        lufs, notes = aimed_lufs(song.readings, target, options)
        spec = delivery_spec(lufs, target, options)
        decision = None if tone.reference is None else tone.reference.decision
        spec, said = follow_plr(rendered.forecast, spec, options.plr, decision)
        tone = replace(tone, actions=(*tone.actions, *notes, *said))
    progress("limiting")
    with ExitStack() as resources:
        limited = deliver_song(
            replace(prepared, tone=tone, seconds=seconds), output, form, options, spec, resources
        )
        delivered, tone, spec, seconds = limited.delivered, limited.tone, limited.spec, limited.seconds
        resources.callback(delivered.writer.abandon)  # nothing to remove once it is committed
        with timed(seconds, "compare"):
            reference = _reference_outcome(prepared, delivered.writer.draft, options)
        progress("encoding")
        with timed(seconds, "encode"):
            files = draft_files(delivered, form, asked, target.ceiling_db, options.overwrite)
        resources.callback(files.abandon)
        with timed(seconds, "tags"):
            tag_notes = files.write_metadata(
                read_metadata(reader.path, song.first_frame, song.sample_rate, further), asked.replaygain
            )
        delivery, earlier = delivered.result, prepared.delivered
        if earlier is not None:
            delivery = replace(earlier, readings=delivery.readings)
        result = summarised(
            MasterResult(
                source=reader.path,
                output=output,
                input=song.readings,
                result=files.master.readings,
                tone=tone,
                stages=rendered.stages,
                target=target,
                spec=spec,
                delivery=delivery,
                form=form,
                warnings=(*song.warnings, *tone.warnings, *files.notes, *tag_notes),
                inspection=song.inspection,
                reference=reference,
                codecs=files.codecs,
                lowered_db=delivered.lowered_db,
                copies=files.copy_paths,
                seconds=seconds,
            )
        )
        files.commit()
    return write_outputs(result, song, options)


def _reference_outcome(prepared: PreparedSong, draft: Path, options: Options) -> ReferenceOutcome | None:
    """How far the written song came towards its references; None without any."""
    tone, rate = prepared.tone, prepared.song.sample_rate
    if tone.reference is None:
        return None
    at_hz = np.minimum(CENTRES_HZ, 0.49 * rate)
    applied_db = sections_level_db(tone.controls.eq_sections(rate), at_hz, rate)
    master = measures_of_file(draft)
    return outcome_of(tone.reference.decision, master, applied_db, options.target is not None)
