"""The same seconds of all sides: pairs and masters cut to the middle of each song, so that many can be measured.

    python -m experiments.bundled_model.release.shorten OUT/pairs OUT/eval/masters OUT/short [--seconds 12]

OUT/short/pairs is a folder of pairs, OUT/short/masters/NAME one of masters for `nm-eval --systems NAME=…`.
"""

from collections import Counter
from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.middle import copy_middle


def shorten(pairs: Path, masters: Path, out: Path, seconds: float, per_group: int) -> None:
    """Cut what is there; systems get the whole excerpt, only the comparison is shorter."""
    rows = [row for row in read_rows(pairs / "manifest.csv") if row["split"] != "validation"]
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
            copy_middle(source, output, seconds, "PCM_24" if output.suffix == ".flac" else "FLOAT")
    write_rows(out / "pairs" / "manifest.csv", kept, ("file", "group", "split"))


def main() -> None:
    """Cut the pairs and masters named."""
    parser = parser_of(__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("masters", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--per-group", type=int, default=3)
    arguments = parser.parse_args()
    shorten(arguments.pairs, arguments.masters, arguments.out, arguments.seconds, arguments.per_group)


if __name__ == "__main__":
    main()
