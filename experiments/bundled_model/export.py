"""The bundle: the chosen run, its confidence and what was measured.

python experiments/bundled_model/export.py OUT [--to neural_mastering/assets/models/modest-eq-2.json]
"""

import argparse
import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

from neural_mastering.models import CHECKPOINT_KEY, Confidence, load_model, read_checkpoint, write_bundle

TARGET = Path(__file__).parents[2] / "neural_mastering" / "assets" / "models" / "modest-eq-2.json"


def chosen_run(out: Path) -> tuple[Path, dict[str, Any]]:
    """Run folder of the model that `calibrate.py` chose, and what it found for it."""
    found = json.loads((out / "confidence.json").read_text())
    name = found["chosen"]
    return out / "runs" / f"{name}_0", {
        **found["models"][name],
        "pairs": found["pairs"],
        "games": found["games"],
    }


def about(out: Path) -> dict[str, Any]:
    """Data, recipe, measures and terms, for the JSON."""
    with (out / "works.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    counts = Counter((row["split"], row["group"]) for row in rows)
    data = {
        split: {group: count for (s, group), count in sorted(counts.items()) if s == split}
        for split in ("train", "validation")
    }
    run, calibration = chosen_run(out)
    pretraining = json.loads((out / "runs" / "pretrained_0" / "pretraining.json").read_text())
    summary = out / "eval" / "summary.json"
    return {
        "terms": "CC BY-SA 4.0",
        "card": "docs/model_card.md",
        "recipe": "experiments/bundled_model",
        "run": run.name,
        "songs": data,
        "pretraining": {
            "settings": pretraining["settings"],
            "seconds": pretraining["seconds"],
            "measured": {k: v for k, v in pretraining.items() if isinstance(v, float) and k != "seconds"},
        },
        "held_out": json.loads(summary.read_text()) if summary.is_file() else None,
        "calibration": calibration,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--to", type=Path, default=TARGET)
    arguments = parser.parse_args()
    run, calibration = chosen_run(arguments.out)
    written = write_bundle(
        load_model(run),
        read_checkpoint(run)[CHECKPOINT_KEY]["model"],
        arguments.to,
        Confidence(calibration["scale"], calibration["doubt_db"]),
        about(arguments.out),
    )
    print(f"wrote {written.path} and {written.weights.name}")
