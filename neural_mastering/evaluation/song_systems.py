"""Systems over whole songs: the rows of nm-eval's tables."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neural_mastering.audio_io.block import Block, blocks_of, joined
from neural_mastering.controls import ChainControls
from neural_mastering.data import AudioCache
from neural_mastering.data.audio_file import list_audio, probe
from neural_mastering.data.manifest import song_key
from neural_mastering.dsp.energy import energy_share
from neural_mastering.dsp.fir import fft_convolve
from neural_mastering.dsp.ltas import interpolate_third_octaves, third_octave_levels_db
from neural_mastering.errors import InputError
from neural_mastering.evaluation.baselines import match_loudness
from neural_mastering.evaluation.controls_trace import ControlsTrace, curve_trace, model_trace
from neural_mastering.evaluation.song_set import LoadedSong
from neural_mastering.models import Confidence, MasteringModel
from neural_mastering.rendering.metering.meter import Meter
from neural_mastering.rendering.stages.base import StreamStage, run_stages
from neural_mastering.rendering.stages.build import RESIDUAL, build_stages
from neural_mastering.rendering.tone.from_model import WINDOW_S, ModelTone, listen
from neural_mastering.reporting.eval_data import SystemKind
from neural_mastering.shapes import Audio
from neural_mastering.units import db_to_gain, power_to_db

LENGTH_TOLERANCE_S = 0.010
MATCH_LIMIT_DB = 12.0
_FILTER_TAPS = 16_385
_BLOCK_SAMPLES = 1 << 19


class Skip(InputError):
    """A peer can't master this song; its row has a gap there."""


@dataclass(frozen=True)
class SystemOutput:
    """A whole song, mastered.

    Attributes:
        audio: (1, channel, time), as long as the input.
        trace: what was done, where the system has controls.
        residual_share_db: energy of the neural residual over that of the output, in dB; None without a residual.
        dry: the same without its residual; None without one.
        tone: what a model wants.
    """

    audio: Audio
    trace: ControlsTrace | None = None
    residual_share_db: float | None = None
    dry: Audio | None = None
    tone: ModelTone | None = None


class SongSystem(ABC):
    """Turns a whole song into a master.

    Attributes:
        key: short and unique, the column `system` of tables.
        name: as shown; a star marks what is told the target's own loudness.
        kind: of row.
        note: a footnote.
    """

    key: str
    name: str
    kind: SystemKind = "baseline"
    note: str = ""

    @abstractmethod
    def render(self, song: LoadedSong) -> SystemOutput:
        """Master a song; only oracles, which say so, may look at the target."""

    def segment(self, song: LoadedSong, rendered: SystemOutput, start: int, stop: int) -> Audio:
        """The master of one segment by itself; by default that part of the whole song's master."""
        return rendered.audio[..., start:stop]


class Untouched(SongSystem):
    """Does nothing."""

    key = name = "identity"
    kind: SystemKind = "identity"

    def render(self, song: LoadedSong) -> SystemOutput:
        """The input."""
        return SystemOutput(song.input, curve_trace(None, 0.0))


class LoudnessMatch(SongSystem):
    """The input at the target's integrated loudness."""

    key, name = "loudness", "loudness only*"
    note = "equal to the identity in the loudness-matched columns"

    def render(self, song: LoadedSong) -> SystemOutput:
        """Input times one gain."""
        return _levelled(song.input, song, None)

    def segment(self, song: LoadedSong, rendered: SystemOutput, start: int, stop: int) -> Audio:
        """Brought to the segment's own loudness."""
        return _segment_levelled(song.input, song, start, stop)


class MeanCorrection(SongSystem):
    """One filter for every song: the training songs' mean spectral correction, then the target's loudness."""

    key, name = "average_eq", "average EQ*"

    def __init__(self, curve_db: Tensor, note: str = "") -> None:
        self.curve_db, self.note = curve_db, note

    def render(self, song: LoadedSong) -> SystemOutput:
        """Filtered and levelled input."""
        return _levelled(equalize(song.input, self._curve(song), song.sample_rate), song, self._curve(song))

    def segment(self, song: LoadedSong, rendered: SystemOutput, start: int, stop: int) -> Audio:
        """Brought to the segment's own loudness."""
        return _segment_levelled(rendered.audio, song, start, stop)

    def _curve(self, song: LoadedSong) -> Tensor:
        return self.curve_db


