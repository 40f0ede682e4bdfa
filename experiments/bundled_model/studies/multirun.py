"""Search by Hydra multirun: encoder × phase, start, loss weights, augmentation; one table from nm-eval.

    python -m experiments.bundled_model.studies.multirun OUT [--steps 100]

Everything is trained on audio: the training songs of OUT/music, degraded anew each time by mix.yaml, judged at the
target's loudness. Nothing is chosen among checkpoints. The runs are compared with the finalists of
`training.finetune` by `nm-eval` on the validation songs (other games). What is in OUT/multirun already is kept.
"""

import json
from pathlib import Path

import numpy as np

from experiments.bundled_model.paths import MIX
from experiments.common.command_line import parser_of
from experiments.common.commands import nm
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.metric_cells import cells
from experiments.common.middle import copy_middle
from experiments.common.training_on_audio import (
    BUNDLED_SHAPE,
    EVALUATION,
    FROZEN_ENCODER,
    TRAINING,
    gates,
    length,
)
from neural_mastering.reporting.table import markdown_table

GATES = gates(30)
PRETRAINED = (*BUNDLED_SHAPE, "optimizer.lr=0.0003", FROZEN_ENCODER)
"""The shape of the bundled model, the weights of its pretraining, the encoder left as it is."""
SWEEPS: dict[str, tuple[str, ...]] = {
    "encoder": ("+phase=1a", "model/encoder=log_mel,tcn"),
    "gates": ("+phase=1c,2", *(f"++{key}" for key in GATES)),
    "pretrained_gates": ("+phase=1c", "model.eq_head.max_bands=8", *GATES, *PRETRAINED),
    "a_weighted_1": ("+phase=1a", "loss.terms.a_weighted.weight=1"),
    "regularization_0.1": ("+phase=1a", "loss.terms.regularization.weight=0.1"),
    "augmentation": ("+phase=1a", "+augment@data.augment=paired"),
}
"""Name → arguments of `nm-train -m`; commas make its axes."""

COLUMNS = ("mr_stft_matched", "mel_distance_matched", "ltas_error_matched")


def sweep(name: str, axes: tuple[str, ...], out: Path, steps: int) -> None:
    """One multirun; a folder a run."""
    folder = out / "multirun" / name
    if (folder / "done").exists():
        return
    settings = [f"data.root='{out / 'music'}'", f"data.preset='{MIX}'", f"phase_name={name}", *length(steps)]
    settings += [f"hydra.sweep.dir='{folder}'"]
    if name.startswith("pretrained"):
        settings += [f"init_from='{out / 'runs' / 'pretrained_0'}'"]
    nm("train", "-m", *axes[:1], *TRAINING, *axes[1:], *settings)
    (folder / "done").touch()


def runs_of(out: Path) -> list[tuple[str, Path]]:
    """Names and folders of all runs: what the job overrode, after the sweep's name."""
    found = []
    for name in SWEEPS:
        for folder in sorted((out / "multirun" / name).glob("[0-9]*")):
            text = (folder / ".hydra" / "overrides.yaml").read_text("utf-8")
            own = [line.removeprefix("- ") for line in text.splitlines()]
            axes = {axis.partition("=")[0] for axis in SWEEPS[name] if "," in axis and "[" not in axis}
            kept = [o.lstrip("+") for o in own if o.partition("=")[0] in axes]
            found.append((" ".join([name, *kept]), folder))
    for kind in ("pretrained", "tuned"):
        found += [(folder.name, folder) for folder in sorted((out / "runs").glob(f"{kind}_[0-9]"))]
    return found


def evaluate(out: Path, runs: list[tuple[str, Path]]) -> dict:
    """`nm-eval` of all runs on the validation pairs."""
    result = out / "multirun" / "eval"
    checkpoints = [part for _, folder in runs for part in ("--checkpoint", folder)]
    pairs = out / "multirun" / "pairs"
    if not pairs.is_dir():
        _validation_pairs(out / "pairs", pairs)
    nm("evaluate", *checkpoints, "--data", pairs, "--split", "validation", "--out", result, *EVALUATION)
    return json.loads((result / "metrics.json").read_text("utf-8"))


def _validation_pairs(source: Path, target: Path, seconds: float = 12.0) -> None:
    """The validation songs' middle; the training songs, which the average EQ is made of, as they are."""
    rows = [row for row in read_rows(source / "manifest.csv") if row["split"] != "test"]
    for row in rows:
        for side in ("unmastered", "mastered"):
            copy_middle(source / side / row["file"], target / side / row["file"], seconds)
    write_rows(target / "manifest.csv", rows)


def ratios(folder: Path) -> dict[str, list[float]]:
    """Each system's MR-STFT over that of doing nothing, song by song, sorted."""
    rows = read_rows(folder / "metrics.csv")
    nothing = {row["song"]: float(row[COLUMNS[0]]) for row in rows if row["system"] == "identity"}
    systems = dict.fromkeys(row["system"] for row in rows)
    return {
        name: sorted(float(r[COLUMNS[0]]) / nothing[r["song"]] for r in rows if r["system"] == name)
        for name in systems
    }


def table(metrics: dict, by_song: dict[str, list[float]], names: list[str]) -> str:
    """A line a run: means with 95 % intervals over groups, and how single songs fare."""
    systems = metrics["whole_songs"]["systems"]
    rows, models = [], iter(names)
    for name, scores in systems.items():
        shares = {"MR-STFT ratio: median": 0.5, "90 %": 0.9, "worst": 1.0}
        rows.append(
            {
                "run": next(models) if name.startswith("phase_") else name,
                **cells(scores, COLUMNS),
                **{head: f"{np.quantile(by_song[name], share):.3f}" for head, share in shares.items()},
            }
        )
    return markdown_table(rows)


def main() -> None:
    """Sweep, evaluate, print."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path, help="folder of the recipe")
    parser.add_argument("--steps", type=int, default=100, help="of a run")
    parser.add_argument("--only", nargs="*", default=list(SWEEPS), choices=list(SWEEPS))
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    for name in arguments.only:
        sweep(name, SWEEPS[name], out, arguments.steps)
    runs = runs_of(out)
    metrics = evaluate(out, runs)
    text = table(metrics, ratios(out / "multirun" / "eval"), [name for name, _ in runs])
    (out / "multirun" / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
