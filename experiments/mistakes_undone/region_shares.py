"""How many songs of the test lie where `nm-style compare` says that one in ten does."""

from __future__ import annotations

import numpy as np

from experiments.common.normal_tone.measured_songs import Songs
from experiments.mistakes_undone.left_mistakes import Line
from neural_mastering.metering.band_crest import OCTAVES_HZ
from neural_mastering.metering.content import Content
from neural_mastering.normality import load_normal_tone
from neural_mastering.styles.compare import compare_with_songs_like_it
from neural_mastering.styles.regions import REGIONS
from neural_mastering.styles.song import SHORT_SECONDS, SongTone

RATE = 44_100
SHARES = {
    "below the 10th": (0.0, 10.0),
    "between the 25th and the 75th": (25.0, 75.0),
    "above the 90th": (90.0, 100.0),
}


def region_lines(songs: Songs) -> list[Line]:
    """A line for each region: the share of the songs between percentiles of the songs like them."""
    model = load_normal_tone()
    found = [compare_with_songs_like_it(song_tone(songs, i), model).regions for i in range(len(songs))]
    lines = []
    for region in REGIONS:
        percentiles = np.array([s.percentile for each in found for s in each if s.name == region.name])
        shares = {
            name: f"{100.0 * np.mean((percentiles >= low) & (percentiles <= high)):.0f} %"
            for name, (low, high) in SHARES.items()
        }
        lines.append({"region": region.name, "songs": str(len(percentiles)), **shares})
    return lines


def song_tone(songs: Songs, index: int) -> SongTone:
    """One song as a style sees it; what is not compared with songs like it is left out."""
    none = np.full(len(OCTAVES_HZ), np.nan)
    return SongTone(
        name=str(songs.name[index]),
        levels_db=songs.levels_db[index],
        filled=songs.filled[index],
        lufs=float(songs.lufs[index]),
        plr_db=np.nan,
        lra_lu=np.nan,
        side_db=np.full(songs.levels_db.shape[1], np.nan),
        crest_db=none,
        fine_db=none,
        seconds=SHORT_SECONDS,
        sample_rate=RATE,
        channels=2,
        content=Content(songs.names, songs.features[index], SHORT_SECONDS),
    )
