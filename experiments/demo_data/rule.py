"""Print, for each demo song, what the degradation does and whether the input reveals it.

    python -m experiments.demo_data.rule

For each validation song the table gives the error of the song-dependent shelf gain g in dB: of the training
songs' mean (what an average EQ undoes), and of a straight line fitted to the training inputs' own balance.
"""

import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows
from neural_mastering.data.degrade import spectral_balance_db
from neural_mastering.data.demo import make_demo_pairs

SEGMENT_S = 5.0


def balances_db(path: Path) -> list[float]:
    """Balance of each 5 s segment."""
    audio, rate = soundfile.read(path, always_2d=True)
    segments = np.split(audio, range(int(SEGMENT_S * rate), len(audio), int(SEGMENT_S * rate)))
    return [float(spectral_balance_db(torch.from_numpy(s.T.copy())[None], rate)[0]) for s in segments]


def main() -> None:
    """Print the table."""
    parser_of(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pairs = make_demo_pairs(Path(folder) / "pairs")
        rows = read_rows(pairs / "manifest.csv")
        input_db = {row["file"]: balances_db(pairs / "unmastered" / row["file"]) for row in rows}
    common_db = 1.0
    depth = {row["file"]: float(row["low_shelf_db"]) - common_db for row in rows}
    train = [row["file"] for row in rows if row["split"] == "train"]
    points = [(balance, depth[file]) for file in train for balance in input_db[file]]
    x, y = np.array(points).T
    slope, offset = np.polyfit(x, y, 1)
    mean = np.mean([depth[file] for file in train])
    print(
        "| song | split | balance of target | g | balance of input (per 5 s) | mean's error | line's error |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        file = row["file"]
        segments = " ".join(f"{balance:.1f}" for balance in input_db[file])
        line = np.mean([slope * balance + offset for balance in input_db[file]])
        print(
            f"| {Path(file).stem} | {row['split']} | {float(row['balance_db']):.1f} | {depth[file]:+.1f} | "
            f"{segments} | {mean - depth[file]:+.1f} | {line - depth[file]:+.1f} |"
        )


if __name__ == "__main__":
    main()
