"""The bundle: the chosen run, its confidence and what was measured.

python -m experiments.bundled_model.release.export OUT [--to neural_mastering/assets/models/modest-eq-2.json]
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows
from experiments.common.paths import ROOT
from neural_mastering.models import CHECKPOINT_KEY, Confidence, load_model, read_checkpoint, write_bundle

TARGET = ROOT / "neural_mastering" / "assets" / "models" / "modest-eq-2.json"


def chosen_run(out: Path) -> tuple[Path, dict[str, Any]]:
    """Run folder of the model that `calibration.confidence` chose, and what it found for it."""
    found = json.loads((out / "confidence.json").read_text())
    name = found["chosen"]
    return out / "runs" / f"{name}_0", {
        **found["models"][name],
        "pairs": found["pairs"],
        "games": found["games"],
    }


def about(out: Path) -> dict[str, Any]:
    """Data, recipe, measures and terms, for the JSON."""
    counts = Counter((row["split"], row["group"]) for row in read_rows(out / "works.csv"))
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


def main() -> None:
    """Write the bundle of the chosen run."""
    parser = parser_of(__doc__)
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


if __name__ == "__main__":
    main()
