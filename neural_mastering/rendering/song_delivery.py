"""A prepared song brought to its loudness; peaks come up again where they keep it from there."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from neural_mastering.allocator import return_freed_memory
from neural_mastering.audio_io.writer import AtomicWriter, OutputFormat
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.rendering.delivery.codec_safe import DeliveredMaster, deliver_safely
from neural_mastering.rendering.delivery.reference_peaks import PEAK_NOTES, peak_notes, raised_peaks
from neural_mastering.rendering.delivery.song_limiter import fit_limiter
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.prepared_song import PreparedSong
from neural_mastering.rendering.step_times import timed
from neural_mastering.rendering.tone.tone import Tone

_LONG_S = 600.0


@dataclass(frozen=True)
class DeliveredSong:
    """What came of it.

    Attributes:
        delivered: the master, a draft that has not yet got its name.
        spec: of the last delivery.
        tone: with the limiter's controls, and what is said of peaks.
        seconds: of each step so far.
    """

    delivered: DeliveredMaster
    spec: DeliverySpec
    tone: Tone
    seconds: dict[str, float]


def deliver_song(
    prepared: PreparedSong,
    output: Path,
    form: OutputFormat,
    options: Options,
    spec: DeliverySpec,
    resources: ExitStack,
) -> DeliveredSong:
    """Find the limiter and deliver; peaks lowered for a ratio come up again until the song reaches its target.

    Args:
        prepared: the song, with its tone and the seconds so far.
        output, form, options: of the master.
        spec: what to aim at.
        resources: closes what the samples are kept in.
    """
    song, rendered, tone, seconds = prepared.song, prepared.rendered, prepared.tone, dict(prepared.seconds)
    while True:
        end_pass(song)
        with timed(seconds, "limiter_search"):
            controls, fitted = fit_limiter(tone.controls, rendered.blocks, rendered.forecast, spec, options)
        end_pass(song)
        with timed(seconds, "deliver"):
            delivered = _deliver(prepared, output, form, options, fitted, resources)
        higher = raised_peaks(spec, delivered.result)
        if higher is None:
            return DeliveredSong(delivered, fitted, replace(tone, controls=controls), seconds)
        delivered.writer.abandon()
        spec, tone = higher, _told_peaks(tone, higher, options)


def _told_peaks(tone: Tone, spec: DeliverySpec, options: Options) -> Tone:
    """The tone with what is said of peaks after they came up."""
    decision = None if tone.reference is None else tone.reference.decision
    others = tuple(note for note in tone.actions if note.kind not in PEAK_NOTES)
    return replace(tone, actions=(*others, *peak_notes(spec, options.plr, decision)))


def _deliver(
    prepared: PreparedSong,
    output: Path,
    form: OutputFormat,
    options: Options,
    spec: DeliverySpec,
    resources: ExitStack,
) -> DeliveredMaster:
    """Bring the song to its loudness below its ceiling, as a draft that has not yet got its name."""
    song, rendered, asked = prepared.song, prepared.rendered, options.deliverables
    readings = rendered.forecast.readings
    is_untouched = rendered.forecast is song.forecast

    def open_writer() -> AtomicWriter:
        return AtomicWriter(
            output,
            form,
            readings.sample_rate,
            song.channels,
            frames=readings.frames,
            overwrite=options.overwrite,
            # what lies on the 16-bit grid already and is not changed needs no dither
            keep_grid=is_untouched and (song.reader.bits or 99) <= 16,
        )

    scratch = output.parent if asked.needs_samples(form) else None
    return deliver_safely(
        rendered.blocks, rendered.forecast, spec, open_writer, asked.promised(form), scratch, resources
    )


def end_pass(song: MeasuredSong) -> None:
    """Free memory that the threads of the next pass can't use would add up with a song's length."""
    if song.readings.frames > _LONG_S * song.sample_rate:  # costs some hundredths of a second
        return_freed_memory()
