"""Held-out results: masters of the bundled model and of peers, nm-eval, and a table with intervals and tests.

    python -m experiments.bundled_model.release.evaluate OUT [--model NAME_OR_JSON] [--run RUN] [--peers PYTHON]

PYTHON is an interpreter that has matchering 2.0.6 and libsonare (their rows are left out without it).
"""

import json
from pathlib import Path

from experiments.bundled_model.release.held_out_table import summarise
from experiments.bundled_model.release.masters import masters
from experiments.bundled_model.release.shorten import shorten
from experiments.common.command_line import parser_of
from experiments.common.commands import nm


def nm_eval(pairs: Path, folders: dict[str, Path], result: Path, cache: Path, run: Path | None) -> None:
    """Run nm-eval on the test split; with a run, also the model without its confidence."""
    systems = [part for name, folder in folders.items() for part in ("--systems", f"{name}={folder}")]
    checkpoint = ["--checkpoint", run] if run is not None else []
    options = ["--segments", 0, "--no-ablations", "--no-peers", "--jobs", 2, "--overwrite", "--no-report"]
    places = ["--data", pairs, "--split", "test", "--out", result, "--cache-dir", cache]
    nm("evaluate", *systems, *checkpoint, *places, *options)


def main() -> None:
    """Master, measure, write OUT/eval/table.md."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--run", type=Path, help="also the model without its confidence: run folder or checkpoint"
    )
    parser.add_argument("--model", default="modest-eq-2", help="as for nm-master --model")
    parser.add_argument("--pairs", type=Path, help="folder of pairs (OUT/pairs)")
    parser.add_argument("--result", type=Path, help="folder of the results (OUT/eval)")
    parser.add_argument("--peers", type=Path, help="interpreter with matchering and libsonare")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each song that are compared")
    parser.add_argument("--per-group", type=int, default=3, help="songs of a group")
    arguments = parser.parse_args()
    pairs = arguments.pairs or arguments.out / "pairs"
    result = arguments.result or arguments.out / "eval"
    folders = masters(result, pairs, arguments.model, arguments.peers)
    short = result / "short"
    shorten(pairs, result / "masters", short, arguments.seconds, arguments.per_group)
    folders = {name: short / "masters" / folder.name for name, folder in folders.items()}
    nm_eval(short / "pairs", folders, result / "nm-eval", result / "cache", arguments.run)
    text = summarise(result / "nm-eval")
    (result / "table.md").write_text(text)
    confidences = [
        json.loads(f.read_text())["model"] for f in sorted((result / "masters" / "bundled").glob("*.json"))
    ]
    used = [c["confidence"] for c in confidences]
    print(text)
    print(f"confidence: {min(used):.2f} to {max(used):.2f}, mean {sum(used) / len(used):.2f}")


if __name__ == "__main__":
    main()
