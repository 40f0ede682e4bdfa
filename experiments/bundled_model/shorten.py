"""The same seconds of all sides: pairs and masters cut to the middle of each song, so that many can be measured.

    python experiments/bundled_model/shorten.py OUT/pairs OUT/eval/masters OUT/short --seconds 12 --per-group 3

OUT/short/pairs is a folder of pairs, OUT/short/masters/NAME one of masters for `nm-eval --systems NAME=…`.
"""

import argparse
import csv
from collections import Counter
from pathlib import Path

import soundfile


def shorten(pairs: Path, masters: Path, out: Path, seconds: float, per_group: int) -> None:
    """Cut what is there; systems hear the whole excerpt first, only the comparison is shorter."""
    with (pairs / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["split"] != "validation"]
    taken, kept = Counter[str](), []
    for row in rows:
        taken[row["group"]] += 1
        if row["split"] == "train" or taken[row["group"]] <= per_group:
            kept.append(row)
    for row in kept:
        name = Path(row["file"]).stem
        files = [pairs / side / row["file"] for side in ("unmastered", "mastered")]
        outputs = [out / "pairs" / side / row["file"] for side in ("unmastered", "mastered")]
        if row["split"] == "test":
            for folder in sorted(path for path in masters.iterdir() if path.is_dir()):
                files.append(folder / f"{name}.wav")
                outputs.append(out / "masters" / folder.name / f"{name}.wav")
        for source, output in zip(files, outputs, strict=True):
            with soundfile.SoundFile(source) as opened:
                frames = min(round(seconds * opened.samplerate), opened.frames)
                opened.seek((opened.frames - frames) // 2)
                samples = opened.read(frames, dtype="float64", always_2d=True)
                output.parent.mkdir(parents=True, exist_ok=True)
                subtype = "PCM_24" if output.suffix == ".flac" else "FLOAT"
                soundfile.write(output, samples, opened.samplerate, subtype=subtype)
    with (out / "pairs" / "manifest.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(
            handle, ("file", "group", "split"), extrasaction="ignore", lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(kept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("masters", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--per-group", type=int, default=3)
    arguments = parser.parse_args()
    shorten(arguments.pairs, arguments.masters, arguments.out, arguments.seconds, arguments.per_group)
