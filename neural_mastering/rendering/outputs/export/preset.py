"""What all exports share: rounded bands for a sample rate, and how far their curve is from ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from neural_mastering.controls import Bands, ChainControls, band_fit, stage_spec
from neural_mastering.controls.catalogue import STAGE_NAMES, Values
from neural_mastering.dsp.rate_match import MATCH_UP_TO_HZ
from neural_mastering.errors import InputError

NAMES = {"low_shelf": "low shelf", "peak": "peak", "high_shelf": "high shelf"}
"""Kinds of bands in words."""

_HIGHEST = 0.49
"""Largest frequency of a band as a part of the sample rate."""


@dataclass(frozen=True)
class Preset:
    """A file's text, the largest deviation of its equalisers in dB, and the stages that it does not hold."""

    text: str
    max_deviation_db: float
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class HeldStage:
    """A stage that a file holds.

    Attributes:
        name: in the catalogue.
        max_deviation_db: of its bands' curve at the file's sample rate, 10 Hz to 16 kHz; None without bands.
        is_fitted: numbers of its bands differ from the controls' because the sample rate does.
        condition: under which the deviation is meant, such as "at full range"; "" for none.
    """

    name: str
    max_deviation_db: float | None = None
    is_fitted: bool = False
    condition: str = ""


@dataclass(frozen=True)
class ExportBands:
    """Bands as they will be written.

    Attributes:
        bands: rounded to the format's decimals.
        max_deviation_db: of RBJ biquads at the sample rate with these numbers from the design rate's curve.
        is_fitted: the numbers differ from the controls' because the sample rate does.
    """

    bands: Bands
    max_deviation_db: float
    is_fitted: bool


def bands_at_rate(controls: ChainControls, sample_rate: float, decimals: tuple[int, int, int]) -> ExportBands:
    """Bands whose RBJ biquads at a sample rate have the controls' curve, rounded.

    At the design rate these are the controls' own numbers. At another rate frequencies, gains and Qs are fitted
    to the curve below 16 kHz, each staying as close to its own as that allows.

    Args:
        decimals: of frequency in Hz, gain in dB and Q.

    Raises:
        InputError: a rate that no band fits below, under 8 kHz.
    """
    if not sample_rate >= 8_000.0:
        raise InputError(f"an export needs a sample rate of 8000 Hz or more, got {sample_rate:g} Hz")
    active = controls.eq.active()
    is_fitted = sample_rate != controls.design_rate_hz and len(active) > 0
    if is_fitted:
        active = _fitted(active, controls.design_rate_hz, sample_rate)
    rounded = active.rounded(decimals)
    return ExportBands(rounded, deviation_db(controls, rounded, sample_rate), is_fitted)


def deviation_db(controls: ChainControls, bands: Bands, sample_rate: float) -> float:
    """Largest deviation in dB, 10 Hz to 16 kHz, of RBJ biquads at a rate from the controls' curve."""
    highest = min(MATCH_UP_TO_HZ, 0.49999 * min(sample_rate, controls.design_rate_hz))
    at_hz = np.concatenate([np.geomspace(10.0, highest, 1500), np.linspace(10.0, highest, 1500)])
    ours = controls.eq.level_db(at_hz, controls.design_rate_hz)
    return float(np.abs(bands.level_db(at_hz, sample_rate) - ours).max())


def chain_stages(controls: ChainControls) -> list[tuple[str, Values]]:
    """Further stages in the order in which they are rendered.

    Raises:
        InputError: a stage that this version does not have.
    """
    return sorted(controls.stages.items(), key=lambda stage: stage_spec(stage[0]).is_after_residual)


def left_out(controls: ChainControls, held: Sequence[HeldStage] = ()) -> tuple[str, ...]:
    """Names of the stages that a file does not hold, which has the equaliser, the gain and the stages `held`."""
    names = {stage.name for stage in held}
    missing = [name for name, _ in chain_stages(controls) if name not in names]
    return (*missing, *(("residual",) if controls.residual is not None else ()))


def preset_of(
    lines: Sequence[str], controls: ChainControls, bands: ExportBands, held: Sequence[HeldStage] = ()
) -> Preset:
    """A file's lines with what is known about it."""
    deviations_db = (bands.max_deviation_db, *(stage.max_deviation_db or 0.0 for stage in held))
    return Preset("\n".join(lines) + "\n", max(deviations_db), left_out(controls, held))


def remarks(
    controls: ChainControls,
    bands: ExportBands,
    sample_rate: float,
    title: str,
    held: Sequence[HeldStage] = (),
) -> list[str]:
    """Lines for the head of a file: what it is, how exact, for which rate, and what is missing.

    Raises:
        InputError: a stage that this version does not have.
    """
    lines = [
        title,
        f"Largest deviation of this equaliser from the curve of the controls, 10 Hz to 16 kHz: "
        f"{bands.max_deviation_db:.4f} dB at {sample_rate:g} Hz.",
    ]
    lines += [
        f"Largest deviation of the {' '.join((stage_spec(stage.name).title, stage.condition)).strip()}: "
        f"{stage.max_deviation_db:.4f} dB."
        for stage in held
        if stage.max_deviation_db is not None
    ]
    if bands.is_fitted or any(stage.is_fitted for stage in held):
        lines.append(
            f"The controls mean their curve at {controls.design_rate_hz:g} Hz; these numbers were fitted so that "
            f"biquads at {sample_rate:g} Hz have that curve."
        )
    lines.append("At other sample rates the curve differs near the top: export again for those.")
    if held:
        lines.append(f"Behind the equaliser and the gain: {_titles(stage.name for stage in held)}.")
    missing = left_out(controls, held)
    if missing:
        lines.append(f"Not in this file: {_titles(missing)}.")
    lines.append("Loudness target and ceiling are not part of it.")
    return lines


def _titles(names: Iterable[str]) -> str:
    """Stages as a person reads them; the residual is no stage of the catalogue and keeps its name."""
    return ", ".join(stage_spec(name).title if name in STAGE_NAMES else name for name in names)


def fixed(value: float, decimals: int) -> str:
    """A number with at most so many decimals, never "-0"."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _fitted(bands: Bands, design_rate_hz: float, sample_rate: float) -> Bands:
    highest = min(MATCH_UP_TO_HZ, 0.4999 * min(sample_rate, design_rate_hz))
    at_hz = np.concatenate(
        [np.geomspace(15.0, highest / 8.0, 30, endpoint=False), np.linspace(highest / 8.0, highest, 60)]
    )
    frequency = np.minimum(bands.frequency_hz, _HIGHEST * sample_rate)
    start = Bands(bands.kinds, frequency, bands.gain_db, bands.q)
    low = Bands(start.kinds, frequency * 0.5, start.gain_db - 6.0, start.q * 0.3)
    high = Bands(
        start.kinds, np.minimum(frequency * 2.0, _HIGHEST * sample_rate), start.gain_db + 6.0, start.q * 3.0
    )
    wanted = bands.level_db(at_hz, design_rate_hz)
    return band_fit.fit(wanted, at_hz, sample_rate, start, low, high, place_price=0.05)
