"""A measured pair as plain data, so that a run that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.engineer.features import SongFeatures
from neural_mastering.engineer.pair import MasterMove, PairMeasurement
from neural_mastering.metering.content import Content
from neural_mastering.metering.texture import Texture

VERSION = 2
"""Rises when what is measured changes, so that older measurements are not used."""

_NUMBERS = ("loudness_lufs", "plr_db", "lra_lu", "width_db", "correlation", "true_peak_db", "seconds")
_MOVE = ("loudness_lufs", "plr_db", "lra_lu", "width_db", "true_peak_db")


def measurement_dict(pair: PairMeasurement) -> dict[str, Any]:
    """Plain values; NaN becomes None."""
    song, move = pair.features, pair.move
    return {
        "version": VERSION,
        "name": pair.name,
        "features": {
            "content": dict(zip(song.content.names, song.content.values.tolist(), strict=True)),
            "density": song.texture.density.tolist(),
            "fluctuation_db": song.texture.fluctuation_db.tolist(),
            "levels_db": song.levels_db.tolist(),
            "filled": song.filled.tolist(),
            "side_db": _plain(song.side_db),
            "crest_db": _plain(song.crest_db),
            **{name: float(getattr(song, name)) for name in _NUMBERS},
        },
        "move": {
            "curve_db": move.curve_db.tolist(),
            "known": move.known.tolist(),
            **{name: float(getattr(move, name)) for name in _MOVE},
        },
    }


def measurement_of(plain: Mapping[str, Any]) -> PairMeasurement:
    """What `measurement_dict` made.

    Raises:
        KeyError, TypeError, ValueError: something else, or another version.
    """
    if plain["version"] != VERSION:
        raise ValueError(f"measurements of version {plain['version']}, expected {VERSION}")
    song, move = plain["features"], plain["move"]
    content = Content(
        tuple(song["content"]), np.array(list(song["content"].values())), float(song["seconds"])
    )
    features = SongFeatures(
        content=content,
        texture=Texture(np.array(song["density"]), np.array(song["fluctuation_db"])),
        levels_db=np.array(song["levels_db"]),
        filled=np.array(song["filled"], dtype=bool),
        side_db=_array(song["side_db"]),
        crest_db=_array(song["crest_db"]),
        **{name: float(song[name]) for name in _NUMBERS},
    )
    done = MasterMove(
        curve_db=np.array(move["curve_db"]),
        known=np.array(move["known"], dtype=bool),
        **{name: float(move[name]) for name in _MOVE},
    )
    return PairMeasurement(str(plain["name"]), features, done)


def _plain(values: Float64s) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values]


def _array(values: list[float | None]) -> Float64s:
    return np.array([np.nan if v is None else v for v in values])
