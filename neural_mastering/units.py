"""Decibels: the only place where levels, amplitudes and powers are converted into one another.

Amplitudes are linear with full scale ±1. Each function takes a float, a NumPy array or a tensor and returns the
same type; tensors keep their gradient. The module imports neither NumPy nor torch, so every part of the package may
use it.

    level_db = 20·log10(gain) = 10·log10(power)        gain = 10^(level_db/20)        power = 10^(level_db/10)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

Array = TypeVar("Array", bound="Tensor | np.ndarray[Any, Any]")

NEPERS_PER_DB = math.log(10.0) / 20.0
"""ln of the amplitude ratio of 1 dB: ln(gain) = NEPERS_PER_DB · level_db."""

DB_PER_NEPER = 20.0 / math.log(10.0)
"""Level in dB of the amplitude ratio e."""


@overload
def db_to_gain(level_db: float) -> float: ...
@overload
def db_to_gain(level_db: Array) -> Array: ...
def db_to_gain(level_db: Any) -> Any:
    """Amplitude ratio of a level: 10^(dB/20); −inf dB gives 0.

    >>> db_to_gain(20.0)
    10.0
    >>> round(db_to_gain(-6.0), 3)
    0.501
    """
    if _is_tensor(level_db):
        return (level_db * NEPERS_PER_DB).exp()
    return 10.0 ** (level_db / 20.0)


@overload
def gain_to_db(gain: float) -> float: ...
@overload
def gain_to_db(gain: Array) -> Array: ...
def gain_to_db(gain: Any) -> Any:
    """Level of an amplitude ratio: 20·log10(gain); 0 gives −inf.

    >>> gain_to_db(0.1)
    -20.0
    >>> gain_to_db(0.0)
    -inf
    """
    if _is_tensor(gain):
        return 20.0 * gain.log10()
    return 20.0 * _log10(gain)


@overload
def db_to_power(level_db: float) -> float: ...
@overload
def db_to_power(level_db: Array) -> Array: ...
def db_to_power(level_db: Any) -> Any:
    """Power ratio of a level: 10^(dB/10); −inf dB gives 0.

    >>> db_to_power(-20.0)
    0.01
    """
    return 10.0 ** (level_db / 10.0)


@overload
def power_to_db(power: float) -> float: ...
@overload
def power_to_db(power: Array) -> Array: ...
def power_to_db(power: Any) -> Any:
    """Level of a power ratio: 10·log10(power); 0 gives −inf.

    >>> power_to_db(100.0)
    20.0
    """
    if _is_tensor(power):
        return power.log() / (2.0 * NEPERS_PER_DB)  # rounds as it did when the bundled model was trained
    return 10.0 * _log10(power)


@overload
def third_octave_hz(number: float) -> float: ...
@overload
def third_octave_hz(number: Array) -> Array: ...
def third_octave_hz(number: Any) -> Any:
    """Exact mid-band frequency of a third octave by its number: 10^(number/10) Hz. Source: IEC 61260-1, 5.2.

    >>> third_octave_hz(30)
    1000.0
    """
    return 10.0 ** (number / 10.0)


def third_octave_number(frequency_hz: float) -> float:
    """Inverse of `third_octave_hz`: 10·log10(f); a whole number at a mid-band frequency.

    >>> third_octave_number(100.0)
    20.0
    """
    return 10.0 * math.log10(frequency_hz)


def _is_tensor(value: object) -> bool:
    return hasattr(value, "requires_grad")


def _log10(value: Any) -> Any:
    """log10 of a float or an array, −inf at 0; a float below 0 gives −inf, too."""
    if isinstance(value, float | int):
        return math.log10(value) if value > 0.0 else (math.nan if math.isnan(value) else -math.inf)
    import numpy as np  # an argument that is an array has paid for this import already

    with np.errstate(divide="ignore"):
        return np.log10(value)