class SpectralMatch(MeanCorrection):
    """A filter for each song that gives it the training targets' mean spectrum, then the target's loudness."""

    key, name = "spectral_match", "spectral match*"

    def __init__(self, target_db: Tensor, note: str = "") -> None:
        super().__init__(target_db, note)

    def _curve(self, song: LoadedSong) -> Tensor:
        own = third_octave_levels_db(song.input, song.sample_rate)[0]
        wanted = self.curve_db - (own - own.mean())
        return (wanted - wanted.mean()).clamp(-MATCH_LIMIT_DB, MATCH_LIMIT_DB)


class TrainedModel(SongSystem):
    """A trained model: one set of controls a song.

    Args:
        key, name, note: of the row.
        model: in evaluation mode from here on.
        confidence: how far its moves are followed, of a bundle; None follows them fully.
    """

    kind: SystemKind = "model"

    def __init__(
        self,
        key: str,
        name: str,
        model: MasteringModel,
        note: str = "",
        confidence: Confidence | None = None,
    ) -> None:
        self.key, self.name, self.model, self.note = key, name, model.eval(), note
        self.confidence = confidence

    def listen(self, audio: Audio, window_s: float = WINDOW_S) -> ModelTone:
        """Listen to a song (1, channel, time) as nm-master does, and follow it as far as its confidence allows."""
        samples, rate = audio[0].numpy(), round(self.model.sample_rate)
        meter = Meter(rate, len(samples), with_true_peak=False)
        for block in blocks_of(samples):
            meter.push(block)
        return listen(
            self.model,
            self.key,
            blocks_of(samples),
            rate,
            meter.finish().lufs,
            self.confidence,
            window_s,
        )

    def render(self, song: LoadedSong) -> SystemOutput:
        """Analyse the whole song, render it with what was found."""
        tone = self.listen(song.input)
        audio, dry = render_controls(tone, song.input)
        share_db = None
        if dry is not None:
            share_db = float(power_to_db(energy_share(audio - dry, audio).clamp(min=1e-12)))
        return SystemOutput(audio, model_trace(tone), share_db, dry, tone)

    def segment(self, song: LoadedSong, rendered: SystemOutput, start: int, stop: int) -> Audio:
        """Listens to the segment alone and in one piece, as in training."""
        audio = song.input[..., start:stop]
        return render_controls(self.listen(audio, (stop - start) / song.sample_rate), audio)[0]


def render_controls(tone: ModelTone, audio: Audio) -> tuple[Audio, Audio | None]:
    """Audio (1, channel, time) through a tone's controls, by nm-master's own stages.

    Returns:
        What comes out, and what comes out without the neural residual; None where there is none.
    """
    channels, rate = audio.shape[1], round(tone.model.sample_rate)

    def stages(controls: ChainControls) -> list[StreamStage]:
        return build_stages(controls, rate, channels, tone.residual_source(controls))

    def kept(blocks: Iterable[Block]) -> Audio:
        return torch.from_numpy(joined(blocks, channels).astype(np.float32))[None]

    whole = stages(tone.controls)
    place = next((i for i, stage in enumerate(whole) if stage.name == RESIDUAL), None)
    source = blocks_of(audio[0].numpy())
    if place is None:
        return kept(run_stages(whole, source)), None
    before = list(run_stages(whole[:place], source))
    after = stages(replace(tone.controls, residual=None))[place:]
    return kept(run_stages(whole[place:], before)), kept(run_stages(after, before))


