"""learning_curve.png: skill on rendered validation pairs against the number of training songs.

python -m experiments.bundled_model.studies.learning_curve OUT
"""

import json
from collections import defaultdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from experiments.bundled_model.paths import FOLDER
from experiments.common.command_line import parser_of


def learning_curve(out: Path) -> Path:
    """Dots are runs, lines their means; the model as trained, and with half its decibels."""
    rows = [
        json.loads(line)
        for name in ("songs", "finalists")
        for line in (out / "study" / f"{name}.jsonl").read_text().splitlines()
    ]
    figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
    for key, label, colour in (
        ("rendered_skill", "as trained", "#c2410c"),
        ("rendered_skill_half", "half of its decibels", "#0b6e99"),
    ):
        points: dict[int, list[float]] = defaultdict(list)
        for row in rows:
            points[row["songs"]].append(100.0 * row[key])
        counts = sorted(points)
        for count in counts:
            axes.plot([count] * len(points[count]), points[count], ".", color=colour, alpha=0.6)
        axes.plot(counts, [sum(points[c]) / len(points[c]) for c in counts], color=colour, label=label)
    axes.axhline(0.0, color="#888888", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("training songs")
    axes.set_ylabel("less error of the curve\nthan doing nothing, %")
    axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    path = FOLDER / "learning_curve.png"
    figure.savefig(path, dpi=110)
    return path


def main() -> None:
    """Draw the picture from OUT/study."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    print(f"wrote {learning_curve(parser.parse_args().out)}")


if __name__ == "__main__":
    main()
