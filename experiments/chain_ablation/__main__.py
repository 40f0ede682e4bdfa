"""identity → 1A → 1C → 2a … 2e on degraded pairs: what does each stage of the chain add on held-out songs?

    python -m experiments.chain_ablation MUSIC_FOLDER --held-out flare-game fretsonfire-songs-muldjord

MUSIC_FOLDER holds one folder a group (album, game, package) with released songs in it. Songs of the groups named
by --held-out are the test set, two songs of the smallest other group are validation (nothing is chosen by them, but
a run wants some), the rest is for training and degraded anew each time. 1A starts from the bundled model, whose
encoder stays as it is; each phase starts from the one before; `1c_longer` goes on with 1C as long as 2e fine-tunes,
to tell what more steps give without any stage. What is there already in --out is kept: run again to go on.
"""

import argparse
import json
import sys
from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.commands import nm
from experiments.common.csv_files import write_rows
from experiments.common.metric_cells import cells
from experiments.common.middle import copy_middle
from experiments.common.song_folders import AUDIO, in_turn, songs_by_group
from experiments.common.training_on_audio import (
    BUNDLED_SHAPE,
    EVALUATION,
    FROZEN_ENCODER,
    TRAINING,
    gates,
    length,
)
from neural_mastering.reporting.table import markdown_table

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

SETTINGS = (*TRAINING, *BUNDLED_SHAPE)
FIXED = ("model.eq_head.eq.bands=8",)
ADAPTIVE = ("model.eq_head.max_bands=8", *gates(50))


def main() -> None:
    """Make the pairs, train the phases, evaluate all of them at once, print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="a folder with one folder a group")
    parser.add_argument("--held-out", nargs="+", required=True, help="folders that are tested")
    parser.add_argument("--train-songs", type=int, default=200)
    parser.add_argument("--test-songs", type=int, default=39)
    parser.add_argument("--seconds", type=float, default=20.0, help="this much from the middle of each song")
    parser.add_argument("--preset", default="medium", help="of nm-data degrade")
    parser.add_argument("--steps", type=int, default=300, help="of a phase")
    parser.add_argument("--out", type=Path, default=Path("runs/chain_ablation"))
    parser.add_argument("overrides", nargs="*", help="further arguments of every nm-train, after --")
    arguments = parser.parse_intermixed_args()
    out = arguments.out.resolve()
    if not (out / "music" / "manifest.csv").exists():
        excerpts(arguments, out / "music")
    nm("data", "degrade", out / "music", "--out", out / "pairs", "--preset", arguments.preset, "--jobs", 1)
    for name, start, extra in PHASES:
        folder = out / name
        if (folder / "done").exists():
            continue
        phase = name.partition("_")[0]
        settings = [f"+phase={phase}", f"phase_name={name}", f"hydra.run.dir='{folder}'", *SETTINGS]
        settings += [f"data.root='{out / 'music'}'", f"data.preset='{arguments.preset}'"]
        settings += length(arguments.steps)
        settings += FIXED if phase == "1a" else ADAPTIVE
        if phase not in ("2a", "2b", "2c", "2d"):  # which freeze it themselves
            settings.append(FROZEN_ENCODER)
        settings.append(f"init_from='{out / start if (out / start).is_dir() else start}'")
        print(f"== {name}: {arguments.steps} steps", flush=True)
        nm("train", *settings, *extra, *arguments.overrides)
        (folder / "done").touch()
    result = out / "eval"
    checkpoints = [part for name, *_ in PHASES for part in ("--checkpoint", out / name)]
    nm("evaluate", *checkpoints, "--data", out / "pairs", "--split", "test", "--out", result, *EVALUATION)
    text = table(json.loads((result / "metrics.json").read_text()))
    (out / "table.md").write_text(text)
    print(text)


def excerpts(arguments: argparse.Namespace, folder: Path) -> None:
    """The middle of each chosen song below `folder`, and the manifest with their splits."""
    groups = songs_by_group(arguments.music, AUDIO)
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
        name = f"{song.parent.name}/{song.stem}.flac"
        copy_middle(song, folder / name, arguments.seconds, "PCM_24")
        rows.append({"song": name, "group": song.parent.name, "split": split})
    write_rows(folder / "manifest.csv", rows)


def table(metrics: dict) -> str:
    """Means over the held-out songs with 95 % intervals over groups."""
    systems = metrics["whole_songs"]["systems"]
    columns = [c for c in COLUMNS if all(c in scores for scores in systems.values())]
    return markdown_table([{"system": name, **cells(scores, columns)} for name, scores in systems.items()])


if __name__ == "__main__":
    main()
