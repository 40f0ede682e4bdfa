"""Drive limiters to one loudness and compare what they leave: python -m benchmarks.loudness POOL [options]."""

import argparse
import json
import statistics
from pathlib import Path

import numpy as np

from benchmarks.loudness.contenders import OWN, PEERS, Limiter, Peer, Signal, ours_for
from benchmarks.loudness.distances import Reference, lufs, oracle_peak
from benchmarks.loudness.gate import MOST_DB, PAIRS_HZ, added_db, drum_db
from benchmarks.loudness.songs import Excerpt, excerpts
from neural_mastering.rendering.delivery.density import DENSITIES

CEILING_DB = -1.0
NEAR_LU = 0.05
MEASURES = ("mr_stft", "worst_s", "mel_db", "envelope_db", "crest_db", "speed_db", "quiet_db")


def driven(limiter: Limiter, audio: Signal, rate: int, target: float) -> tuple[Signal, float]:
    """The output at the target loudness with no true peak above the ceiling, and its loudness."""
    ceiling, gain_db = CEILING_DB, target - lufs(audio, rate)
    out, level, tried = audio, -np.inf, []
    for _ in range(16):
        out = limiter(audio * 10 ** (gain_db / 20), rate, ceiling)
        level = lufs(out, rate)
        if abs(level - target) <= NEAR_LU:
            over = oracle_peak(out) - CEILING_DB
            if over <= 0.005:
                break
            ceiling -= over + 0.01
            tried = []
        slope = 0.77
        if tried and abs(gain_db - tried[-1][0]) > 1e-3:
            slope = float(np.clip((level - tried[-1][1]) / (gain_db - tried[-1][0]), 0.15, 1.0))
        tried.append((gain_db, level))
        gain_db += (target - level) / slope
    return out, level


def measured(
    name: str, limiter: Limiter, song: Excerpt, reference: Reference, target: float
) -> dict[str, float]:
    """One cell: distances at matched loudness, loudness and true peak."""
    if name in DENSITIES:
        limiter = ours_for(DENSITIES[name], song.audio, song.sample_rate, target, CEILING_DB)
    out, level = driven(limiter, song.audio, song.sample_rate, target)
    return reference.distances(out, level) | {"lufs": level, "true_peak_db": oracle_peak(out)}


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path, help="folder with manifest.csv and the songs")
    parser.add_argument("--songs", choices=("tune", "report"), default="report")
    parser.add_argument("--targets", type=float, nargs="+", default=[-14.0, -11.0, -9.0, -7.0])
    parser.add_argument("--contenders", nargs="+", default=[*OWN, *PEERS])
    parser.add_argument("--peer-python", type=Path, help="a Python with matchering and pedalboard")
    parser.add_argument("--cells", type=Path, help="JSON lines: read what is there, append what is new")
    parser.add_argument("--limit", type=int, default=20, help="songs")
    arguments = parser.parse_args()
    limiters: dict[str, Limiter] = {}
    for name in arguments.contenders:
        if name in OWN:
            limiters[name] = OWN[name]
        elif arguments.peer_python is not None:
            limiters[name] = Peer(name, arguments.peer_python)
    cells = read_cells(arguments.cells)
    for song in list(excerpts(arguments.pool, arguments.songs))[: arguments.limit]:
        reference = Reference(song.audio, song.sample_rate)
        for target in arguments.targets:
            for name, limiter in limiters.items():
                key = f"{name}|{target:g}|{song.name}"
                if key not in cells:
                    cells[key] = measured(name, limiter, song, reference, target)
                    append_cell(arguments.cells, key, cells[key])
    print(f"added to steady tones, dB (gate: {MOST_DB:g}); above 300 Hz in a bass drum, dB")
    for name, limiter in limiters.items():
        pairs = [f"{low:g}+{high:g} Hz: {added_db(limiter, (low, high)):6.1f}" for low, high in PAIRS_HZ]
        print(f"  {name:22}", *pairs, f"drum: {drum_db(limiter):6.1f}")
    _table(cells, list(limiters), arguments.targets)


def _table(cells: dict[str, dict[str, float]], names: list[str], targets: list[float]) -> None:
    for target in targets:
        of = {n: {k: c for k, c in cells.items() if k.startswith(f"{n}|{target:g}|")} for n in names}
        print(f"{target:g} LUFS".ljust(16), *(f"{name:>11}" for name in MEASURES), "  best  off>0.1  over")
        for name in names:
            rows = of[name].values()
            if not rows:
                continue
            means = [statistics.fmean(row[key] for row in rows) for key in MEASURES]
            best = sum(
                all(c["mr_stft"] <= of[o].get(k.replace(name, o, 1), c)["mr_stft"] for o in names)
                for k, c in of[name].items()
            )
            off = sum(abs(r["lufs"] - target) > 0.1 for r in rows)
            over = sum(r["true_peak_db"] > CEILING_DB + 0.02 for r in rows)
            print(f"  {name:14}", *(f"{mean:11.3f}" for mean in means), f"{best:6} {off:8} {over:5}")


def read_cells(path: Path | None) -> dict[str, dict[str, float]]:
    """What was measured before, by its key; nothing without a file."""
    if path is None or not path.exists():
        return {}
    return dict(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def append_cell(path: Path | None, key: str, cell: dict[str, float]) -> None:
    """Keep a cell, where there is a file for it."""
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, cell]) + "\n")


if __name__ == "__main__":
    main()
