"""Songs as numbers: content features, third octaves, loudness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64s = NDArray[np.float64]

FULL_BAND_LUFS = -20.0


@dataclass(frozen=True)
class Songs:
    """Measured songs, in the order of their names.

    Attributes:
        name, package: (song,) file stem and group.
        is_test: (song,) of a package kept for the test.
        is_simple: (song,) its licence allows it into the weights.
        features: (song, feature), named by `names`.
        levels_db: (song, third) less the loudness; `filled` where a band holds sound.
        lufs: (song,).
    """

    name: NDArray[np.str_]
    package: NDArray[np.str_]
    is_test: NDArray[np.bool_]
    is_simple: NDArray[np.bool_]
    names: tuple[str, ...]
    features: Float64s
    levels_db: Float64s
    filled: NDArray[np.bool_]
    lufs: Float64s

    def __len__(self) -> int:
        return len(self.name)

    def of(self, chosen: NDArray[np.bool_] | NDArray[np.int_]) -> Songs:
        """Some of them."""
        return Songs(
            self.name[chosen],
            self.package[chosen],
            self.is_test[chosen],
            self.is_simple[chosen],
            self.names,
            self.features[chosen],
            self.levels_db[chosen],
            self.filled[chosen],
            self.lufs[chosen],
        )


def full_band(songs: Songs) -> NDArray[np.bool_]:
    """(song,) not cut by a codec below 16 kHz, and not quiet."""
    return songs.filled[:, -1] & (songs.lufs > FULL_BAND_LUFS)
