"""Predictions of songs by what was learned from others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.common.normal_tone.calibration import Calibration, calibrate
from experiments.common.normal_tone.measured_songs import Songs
from experiments.common.normal_tone.regression import gaussian_of, out_of_package, shapes
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.normality.kernel_ridge import KernelRidge, RegressionSettings, fit_kernel_ridge

Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class Learned:
    """What a set of songs teaches.

    Attributes:
        regression: fitted to all of them.
        calibration: of its errors, by leaving packages out.
        general: mean and covariance of all of them, calibrated alike.
        predicted, novelty, plain: of these songs, by fits that don't know their package.
        shape: their spectra, NaN where a band is empty.
    """

    regression: KernelRidge
    calibration: Calibration
    general: Gaussian
    predicted: Float64s
    novelty: Float64s
    plain: Float64s
    shape: Float64s

    def of(self, features: Float64s) -> list[Gaussian]:
        """Predictions for other songs."""
        return self.calibration.gaussians(
            self.regression.predict(features), self.regression.novelty(features)
        )


def learn(songs: Songs, settings: RegressionSettings | None = None) -> Learned:
    """Fit and calibrate on songs."""
    shape = shapes(songs.levels_db, songs.filled)
    mean, covariance, complete = gaussian_of(shape, np.ones(len(songs)))
    predicted, novelty, without = out_of_package(songs.features, complete, songs.package, settings)
    alone = np.zeros(len(songs))
    plain = calibrate(
        shape - without, alone, songs.package, covariance
    )  # as careful with the general statement
    return Learned(
        regression=fit_kernel_ridge(songs.features, complete, songs.package, settings),
        calibration=calibrate(shape - predicted, novelty, songs.package, covariance),
        general=Gaussian.of(mean, plain.size(np.zeros(1))[0] * plain.covariance),
        predicted=predicted,
        novelty=novelty,
        plain=without,
        shape=shape,
    )
