"""One song from file to file: measure → choose the tone → render → deliver → write what was asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.audio_io.tags import read_tags, write_tags
from neural_mastering.audio_io.writer import AtomicWriter, output_format
from neural_mastering.dsp.sections import sections_level_db
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.forecast import LimiterForecast, forecast
from neural_mastering.metering.measure import MeasuredSong, measure
from neural_mastering.metering.preflight import has_dc
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.loop import DeliverySpec, deliver
from neural_mastering.rendering.delivery.targets import Target
from neural_mastering.rendering.options import DC_REMOVAL, Options, chosen_target
from neural_mastering.rendering.outputs.paths import check_paths
from neural_mastering.rendering.outputs.summary import summarised
from neural_mastering.rendering.outputs.write import write_outputs
from neural_mastering.rendering.reference.measured import measures_of_file
from neural_mastering.rendering.reference.outcome import ReferenceOutcome, outcome_of
from neural_mastering.rendering.result import MasterResult
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.stages.dc_removal import DcRemovalStage
from neural_mastering.rendering.stages.record import StageRecord
from neural_mastering.rendering.tone.choose import choose_tone
from neural_mastering.rendering.tone.tone import Tone

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class RenderedSong:
    """What the chain makes of a song, before its delivery.

    Attributes:
        blocks: starts the samples from the beginning.
        forecast: readings, and how loud a limiter would leave it.
        stages: what each stage did.
    """

    blocks: Callable[[], Iterator[Block]]
    forecast: LimiterForecast
    stages: tuple[StageRecord, ...] = ()


@dataclass(frozen=True)
class PreparedSong:
    """A song up to its delivery, with the time that each step took."""

    song: MeasuredSong
    tone: Tone
    rendered: RenderedSong
    seconds: dict[str, float] = field(default_factory=dict)


def master(
    source: str | Path, output: str | Path, options: Options | None = None, progress: Progress = _silent
) -> MasterResult:
    """Master one file.

    Args:
        source: WAV, FLAC, AIFF, OGG, MP3; M4A and others where ffmpeg is installed.
        output: WAV, FLAC or AIFF by its suffix.
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
        suggested = None if prepared.tone.reference is None else prepared.tone.reference.target
        return finish(prepared, output, options, chosen_target(options, suggested), progress)


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
    with _timed(seconds, "measure"):
        song = measure(source, scratch, resources)
    with _timed(seconds, "analyse"):
        tone = choose_tone(song, options, progress)
    progress("rendering")
    with _timed(seconds, "render"):
        rendered = render(song, tone, scratch, resources, options.share_of(DC_REMOVAL) > 0.0)
    return PreparedSong(song, tone, rendered, seconds)


def render(
    song: MeasuredSong, tone: Tone, scratch: Path, resources: ExitStack, removes_dc: bool = True
) -> RenderedSong:
    """Run the chain once and keep what it gives; a song without stages passes as it is."""
    source = None if tone.model is None else tone.model.residual_source(tone.controls)
    stages = build_stages(tone.controls, song.sample_rate, song.channels, source)
    if removes_dc and has_dc(song.readings):
        stages = [DcRemovalStage(song.readings.channel_mean, song.sample_rate), *stages]
    if not stages or not any(song.readings.channel_power):
        return RenderedSong(song.blocks, song.forecast)
    buffer = resources.enter_context(DiskBuffer(scratch, song.channels))
    kept = buffer.keep(run_stages(stages, song.blocks()))
    measured = forecast(prefetch(kept), song.sample_rate, song.channels, song.reader.frames)
    return RenderedSong(buffer.blocks, measured, tuple(stage.record() for stage in stages))


def finish(
    prepared: PreparedSong, output: Path, options: Options, target: Target, progress: Progress = _silent
) -> MasterResult:
    """Bring a prepared song to its target and write it with everything that was asked for beside it."""
    song, rendered, seconds = prepared.song, prepared.rendered, dict(prepared.seconds)
    reader = song.reader
    form = output_format(output, options.bits, reader.bits, reader.is_float)
    is_untouched = rendered.forecast is song.forecast

    def open_writer() -> AtomicWriter:
        return AtomicWriter(
            output,
            form,
            song.sample_rate,
            song.channels,
            frames=song.readings.frames,
            overwrite=options.overwrite,
            # what lies on the 16-bit grid already and is not changed needs no dither
            keep_grid=is_untouched and (reader.bits or 99) <= 16,
        )

    lufs = target.lufs if target.lufs is not None else song.readings.lufs
    spec = DeliverySpec(
        lufs if math.isfinite(lufs) else None,
        target.ceiling_db,
        options.allowed_reduction_db,
        options.limiter,
        options.clip_db,
    )
    progress("limiting")
    with _timed(seconds, "deliver"):
        delivery, writer = deliver(rendered.blocks, rendered.forecast, spec, open_writer)
    try:
        with _timed(seconds, "compare"):
            reference = _reference_outcome(prepared, writer.draft, options)
        with _timed(seconds, "tags"):
            warnings = (*song.warnings, *prepared.tone.warnings, *_carry_tags(song, writer))
            result = summarised(
                MasterResult(
                    source=reader.path,
                    output=output,
                    input=song.readings,
                    result=delivery.readings,
                    tone=prepared.tone,
                    stages=rendered.stages,
                    target=target,
                    spec=spec,
                    delivery=delivery,
                    form=form,
                    warnings=warnings,
                    reference=reference,
                    seconds=seconds,
                )
            )
            writer.commit()
    except BaseException:
        writer.abandon()
        raise
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


def _carry_tags(song: MeasuredSong, writer: AtomicWriter) -> tuple[Note, ...]:
    try:
        write_tags(writer.draft, writer.form.container, read_tags(song.reader.path))
    except Exception as error:  # mutagen raises many types
        return (Note("tags_lost", f"the tags could not be carried over ({error})"),)
    return ()


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = seconds.get(step, 0.0) + time.perf_counter() - started
