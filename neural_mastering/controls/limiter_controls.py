"""The delivery's clipper and limiter as controls of a song: names, units and ranges."""

from collections.abc import Mapping
from dataclasses import asdict

from neural_mastering.dsp.limiter import LimiterSettings

CLIP_DB = "clip_db"
"""The most that the clipper takes off short peaks."""

RANGES: Mapping[str, tuple[float, float, str]] = {
    "lookahead_ms": (0.5, 20.0, " ms"),
    "release_ms": (10.0, 5000.0, " ms"),
    "recovery_ms": (0.5, 5000.0, " ms"),
    "sustain_ms": (10.0, 5000.0, " ms"),
    "recovery_exponent": (1.0, 4.0, ""),
    "recovery_widths": (0.0, 50.0, ""),
    CLIP_DB: (0.0, 6.0, " dB"),
}
"""Lowest and highest value and unit by control; `dsp.limiter.LimiterSettings` says what they do."""


def limiter_values(settings: LimiterSettings, clip_db: float) -> dict[str, float]:
    """The controls of a limiter and the clipper in front of it.

    >>> limiter_values(LimiterSettings(), 1.5)["clip_db"]
    1.5
    """
    return {**asdict(settings), CLIP_DB: clip_db}


def limiter_settings(values: Mapping[str, float]) -> LimiterSettings:
    """The limiter of controls, which name all of `RANGES`."""
    return LimiterSettings(**{key: value for key, value in values.items() if key != CLIP_DB})