@dataclass
class OutsideMasters(SongSystem):
    """Masters made by anyone, one file a song in a folder.

    Args:
        key, name: of the row.
        folder: files named as the songs, with any suffix.
        cache: at the rate of the evaluation.
    """

    key: str
    name: str
    folder: Path
    cache: AudioCache
    kind: SystemKind = "peer"
    note: str = ""
    files: Mapping[str, Path] = field(default_factory=dict)

    def check(self, songs: list[str]) -> None:
        """Find one file for each song.

        Raises:
            InputError: a song without a file, or with two.
        """
        found: dict[str, Path] = {}
        for path in list_audio(self.folder):
            other = found.setdefault(song_key(path.stem), path)
            if other is not path:
                raise InputError(
                    f"{self.folder} holds two masters of one song, '{other.name}' and '{path.name}'"
                )
        missing = [name for name in songs if song_key(name) not in found]
        if missing:
            listed = ", ".join(f"'{name}'" for name in missing[:10])
            raise InputError(
                f"{self.folder} (--systems {self.name}) has no master of {len(missing)} of {len(songs)} songs: "
                f"{listed}. Add them under the songs' names, or evaluate fewer with --song"
            )
        self.files = found

    def render(self, song: LoadedSong) -> SystemOutput:
        """Read the file at the evaluation's rate; mono counts for both channels."""
        file = probe(self.files[song_key(song.name)])
        cached = self.cache.fetch(file)
        difference_s = abs(cached.frames - song.input.shape[-1]) / song.sample_rate
        if difference_s > LENGTH_TOLERANCE_S:
            raise InputError(
                f"{file.path} lasts {cached.frames / song.sample_rate:.3f} s but '{song.name}' "
                f"{song.input.shape[-1] / song.sample_rate:.3f} s: export it over the same range"
            )
        audio = torch.from_numpy(cached.read(0, cached.frames))[None]
        if audio.shape[1] > song.input.shape[1]:
            raise InputError(f"{file.path} has {audio.shape[1]} channels but '{song.name}' is mono")
        audio = audio.expand(-1, song.input.shape[1], -1)
        missing = song.input.shape[-1] - audio.shape[-1]
        return SystemOutput(torch.nn.functional.pad(audio, (0, missing)))  # a negative number cuts


def equalize(audio: Audio, curve_db: Tensor, sample_rate: float) -> Audio:
    """Zero-phase filter with a third-octave curve, block by block."""
    at_hz = torch.fft.rfftfreq(_FILTER_TAPS - 1, 1.0 / sample_rate)
    response = db_to_gain(interpolate_third_octaves(curve_db, at_hz)).double()
    taps = torch.fft.irfft(response, n=_FILTER_TAPS - 1).roll((_FILTER_TAPS - 1) // 2)
    taps = torch.cat((taps, taps[:1])) * torch.hann_window(_FILTER_TAPS, periodic=False, dtype=torch.float64)
    delay, taps = _FILTER_TAPS // 2, taps.to(audio.dtype)[None]
    padded = torch.nn.functional.pad(audio, (_FILTER_TAPS - 1, delay))
    pieces = []
    for start in range(0, audio.shape[-1], _BLOCK_SAMPLES):
        stop = min(start + _BLOCK_SAMPLES, audio.shape[-1])
        block = padded[..., start + delay : stop + delay + _FILTER_TAPS - 1]
        pieces.append(fft_convolve(block, taps)[..., _FILTER_TAPS - 1 :])
    return torch.cat(pieces, dim=-1)


def _levelled(audio: Audio, song: LoadedSong, curve_db: Tensor | None) -> SystemOutput:
    levelled = match_loudness(audio, song.target, song.sample_rate)
    power, before = (float(side.double().square().sum()) for side in (levelled, audio))
    gain_db = power_to_db(power / before) if power > 0 and before > 0 else 0.0
    return SystemOutput(levelled, curve_trace(curve_db, gain_db))


def _segment_levelled(audio: Audio, song: LoadedSong, start: int, stop: int) -> Audio:
    return match_loudness(audio[..., start:stop], song.target[..., start:stop], song.sample_rate)
