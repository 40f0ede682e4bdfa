"""Excerpts for evaluation: a few songs of each test group, the validation songs, some training songs for baselines.

python -m experiments.bundled_model.songs.excerpts OUT
nm-data degrade OUT/excerpts --out OUT/pairs --preset experiments/bundled_model/mix.yaml
"""

import shutil
from collections import defaultdict
from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.middle import copy_middle
from neural_mastering.chance import seed_of

SECONDS = 30.0
PER_GROUP = {"test": 4, "validation": 6, "train": 5}


def cut(out: Path) -> None:
    """Write OUT/excerpts with a manifest; which songs of a group is decided by a hash of their names."""
    groups: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in read_rows(out / "works.csv"):
        groups[row["split"], row["group"]].append(row)
    folder = out / "excerpts"
    if folder.exists():
        shutil.rmtree(folder)
    chosen = []
    for (split, _), songs in sorted(groups.items()):
        songs.sort(key=lambda row: seed_of(0, "excerpt", row["file"]))
        chosen += songs[: PER_GROUP[split]]
    for row in chosen:
        copy_middle(out / "music" / row["file"], folder / row["file"], SECONDS)
    write_rows(folder / "manifest.csv", chosen, ("file", "group", "split"))
    for split in PER_GROUP:
        own = [row for row in chosen if row["split"] == split]
        print(f"{split}: {len(own)} excerpts of {len({row['group'] for row in own})} groups")


def main() -> None:
    """Cut the excerpts of OUT/works.csv."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    cut(parser.parse_args().out)


if __name__ == "__main__":
    main()
