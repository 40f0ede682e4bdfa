"""What is done to a song on request only: edges, fades, bass to the middle."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

from neural_mastering.controls import ChainControls
from neural_mastering.dsp.fade import FADE_CURVES, FadeCurve
from neural_mastering.errors import InputError

BASS_MONO_HZ = (20.0, 300.0)
LONGEST_FADE_S = 600.0
STEREO = "stereo"
"""The stage that takes the bass out of the side."""


@dataclass(frozen=True)
class Fade:
    """A fade at one end of a song.

    Attributes:
        seconds: its length.
        curve: see `dsp.fade`.
    """

    seconds: float
    curve: FadeCurve = "cosine"


@dataclass(frozen=True)
class SongEdits:
    """What was asked for; nothing by default.

    Attributes:
        trim: cut silence, and clicks apart from the music, off both ends.
        fade_in, fade_out: None for none.
        silence_after_s: silence put behind the song.
        bass_mono_hz: the side is high-passed here; None leaves it.
    """

    trim: bool = False
    fade_in: Fade | None = None
    fade_out: Fade | None = None
    silence_after_s: float = 0.0
    bass_mono_hz: float | None = None

    def __post_init__(self) -> None:
        low, high = BASS_MONO_HZ
        if self.bass_mono_hz is not None and not low <= self.bass_mono_hz <= high:
            raise InputError(f"--bass-mono {self.bass_mono_hz:g}: expected {low:g} to {high:g} Hz")

    def check_length(self, seconds: float) -> None:
        """Refuse fades that don't fit into a song.

        Raises:
            InputError: together they are longer than the song.
        """
        asked_s = sum(fade.seconds for fade in (self.fade_in, self.fade_out) if fade is not None)
        if asked_s > seconds:
            raise InputError(f"the fades take {asked_s:g} s, but the song has only {seconds:.2f} s")


NO_EDITS = SongEdits()


def parse_fade(text: str | float | None, option: str) -> Fade | None:
    """A fade from text such as "8" or "8:linear" (seconds, curve).

    Raises:
        InputError: no number of seconds, or an unknown curve.
    """
    if text is None:
        return None
    number, _, curve = str(text).strip().lower().partition(":")
    try:
        seconds = float(number)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds <= LONGEST_FADE_S:
        raise InputError(f"{option} {text}: expected seconds above 0 and up to {LONGEST_FADE_S:g}")
    curve = curve or "cosine"
    if curve not in FADE_CURVES:
        raise InputError(f"{option} {text}: expected one of the curves {', '.join(FADE_CURVES)}")
    return Fade(seconds, cast("FadeCurve", curve))


def with_bass_mono(controls: ChainControls, frequency_hz: float) -> ChainControls:
    """Controls whose stereo stage takes the bass out of the side.

    The side is filtered by a Butterworth high-pass of 2nd order (minimum phase); the mono sum stays as it is. See
    `dsp.stereo_width`.

    Raises:
        InputError: the controls set the width in several bands, which has no such filter.
    """
    held = dict(controls.stages.get(STEREO, {"width": 1.0}))
    if "crossovers_hz" in held:
        raise InputError(
            "--bass-mono can't be added to controls that set the width in bands: turn the width of the lowest down "
            "there"
        )
    stage = {**held, "bass_frequency_hz": frequency_hz, "bass_amount": 1.0}
    return replace(controls, stages={**controls.stages, STEREO: stage})
