"""Songs of the test as numbers: their middles' spectra and content, measured once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.common.normal_tone.measured_songs import Songs
from experiments.mistakes_undone.songs import Song
from experiments.mistakes_undone.spectra import excerpt
from neural_mastering.audio_io.block import blocks_of
from neural_mastering.metering.content import ContentMeter
from neural_mastering.metering.profile import profile_of


def heard_songs(songs: Sequence[Song], seconds: float, cache: Path) -> Songs:
    """Spectra and content of the middles of songs that say enough, from the cache where they are in it.

    Args:
        songs: of the test.
        seconds: from the middle of each.
        cache: .npz file; it is read if it is of these songs and this length, else written.
    """
    names = [f"{song.package}/{song.name}" for song in songs]
    if cache.exists():
        with np.load(cache) as held:
            if held["asked"].tolist() == names and float(held["seconds"]) == seconds:
                return _from(held)
    rows = [row for song in songs if (row := _measured(song, seconds)) is not None]
    columns = {key: np.array([row[key] for row in rows]) for key in rows[0] if key != "names"}
    columns |= {"names": rows[0]["names"], "asked": np.array(names), "seconds": np.array(seconds)}
    np.savez_compressed(cache, allow_pickle=False, **columns)
    with np.load(cache) as held:
        return _from(held)


def _measured(song: Song, seconds: float) -> dict[str, np.ndarray] | None:
    samples, rate = excerpt(song.path, seconds)
    audio = np.ascontiguousarray(samples.T)
    profile, meter = profile_of([audio], rate), ContentMeter(rate, len(audio))
    for block in blocks_of(audio):
        meter.push(block)
    content = meter.finish()
    if content is None or not profile.is_usable:
        return None
    return {
        "names": np.array(content.names),
        "package": np.array(song.package),
        "name": np.array(song.name),
        "features": content.values,
        "levels_db": profile.levels_db,
        "filled": profile.filled,
        "lufs": np.array(profile.lufs),
    }


def _from(held: np.lib.npyio.NpzFile) -> Songs:
    count = len(held["name"])
    return Songs(
        name=held["name"],
        package=held["package"],
        is_test=np.ones(count, dtype=bool),
        is_simple=np.zeros(count, dtype=bool),
        names=tuple(held["names"].tolist()),
        features=held["features"],
        levels_db=held["levels_db"],
        filled=held["filled"],
        lufs=held["lufs"],
    )
