"""Search by Hydra multirun: encoder × phase, start, loss weights, augmentation; one table from nm-eval.

    python experiments/bundled_model/multirun.py OUT [--steps 100]

Everything is trained on audio: the training songs of OUT/music, degraded anew each time by mix.yaml, judged at the
target's loudness. Nothing is chosen among checkpoints. The runs are compared with the finalists of `finetune.py` by
`nm-eval` on the validation songs (other games). What is there already in OUT/multirun is kept.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
BATCHES = 10
"""Of an epoch; short epochs, so that the learning rate's schedule has steps."""

BASE = (
    "data=degraded",
    "data.batch_size=8",
    "data.segment_s=2.5",
    "data.num_workers=0",
    "model/residual_head=none",
    "optimizer.lr=0.001",
    "scheduler=cosine",
    f"trainer.limit_train_batches={BATCHES}",
    "validation_table=false",
    "callbacks.pictures=null",
    "callbacks.clips=null",
    "loss/term@loss.terms.mr_stft=multi_resolution_stft_matched",
    "loss/term@loss.terms.a_weighted=a_weighted_matched",
    "loss.terms.mr_stft.term.term.fft_sizes=[4096,1024,256]",
)
GATES = ("model.eq_head.open_steps=30", "loss.terms.gates.delay_steps=30", "loss.terms.gates.ramp_steps=30")
PRETRAINED = (  # the shape of the bundled model, the weights of pretrain.py, the encoder left as it is
    "z_size=128",
    "+model.encoder.channels=8",
    "+model.encoder.dilations=[1]",
    "model.eq_head.hidden_size=128",
    "model.eq_head.eq.gain_range_db=9.0",
    "model.eq_head.eq.q_high=2.0",
    "optimizer.lr=0.0003",
    "callbacks.freeze.parts={encoder: -1}",
)
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
    epochs = max(round(steps / BATCHES), 1)
    settings = [f"data.root='{out / 'music'}'", f"data.preset='{HERE / 'mix.yaml'}'", f"phase_name={name}"]
    settings += [f"trainer.max_epochs={epochs}", f"trainer.check_val_every_n_epoch={epochs}"]
    settings += [f"hydra.sweep.dir='{folder}'"]
    if name.startswith("pretrained"):
        settings += [f"init_from='{out / 'runs' / 'pretrained_0'}'"]
    _nm("train", "-m", *axes[:1], *BASE, *axes[1:], *settings)
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
    options = ("--no-ablations", "--no-peers", "--no-report", "--segments", 0, "--jobs", 1, "--overwrite")
    pairs = out / "multirun" / "pairs"
    if not pairs.is_dir():
        _validation_pairs(out / "pairs", pairs)
    _nm("evaluate", *checkpoints, "--data", pairs, "--split", "validation", "--out", result, *options)
    return json.loads((result / "metrics.json").read_text("utf-8"))


def _validation_pairs(source: Path, target: Path, seconds: float = 12.0) -> None:
    """The validation songs' middle; the training songs, which the average EQ is made of, as they are."""
    import soundfile

    with (source / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["split"] != "test"]
    for row in rows:
        for side in ("unmastered", "mastered"):
            with soundfile.SoundFile(source / side / row["file"]) as opened:
                frames = min(round(seconds * opened.samplerate), opened.frames)
                opened.seek((opened.frames - frames) // 2)
                samples = opened.read(frames, dtype="int32", always_2d=True)
                path = target / side / row["file"]
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, samples, opened.samplerate, subtype=opened.subtype)
    with (target / "manifest.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def ratios(folder: Path) -> dict[str, list[float]]:
    """Each system's MR-STFT over that of doing nothing, song by song, sorted."""
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    nothing = {row["song"]: float(row[COLUMNS[0]]) for row in rows if row["system"] == "identity"}
    systems = dict.fromkeys(row["system"] for row in rows)
    return {
        name: sorted(float(r[COLUMNS[0]]) / nothing[r["song"]] for r in rows if r["system"] == name)
        for name in systems
    }


def table(metrics: dict, by_song: dict[str, list[float]], names: list[str]) -> str:
    """A line a run: means with 95 % intervals over groups, and how single songs fare."""
    systems = metrics["whole_songs"]["systems"]
    heads = [*COLUMNS, "MR-STFT ratio: median", "90 %", "worst"]
    lines = ["| run | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    models = iter(names)
    for name, scores in systems.items():
        label = next(models) if name.startswith("phase_") else name
        cells = []
        for column in COLUMNS:
            score = scores[column]
            interval = "" if score["low"] is None else f" [{score['low']:.3g}, {score['high']:.3g}]"
            cells.append(f"{score['mean']:.3g}{interval}")
        cells += [f"{np.quantile(by_song[name], share):.3f}" for share in (0.5, 0.9, 1.0)]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _nm(command: str, *arguments: object) -> None:
    subprocess.run(
        [sys.executable, "-m", f"neural_mastering.cli.{command}", *map(str, arguments)], check=True
    )


def main() -> None:
    """Sweep, evaluate, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder of run.py")
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
