"""Variants of the engine, judged on training songs by predictions that don't know their packages.

    python -m experiments.normality.variants MUSIC OUT

Writes OUT/tables/variants.csv: heavier tails of the spread of songs, as a Student distribution for the song as
a whole or as a scale mixture (`dsp.scale_mixture`), and a mixture of the bundled styles by the probabilities of
kinds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.common.normal_tone.measured_songs import Songs
from experiments.common.normal_tone.posterior_curve import Bools, Float64s, Follow, scale_mixture
from experiments.normality.evaluate import ways_for
from experiments.normality.posterior import common_errors, moved_db, random_errors, score
from experiments.normality.songs import load
from experiments.normality.train import training_songs
from neural_mastering.dsp.gaussian import Gaussian, updated
from neural_mastering.dsp.mix_errors import error_covariance
from neural_mastering.normality import load_normal_tone
from neural_mastering.styles.library import find_style
from neural_mastering.styles.move import OFFSET_DB

TAIL = 5.0
"""Degrees of freedom of the Student distribution."""

STYLES = ("rock", "electronic", "classical")
CASES = (
    ("random 2 dB, balanced", random_errors, 2.0, 2.0),
    ("random 4 dB, strong", random_errors, 4.0, 3.5),
    ("dull or boomy 3.2 dB, strong", common_errors, 3.2, 3.5),
)


def student(statements: Sequence[Gaussian], prior: Float64s, tail: float | None) -> Follow:
    """The posterior with the spread scaled by (ν + δ²)/(ν + d), never below 1; a Gaussian without a tail."""

    def follow(spectrum: Float64s, known: Bools, song: int) -> Float64s:
        target = statements[song % len(statements)]
        index = np.ix_(known, known)
        spread, mistake = target.covariance[index], prior[index]
        gap = (target.mean - spectrum)[known]
        scale = 1.0
        if tail is not None:
            distance = float(gap @ np.linalg.solve(spread + mistake + OFFSET_DB**2, gap))
            scale = max(1.0, (tail + distance) / (tail + known.sum() - 1))
        return prior[:, known] @ np.linalg.solve(scale * spread + mistake + OFFSET_DB**2, gap)

    return follow


def mixed(
    statements: Sequence[Gaussian], general: Gaussian, kinds: Sequence[dict[str, float]], prior: Float64s
) -> Follow:
    """The posteriors of the styles, sharpened by content, weighted by the kinds; the prediction for "unsure"."""
    alone = scale_mixture(statements, prior)
    by_style = {}
    for name in STYLES:
        style = find_style(name).next_song
        sharpened = [updated(style, statement, general, OFFSET_DB) for statement in statements]
        by_style[name] = scale_mixture(sharpened, prior)

    def follow(spectrum: Float64s, known: Bools, song: int) -> Float64s:
        share = kinds[song % len(kinds)]
        curve = share["unsure"] * alone(spectrum, known, song)
        for name, own in by_style.items():
            curve = curve + share.get(name, 0.0) * own(spectrum, known, song)
        return curve

    return follow


def _follows(
    statements: Sequence[Gaussian], general: Gaussian, kinds: Sequence[dict[str, float]], prior: Float64s
) -> dict[str, Follow]:
    return {
        "normal distribution": student(statements, prior, None),
        "heavier tail, one-sided": student(statements, prior, TAIL),
        "scale mixture": scale_mixture(statements, prior),
        "and styles mixed in": mixed(statements, general, kinds, prior),
    }


def rows_of(songs: Songs, draws: int = 3) -> list[dict[str, object]]:
    """One row for each case and variant."""
    ways, _ = ways_for(songs, songs, True)
    statements, general = ways["learned posterior"], ways["plain posterior"][0]
    kinds = _kinds(songs)
    many = songs.of(np.tile(np.arange(len(songs)), draws))
    rows: list[dict[str, object]] = []
    for case, errors_of, size_db, intensity_db in CASES:
        errors: NDArray[np.float64] = errors_of(len(many), size_db, np.random.default_rng(5))
        prior = error_covariance(intensity_db)
        for name, follow in _follows(statements, general, kinds, prior).items():
            found = score(many.levels_db, many.filled, errors, many.package, follow)
            moved = moved_db(songs.levels_db, songs.filled, follow)
            rows.append(
                {
                    "case": case,
                    "variant": name,
                    "removed": round(found.removed, 3),
                    "worse": round(found.worse, 3),
                    "worst_tenth_db": round(found.worst_tenth_db, 2),
                    "finished_moved_rms_db": round(float(np.sqrt(np.mean(moved**2))), 2),
                }
            )
    return rows


def _kinds(songs: Songs) -> list[dict[str, float]]:
    """Probabilities of kinds by the bundled classifier, which knows some of these songs."""
    tone = load_normal_tone()
    assert tone.kind_model is not None
    return [tone.kind_model.probabilities(row) for row in tone.regression.standardised(songs.features)]


def main() -> None:
    """Write the table and print it."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    rows = rows_of(training_songs(load(arguments.music, arguments.out)))
    folder = arguments.out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "variants.csv", rows)
    for row in rows:
        sys.stdout.write(", ".join(f"{key} {value}" for key, value in row.items()) + "\n")


if __name__ == "__main__":
    main()
