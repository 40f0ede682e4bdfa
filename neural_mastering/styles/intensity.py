"""How far from normal a mix may be by mistake: the size and the shape of the errors that a master undoes."""

from __future__ import annotations

from neural_mastering.dsp.mix_errors import error_covariance
from neural_mastering.errors import InputError

__all__ = ["DEFAULT_INTENSITY", "INTENSITIES_DB", "LARGEST_DB", "error_covariance", "parse_intensity"]

INTENSITIES_DB: dict[str, float] = {"gentle": 1.0, "balanced": 2.0, "strong": 3.5}
"""Root mean square size of the error over the bands, by name."""

DEFAULT_INTENSITY = "balanced"
LARGEST_DB = 6.0


def parse_intensity(text: str | float) -> float:
    """The size in dB that a name or a number means.

    Raises:
        InputError: neither a name nor a number from 0 to 6.
    """
    if isinstance(text, str) and text.strip().lower() in INTENSITIES_DB:
        return INTENSITIES_DB[text.strip().lower()]
    try:
        size_db = float(text)
    except ValueError:
        size_db = float("nan")
    if not 0.0 <= size_db <= LARGEST_DB:
        names = ", ".join(INTENSITIES_DB)
        raise InputError(f"--intensity {text}: expected {names}, or a number of dB from 0 to {LARGEST_DB:g}")
    return size_db
