"""nm-demo: train a model on the bundled songs, compare it with baselines, and master a song with it.

The song is then mastered again as nm-master does without options: by comparison with finished songs.
"""

import argparse
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from neural_mastering.atomic import replacing
from neural_mastering.cli.console import prepare_streams


def main() -> None:
    """Entry point."""
    prepare_streams()
    parser = argparse.ArgumentParser(prog="nm-demo", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, help="folder for the results (default: runs/demo/DATE)")
    parser.add_argument("overrides", nargs="*", help="settings for nm-train, such as trainer.max_epochs=5")
    arguments = parser.parse_args()
    folder: Path = arguments.output or Path("runs/demo") / f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    started = time.monotonic()
    print("Training phase 1C on the bundled demo pairs …", flush=True)
    command = [
        sys.executable,
        "-m",
        "neural_mastering.cli.train",
        "+experiment=demo",
        f"hydra.run.dir='{folder}'",
    ]
    code = subprocess.run([*command, *arguments.overrides], check=False).returncode
    if code != 0:
        sys.exit(code)
    _master(folder)
    print(f"took {time.monotonic() - started:.0f} s")


def _master(folder: Path) -> None:
    # all of these import torch or matplotlib; training runs in a process of its own before
    import numpy as np

    # --help stays quick: loads torch
    from neural_mastering.data.demo import VALIDATION_SONGS, default_demo_folder, make_demo_pairs
    from neural_mastering.rendering import Options, master  # --help stays quick: loads torch
    from neural_mastering.reporting.eq_plot import eq_curves

    song = VALIDATION_SONGS[0]
    pairs = make_demo_pairs(default_demo_folder())
    output = folder / f"{song}_master.wav"
    options = Options(model=str(folder), overwrite=True)
    result = master(pairs / "unmastered" / f"{song}.flac", output, options)
    at_hz = np.geomspace(20.0, 20_000.0, 512)
    curve_db = result.controls.eq.level_db(at_hz, result.controls.design_rate_hz)
    plot = folder / f"{song}_eq.png"
    with replacing(plot) as draft:
        figure = eq_curves(at_hz, curve_db[None], f"Equaliser for {song}")
        figure.savefig(draft, dpi=120, format="png")
    print(f"mastered:   {output} (from {pairs / 'unmastered' / song}.flac)")
    print(f"EQ plot:    {plot}")
    print(f"run folder: {folder}")
    _master_by_default(pairs / "unmastered" / f"{song}.flac", folder)
    _learn(pairs, folder / "engineer")


def _master_by_default(source: Path, folder: Path) -> None:
    """What nm-master does without options: it compares the song with finished ones like it."""
    from neural_mastering.rendering import Options, master  # --help stays quick: loads torch

    output = folder / f"{source.stem}_default.wav"
    report = folder / "default"
    options = Options(report=report, overwrite=True)
    result = master(source, output, options)
    print(f"nm-master:  {output} ({result.tone.origin})")
    print(f"its report: {report / 'report.html'}")


def _learn(pairs: Path, folder: Path) -> None:
    """What nm-learn makes of eight pairs: the average of what was done, and how far it holds."""
    from neural_mastering.learning.job import LearnSettings, learn_folder  # --help stays quick: loads torch

    found = learn_folder([pairs], folder, LearnSettings(listening_songs=1))
    print(f"nm-learn:   {found.model} from {len(found.pairs)} pairs; its page: {folder / 'report.html'}")
    for note in found.notes:
        print(f"            {note.text}")
