"""The bundle out of a run, its calibration and what was measured.

python experiments/bundled_model/export.py OUT RUN [--to neural_mastering/assets/models/modest-eq-1.json]
"""

import argparse
import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

from neural_mastering.models import CHECKPOINT_KEY, Confidence, load_model, read_checkpoint, write_bundle

TARGET = Path(__file__).parents[2] / "neural_mastering" / "assets" / "models" / "modest-eq-1.json"


def about(out: Path, run: Path) -> dict[str, Any]:
    """Data, recipe, measures and terms, for the JSON."""
    with (out / "works.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    counts = Counter((row["split"], row["group"]) for row in rows)
    data = {
        split: {group: count for (s, group), count in sorted(counts.items()) if s == split}
        for split in ("train", "validation")
    }
    pretraining = json.loads((run / "pretraining.json").read_text())
    calibration = json.loads((out / "calibration.json").read_text())
    summary = out / "eval" / "summary.json"
    held_out = json.loads(summary.read_text()) if summary.is_file() else None
    measured = {k: v for k, v in pretraining.items() if isinstance(v, float)}
    return {
        "terms": "CC BY-SA 4.0",
        "card": "docs/model_card.md",
        "recipe": "experiments/bundled_model",
        "songs": data,
        "settings": pretraining["settings"],
        "training_seconds": pretraining["seconds"],
        "measured": {k: v for k, v in measured.items() if k not in ("seconds",)},
        "held_out": held_out,
        "calibration": {
            **calibration["chosen"],
            "pairs": calibration["pairs"],
            "games": calibration["games"],
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--to", type=Path, default=TARGET)
    arguments = parser.parse_args()
    chosen = json.loads((arguments.out / "calibration.json").read_text())["chosen"]
    config = read_checkpoint(arguments.run)[CHECKPOINT_KEY]["model"]
    written = write_bundle(
        load_model(arguments.run),
        config,
        arguments.to,
        Confidence(chosen["scale"], chosen["doubt_db"]),
        about(arguments.out, arguments.run),
    )
    print(f"wrote {written.path} and {written.weights.name}")
