"""The songs that the shipped weights know, from the weights alone: no music is needed to study them.

A kernel ridge holds W = (K + λ·I)⁻¹·(Y − m), so Y = m + (K + λ·I)·W gives back the spectra that it learned from,
and its songs hold their features. Packages follow from the hints: those of a package are what a fit to all other
songs predicts, which only the right rows reproduce.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.common.normal_tone.measured_songs import Songs
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.normality import NormalTone, load_normal_tone
from neural_mastering.normality.kernel_ridge import KernelRidge, RegressionSettings, gaussian_kernel
from neural_mastering.normality.linear_ridge import fit_linear_ridge
from neural_mastering.normality.normal_tone import SMALLEST

Float64s = NDArray[np.float64]

SAME_DB = 0.01
"""A hint agrees with a fit's prediction to this; single precision leaves 10⁻⁴ dB."""


def shipped_songs(tone: NormalTone | None = None) -> Songs:
    """Features, spectra and packages of the full-band songs behind the weights, without names and loudness."""
    tone = tone or load_normal_tone()
    regression = tone.regression
    size = len(regression.centre)
    standardised, hints = regression.songs[:, :size], regression.songs[:, size:]
    outputs = outputs_of(regression)
    package = packages_of(
        standardised, outputs, hints, regression, [w["package"] for w in tone.about["works"]]
    )
    count = len(outputs)
    return Songs(
        name=np.array([f"{each}-{i}" for i, each in enumerate(package)]),
        package=package,
        is_test=np.zeros(count, dtype=bool),
        is_simple=np.ones(count, dtype=bool),
        names=tone.names,
        features=regression.centre + regression.scale * standardised,
        levels_db=outputs,
        filled=np.ones(outputs.shape, dtype=bool),
        lufs=np.full(count, np.nan),
    )


def outputs_of(regression: KernelRidge) -> Float64s:
    """(song, output) what a kernel ridge was fitted to."""
    songs = regression.songs
    kernel = gaussian_kernel(songs, songs, regression.width, len(regression.centre))
    return regression.mean + (kernel + regression.ridge * np.eye(len(songs))) @ regression.weights


def packages_of(
    standardised: Float64s, outputs: Float64s, hints: Float64s, regression: KernelRidge, works: list[str]
) -> NDArray[np.str_]:
    """(song,) package of each row; rows and works have the same order, and rows lack some of the works.

    Raises:
        ValueError: no division into packages explains the hints.
    """
    ridge = RegressionSettings().linear_ridge
    linear = fit_linear_ridge(standardised, outputs, ridge)
    factor = float((regression.hint.weights * linear.weights).sum() / (linear.weights**2).sum())
    wanted = hints / factor + linear.mean - regression.hint.mean / factor
    found: list[str] = []
    for each in dict.fromkeys(works):
        start = len(found)
        for end in range(min(start + works.count(each), len(outputs)), start, -1):
            held = np.zeros(len(outputs), dtype=bool)
            held[start:end] = True
            without = fit_linear_ridge(standardised[~held], outputs[~held], ridge).predict(standardised[held])
            if np.abs(without - wanted[held]).max() < SAME_DB:
                found += [each] * (end - start)
                break
    if len(found) != len(outputs):
        raise ValueError(f"{len(found)} of {len(outputs)} songs have a package that explains their hints")
    return np.array(found)


def shipped_predictions(songs: Songs, tone: NormalTone | None = None) -> list[Gaussian]:
    """What the shipped weights say about songs that they don't know."""
    tone = tone or load_normal_tone()
    floor, slope = tone.spread
    sizes = np.clip(floor + slope * tone.regression.novelty(songs.features), SMALLEST, tone.largest)
    means = tone.regression.predict(songs.features)
    return [Gaussian.of(mean, size * tone.covariance) for mean, size in zip(means, sizes, strict=True)]
