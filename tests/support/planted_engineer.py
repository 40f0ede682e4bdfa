"""Songs that are numbers only, and pairs by an engineer whose policy is known."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.engineer.features import SongFeatures
from neural_mastering.engineer.pair import MasterMove, PairMeasurement
from neural_mastering.metering.content import Content
from neural_mastering.metering.texture import RANGES, Texture
from neural_mastering.normality import load_normal_tone

Curve = NDArray[np.float64]

LOW_SHELF: Curve = 1.0 / (1.0 + (CENTRES_HZ / 100.0) ** 2)
HIGH_SHELF: Curve = 1.0 / (1.0 + (6_000.0 / CENTRES_HZ) ** 2)


def planted_songs(count: int, seed: int = 0) -> list[SongFeatures]:
    """Songs whose content is that of real ones: convex mixtures of the songs that the normal tone knows."""
    normal = load_normal_tone()
    regression, rng = normal.regression, np.random.default_rng(seed)
    known = regression.songs[:, : len(normal.names)]
    octaves = np.log2(CENTRES_HZ / 1000.0)
    songs = []
    for _ in range(count):
        share = rng.dirichlet([0.6, 0.6, 0.6])
        content = (
            share @ known[rng.choice(len(known), 3, replace=False)] * regression.scale + regression.centre
        )
        levels = (
            -20.0
            - (4.0 + rng.normal(0.0, 1.0)) * octaves
            + np.convolve(rng.normal(0, 3, 33), np.ones(5) / 5, "valid")
        )
        plr = rng.uniform(9.0, 18.0)
        loudness = rng.uniform(-24.0, -16.0)
        songs.append(
            SongFeatures(
                content=Content(normal.names, content, 60.0),
                texture=Texture(rng.uniform(0.2, 0.9, len(RANGES)), rng.uniform(1.0, 9.0, len(RANGES))),
                levels_db=levels,
                filled=np.ones(len(CENTRES_HZ), dtype=bool),
                loudness_lufs=loudness,
                plr_db=plr,
                lra_lu=rng.uniform(2.0, 12.0),
                width_db=rng.uniform(-20.0, -3.0),
                correlation=rng.uniform(0.2, 1.0),
                side_db=rng.normal(-8.0, 2.0, len(CENTRES_HZ)),
                crest_db=rng.normal(14.0, 2.0, 10),
                true_peak_db=loudness + plr,
                seconds=60.0,
            )
        )
    return songs


def centred(curve: Curve) -> Curve:
    """Mean 0 from 50 Hz to 12.5 kHz."""
    return curve - curve[BROAD].mean()


def planted_pair(song: SongFeatures, name: str, policy: Callable[[SongFeatures], Curve]) -> PairMeasurement:
    """A pair by an engineer with a policy for the tone, who masters to −10 LUFS less a tenth of the PLR."""
    lufs = -10.0 - 0.1 * song.plr_db
    move = MasterMove(
        curve_db=centred(policy(song)),
        known=song.filled,
        loudness_lufs=lufs,
        plr_db=0.5 * song.plr_db + 3.0,
        lra_lu=song.lra_lu - 1.0,
        width_db=song.width_db + 1.0,
        true_peak_db=-1.0,
    )
    return PairMeasurement(name, song, move)
