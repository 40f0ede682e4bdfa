"""The pictures of README's first screen: a demo mix before and after `nm-master`, and the report page.

    python -m experiments.bundled_model.release.readme_pictures [--browser chromium]

Masters the unmastered side of the demo pair s1 with `--style electronic --intensity strong`, draws
docs/images/before_after.png from the
report's numbers, and photographs the report page into docs/images/report.png where Chromium is found.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from experiments.common.command_line import parser_of
from experiments.common.paths import ROOT
from neural_mastering.data.demo import default_demo_folder, make_demo_pairs
from neural_mastering.rendering import Options, master
from neural_mastering.styles.intensity import INTENSITIES_DB

IMAGES = ROOT / "docs" / "images"
SONG = "s1_electronic"


def master_song(folder: Path) -> dict[str, Any]:
    """What nm-master does for a style; returns the report's numbers."""
    pairs = make_demo_pairs(default_demo_folder())
    options = Options(style="electronic", intensity_db=INTENSITIES_DB["strong"], report=folder / "report")
    master(pairs / "unmastered" / f"{SONG}.flac", folder / "master.wav", options)
    return json.loads((folder / "report" / "report.json").read_text("utf-8"))


def draw(numbers: dict[str, Any], path: Path) -> None:
    """Third-octave spectra before and after at one loudness, and the equaliser that lies between."""
    curves = numbers["curves"]
    figure, (top, below) = plt.subplots(
        2, 1, figsize=(8.0, 4.6), sharex=True, height_ratios=[2, 1], layout="constrained"
    )
    for line, colour in zip(curves["spectra"]["lines"], ("#888888", "#0b6e99"), strict=False):
        level = [float("nan") if value is None else value for value in line["level_db"]]
        top.plot(line["frequency_hz"], level, color=colour, label=line["name"], linewidth=1.8)
    top.set_ylabel("third octaves, dB")
    top.legend(frameon=False)
    top.set_title(
        "A mix before and after nm-master --style electronic --intensity strong", loc="left", fontsize=11
    )
    if curves["eq"] is not None:
        below.plot(curves["eq"]["frequency_hz"], curves["eq"]["total_db"], color="#0b6e99", linewidth=1.8)
    below.axhline(0.0, color="#888888", linewidth=0.8)
    below.set_ylabel("equaliser, dB")
    below.set_xscale("log")
    below.set_xlim(25.0, 16_000.0)
    below.set_xticks(
        [50, 100, 200, 500, 1000, 2000, 5000, 10_000], ["50", "100", "200", "500", "1k", "2k", "5k", "10k"]
    )
    below.minorticks_off()
    below.set_xlabel("Hz", fontsize=8)
    for axes in (top, below):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def photograph(page: Path, path: Path, browser: str) -> bool:
    """A picture of the page's first screen; False without a browser."""
    program = shutil.which(browser)
    if program is None:
        return False
    with tempfile.TemporaryDirectory() as profile:
        command = [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
        ]
        command += ["--window-size=1100,1250", f"--screenshot={path.resolve()}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    return True


def main() -> None:
    """Master the demo mix, draw and photograph."""
    parser = parser_of(__doc__)
    parser.add_argument("--browser", default="chromium")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        numbers = master_song(Path(name))
        draw(numbers, IMAGES / "before_after.png")
        print(f"wrote {IMAGES / 'before_after.png'}")
        if photograph(Path(name) / "report" / "report.html", IMAGES / "report.png", arguments.browser):
            print(f"wrote {IMAGES / 'report.png'}")
        else:
            print(f"no {arguments.browser}: the page was not photographed")


if __name__ == "__main__":
    main()
