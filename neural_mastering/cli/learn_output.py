"""What nm-learn prints."""

from __future__ import annotations

import sys

from neural_mastering.cli.data_check import printable
from neural_mastering.learning.job import LearnedFolder
from neural_mastering.learning.words import percent

NAMES = {
    "loudness_lufs": ("loudness", "LU"),
    "plr_db": ("peak to loudness", "dB"),
    "lra_lu": ("loudness range", "LU"),
    "width_db": ("width", "dB"),
    "true_peak_db": ("true peak", "dB"),
}


def print_learned(found: LearnedFolder, quiet: bool = False) -> None:
    """Notes, how well it was learned, and where it was written."""
    for note in found.notes:
        print(f"note: {printable(note.text)}", file=sys.stderr)
    if quiet:
        return
    validation = found.validation
    if validation is not None:
        print(
            f"On {len(validation.songs)} songs, each predicted from other groups ({validation.folds} fits):"
        )
        print(f"  {'tone':<18}{'error':>8}{'of the move':>14}{'beyond the average':>21}")
        for score in validation.scores:
            print(
                f"  {score.name:<18}{score.error_db:>5.2f} dB{percent(score.explained):>14}"
                f"{percent(score.dependent):>21}"
            )
        for number in validation.numbers:
            name, unit = NAMES[number.name]
            print(f"  {name:<18}{number.learned:>5.2f} {unit}, by the average {number.average:.2f} {unit}")
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in found.seconds.items())
    print(f"wrote {printable(str(found.model))} ({seconds})")
    print(f"use it: nm-master MIX -o MASTER --model {printable(str(found.model.parent))}")
