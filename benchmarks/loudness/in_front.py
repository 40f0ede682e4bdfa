"""Is the way to a loudness shorter with a compressor in front of the limiter?

    python -m benchmarks.loudness.in_front POOL

Each device is an ordinary stage of the chain. Behind it, clipper and limiter are set for what they get and driven
to the target, and the result is compared with the song itself, without any device.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np

from benchmarks.loudness.__main__ import CEILING_DB, append_cell, driven, read_cells
from benchmarks.loudness.contenders import Signal, ours_for
from benchmarks.loudness.distances import Reference, lufs
from benchmarks.loudness.songs import excerpts
from neural_mastering.controls import ChainControls
from neural_mastering.controls.catalogue import Values
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages

NONE = "none"
SHOWN = ("mr_stft", "worst_s", "mel_db", "envelope_db", "crest_db", "speed_db", "quiet_db")
_COMMON = {"mix": 1.0, "link_max": 0.0}


def _levelling(ratio: float, threshold_db: float) -> Values:
    times = {"attack_ms": 30.0, "release_ms": 500.0, "knee_db": 6.0, "makeup_db": 0.0, "sidechain_hz": 0.0}
    return {"threshold_db": threshold_db, "ratio": ratio, **times, **_COMMON}


def _low_band(threshold_db: float) -> Values:
    return {
        **_COMMON,
        "crossovers_hz": (150.0,),
        "threshold_db": (threshold_db, 0.0),
        "ratio": (3.0, 1.0),
        "attack_ms": (5.0, 5.0),
        "release_ms": (60.0, 60.0),
        "knee_db": (6.0, 6.0),
        "makeup_db": (0.0, 0.0),
    }


DEVICES: dict[str, Values] = {
    **{
        f"level {ratio:g}:1 at {threshold_db:g} dB": _levelling(ratio, threshold_db)
        for ratio in (1.5, 2.0)
        for threshold_db in (0.0, -6.0)
    },
    **{f"bass 3:1 at {threshold_db:g} dB": _low_band(threshold_db) for threshold_db in (0.0, -6.0)},
}
"""Stage `compressor` by name; thresholds are dB from the song's loudness, "bass" is the band below 150 Hz."""


def through(values: Values, audio: Signal, rate: int) -> Signal:
    """A song (channel, time) behind a device."""
    controls = ChainControls(stages={"compressor": {**values, "input_lufs": lufs(audio, rate)}})
    return np.concatenate(list(run_stages(build_stages(controls, rate, len(audio)), [audio])), axis=1)


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path, help="folder with manifest.csv and the songs")
    parser.add_argument("--songs", choices=("tune", "report"), default="report")
    parser.add_argument("--targets", type=float, nargs="+", default=[-9.0, -7.0])
    parser.add_argument("--cells", type=Path, help="JSON lines: read what is there, append what is new")
    parser.add_argument("--limit", type=int, default=20, help="songs")
    arguments = parser.parse_args()
    cells = read_cells(arguments.cells)
    for song in list(excerpts(arguments.pool, arguments.songs))[: arguments.limit]:
        rate, reference = song.sample_rate, Reference(song.audio, song.sample_rate)
        for target in arguments.targets:
            for name, values in {NONE: None, **DEVICES}.items():
                key = f"{name}|{target:g}|{song.name}"
                if key in cells:
                    continue
                audio = song.audio if values is None else through(values, song.audio, rate)
                limiter = ours_for(1.0, audio, rate, target, CEILING_DB)
                out, level = driven(limiter, audio, rate, target)
                cells[key] = reference.distances(out, level)
                append_cell(arguments.cells, key, cells[key])
    for target in arguments.targets:
        table(cells, target)


def table(cells: dict[str, dict[str, float]], target: float) -> None:
    """Means, and on how many songs a device is nearer than none by more than 2 %, and nearest of all."""
    of = {
        name: {
            key.split("|", 2)[2]: cell for key, cell in cells.items() if key.startswith(f"{name}|{target:g}|")
        }
        for name in (NONE, *DEVICES)
    }
    print(f"| {target:g} LUFS, {len(of[NONE])} songs | " + " | ".join(SHOWN) + " | nearer | nearest |")
    print("|---|" + "--:|" * (len(SHOWN) + 2))
    for name, own in of.items():
        both = [song for song in own if song in of[NONE]]
        if not both:
            continue
        means = [statistics.fmean(own[song][key] for song in both) for key in SHOWN]
        nearer = sum(own[song]["mr_stft"] < 0.98 * of[NONE][song]["mr_stft"] for song in both)
        least = [min(each[song]["mr_stft"] for each in of.values() if song in each) for song in both]
        nearest = sum(own[song]["mr_stft"] <= value for song, value in zip(both, least, strict=True))
        print(f"| {name} | " + " | ".join(f"{mean:.3f}" for mean in means) + f" | {nearer} | {nearest} |")


if __name__ == "__main__":
    main()
