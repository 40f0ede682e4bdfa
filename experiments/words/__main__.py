"""Do words do what they say? Fits, monotony, round trip, survival through dynamics, and agreement with people.

    python -m experiments.words MUSIC_FOLDER [--socialeq CSV] [--safe CSV] [--songs 8] [--out FOLDER]

MUSIC_FOLDER holds one folder a group (album, game) with finished songs, WAV or FLAC at 44.1 kHz; one song a group
is taken, the first by name. The raw files are one's own copies; without them the part about people is left out.
Rows go to OUT/rows.csv, the tables to OUT/tables.md.
"""

import sys
import time
from pathlib import Path

import torch

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.words.agreement import agreement
from experiments.words.changes import monotony, render_words, round_trip
from experiments.words.fits import fits
from experiments.words.sounds import chosen, pink
from experiments.words.survival import survival, survival_table
from neural_mastering.words.raw_files import read_safe, read_socialeq


def main() -> None:
    """All studies, one after the other."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="a folder with one folder a group")
    parser.add_argument("--socialeq", type=Path, help="SocialEQ's eq_contributions.csv")
    parser.add_argument("--safe", type=Path, help="SAFEEqualiserUserData.csv")
    parser.add_argument("--songs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0, help="from the middle of each song")
    parser.add_argument("--out", type=Path, default=Path("runs/words"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    started = time.perf_counter(), time.process_time()
    pieces = dict(chosen(arguments.music, arguments.songs, arguments.seconds))
    if len(pieces) < arguments.songs:
        sys.exit(f"{arguments.music}: expected {arguments.songs} groups with a song, got {len(pieces)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    tables = [f"Songs: {', '.join(pieces)}.", *fits()]
    rows, changes = render_words({"pink noise": pink(arguments.seconds), **pieces})
    tables += [*monotony(rows), *round_trip(changes)]
    survived = survival(pieces)
    tables += survival_table(survived)
    if arguments.socialeq and arguments.safe:
        tables += agreement(read_socialeq(arguments.socialeq), read_safe(arguments.safe))
    write_rows(arguments.out / "rows.csv", rows + survived)
    wall, busy = (
        now - then for now, then in zip((time.perf_counter(), time.process_time()), started, strict=True)
    )
    tables += ["", f"{busy:.0f} s of one core, {wall:.0f} s by the clock."]
    text = "\n".join(tables)
    (arguments.out / "tables.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
