"""One song from file to file: analyse, render, bring to loudness and ceiling, write."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from neural_mastering.errors import InputError
from neural_mastering.rendering.ahead import ahead
from neural_mastering.rendering.audio_reader import AudioReader, Block
from neural_mastering.rendering.chain import build_stages
from neural_mastering.rendering.controls import ChainControls, scaled
from neural_mastering.rendering.delivery import Delivered, Wanted, deliver
from neural_mastering.rendering.meter import Readings
from neural_mastering.rendering.options import Options, chosen_target
from neural_mastering.rendering.preflight import preflight
from neural_mastering.rendering.spool import Spool
from neural_mastering.rendering.stage_meter import StageRecord
from neural_mastering.rendering.stream import run_stages
from neural_mastering.rendering.survey import survey
from neural_mastering.rendering.tags import read_tags, write_tags
from neural_mastering.rendering.targets import Target
from neural_mastering.rendering.writer import AtomicWriter, OutputFormat, output_format

if TYPE_CHECKING:
    from neural_mastering.rendering.spoken import Spoken
    from neural_mastering.rendering.tone import Tone

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    """No progress is shown."""


@dataclass
class MasterResult:
    """What was done to a song.

    Attributes:
        source, output: the files.
        target: loudness and ceiling asked for.
        input, result: readings of the source and of the written file.
        controls: the chain that was rendered, strengths applied.
        delivered: of the loudness and ceiling stage.
        form: of the output file.
        warnings, did: sentences.
        seconds: wall time by step.
        tone: where the controls came from.
        words: what words added to them, None without words.
        stages: what each stage of the chain did, in order; empty where none ran.
    """

    source: Path
    output: Path
    target: Target
    input: Readings
    result: Readings
    controls: ChainControls
    delivered: Delivered
    form: OutputFormat
    warnings: list[str]
    did: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    tone: Tone | None = None
    words: Spoken | None = None
    stages: list[StageRecord] = field(default_factory=list)


class Song:
    """A song between analysis and delivery; `prepare` makes it.

    Attributes:
        reader: of the source.
        input: readings of the source.
        tone: where the controls came from, and the model's part of it.
        controls: strengths applied, words in them.
        words: what words added, None without words.
        before: survey of what the chain gives.
        warnings: so far.
        seconds: wall time by step.
        stages: what each stage of the chain did.
    """

    def __init__(self, source: Path, options: Options, scratch: Path, progress: Progress = _silent) -> None:
        from neural_mastering.rendering.tone import find_tone

        self._stack = ExitStack()
        self.seconds: dict[str, float] = {}
        try:
            self.reader = self._stack.enter_context(AudioReader(source))
            reader = self.reader
            self._spool: Spool | None = None
            progress("measuring")
            started = time.perf_counter()
            first = self._keep(reader.blocks(), scratch) if not reader.is_lossless else reader.blocks()
            plain = survey(ahead(first), reader.sample_rate, reader.channels, reader.frames)
            self._count("measure", started)
            self.input = plain.readings
            self.warnings = preflight(reader, plain.readings)
            self._source = self._spool.blocks if self._spool is not None else reader.blocks
            started = time.perf_counter()
            self.tone = find_tone(options, reader, self._source, plain.readings, progress)
            self.warnings += self.tone.warnings
            self.controls = scaled(self.tone.controls, options.shares(self.tone.controls))
            self.words = None
            if options.words:
                self.controls = self._spoken(options)
            stages = build_stages(
                self.controls, reader.sample_rate, reader.channels, self.tone.residual_source(self.controls)
            )
            self._count("analyse", started)
            started = time.perf_counter()
            self.before = plain
            self.stages: list[StageRecord] = []
            if stages and any(plain.readings.channel_power):
                progress("rendering")
                source_blocks, old = self._source, self._spool
                rendered = run_stages(stages, source_blocks())
                kept = self._keep(rendered, scratch)
                self.before = survey(ahead(kept), reader.sample_rate, reader.channels, reader.frames)
                self.stages = [stage.record() for stage in stages]
                if old is not None:
                    old.close()
            self._count("render", started)
        except BaseException:
            self._stack.close()
            raise

    def blocks(self) -> Iterator[Block]:
        """What the chain gives, from the beginning."""
        return self._spool.blocks() if self._spool is not None else self.reader.blocks()

    def close(self) -> None:
        """Remove temporary files."""
        self._stack.close()

    def __enter__(self) -> Song:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _spoken(self, options: Options) -> ChainControls:
        from neural_mastering.rendering.tone import LEFT_ALONE
        from neural_mastering.rendering.word_tone import ONLY_WORDS, add_words

        controls, self.words = add_words(
            self.controls, options, self.tone, self.reader, self._source, self.input
        )
        if self.words is not None:
            self.warnings += self.words.request.notes
            if self.tone.origin == LEFT_ALONE:
                self.tone.origin = ONLY_WORDS
        return controls

    def _keep(self, blocks: Iterator[Block], scratch: Path) -> Iterator[Block]:
        self._spool = Spool(scratch, self.reader.channels)
        self._stack.callback(self._spool.close)
        return self._spool.keep(blocks)

    def _count(self, step: str, started: float) -> None:
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - started


def master(
    source: str | Path, output: str | Path, options: Options | None = None, progress: Progress = _silent
) -> MasterResult:
    """Master one file.

    Without a model, controls or references the tone is left alone: the file gets its loudness, its ceiling and its
    report.

    Args:
        source: WAV, FLAC, AIFF, OGG, MP3; M4A and others where ffmpeg is installed.
        output: WAV, FLAC or AIFF by its suffix.
        options: target, strengths and everything else; `Options()` aims at −14 LUFS and −1 dBTP.
        progress: called with a word for each step.

    Raises:
        InputError: anything that is the user's to mend; nothing is written then.
    """
    options = options or Options()
    source, output = Path(source), Path(output)
    check_paths(source, output, options)
    with Song(source, options, output.parent, progress) as song:
        target = chosen_target(options, song.tone.target)
        return finish(song, output, options, target, progress)


def finish(
    song: Song, output: Path, options: Options, target: Target, progress: Progress = _silent
) -> MasterResult:
    """Bring a prepared song to its target and write it with everything that was asked for beside it."""
    from neural_mastering.rendering import extras

    reader = song.reader
    form = output_format(output, options.bits, reader.bits, reader.is_float)
    same_bits = song.before.readings is song.input and (reader.bits or 99) <= 16
    lufs = target.lufs if target.lufs is not None else song.input.lufs
    wanted = Wanted(
        lufs if math.isfinite(lufs) else None,
        target.ceiling_db,
        options.allowed_reduction_db,
        options.limiter,
    )
    started = time.perf_counter()
    progress("limiting")

    def open_writer() -> AtomicWriter:
        return AtomicWriter(
            output,
            form,
            reader.sample_rate,
            reader.channels,
            frames=song.input.frames,
            overwrite=options.overwrite,
            # what lies on the 16-bit grid already and is not changed needs no dither
            keep_grid=same_bits,
        )

    delivered, writer = deliver(song.blocks, song.before, wanted, open_writer)
    song.seconds["deliver"] = time.perf_counter() - started
    result = MasterResult(
        source=song.reader.path,
        output=output,
        target=target,
        input=song.input,
        result=delivered.readings,
        controls=song.controls,
        delivered=delivered,
        form=form,
        warnings=song.warnings,
        seconds=song.seconds,
        tone=song.tone,
        words=song.words,
        stages=song.stages,
    )
    try:
        started = time.perf_counter()
        _carry_tags(song.reader.path, writer, form, result.warnings)
        extras.describe(result, wanted)
        writer.commit()
        song.seconds["tags"] = time.perf_counter() - started
    except BaseException:
        writer.abandon()
        raise
    started = time.perf_counter()
    extras.write_extras(result, song, options)
    song.seconds["report"] = time.perf_counter() - started
    return result


def check_paths(source: Path, output: Path, options: Options) -> None:
    """Refuse what would fail at the end, before the work begins.

    Raises:
        InputError: an output that exists, is the input, or has an unknown suffix.
    """
    output_format(output, options.bits, None, False)
    if output.exists() and source.exists() and source.samefile(output):
        raise InputError(f"{output} is the input itself: choose another name")
    named = [output, *(path for path in (options.json, options.save_controls) if path is not None)]
    if options.export:
        from neural_mastering.rendering.extras import export_paths

        named += export_paths(output, options.export)
    if options.report is not None:
        if options.report.exists() and not options.report.is_dir():
            raise InputError(f"--report {options.report} is a file: give a folder")
        named.append(options.report / "report.html")
    for path in named:
        if path.is_dir():
            raise InputError(f"{path} is a folder: give a file name")
        if path.exists() and not options.overwrite:
            raise InputError(f"{path} exists: add --overwrite to replace it, or choose another name")
    if source.exists():
        for path in named[1:]:
            if path.exists() and source.samefile(path):
                raise InputError(f"{path} is the input itself: choose another name")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {output.parent} can't be made ({error.strerror})") from error


def _carry_tags(source: Path, writer: AtomicWriter, form: OutputFormat, warnings: list[str]) -> None:
    try:
        write_tags(writer.draft, form.container, read_tags(source))
    except Exception as error:  # mutagen raises many types
        warnings.append(f"the tags could not be carried over ({error})")
