"""How the level moves against the target's: what a compressor or limiter did, moment by moment."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neural_mastering.units import power_to_db

WINDOW_MS = 50.0
_QUIET_DB = 40.0
"""Windows this far below the target's loudest say nothing about a level."""


def level_differences_db(
    excerpts: Mapping[str, NDArray[np.float32]], target: str, sample_rate: int
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Middles of windows of 50 ms in seconds, and the level of each other excerpt less the target's, in dB.

    The mean difference is taken out, so that loudness plays no part; NaN where the target is quiet.

    Args:
        excerpts: (channel, time) by source, all of the same stretch.
        target: the source that the others are compared with.
        sample_rate: in Hz.

    Examples:
        >>> loud = np.full((2, 4_410), 0.5, np.float32)
        >>> ducked = loud * np.where(np.arange(4_410) < 2_205, 1.0, 0.5).astype(np.float32)
        >>> level_differences_db({"target": loud, "ours": ducked}, "target", 44_100)[1]["ours"].round(2).tolist()
        [3.01, -3.01]
    """
    size = round(WINDOW_MS * sample_rate / 1000.0)
    levels = {source: _levels_db(audio, size) for source, audio in excerpts.items()}
    wanted = levels[target]
    heard = wanted > wanted.max(initial=-np.inf) - _QUIET_DB
    differences = {}
    for source, level in levels.items():
        if source != target and level.size == wanted.size and heard.any():
            difference = np.where(heard, level - wanted, np.nan)
            differences[source] = difference - float(np.nanmean(difference))
    return (np.arange(wanted.size) + 0.5) * size / sample_rate, differences


def _levels_db(audio: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    count = audio.shape[-1] // size
    power = np.square(audio[..., : count * size], dtype=np.float64).reshape(-1, count, size).mean(axis=(0, 2))
    return np.asarray(power_to_db(power + 1e-12))
