"""Decibels of plain numbers and arrays: what `units` is for tensors, for code that must start without torch."""

import math


def gain_of(level_db: float) -> float:
    """Amplitude ratio of a level: 10^(dB/20); −inf dB gives 0."""
    return 10.0 ** (level_db / 20.0)


def level_of(gain: float) -> float:
    """Level in dB of an amplitude ratio: 20·log10(gain); 0 gives −inf."""
    return 20.0 * math.log10(gain) if gain > 0.0 else (math.nan if math.isnan(gain) else -math.inf)
