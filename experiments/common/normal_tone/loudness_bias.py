"""Whether quiet and loud songs differ from what is expected of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ

Float64s = NDArray[np.float64]
Row = dict[str, object]


def loudness_bias(lufs: Float64s, shape: Float64s, ways: Mapping[str, Float64s]) -> list[Row]:
    """Bass and treble of quiet and loud songs less what each way expects, each a mean over a third of the songs.

    Args:
        lufs: (song,).
        shape: (song, third) spectra, NaN where a band is empty.
        ways: expectations by name, (third,) or (song, third).
    """
    order = np.argsort(lufs)
    bass, treble = BROAD & (CENTRES_HZ < 150.0), BROAD & (CENTRES_HZ > 4_000.0)
    rows: list[Row] = []
    for name, part in zip(
        ("quietest third", "middle", "loudest third"), np.array_split(order, 3), strict=True
    ):
        rows.append({"songs": name, "lufs": round(float(lufs[part].mean()), 1)})
        for way, guess in ways.items():
            rest = (shape - guess)[part]
            rows[-1][f"bass less {way} db"] = round(float(np.nanmean(rest[:, bass])), 2)
            rows[-1][f"treble less {way} db"] = round(float(np.nanmean(rest[:, treble])), 2)
    return rows
