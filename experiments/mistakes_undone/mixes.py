"""Unmastered mixes: how far they are from finished songs, before and after each system.

    python -m experiments.mistakes_undone.mixes MIXES OUT [--plain-from weights]

MIXES holds manifest.csv (columns file and kind) and the mixes that it names; OUT is that of the study. Distances
are to its finished songs, or to those behind the shipped weights, and to what the learned normal tone expects of
each mix by its content. Nobody knows what
these mixes should be: the distance says only whether a system brings them nearer to what finished songs measure.
Writes OUT/mixes.csv and OUT/mixes.md.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import soundfile

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.mistakes import rms_of
from experiments.mistakes_undone.plain import gaussian_of
from experiments.mistakes_undone.run import case_of, rendered_move
from experiments.mistakes_undone.spectra import Spectra, excerpt
from experiments.mistakes_undone.systems import NAMES, System, chosen_systems
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD, Float64s, broad_distance_db
from neural_mastering.normality import load_normal_tone
from neural_mastering.reporting.table import markdown_table
from neural_mastering.styles.move import OFFSET_DB


def main() -> None:
    """Measure all mixes with all systems, write the rows and a table."""
    parser = parser_of(__doc__)
    parser.add_argument("mixes", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--systems", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument(
        "--plain-from",
        choices=("music", "weights"),
        default="music",
        help="distances are to the songs of OUT/training.npz, which the main study writes, or to those behind "
        "the shipped weights; these don't make the systems average EQ and corridor",
    )
    arguments = parser.parse_args()
    training, tone = None, load_normal_tone().general
    if arguments.plain_from == "music":
        training = Spectra.load(arguments.out / "training.npz")
        tone = gaussian_of(training)
    arguments.out.mkdir(parents=True, exist_ok=True)
    systems = chosen_systems(arguments.systems, training)
    rows = []
    for row in read_rows(arguments.mixes / "manifest.csv"):
        rows += mix_rows(arguments.mixes / row["file"], row["kind"], tone, systems, arguments.seconds)
        write_rows(arguments.out / "mixes.csv", rows)
    text = markdown_table(table(rows))
    (arguments.out / "mixes.md").write_text(text, encoding="utf-8")
    print(text)


def mix_rows(
    path: Path, kind: str, tone: Gaussian, systems: dict[str, System], seconds: float
) -> list[dict[str, object]]:
    """A row for each system: distances before and after, size of the move."""
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as resources:
        samples, rate = excerpt(path, seconds)
        soundfile.write(Path(folder) / "mix.wav", samples, rate, subtype="FLOAT")
        case = case_of(Path(folder) / "mix.wav", Path(folder), resources)
        if not case.profile.is_usable:
            return []
        level, filled = case.profile.levels_db, case.profile.filled
        content = case.analysis.content
        own = tone if content is None else load_normal_tone().predict(content)
        for name, system in systems.items():
            move = rendered_move(case, system)
            rows.append(
                {
                    "kind": kind,
                    "mix": path.stem,
                    "system": name,
                    "before": mahalanobis(level, tone, filled),
                    "after": mahalanobis(level + move, tone, filled),
                    "own_before": mahalanobis(level, own, filled),
                    "own_after": mahalanobis(level + move, own, filled),
                    "before_db": broad_distance_db(level, tone.mean, filled),
                    "after_db": broad_distance_db(level + move, tone.mean, filled),
                    "move_db": rms_of(move, BROAD & filled),
                }
            )
    return rows


def mahalanobis(levels_db: Float64s, tone: Gaussian, filled: np.ndarray) -> float:
    """Root of (x − μ)ᵀ Σ⁻¹ (x − μ) / bands over the broad bands that hold sound, whatever the level; 1 is usual."""
    known = BROAD & filled & tone.known
    off = np.where(known, levels_db - tone.mean, 0.0)
    precision = Gaussian(tone.mean, tone.covariance, known).precision(OFFSET_DB)
    return float(np.sqrt(off @ precision @ off / max(int(known.sum()) - 1, 1)))


def table(rows: Sequence[dict[str, object]]) -> list[dict[str, str]]:
    """Means of each kind of mix and system."""
    lines = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        for name in dict.fromkeys(row["system"] for row in rows):
            found = [row for row in rows if row["kind"] == kind and row["system"] == name]
            column = {key: np.array([row[key] for row in found], dtype=float) for key in _NUMBERS}
            nearer = column["after"] < column["before"]
            lines.append(
                {
                    "mixes": f"{kind} ({len(found)})",
                    "system": str(name),
                    "to all songs": f"{column['before'].mean():.2f} → {column['after'].mean():.2f}",
                    "to songs like it": f"{column['own_before'].mean():.2f} → {column['own_after'].mean():.2f}",
                    "broad distance, dB": f"{column['before_db'].mean():.2f} → {column['after_db'].mean():.2f}",
                    "nearer": f"{100.0 * nearer.mean():.0f} %",
                    "move, dB RMS": f"{column['move_db'].mean():.2f}",
                    "largest": f"{column['move_db'].max():.2f}",
                }
            )
    return lines


_NUMBERS = ("before", "after", "own_before", "own_after", "before_db", "after_db", "move_db")

if __name__ == "__main__":
    main()
