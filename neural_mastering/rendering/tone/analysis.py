"""What the tone of a song is judged by, measured in one pass over it."""

from __future__ import annotations

from dataclasses import dataclass

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.metering.content import Content, ContentMeter
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.metering.profile import Profile, Spectrum


@dataclass(frozen=True)
class ToneAnalysis:
    """The sound of a whole song.

    Attributes:
        profile: its third-octave spectrum and fine structure.
        content: features that an equaliser does not change; None where there is too little sound.
    """

    profile: Profile
    content: Content | None


class ToneAnalyser:
    """Reads blocks (channel, time); `analysis` gives the sound of all of them.

    Args:
        sample_rate: in Hz.
        channels: 1 or 2.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._spectrum = Spectrum(sample_rate, channels)
        self._content = ContentMeter(sample_rate, channels)

    def push(self, block: Block) -> None:
        """Read the next block."""
        self._spectrum.push(block)
        self._content.push(block)

    def analysis(self, lufs: float, frames: int) -> ToneAnalysis:
        """Of a song of so many LUFS and samples; the analyser is used up."""
        return ToneAnalysis(self._spectrum.profile(lufs, frames / self._rate), self._content.finish())


def analyse_tone(song: MeasuredSong) -> ToneAnalysis:
    """Read a song once for its spectrum and its content."""
    analyser = ToneAnalyser(song.sample_rate, song.channels)
    for block in prefetch(song.blocks()):
        analyser.push(block)
    return analyser.analysis(song.readings.lufs, song.readings.frames)
