"""What changed between two sets of pairs: moves of the later one that the earlier one does not predict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.engineer.fit import LEAST_PAIRS, fit
from neural_mastering.engineer.pair import PairMeasurement
from neural_mastering.reporting.markup import number
from neural_mastering.styles.regions import REGIONS

SIGMAS = 3.0
"""A mean difference must exceed its standard error so many times."""

WORTH = 0.5
"""In dB or LU; less is not said."""

_NUMBERS = (("loudness_lufs", "LU louder"), ("plr_db", "dB more peak to loudness"), ("width_db", "dB wider"))


def drift(first: Sequence[PairMeasurement], second: Sequence[PairMeasurement]) -> list[str]:
    """Sentences on what is different in the second set; one that says so where nothing is, or too few pairs."""
    if min(len(first), len(second)) < LEAST_PAIRS:
        return [
            f"one of the sets has fewer than {LEAST_PAIRS} pairs: whether the engineer has changed is not known"
        ]
    engineer = fit(first)
    predictions = [engineer.predict(pair.features) for pair in second]
    curves = np.stack([p.move.curve_db - q.curve_db for p, q in zip(second, predictions, strict=True)])
    found = []
    for region in REGIONS:
        mean = _clear_mean(curves[:, region.bands].mean(axis=1))
        if mean is not None:
            found.append(f"{number(mean, signed=True)} dB {region.name} ({region.span})")
    for name, words in _NUMBERS:
        errors = [
            getattr(p.move, name) - q.numbers[name].value for p, q in zip(second, predictions, strict=True)
        ]
        mean = _clear_mean(np.array(errors))
        if mean is not None:
            found.append(f"{number(mean, signed=True)} {words}")
    if not found:
        return ["what was done to the second set is what the first one predicts, within chance"]
    return [f"the second set differs from what the first one predicts: {', '.join(found)}"]


def _clear_mean(values: Float64s) -> float | None:
    """The mean where it is large and no chance."""
    mean, error = float(values.mean()), float(values.std(ddof=1)) / np.sqrt(len(values))
    return mean if abs(mean) >= WORTH and abs(mean) > SIGMAS * error else None
