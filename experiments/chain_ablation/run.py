"""identity → 1A → 1C → 2a … 2e on degraded pairs: what does each stage of the chain add on songs it has not heard?

    python experiments/chain_ablation/run.py MUSIC_FOLDER --held-out flare-game fretsonfire-songs-muldjord

MUSIC_FOLDER holds one folder a group (album, game, package) with released songs in it. Songs of the groups named
by --held-out are the test set, two songs of the smallest other group are validation (nothing is chosen by them, but
a run wants some), the rest is for training and degraded anew each time. 1A starts from the bundled model, whose
encoder stays as it is; each phase starts from the one before; `1c_longer` goes on with 1C as long as 2e fine-tunes,
to tell what more steps give without any stage. What is there already in --out is kept: run again to go on.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

import soundfile

PHASES = (
    ("1a", "modest-eq-2", ("optimizer.lr=0.0003",)),
    ("1c", "1a", ("optimizer.lr=0.0003",)),
    ("2a", "1c", ()),
    ("2b", "2a", ()),
    ("2c", "2b", ()),
    ("2d", "2c", ()),
    ("2e", "2d", ("optimizer.lr=0.0003",)),
    ("1c_longer", "1c", ("optimizer.lr=0.0003",)),
)
"""Name, what to start from, further arguments."""

COLUMNS = ("mr_stft_matched", "ltas_error_matched", "lufs_error", "plr_error", "lra_error", "width_error")
"""`_matched` is measured at the target's loudness."""

STEPS_AN_EPOCH = 10
"""Short epochs, of random crops, so that the learning rate's schedule has steps."""

SETTINGS = (
    "data=degraded",
    "data.batch_size=8",
    "data.segment_s=2.5",
    "data.num_workers=0",
    "optimizer.lr=0.001",
    "scheduler=cosine",
    f"trainer.limit_train_batches={STEPS_AN_EPOCH}",
    "validation_table=false",
    "callbacks.pictures=null",
    "callbacks.clips=null",
    # tone, dynamics and width at the target's loudness, which nm-master sets anyway; the level by its own term
    "loss/term@loss.terms.mr_stft=multi_resolution_stft_matched",
    "loss/term@loss.terms.a_weighted=a_weighted_matched",
    "loss.terms.mr_stft.term.term.fft_sizes=[4096,1024,256]",
    # the shape of the bundled model
    "z_size=128",
    "+model.encoder.channels=8",
    "+model.encoder.dilations=[1]",
    "model.eq_head.hidden_size=128",
    "model.eq_head.eq.gain_range_db=9.0",
    "model.eq_head.eq.q_high=2.0",
    "model/residual_head=none",
)
FIXED = ("model.eq_head.eq.bands=8",)
ADAPTIVE = (
    "model.eq_head.max_bands=8",
    "model.eq_head.open_steps=50",
    "loss.terms.gates.delay_steps=50",
    "loss.terms.gates.ramp_steps=50",
)


