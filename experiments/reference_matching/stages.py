"""Do the compressor and the width that a reference asks for help, and does a foreign reference leave them alone?

    python experiments/reference_matching/stages.py PAIRS_FOLDER [--split test] [--out FILE]

PAIRS_FOLDER is made by nm-data degrade: unmastered/*.flac, mastered/*.flac and manifest.csv. Each input is matched
to its own master and to the master of a song of another group: with the equaliser alone, and with all stages.
Numbers are errors against the master, at its loudness.
"""

import argparse
import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.metrics.ltas_error import ltas_error
from neural_mastering.metrics.multi_resolution_stft import multi_resolution_stft
from neural_mastering.metrics.stereo_width_error import stereo_width_error
from neural_mastering.rendering.chain import build_stages
from neural_mastering.rendering.controls import ChainControls
from neural_mastering.rendering.reference import match_references
from neural_mastering.rendering.reference_movement import movement_of
from neural_mastering.rendering.reference_profile import profile_of
from neural_mastering.rendering.reference_stages import match_stages
from neural_mastering.rendering.stream import run_stages

Samples = NDArray[np.float64]
COLUMNS = ("third octaves, dB", "levels of 50 ms, dB", "width, dB", "MR-STFT")


def main() -> None:
    """One row a song, system and reference; then the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--songs", type=int, default=1_000, help="how many, evenly from the split")
    parser.add_argument("--out", type=Path, default=None, help="a CSV file of all numbers")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with (arguments.pairs / "manifest.csv").open() as file:
        songs = [row for row in csv.DictReader(file) if arguments.split in ("all", row["split"])]
    count = min(arguments.songs, len(songs))
    chosen = {round(i * len(songs) / count) for i in range(count)}
    rows: list[tuple[str, str, str, *tuple[float, ...]]] = []
    for i, song in enumerate(songs):
        if i not in chosen:
            continue
        others = [s for s in songs if s["group"] != song["group"]]
        foreign = others[(5 * i) % len(others)]
        audio, rate = read(arguments.pairs / "unmastered" / song["file"])
        truth, _ = read(arguments.pairs / "mastered" / song["file"])
        other, other_rate = read(arguments.pairs / "mastered" / foreign["file"])
        rows.append((song["file"], "nothing", "", *errors(audio, truth, rate)))
        for name, sound, its_rate in (("own master", truth, rate), ("foreign", other, other_rate)):
            eq, full = matched(audio, rate, sound, its_rate)
            for system, controls in (("equaliser", eq), ("equaliser, compressor, width", full)):
                stages = build_stages(controls, rate, len(audio))
                out = np.concatenate(list(run_stages(stages, [audio])), axis=1)
                rows.append((song["file"], system, name, *errors(out, truth, rate)))
        print(song["file"], len(rows), flush=True)
        if arguments.out:
            with arguments.out.open("w", newline="") as file:
                csv.writer(file).writerows([("song", "system", "reference", *COLUMNS), *rows])
    print(summary(rows))


def matched(audio: Samples, rate: int, sound: Samples, its_rate: int) -> tuple[ChainControls, ChainControls]:
    """Controls with the equaliser alone, and with all stages."""
    song = profile_of([audio], rate)
    match = match_references(song, [(profile_of([sound], its_rate), 1.0)])
    further = match_stages(
        [audio],
        rate,
        song.lufs,
        movement_of([audio], rate),
        movement_of([sound], its_rate),
        match.same_song,
        match.controls.eq_sections(rate),
    )
    return match.controls, replace(match.controls, stages=further.stages)


def errors(result: Samples, truth: Samples, rate: int) -> tuple[float, ...]:
    """Distances from the truth at its loudness."""
    own, wanted = (torch.from_numpy(x.astype(np.float32))[None] for x in (result, truth))
    own = own * 10.0 ** ((integrated_loudness(wanted, rate) - integrated_loudness(own, rate)) / 20.0)
    middle = slice(max(own.shape[-1] // 2 - 5 * rate, 0), own.shape[-1] // 2 + 5 * rate)
    levels = [movement_of([x], rate).levels_db for x in (result, truth)]
    return (
        float(ltas_error(own, wanted, rate)),
        float(np.sqrt(np.mean((levels[0] - levels[1]) ** 2))),
        float(stereo_width_error(own, wanted)) if len(result) == 2 else float("nan"),
        float(multi_resolution_stft(own[..., middle], wanted[..., middle])),
    )


def read(path: Path) -> tuple[Samples, int]:
    """(channel, time) and the rate."""
    samples, rate = soundfile.read(path, always_2d=True)
    return np.ascontiguousarray(samples.T, dtype=np.float64), rate


def summary(rows: list[tuple[str, str, str, *tuple[float, ...]]]) -> str:
    """Means with 95 % bootstrap intervals over songs, and songs that end worse in MR-STFT than with nothing."""
    table: dict[tuple[str, str], dict[str, tuple[float, ...]]] = defaultdict(dict)
    for song, system, reference, *values in rows:
        table[system, reference][song] = tuple(values)
    nothing = table["nothing", ""]
    lines = [
        f"| system | reference | songs | {' | '.join(COLUMNS)} | worse than nothing |",
        "|---|---|--:|" + "--:|" * (len(COLUMNS) + 1),
    ]
    for (system, reference), by_song in table.items():
        values = np.array(list(by_song.values()))
        cells = [interval(column[np.isfinite(column)]) for column in values.T]
        worse = sum(by_song[s][-1] > nothing[s][-1] + 1e-6 for s in by_song)
        lines.append(f"| {system} | {reference} | {len(values)} | {' | '.join(cells)} | {worse} |")
    return "\n".join(lines) + "\n"


def interval(values: Samples) -> str:
    """Mean [95 % bootstrap interval]."""
    dice = np.random.default_rng(0)
    means = values[dice.integers(len(values), size=(2_000, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
