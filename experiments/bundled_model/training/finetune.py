"""A pretrained model trained further on audio (`nm-train +experiment=bundled_audio`); its folds for calibration.

    python -m experiments.bundled_model.training.finetune OUT [--steps 100] [--folds]

Audio is judged as it sounds: MR-STFT and the A-weighted distance at the target's loudness instead of the curve.
The encoder stays as it is. Results: OUT/runs/tuned_SEED; with --folds OUT/folds/FOLD/{pretrained,tuned}, of models
that know no song of the games of their fold.
"""

from collections.abc import Collection
from pathlib import Path

import torch

from experiments.bundled_model.features.material import Material
from experiments.bundled_model.paths import MIX
from experiments.bundled_model.training.finalists import SEEDS
from experiments.bundled_model.training.folds import games_by_fold, without
from experiments.bundled_model.training.pretrain import save, train
from experiments.bundled_model.training.settings import CHOSEN
from experiments.common.command_line import parser_of
from experiments.common.commands import nm
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.training_on_audio import length

STEPS = 100


def tune(start: Path, music: Path, folder: Path, steps: int, seed: int) -> Path:
    """The run folder, made unless it is there."""
    if not (folder / "done").exists():
        nm(
            "train",
            "+experiment=bundled_audio",
            f"data.root='{music}'",
            f"data.preset='{MIX}'",
            f"init_from='{start}'",
            f"hydra.run.dir='{folder}'",
            f"seed={seed}",
            *length(steps),
            "trainer.limit_val_batches=4",
        )
        (folder / "done").touch()
    return folder


def music_without(games: Collection[str], music: Path, folder: Path) -> Path:
    """A music folder of links, in which those games are what is validated on, and neither trained nor tested."""
    rows = [row for row in read_rows(music / "manifest.csv") if row["split"] != "test"]
    for row in rows:
        row["split"] = "validation" if row["group"] in games else "train"
        link = folder / row["file"]
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to((music / row["file"]).resolve())
    write_rows(folder / "manifest.csv", rows)
    return folder


def train_folds(out: Path, steps: int) -> None:
    """A pretrained and a tuned model of each fold."""
    material = Material.of(out)
    for number, games in enumerate(games_by_fold(material)):
        folder = out / "folds" / f"{number}"
        if not (folder / "pretrained" / "pretraining.json").is_file():
            save(*train(without(material, games), CHOSEN), folder / "pretrained")
        music = music_without(games, out / "music", folder / "music")
        tune(folder / "pretrained", music, folder / "tuned", steps, 0)


def main() -> None:
    """Train the finalists further, or the folds."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--folds", action="store_true")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    torch.set_num_threads(1)
    if arguments.folds:
        train_folds(out, arguments.steps)
        return
    for seed in range(SEEDS):
        start = out / "runs" / f"pretrained_{seed}"
        tune(start, out / "music", out / "runs" / f"tuned_{seed}", arguments.steps, seed)


if __name__ == "__main__":
    main()
