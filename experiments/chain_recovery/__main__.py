"""Can a gradient find the settings of each stage?

    python -m experiments.chain_recovery MUSIC_FOLDER [STAGE …]

Each trial takes an excerpt, renders it with planted settings, and fits the controls from the neutral start
(amount 0) by Adam and then L-BFGS on the error of the waveform relative to the level of each 20 ms. The planted
settings are drawn from the middle four fifths of each range. `chain` plants and fits all four stages in series.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from experiments.chain_recovery.fit import CHAIN, fit
from experiments.chain_recovery.rack import RATE
from experiments.common.command_line import parser_of
from experiments.common.middle import read_middle
from experiments.common.song_folders import songs_below
from neural_mastering.chance import seed_of


def main() -> None:
    """Print one line a trial and the medians of each stage."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="folder of audio files, searched in depth")
    parser.add_argument("stages", nargs="*", default=[*CHAIN, "chain"])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200, help="of Adam")
    parser.add_argument("--refine", type=int, default=60, help="steps of L-BFGS")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of an excerpt")
    parser.add_argument("--json", type=Path, default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    files = songs_below(arguments.music)
    if not files:
        sys.exit(f"no audio in {arguments.music}")
    results = {}
    for name in arguments.stages:
        rows = []
        for trial in range(arguments.trials):
            audio = excerpt(files, trial, arguments.seconds)
            started = time.perf_counter()
            rows.append(fit(name, audio, trial, arguments.steps, arguments.refine))
            print(
                name,
                trial,
                {k: float(f"{v:.3g}") for k, v in rows[-1].items()},
                f"{time.perf_counter() - started:.0f} s",
                flush=True,
            )
        results[name] = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        print(
            f"{name}: median over {len(rows)} trials",
            {k: float(f"{v:.3g}") for k, v in results[name].items()},
            flush=True,
        )
        if arguments.json:
            arguments.json.write_text(json.dumps(results, indent=2) + "\n")


def excerpt(files: list[Path], trial: int, seconds: float) -> Tensor:
    """The middle of the trial's file, at its own rate taken as 44.1 kHz: only the signal matters here."""
    file = files[seed_of("file", trial) % len(files)]
    samples, _ = read_middle(file, seconds, "float32", counted_at_hz=RATE)
    audio = torch.from_numpy(samples.T.copy())[None]
    return audio if audio.shape[1] == 2 else audio.expand(1, 2, -1)


if __name__ == "__main__":
    main()
