"""Everything about one song: render each system, measure it, keep what the report shows."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from neural_mastering.data import AudioCache, SongPair
from neural_mastering.dsp.loudness import HOP_MS, SHORT_TERM_MS, k_weighted_energy, short_term_loudness
from neural_mastering.dsp.ltas import third_octave_levels_db
from neural_mastering.evaluation.ablation_scores import ablation_scores
from neural_mastering.evaluation.ablations import NO_RESIDUAL, ablations_of
from neural_mastering.evaluation.recovery import Recovery, TrueCorrection, recovery, width_change_db
from neural_mastering.evaluation.song_baselines import LoudnessMatch, Untouched
from neural_mastering.evaluation.song_result import Excerpt, Scores, SongResult
from neural_mastering.evaluation.song_set import LoadedSong, load_song
from neural_mastering.evaluation.song_systems import Skip, SongSystem, SystemOutput
from neural_mastering.evaluation.trained_model import TrainedModel, render_controls
from neural_mastering.metrics.signal import Signal
from neural_mastering.metrics.suite import measure, of_matched
from neural_mastering.shapes import Audio
from neural_mastering.units import db_to_power

BEFORE, TARGET = "before", "target"
PARTS = ("rendering", "measuring", "segments", "ablations")
"""What takes time, in `SongResult.seconds`."""
SILENCE_DB = -60.0


@dataclass(frozen=True)
class EvaluationOptions:
    """What to measure.

    Attributes:
        high_hz: upper end of the third octaves.
        segment_s: length of the fixed segments.
        segments: at most so many a song, spread evenly; 0 for none.
        ablations: whether to take the models apart.
        excerpt_s: length of the players' audio; 0 for none.
        audio_folder: where excerpts go.
    """

    high_hz: float = 15_000.0
    segment_s: float = 5.0
    segments: int = 6
    ablations: bool = True
    excerpt_s: float = 24.0
    audio_folder: Path | None = None


@dataclass(frozen=True)
class SongTask:
    """One song, and another whose z may be borrowed."""

    pair: SongPair
    number: int
    other: SongPair | None = None
    truth: TrueCorrection | None = None


@dataclass
class _Readings:
    """What is gathered while the systems go by."""

    whole: dict[str, Scores] = field(default_factory=dict)
    segments: dict[str, Scores] = field(default_factory=dict)
    recovery: dict[str, Recovery] = field(default_factory=dict)
    third_octaves: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    short_term: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)


class _Clock:
    """Wall time by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        self._part, self._since = "", 0.0

    def start(self, part: str) -> None:
        self.stop()
        self._part, self._since = part, time.perf_counter()

    def stop(self) -> None:
        if self._part:
            self.seconds[self._part] += time.perf_counter() - self._since
        self._part = ""


def measure_song(
    task: SongTask, systems: Sequence[SongSystem], cache: AudioCache, options: EvaluationOptions
) -> SongResult:
    """Evaluate all systems on one song.

    A system that can't render this song for the user's reasons (`Skip`) is skipped by name.
    """
    with torch.inference_mode():
        song = load_song(task.pair, cache)
        target = Signal(song.target, song.sample_rate, options.high_hz)
        own = Signal(song.input, song.sample_rate, options.high_hz)
        start, stop = _excerpt(song, options.excerpt_s)
        starts = _segment_starts(song, options)
        found = _Readings()
        _keep(found, BEFORE, song.input, song, task, options, (start, stop))
        _keep(found, TARGET, song.target, song, task, options, (start, stop))
        traces, shares, ablations, skipped = {}, {}, {}, {}
        clock = _Clock()
        wanted = [(start, _segment(song.target, song, start, options)) for start in starts]
        for system in systems:
            clock.start("rendering")
            try:
                rendered = system.render(song)
            except Skip as reason:
                skipped[system.key] = str(reason)
                continue
            clock.start("measuring")
            signal = Signal(rendered.audio, song.sample_rate, options.high_hz)
            same_tone = found.whole.get(Untouched.key) if isinstance(system, LoudnessMatch) else None
            found.whole[system.key] = of_matched(same_tone) if same_tone else measure(signal, target)
            if rendered.trace is not None:
                traces[system.key] = rendered.trace
            if rendered.residual_share_db is not None:
                shares[system.key] = rendered.residual_share_db
            if task.truth is not None:
                change = width_change_db(signal.third_octaves_db.numpy(), own.third_octaves_db.numpy())
                found.recovery[system.key] = recovery(rendered.trace, change, task.truth)
            _keep(found, system.key, rendered.audio, song, task, options, (start, stop))
            clock.start("segments")
            if starts:
                same_tone = found.segments.get(Untouched.key) if isinstance(system, LoudnessMatch) else None
                found.segments[system.key] = (
                    of_matched(same_tone) if same_tone else _segments(system, song, rendered, wanted, options)
                )
            clock.start("ablations")
            if options.ablations and isinstance(system, TrainedModel):
                ablations |= _ablations(system, rendered, song, target, task, cache)
            clock.stop()
    return SongResult(
        name=song.name,
        group=song.group,
        duration_s=song.input.shape[-1] / song.sample_rate,
        channels=song.input.shape[1],
        whole=found.whole,
        segments=found.segments,
        segment_count=len(starts),
        ablations=ablations,
        traces=traces,
        residual_share_db=shares,
        recovery=found.recovery,
        third_octaves=found.third_octaves,
        short_term=found.short_term,
        excerpt=Excerpt(found.files, start / song.sample_rate) if found.files else None,
        skipped=skipped,
        seconds=clock.seconds,
    )


