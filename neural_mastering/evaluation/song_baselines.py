"""Systems that know no model: nothing, a level, one filter for all songs, a filter for each."""

import torch
from torch import Tensor

from neural_mastering.dsp.fir import fft_convolve
from neural_mastering.dsp.ltas import interpolate_third_octaves, third_octave_levels_db
from neural_mastering.evaluation.baselines import match_loudness
from neural_mastering.evaluation.controls_trace import curve_trace
from neural_mastering.evaluation.song_set import LoadedSong
from neural_mastering.evaluation.song_systems import SongSystem, SystemOutput
from neural_mastering.reporting.eval_data import SystemKind
from neural_mastering.shapes import Audio
from neural_mastering.units import db_to_gain, power_to_db

MATCH_LIMIT_DB = 12.0
_FILTER_TAPS = 16_385
_BLOCK_SAMPLES = 1 << 19


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
