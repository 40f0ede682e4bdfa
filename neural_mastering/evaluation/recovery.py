"""How near a system comes to undoing a degradation whose parameters are known."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from neural_mastering.data.degradation import eq_curve_db
from neural_mastering.data.degradation.records import RECORDS, read_degradations
from neural_mastering.data.manifest import song_key
from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import Kind
from neural_mastering.evaluation.controls_trace import CURVE_HZ, ControlsTrace
from neural_mastering.units import gain_to_db

LOW_HZ, HIGH_HZ = 40.0, 16_000.0
_DEMO_COLUMNS = ("low_shelf_hz", "low_shelf_db", "high_shelf_hz", "high_shelf_db", "shelf_q", "level_db")


@dataclass(frozen=True)
class TrueCorrection:
    """What undoes a song's degradation.

    Attributes:
        curve_db: gain at `CURVE_HZ`, without the broadband gain.
        gain_db: broadband gain.
        width_db: change of side over mid in dB.
    """

    curve_db: NDArray[np.float64]
    gain_db: float
    width_db: float


@dataclass(frozen=True)
class Recovery:
    """Errors of one system on one song; NaN where it shows no curve.

    With D(f) the system's curve and gain less the true ones, over 40 Hz to 16 kHz evenly in log frequency:

    Attributes:
        curve_rms_db: RMS of D less its mean: the shape alone.
        gain_error_db: |mean of D|: the level alone.
        width_error_db: |change of side over mid, less the true one|.
    """

    curve_rms_db: float
    gain_error_db: float
    width_error_db: float


def recovery(trace: ControlsTrace | None, width_change_db: float, truth: TrueCorrection) -> Recovery:
    """Compare what a system did with what had to be done.

    Args:
        trace: its curve and gain; None where it shows none (an outside master).
        width_change_db: side over mid of its output less that of its input; NaN for mono.
        truth: the song's.
    """
    width_error = abs(width_change_db - truth.width_db)
    if trace is None:
        return Recovery(math.nan, math.nan, width_error)
    inside = (CURVE_HZ >= LOW_HZ) & (CURVE_HZ <= HIGH_HZ)
    difference = (trace.curve_db + trace.gain_db - truth.curve_db - truth.gain_db)[inside]
    offset = float(difference.mean())
    return Recovery(float(np.sqrt(np.mean((difference - offset) ** 2))), abs(offset), width_error)


def width_change_db(
    result_db: NDArray[np.floating], input_db: NDArray[np.floating], silent_db: float = -90.0
) -> float:
    """How much wider a result is than its input: median over third octaves of the change of side less mid, dB.

    Band by band, since an equaliser alone moves the ratio of the sums. NaN for mono, or without a band in which
    both are above `silent_db` in mid and side.

    Args:
        result_db, input_db: (row, third) levels of left, right, mid and side (`Signal.third_octaves_db`).
    """
    if len(result_db) < 4:
        return math.nan
    heard = (np.minimum(result_db[2:4], input_db[2:4]) > silent_db).all(axis=0)
    if not heard.any():
        return math.nan
    change = (result_db[3] - result_db[2]) - (input_db[3] - input_db[2])
    return float(np.median(change[heard]))


def true_corrections(root: Path) -> dict[str, TrueCorrection]:
    """Song key → its true correction; empty where the pairs were not made by `nm-data degrade` or `nm-demo`."""
    found = _degraded(root)
    return found or _demo(root)


def _degraded(root: Path) -> dict[str, TrueCorrection]:
    if not (root / RECORDS).is_file():
        return {}
    at_hz = torch.from_numpy(CURVE_HZ)
    found = {}
    for name, made in read_degradations(root).items():
        curve = -eq_curve_db(made, at_hz).numpy()
        found[song_key(name)] = TrueCorrection(curve, -made.gain_db, -gain_to_db(made.width))
    return found


def _demo(root: Path) -> dict[str, TrueCorrection]:
    """The bundled pairs, whose manifest holds two shelves and a level."""
    manifest = root / "manifest.csv"
    if not manifest.is_file():
        return {}
    with manifest.open(newline="", encoding="utf-8-sig") as handle:
        rows = list(csv.DictReader(handle))
    if not rows or any(column not in rows[0] for column in _DEMO_COLUMNS):
        return {}
    return {song_key(Path(row["file"]).stem): _demo_correction(row) for row in rows}


def _demo_correction(row: Mapping[str, str]) -> TrueCorrection:
    low, high, q = (float(row[c]) for c in ("low_shelf_hz", "high_shelf_hz", "shelf_q"))
    gains = [-float(row[c]) for c in ("low_shelf_db", "high_shelf_db")]
    kinds: list[Kind] = ["low_shelf", "high_shelf"]
    columns = ([low, high], gains, [q, q])
    frequency, gain, quality = (torch.tensor([values], dtype=torch.float64) for values in columns)
    curve = biquad.response_db(frequency, gain, quality, torch.from_numpy(CURVE_HZ), 44_100.0, kinds)
    return TrueCorrection(curve[0].numpy(), -float(row["level_db"]), 0.0)
