"""What finished songs of a kind measure: a style as data, a few kilobytes of JSON."""

from __future__ import annotations

from dataclasses import dataclass

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import Float64s

AUTO = "auto"
"""What stands for the style that is found in the song itself; no profile has this name."""


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of one number between songs."""

    mean: float
    sd: float


@dataclass(frozen=True)
class StyleProfile:
    """What finished songs of a kind measure.

    A field that was not measured is None, and nothing moves towards it.

    Attributes:
        name: such as "rock".
        tone: levels of third octaves in dB with their covariance between songs. Less the song's integrated loudness
            where we measured it; of any common offset where others published it, so that only the shape counts
            (`is_absolute`).
        songs: how many were measured.
        sources: where the numbers come from, citations or works.
        licence: of the numbers.
        is_absolute: the levels of `tone` are relative to integrated loudness.
        about: what a user should know, such as how the songs were chosen; a sentence or two.
        side_db: (third,) mean side over mid by band in dB, NaN where there is none.
        side_sd_db: (third,) its standard deviation between songs.
        crest_db, crest_sd_db: (octave,) mean and standard deviation of the crest by octave band, see
            `metering.band_crest`; NaN where there is none.
        lufs, plr_db, lra_lu: loudness, peak-to-loudness ratio, loudness range.
    """

    name: str
    tone: Gaussian
    songs: int
    sources: tuple[str, ...] = ()
    licence: str = ""
    is_absolute: bool = False
    about: str = ""
    side_db: Float64s | None = None
    side_sd_db: Float64s | None = None
    crest_db: Float64s | None = None
    crest_sd_db: Float64s | None = None
    lufs: Spread | None = None
    plr_db: Spread | None = None
    lra_lu: Spread | None = None

    @property
    def next_song(self) -> Gaussian:
        """What a further song measures: N(μ, (1 + 1/n)·Σ), since the mean of n songs is uncertain itself."""
        return Gaussian(self.tone.mean, self.tone.covariance * (1.0 + 1.0 / self.songs), self.tone.known)
