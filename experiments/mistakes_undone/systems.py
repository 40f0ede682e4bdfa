"""What is compared: each system gives controls for a song, and the library's own stages render them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from experiments.common.mistakes import FINISHED, Condition
from experiments.mistakes_undone.plain import average_eq, corridor, gaussian_of, plain_posterior
from experiments.mistakes_undone.spectra import Spectra
from neural_mastering.controls import ChainControls
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.metering.profile import Profile
from neural_mastering.normality import load_normal_tone
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.tone.analysis import ToneAnalysis
from neural_mastering.rendering.tone.choose import choose_tone
from neural_mastering.rendering.tone.from_style import add_move
from neural_mastering.rendering.tone.tone import LEFT_ALONE, Tone
from neural_mastering.styles.intensity import INTENSITIES_DB
from neural_mastering.styles.profile import AUTO


class Case(NamedTuple):
    """A song as a system gets it: measured as `nm-master` does it, once for all systems."""

    song: MeasuredSong
    analysis: ToneAnalysis

    @property
    def profile(self) -> Profile:
        """Its spectrum."""
        return self.analysis.profile


System = Callable[[Case], ChainControls]


OTHERS = ("nothing", "average EQ", "corridor", "modest-eq-2")
NAMES = (*OTHERS, *(f"{engine}@{name}" for engine in ("plain", "auto") for name in INTENSITIES_DB))
"""All systems of the main study; "@" names the intensity."""

STYLES = ("pop", "rock", "electronic", "classical")
"""Published styles, as systems "rock@balanced" and so on (`named_styles`)."""

LEARNING = ("average EQ", "corridor", *(f"plain@{name}" for name in INTENSITIES_DB))
"""Those that are made from the training songs of the study."""

SIZES_DB = {"gentle": (0.0, 2.0), "balanced": (0.0, np.inf), "strong": (2.0, np.inf)}
"""Sizes of the mistakes with which an intensity is measured."""


def chosen_systems(names: Sequence[str], training: Spectra | None) -> dict[str, System]:
    """Systems by name.

    Args:
        names: some of `NAMES`, or styles with an intensity.
        training: spectra of the songs that may be learned from; needed for those of `LEARNING`. Without it the
            plain posterior is that of the songs behind the shipped weights, whose covariance was calibrated on
            packages left out like that of the prediction.
    """
    tone = gaussian_of(training) if training is not None else load_normal_tone().general

    def built(name: str) -> System:
        engine, _, intensity = name.partition("@")
        if engine == "nothing":
            return lambda _: ChainControls()
        if engine == "modest-eq-2":
            return _asked(Options(model=engine))
        if engine in (AUTO, *STYLES):
            return _moved(engine, INTENSITIES_DB[intensity])
        if engine == "plain":
            return _of_profile(plain_posterior(tone, INTENSITIES_DB[intensity]))
        assert training is not None
        return _of_profile((average_eq if engine == "average EQ" else corridor)(training))

    return {name: built(name) for name in names}


def matters(system: str, condition: Condition) -> bool:
    """Whether a system is measured with a mistake: gentle with small ones, strong with large ones."""
    if condition == FINISHED:
        return True
    low_db, high_db = SIZES_DB.get(system.partition("@")[2], (0.0, np.inf))
    return low_db <= condition.size_db <= high_db


def _of_profile(controls: Callable[[Profile], ChainControls]) -> System:
    return lambda case: controls(case.profile)


def _moved(style: str, intensity_db: float) -> System:
    """What `nm-master --style STYLE` does; the analysis of the song is shared by all styles and intensities."""
    start = Tone(ChainControls(), LEFT_ALONE)
    return lambda case: add_move(start, case.analysis, style, intensity_db).controls


def _asked(options: Options) -> System:
    """What `nm-master` does with such options."""
    return lambda case: choose_tone(case.song, options, lambda _: None).controls
