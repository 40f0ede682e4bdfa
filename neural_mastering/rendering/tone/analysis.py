"""What the tone of a song is judged by, measured in one pass over it."""

from __future__ import annotations

from dataclasses import dataclass

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


def analyse_tone(song: MeasuredSong) -> ToneAnalysis:
    """Read a song once for its spectrum and its content."""
    spectrum = Spectrum(song.sample_rate, song.channels)
    content = ContentMeter(song.sample_rate, song.channels)
    for block in prefetch(song.blocks()):
        spectrum.push(block)
        content.push(block)
    profile = spectrum.profile(song.readings.lufs, song.readings.frames / song.sample_rate)
    return ToneAnalysis(profile, content.finish())
