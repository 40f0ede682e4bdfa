"""The table of held-out results, with intervals and tests of the bundled model."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.bundled_model.release.masters import SHIPPED
from experiments.bundled_model.release.significance import cluster_p, holm
from experiments.common.bootstrap import median_interval
from experiments.common.csv_files import read_rows
from neural_mastering.evaluation.statistics import cluster_interval
from neural_mastering.reporting.table import markdown_table

METRICS = {
    "mr_stft_matched": "MR-STFT",
    "mel_distance_matched": "mel distance, dB",
    "ltas_error_matched": "third-octave LTAS error, dB",
}
FIRST = "mr_stft_matched"

OTHERS = ("identity", "average EQ*", "spectral match*", "libsonare pop")
"""What the bundled model is tested against, where it was run."""


class Scores:
    """Metrics of all systems on the songs that every system has.

    Args:
        path: metrics.csv of nm-eval.
    """

    def __init__(self, path: Path) -> None:
        rows = read_rows(path)
        self.systems = list(dict.fromkeys(row["name"] for row in rows))
        groups = {row["song"]: row["group"] for row in rows}
        self._values: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for row in rows:
            for metric in METRICS:
                self._values[row["name"]][metric][row["song"]] = float(row[metric])
        self.songs = [
            s for s in groups if all(s in self._values[name][m] for name in self.systems for m in METRICS)
        ]
        self.groups = [groups[song] for song in self.songs]

    def of(self, name: str, metric: str) -> NDArray[np.float64]:
        """(song,) of one system."""
        return np.array([self._values[name][metric][song] for song in self.songs])

    def change(self, name: str, metric: str) -> tuple[float, float, float]:
        """Relative change of the mean against the identity, with its 95 % interval."""
        own, nothing = self.of(name, metric), self.of("identity", metric)
        low, high = (float(v / nothing.mean()) for v in cluster_interval(own - nothing, self.groups))
        return float(own.mean() / nothing.mean() - 1.0), low, high

    def ratio(self, name: str) -> NDArray[np.float64]:
        """(song,) MR-STFT over that of the identity."""
        return self.of(name, FIRST) / self.of("identity", FIRST)


def summarise(result: Path) -> str:
    """Markdown from a folder of nm-eval: means, changes against the identity, and tests of the bundled model.

    The bundled model's numbers are also written to summary.json beside that folder.
    """
    scores = Scores(result / "metrics.csv")
    (result.parent / "summary.json").write_text(json.dumps(summary(scores), indent=1) + "\n")
    text = [
        f"{len(scores.songs)} songs of {len(set(scores.groups))} groups.",
        "",
        markdown_table([_row(scores, name) for name in scores.systems]),
        "",
        *(_tests(scores, other) for other in OTHERS if other in scores.systems),
    ]
    return "\n".join(text) + "\n"


def summary(scores: Scores) -> dict[str, Any]:
    """The bundled model against the identity."""
    changes = {metric: scores.change(SHIPPED, metric) for metric in METRICS}
    ratio = scores.ratio(SHIPPED)
    return {
        "songs": len(scores.songs),
        "groups": len(set(scores.groups)),
        "against_identity": {
            metric: {"change": change, "interval": [low, high]}
            for metric, (change, low, high) in changes.items()
        },
        "mr_stft_ratio": {
            "median": float(np.median(ratio)),
            "90 %": float(np.quantile(ratio, 0.9)),
            "largest": float(ratio.max()),
        },
    }


def _row(scores: Scores, name: str) -> dict[str, str]:
    cells = {"system": name}
    for metric, title in METRICS.items():
        change, low, high = (100.0 * value for value in scores.change(name, metric))
        cells[title] = f"{scores.of(name, metric).mean():.3f}"
        cells[f"{title.split(',')[0]} vs identity"] = f"{change:+.1f} % [{low:+.1f}, {high:+.1f}]"
    ratio = scores.ratio(name)
    low, high = median_interval(ratio, scores.groups)
    cells["MR-STFT ratio to identity: median"] = f"{np.median(ratio):.3f} [{low:.3f}, {high:.3f}]"
    return {**cells, "90 %": f"{np.quantile(ratio, 0.9):.3f}"}


def _tests(scores: Scores, other: str) -> str:
    differences = {m: scores.of(SHIPPED, m) - scores.of(other, m) for m in METRICS}
    p = [cluster_p(difference, scores.groups) for difference in differences.values()]
    parts = []
    for (metric, difference), raw, adjusted in zip(differences.items(), p, holm(p), strict=True):
        low, high = cluster_interval(difference, scores.groups)
        parts.append(
            f"{METRICS[metric]} {difference.mean():+.4f} [{low:+.4f}, {high:+.4f}], p = {raw:.4f}, after Holm "
            f"{adjusted:.4f}, better on {int((difference < 0).sum())} of {len(scores.songs)}"
        )
    return f"- {SHIPPED} against {other}: " + "; ".join(parts) + "."
