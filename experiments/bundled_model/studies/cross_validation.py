"""Every game held out once: settings are compared on predictions for unknown games.

    python -m experiments.bundled_model.studies.cross_validation OUT

Training and validation games together are dealt into five folds; a model of four of them predicts the curves of the
fifth, on excerpts degraded as audio. Results: OUT/crossval.json, a row a setting.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.bundled_model.features.analysis import AnalysedExcerpt, analysed_excerpts
from experiments.bundled_model.features.material import Material
from experiments.bundled_model.training.folds import games_by_fold, without
from experiments.bundled_model.training.pretrain import train
from experiments.bundled_model.training.settings import CHOSEN, Settings
from experiments.bundled_model.training.skill import predicted_curves
from experiments.common.command_line import parser_of
from neural_mastering.evaluation.statistics import cluster_interval
from neural_mastering.models import MasteringModel

DRAWS = 6
SETTINGS = {
    "tone as it is": CHOSEN,
    "tone 0.3 drawn anew": replace(CHOSEN, other_tone=0.3),
    "tone all drawn anew": replace(CHOSEN, other_tone=1.0),
}


def predictions_for_unknown(
    material: Material, excerpts: Sequence[AnalysedExcerpt], settings: Settings
) -> list[dict[str, Any]]:
    """`predictions` for each excerpt, by a model that knows no song of its game."""
    found: list[dict[str, Any]] = []
    for games in games_by_fold(material):
        model, _, _ = train(without(material, games), settings)
        found += predictions(model, [excerpt for excerpt in excerpts if excerpt.group in games])
    return found


def predictions(model: MasteringModel, excerpts: Sequence[AnalysedExcerpt]) -> list[dict[str, Any]]:
    """For each excerpt: group, move, spread, the predicted and the wanted curve (each less its mean)."""
    return [
        {
            "group": excerpt.group,
            "song": excerpt.song,
            "move_db": move_db,
            "spread_db": spread_db,
            "curve_db": curve.tolist(),
            "wanted_db": excerpt.wanted_db.tolist(),
        }
        for excerpt, (curve, move_db, spread_db) in zip(
            excerpts, predicted_curves(model, excerpts), strict=True
        )
    ]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Skill at several strengths, with an interval over games for half strength, and the tail."""
    curve, wanted = (np.array([row[key] for row in rows]) for key in ("curve_db", "wanted_db"))
    groups = [row["group"] for row in rows]
    nothing = np.square(wanted).mean(axis=1)
    found: dict[str, Any] = {
        "pairs": len(rows),
        "games": len(set(groups)),
        "nothing_rms_db": math.sqrt(nothing.mean()),
    }
    for strength in (0.25, 0.5, 1.0):
        error = np.square(strength * curve - wanted).mean(axis=1)
        low, high = cluster_interval(1.0 - error / nothing.mean(), groups)
        found[f"{strength:g}"] = {
            "skill": 1.0 - math.sqrt(error.mean() / nothing.mean()),
            "error_energy_saved": [float(1.0 - error.mean() / nothing.mean()), low, high],
            "worse_90": float(np.quantile(np.sqrt(error / nothing), 0.9)),
        }
    best = float((curve * wanted).sum() / np.square(curve).sum())
    found["best_strength"] = best
    return found


def main() -> None:
    """Compare the settings and print a line for each."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    material = Material.of(out)
    excerpts = [pair for split in ("train", "validation") for pair in analysed_excerpts(out, split, DRAWS)]
    results = {}
    for name, settings in SETTINGS.items():
        found = predictions_for_unknown(material, excerpts, settings)
        results[name] = {"settings": asdict(settings), **summary(found)}
        (out / "crossval.json").write_text(json.dumps(results, indent=1) + "\n")
        (out / f"seen_{settings.other_tone:g}.json").write_text(json.dumps(found))
        short = {
            k: v if isinstance(v, float) else v["skill"]
            for k, v in results[name].items()
            if k in ("0.25", "0.5", "1", "best_strength")
        }
        print(
            name,
            {k: round(v, 3) for k, v in short.items()},
            round(results[name]["0.5"]["worse_90"], 2),
            flush=True,
        )


if __name__ == "__main__":
    main()
