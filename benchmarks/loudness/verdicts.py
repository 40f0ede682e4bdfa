"""Each contender against ours on the songs both have: python -m benchmarks.loudness.verdicts CELLS [--ours dense].

Reads what `python -m benchmarks.loudness --cells CELLS` has measured, and measures nothing.
"""

import argparse
import statistics
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.loudness.__main__ import CEILING_DB, read_cells

Cell = dict[str, float]
SHOWN = ("mr_stft", "worst_s", "mel_db", "envelope_db", "crest_db", "speed_db")
HEADS = (
    "songs",
    "mr_stft",
    "ours",
    "ours / its",
    "95 %",
    "ours nearer, same",
    "quiet bands, dB",
    "ours − its, dB",
)
FAR_LU, OVER_DB = 0.1, 0.02
UNTOUCHED = 1e-3  # mr_stft; a limiter that has nothing to do leaves less


def main() -> None:
    """Print both tables of each target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cells", type=Path, help="JSON lines of the benchmark")
    parser.add_argument("--ours", default="dense")
    parser.add_argument("--targets", type=float, nargs="+", default=[-14.0, -11.0, -9.0, -7.0])
    arguments = parser.parse_args()
    cells = read_cells(arguments.cells)
    for target in arguments.targets:
        by_name = of_target(cells, target)
        if arguments.ours in by_name:
            print(
                f"### {target:g} LUFS\n",
                means(by_name, target),
                "",
                against(by_name, arguments.ours),
                "",
                sep="\n",
            )


def of_target(cells: dict[str, Cell], target: float) -> dict[str, dict[str, Cell]]:
    """Cells of one loudness by contender, then by song."""
    by_name: dict[str, dict[str, Cell]] = {}
    for key, cell in cells.items():
        name, level, song = key.split("|", 2)
        if float(level) == target:
            by_name.setdefault(name, {})[song] = cell
    return by_name


def means(by_name: dict[str, dict[str, Cell]], target: float) -> str:
    """Mean of each measure over the contender's songs, and on how many it missed loudness or ceiling."""
    lines = ["| contender | songs | " + " | ".join(SHOWN) + " | off by > 0.1 LU | over |"]
    lines.append("|---|" + "--:|" * (len(SHOWN) + 3))
    for name, own in sorted(by_name.items(), key=lambda item: _mean(item[1].values(), "mr_stft")):
        values = [f"{_mean(own.values(), key):.3f}" for key in SHOWN]
        off = sum(abs(cell["lufs"] - target) > FAR_LU for cell in own.values())
        over = sum(cell["true_peak_db"] > CEILING_DB + OVER_DB for cell in own.values())
        lines.append(f"| `{name}` | {len(own)} | " + " | ".join([*values, str(off), str(over)]) + " |")
    return "\n".join(lines)


def against(by_name: dict[str, dict[str, Cell]], ours: str) -> str:
    """Ours against each other contender on the songs that both have.

    The interval is a bootstrap of the ratio of means over songs. "Same" are songs that neither changes.
    """
    lines = ["| against | " + " | ".join(HEADS) + " |", "|---|" + "--:|" * len(HEADS)]
    for name, its in by_name.items():
        songs = [song for song in by_name[ours] if song in its]
        if name == ours or not songs:
            continue
        pairs = np.array([[by_name[ours][song]["mr_stft"], its[song]["mr_stft"]] for song in songs])
        quiet = np.array([[by_name[ours][song]["quiet_db"], its[song]["quiet_db"]] for song in songs])
        own, other = pairs.mean(axis=0)
        low, high = _interval(pairs)
        more = quiet[:, 0] - quiet[:, 1]
        columns = [
            f"{len(songs)}",
            f"{other:.3f}",
            f"{own:.3f}",
            f"{own / other:.2f}",
            f"{low:.2f}–{high:.2f}",
        ]
        same = (pairs < UNTOUCHED).all(axis=1)
        columns += [f"{int((~same & (pairs[:, 0] < pairs[:, 1])).sum())}, {int(same.sum())} of {len(songs)}"]
        columns += [
            f"{quiet[:, 1].mean():.1f}",
            f"{more.mean():+.1f} ({int((more <= 0).sum())} of {len(songs)} ≤ 0)",
        ]
        lines.append(f"| `{name}` | " + " | ".join(columns) + " |")
    return "\n".join(lines)


def _interval(pairs: np.ndarray) -> tuple[float, float]:
    chance = np.random.default_rng(0)
    sums = pairs[chance.integers(0, len(pairs), (2000, len(pairs)))].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / np.maximum(sums[:, 1], 1e-9), [0.025, 0.975])
    return float(low), float(high)


def _mean(cells: Iterable[Cell], key: str) -> float:
    return statistics.fmean(cell[key] for cell in cells)


if __name__ == "__main__":
    main()
