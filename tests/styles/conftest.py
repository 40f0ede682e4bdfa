"""Songs that measure what a test wants, without audio."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.band_crest import OCTAVES_HZ
from neural_mastering.styles.song import SongTone

MakeSong = Callable[..., SongTone]


@pytest.fixture
def make_song() -> MakeSong:
    """A song with pink levels that differ by `seed`; keywords replace fields."""

    def make(seed: int = 0, **fields: object) -> SongTone:
        rng = np.random.default_rng(seed)
        song = SongTone(
            name=f"song {seed:03d}",
            levels_db=-14.0
            - 0.4 * np.arange(len(CENTRES_HZ))
            + np.convolve(rng.normal(0, 4, 31), np.ones(3) / 3, "valid"),
            filled=np.ones(len(CENTRES_HZ), dtype=bool),
            lufs=float(rng.normal(-12, 2)),
            plr_db=float(rng.normal(12, 2)),
            lra_lu=float(rng.normal(7, 2)),
            side_db=rng.normal(-10, 3, len(CENTRES_HZ)),
            crest_db=rng.normal(12, 2, len(OCTAVES_HZ)),
            fine_db=rng.normal(0, 3, 255),
            seconds=60.0,
            sample_rate=44_100,
            channels=2,
        )
        return replace(song, **fields)  # type: ignore[arg-type]

    return make
