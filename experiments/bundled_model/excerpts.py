"""Excerpts for evaluation: a few songs of each test group, the validation songs, some training songs for baselines.

python experiments/bundled_model/excerpts.py OUT
nm-data degrade OUT/excerpts --out OUT/pairs --preset experiments/bundled_model/mix.yaml
"""

import argparse
import csv
import shutil
from collections import defaultdict
from pathlib import Path

import soundfile

from neural_mastering.chance import seed_of

SECONDS = 30.0
PER_GROUP = {"test": 4, "validation": 6, "train": 5}


def cut(out: Path) -> None:
    """Write OUT/excerpts with a manifest; which songs of a group is decided by a hash of their names."""
    with (out / "works.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    groups: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        groups[row["split"], row["group"]].append(row)
    folder = out / "excerpts"
    if folder.exists():
        shutil.rmtree(folder)
    chosen = []
    for (split, _), songs in sorted(groups.items()):
        songs.sort(key=lambda row: seed_of(0, "excerpt", row["file"]))
        chosen += songs[: PER_GROUP[split]]
    for row in chosen:
        with soundfile.SoundFile(out / "music" / row["file"]) as source:
            frames = min(round(SECONDS * source.samplerate), source.frames)
            source.seek((source.frames - frames) // 2)
            samples = source.read(frames, dtype="int32", always_2d=True)
            path = folder / row["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, samples, source.samplerate, subtype=source.subtype)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(
            handle, ("file", "group", "split"), extrasaction="ignore", lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(chosen)
    for split in PER_GROUP:
        own = [row for row in chosen if row["split"] == split]
        print(f"{split}: {len(own)} excerpts of {len({row['group'] for row in own})} groups")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    cut(parser.parse_args().out)
