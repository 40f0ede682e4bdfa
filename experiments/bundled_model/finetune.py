"""A pretrained model trained further on audio (`nm-train +experiment=bundled_audio`); its folds for calibration.

    python experiments/bundled_model/finetune.py OUT [--steps 100] [--folds]

Audio is judged as it sounds: MR-STFT and the A-weighted distance at the target's loudness instead of the curve.
The encoder stays as it is. Results: OUT/runs/tuned_SEED; with --folds OUT/folds/FOLD/{pretrained,tuned}, of models
that know no song of the games of their fold.
"""

import argparse
import csv
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import torch
from crossval import CHOSEN, SETTINGS, games_by_fold, without
from material import HERE, Material
from pretrain import save, train

STEPS, STEPS_AN_EPOCH = 100, 10
"""Short epochs, of random crops, so that the learning rate's schedule has steps."""


def tune(start: Path, music: Path, folder: Path, steps: int, seed: int) -> Path:
    """The run folder, made unless it is there."""
    if not (folder / "done").exists():
        epochs = max(round(steps / STEPS_AN_EPOCH), 1)
        arguments = [
            "+experiment=bundled_audio",
            f"data.root='{music}'",
            f"data.preset='{HERE / 'mix.yaml'}'",
            f"init_from='{start}'",
            f"hydra.run.dir='{folder}'",
            f"seed={seed}",
            f"trainer.max_epochs={epochs}",
            f"trainer.check_val_every_n_epoch={epochs}",  # once, at the end: nothing is chosen by it
            "trainer.limit_val_batches=4",
        ]
        subprocess.run([sys.executable, "-m", "neural_mastering.cli.train", *arguments], check=True)
        (folder / "done").touch()
    return folder


def music_without(games: Collection[str], music: Path, folder: Path) -> Path:
    """A music folder of links, in which those games are what is validated on, and neither trained nor tested."""
    with (music / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["split"] != "test"]
    for row in rows:
        row["split"] = "validation" if row["group"] in games else "train"
        link = folder / row["file"]
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to((music / row["file"]).resolve())
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return folder


def folds(out: Path, steps: int) -> None:
    """A pretrained and a tuned model of each fold."""
    material = Material.of(out)
    for number, games in enumerate(games_by_fold(material)):
        folder = out / "folds" / f"{number}"
        if not (folder / "pretrained" / "pretraining.json").is_file():
            save(*train(without(material, games), SETTINGS[CHOSEN]), folder / "pretrained")
        music = music_without(games, out / "music", folder / "music")
        tune(folder / "pretrained", music, folder / "tuned", steps, 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--folds", action="store_true")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    torch.set_num_threads(1)
    if arguments.folds:
        folds(out, arguments.steps)
    else:
        for seed in range(3):
            start = out / "runs" / f"pretrained_{seed}"
            tune(start, out / "music", out / "runs" / f"tuned_{seed}", arguments.steps, seed)
