"""Bands inside a stage, as cookbook biquads for a sample rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from neural_mastering.controls import Bands, ChainControls
from neural_mastering.controls.catalogue import Values
from neural_mastering.dsp.rbj import Kind
from neural_mastering.errors import InputError
from neural_mastering.rendering.outputs.export.preset import HeldStage, bands_at_rate, deviation_db
from neural_mastering.units import db_to_gain

_DECIMALS = (4, 9, 12)  # finer than any format writes


class Form(StrEnum):
    """What the bands of a stage are."""

    EQUALISER = "equaliser"
    """A low shelf, peaks and a high shelf."""
    BAND_PASSES = "band_passes"
    """Band-passes that are scaled and added to their input; see `dsp.band_pass`."""


@dataclass(frozen=True)
class BandKeys:
    """Where a stage's values have its bands: a number a band under each key.

    Attributes:
        form: what the bands are.
        frequency_hz, gain_db, q: keys; for band-passes the gain is the largest that they get.
    """

    form: Form
    frequency_hz: str
    gain_db: str
    q: str

    @property
    def all(self) -> tuple[str, str, str]:
        """The three keys."""
        return self.frequency_hz, self.gain_db, self.q


@dataclass(frozen=True)
class StageBands:
    """Bands of a stage as they will be written.

    Attributes:
        form: what the bands are.
        bands: those that aren't at 0 dB; Q is the cookbook's, of the peak or of the band-pass.
        kept: their places among the stage's bands.
        max_deviation_db: of their curve at the sample rate from that at the design rate, 10 Hz to 16 kHz; for
            band-passes of the curve at the largest gain.
        is_fitted: the numbers differ from the stage's because the sample rate does.
    """

    form: Form
    bands: Bands
    kept: tuple[int, ...]
    max_deviation_db: float
    is_fitted: bool


def stage_bands(values: Values, keys: BandKeys, design_rate_hz: float, sample_rate: float) -> StageBands:
    """Bands whose biquads at a sample rate have the curve of a stage's bands at its design rate.

    Dynamic bands open and close one by one, so that each is fitted alone. With G = 10^(dB/20), a band-pass of the
    quality factor Q that is scaled by G − 1 and added to its input is the cookbook's peak of Q/√G, which is what
    is fitted (`dsp.band_pass`).

    Raises:
        InputError: lists of different lengths, a frequency or Q that is not above 0, or a rate below 8 kHz.
    """
    frequency, gain, q = (np.atleast_1d(values[key]) for key in keys.all)
    kept = tuple(int(i) for i in np.flatnonzero(gain))
    peaks: tuple[Kind, ...] = ("peak",) * len(frequency)
    try:
        if keys.form is Form.EQUALISER:
            found = bands_at_rate(
                ChainControls(
                    design_rate_hz, Bands(("low_shelf", *peaks[2:], "high_shelf"), frequency, gain, q)
                ),
                sample_rate,
                _DECIMALS,
            )
            return StageBands(keys.form, found.bands, kept, found.max_deviation_db, found.is_fitted)
        controls = ChainControls(design_rate_hz, Bands(peaks, frequency, gain, q / db_to_gain(0.5 * gain)))
        each = [
            bands_at_rate(replace(controls, eq=controls.eq.only([place])), sample_rate, _DECIMALS)
            for place in kept
        ]
    except ValueError as error:
        raise InputError(f"the bands of a stage can't be exported: {error}") from error
    fitted = sum((one.bands for one in each), Bands.of())
    return StageBands(
        keys.form,
        Bands(fitted.kinds, fitted.frequency_hz, fitted.gain_db, fitted.q * db_to_gain(0.5 * fitted.gain_db)),
        kept,
        deviation_db(controls, fitted, sample_rate),
        any(one.is_fitted for one in each),
    )


def held_stage(name: str, groups: Sequence[StageBands]) -> HeldStage:
    """What the head of a file says of a stage with these bands, or with none."""
    deviation_db = max((group.max_deviation_db for group in groups), default=None)
    condition = "at full range" if any(group.form is Form.BAND_PASSES for group in groups) else ""
    return HeldStage(name, deviation_db, any(group.is_fitted for group in groups), condition)