def main() -> None:
    """Make the pairs, train the phases, evaluate all of them at once, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path, help="a folder with one folder a group")
    parser.add_argument("--held-out", nargs="+", required=True, help="folders that are tested")
    parser.add_argument("--train-songs", type=int, default=200)
    parser.add_argument("--test-songs", type=int, default=39)
    parser.add_argument("--seconds", type=float, default=20.0, help="this much from the middle of each song")
    parser.add_argument("--preset", default="medium", help="of nm-data degrade")
    parser.add_argument("--steps", type=int, default=300, help="of a phase")
    parser.add_argument("--out", type=Path, default=Path("runs/chain_ablation"))
    parser.add_argument("overrides", nargs="*", help="further arguments of every nm-train, after --")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    if not (out / "music" / "manifest.csv").exists():
        excerpts(arguments, out / "music")
    call("data", "degrade", out / "music", "--out", out / "pairs", "--preset", arguments.preset, "--jobs", 1)
    for name, start, extra in PHASES:
        folder = out / name
        if (folder / "done").exists():
            continue
        epochs = max(round(arguments.steps / STEPS_AN_EPOCH), 1)
        phase = name.partition("_")[0]
        settings = [f"+phase={phase}", f"phase_name={name}", f"hydra.run.dir='{folder}'", *SETTINGS]
        settings += [f"data.root='{out / 'music'}'", f"data.preset='{arguments.preset}'"]
        settings += [f"trainer.max_epochs={epochs}", f"trainer.check_val_every_n_epoch={epochs}"]  # no choice
        settings += FIXED if phase == "1a" else ADAPTIVE
        if phase not in ("2a", "2b", "2c", "2d"):  # which freeze it themselves
            settings.append("callbacks.freeze.parts={encoder: -1}")
        settings.append(f"init_from='{out / start if (out / start).is_dir() else start}'")
        print(f"== {name}: {epochs} epochs", flush=True)
        call("train", *settings, *extra, *arguments.overrides)
        (folder / "done").touch()
    result = out / "eval"
    checkpoints = [part for name, *_ in PHASES for part in ("--checkpoint", out / name)]
    quiet = ("--no-ablations", "--no-peers", "--no-report", "--segments", 0, "--jobs", 1, "--overwrite")
    call("evaluate", *checkpoints, "--data", out / "pairs", "--split", "test", "--out", result, *quiet)
    text = table(json.loads((result / "metrics.json").read_text()))
    (out / "table.md").write_text(text)
    print(text)


def excerpts(arguments: argparse.Namespace, folder: Path) -> None:
    """The middle of each chosen song below `folder`, and the manifest with their splits."""
    groups = {
        part.name: sorted(f for f in part.iterdir() if f.suffix.lower() in (".flac", ".wav", ".ogg"))
        for part in sorted(arguments.music.iterdir())
        if part.is_dir()
    }
    unknown = [name for name in arguments.held_out if not groups.get(name)]
    if unknown:
        sys.exit(f"{arguments.music} has no folder '{unknown[0]}' with songs in it")
    others = sorted(set(groups) - set(arguments.held_out), key=lambda name: len(groups[name]))
    validation = others[0]
    chosen = [(song, "test") for song in in_turn(groups, arguments.held_out, arguments.test_songs)]
    chosen += [(song, "train") for song in in_turn(groups, others[1:], arguments.train_songs)]
    chosen += [(song, "validation") for song in groups[validation][:2]]
    rows = []
    for song, split in chosen:
        info = soundfile.info(song)
        frames = min(info.frames, round(arguments.seconds * info.samplerate))
        samples, rate = soundfile.read(song, start=(info.frames - frames) // 2, frames=frames, always_2d=True)
        target = folder / song.parent.name / f"{song.stem}.flac"
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, samples, rate, subtype="PCM_24")
        rows.append((f"{song.parent.name}/{target.name}", song.parent.name, split))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("song", "group", "split"), *rows])


def in_turn(groups: dict[str, list[Path]], names: list[str], count: int) -> list[Path]:
    """Songs from the named groups in turn."""
    most = max(len(groups[name]) for name in names)
    return [groups[name][i] for i in range(most) for name in names if i < len(groups[name])][:count]


def call(command: str, *arguments: object) -> None:
    """Run nm-COMMAND; a failure ends the study."""
    line = [sys.executable, "-m", f"neural_mastering.cli.{command}", *map(str, arguments)]
    if subprocess.run(line, check=False).returncode != 0:
        sys.exit(f"failed: {' '.join(line)}")


def table(metrics: dict) -> str:
    """Means over the held-out songs with 95 % intervals over groups."""
    systems = metrics["whole_songs"]["systems"]
    columns = [c for c in COLUMNS if all(c in scores for scores in systems.values())]
    lines = ["| system | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    for name, scores in systems.items():
        cells = []
        for column in columns:
            score = scores[column]
            interval = "" if score["low"] is None else f" [{score['low']:.3g}, {score['high']:.3g}]"
            cells.append(f"{score['mean']:.3g}{interval}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
