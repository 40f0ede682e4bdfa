"""What is compared: each system gives controls for a song, and the library's own stages render them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from experiments.mistakes_undone.mistakes import FINISHED, Condition
from experiments.mistakes_undone.plain import average_eq, corridor, gaussian_of, plain_posterior
from experiments.mistakes_undone.spectra import Spectra
from neural_mastering.controls import ChainControls
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.metering.profile import Profile
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.tone.choose import choose_tone
from neural_mastering.styles.intensity import INTENSITIES_DB


class Case(NamedTuple):
    """A song as a system gets it."""

    song: MeasuredSong
    profile: Profile


System = Callable[[Case], ChainControls]


def all_systems(training: Spectra) -> dict[str, System]:
    """Systems by name; "@" names the intensity.

    Args:
        training: spectra of the songs that may be learned from.
    """
    tone = gaussian_of(training)
    simple: dict[str, Callable[[Profile], ChainControls]] = {
        "nothing": lambda _: ChainControls(),
        "average EQ": average_eq(training),
        "corridor": corridor(training),
    }
    for name, size_db in INTENSITIES_DB.items():
        simple[f"plain@{name}"] = plain_posterior(tone, size_db)
    systems: dict[str, System] = {name: _of_profile(controls) for name, controls in simple.items()}
    systems["modest-eq-2"] = _asked(model="modest-eq-2")
    if "style" in {field.name for field in fields(Options)}:
        for name, size_db in INTENSITIES_DB.items():
            systems[f"auto@{name}"] = _asked(style="auto", intensity_db=size_db)
    return systems


def matters(system: str, condition: Condition) -> bool:
    """Whether an intensity is measured at a size of mistake; gentle only at small ones."""
    return not system.endswith("@gentle") or condition.size_db <= 2.0 or condition == FINISHED


def _of_profile(controls: Callable[[Profile], ChainControls]) -> System:
    return lambda case: controls(case.profile)


def _asked(**options: Any) -> System:
    """What `nm-master` does with such options."""
    asked = _options(options)
    return lambda case: choose_tone(case.song, asked, lambda _: None).controls


def _options(values: Mapping[str, Any]) -> Options:
    return Options(**values)