def _ablations(
    system: TrainedModel,
    rendered: SystemOutput,
    song: LoadedSong,
    target: Signal,
    task: SongTask,
    cache: AudioCache,
) -> dict[tuple[str, str], Scores]:
    own = rendered.tone
    assert own is not None
    other = None if task.other is None else system.listen(load_song(task.other, cache).input)
    found = {}
    for ablation in ablations_of(system.model, other is not None, system.confidence is not None):
        known = rendered.dry if ablation.key == NO_RESIDUAL else None  # for the residual's share
        audio = render_controls(ablation.edit(own, other), song.input)[0] if known is None else known
        signal = Signal(audio, song.sample_rate, target.high_hz)
        found[system.key, ablation.key] = ablation_scores(signal, target)
    return found


def _segments(
    system: SongSystem,
    song: LoadedSong,
    rendered: SystemOutput,
    wanted: Sequence[tuple[int, Signal]],
    options: EvaluationOptions,
) -> Scores:
    scores = []
    for start, target in wanted:
        audio = system.segment(song, rendered, start, start + target.samples)
        scores.append(measure(Signal(audio, song.sample_rate, options.high_hz), target))
    return {key: _mean([score[key] for score in scores]) for key in scores[0]}


def _segment(audio: Audio, song: LoadedSong, start: int, options: EvaluationOptions) -> Signal:
    length = round(options.segment_s * song.sample_rate)
    return Signal(audio[..., start : start + length], song.sample_rate, options.high_hz)


def _segment_starts(song: LoadedSong, options: EvaluationOptions) -> list[int]:
    """Segments one after another that are audible on both sides, thinned evenly."""
    length = round(options.segment_s * song.sample_rate)
    audible = []
    for start in range(0, song.input.shape[-1] - length + 1, length):
        part = slice(start, start + length)
        levels = [float(side[..., part].square().mean()) for side in (song.input, song.target)]
        if min(levels) > db_to_power(SILENCE_DB):
            audible.append(start)
    if len(audible) <= options.segments:
        return audible if options.segments else []
    places = np.linspace(0, len(audible) - 1, options.segments).round().astype(int)
    return [audible[i] for i in places]


def _keep(
    found: _Readings,
    source: str,
    audio: Audio,
    song: LoadedSong,
    task: SongTask,
    options: EvaluationOptions,
    excerpt: tuple[int, int],
) -> None:
    """Spectrum, loudness over time, and the excerpt of one source."""
    found.third_octaves[source] = third_octave_levels_db(audio, song.sample_rate)[0].numpy()
    found.short_term[source] = short_term_loudness(audio, song.sample_rate, hop_ms=1000.0)[0].numpy()
    if options.audio_folder is not None and options.excerpt_s > 0:
        path = options.audio_folder / f"{task.number:05d}_{len(found.files):02d}.npy"
        np.save(path, audio[0, :, excerpt[0] : excerpt[1]].numpy())
        found.files[source] = path


def _excerpt(song: LoadedSong, length_s: float) -> tuple[int, int]:
    """The loudest stretch of the target of that length."""
    frames, length = song.target.shape[-1], round(length_s * song.sample_rate)
    if length <= 0 or frames <= length:
        return 0, frames
    cells = k_weighted_energy(song.target, song.sample_rate, HOP_MS, HOP_MS)[0].double()
    window = min(round(length_s * 1000.0 / HOP_MS), len(cells))
    sums = cells.unfold(0, window, 1).sum(dim=-1)
    start = min(int(sums.argmax()) * round(HOP_MS * song.sample_rate / 1000.0), frames - length)
    return start, start + length


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


SHORT_TERM_START_S = SHORT_TERM_MS / 1000.0
"""The first short-term value ends here; the next ones follow every second."""
