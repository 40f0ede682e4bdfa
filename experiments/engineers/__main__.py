"""How well does each system learn a planted engineer from 10 to 100 pairs?

    python -m experiments.engineers MUSIC OUT              everything below, in this order
    python -m experiments.engineers MUSIC OUT measure      what engineers and learner hear (2 s of CPU a song)
    python -m experiments.engineers MUSIC OUT score        tables and learning curves

MUSIC holds manifest.csv (columns file and package) and the songs that it names. OUT keeps what was measured and
rendered: run again to go on.
"""

import sys
from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.engineers import learned
from experiments.engineers.cache import mix_of
from experiments.engineers.songs import in_turn, pool_songs, songs_of
from experiments.engineers.study import NAMES, SEEDS, SIZES, Cell, bench, cells_of
from experiments.engineers.tables import interval_table, level_table, rows_of, tone_table
from neural_mastering.atomic import write_text
from neural_mastering.reporting.table import markdown_table

STEPS = ("measure", "score")


def main() -> None:
    """Do what was asked for."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="folder of songs with manifest.csv")
    parser.add_argument("out", type=Path, help="folder of the results")
    parser.add_argument("step", nargs="?", choices=STEPS, help="only this one")
    parser.add_argument("--on", choices=("test", "development"), default="test", help="songs to be judged on")
    parser.add_argument("--engineers", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--pairs", nargs="+", type=int, default=SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    arguments = parser.parse_args()
    songs = pool_songs(arguments.music)
    if arguments.step in (None, "measure"):
        parts = [in_turn(songs_of(songs, part), 0) for part in ("test", "development", "train")]
        for i, song in enumerate(song for part in parts for song in part):
            learned.features_of(mix_of(song, arguments.out), arguments.out)
            if i % 20 == 19:
                _tell(f"{i + 1} songs measured")
    if arguments.step in (None, "score"):
        given = bench(songs, arguments.on, arguments.out)
        others = {learned.NAME: learned.learner(arguments.out)}
        cells: list[Cell] = []
        for name in arguments.engineers:
            cells += cells_of(name, given, arguments.pairs, arguments.seeds, others, _tell)
        _write(cells, arguments.out, arguments.on)


def _write(cells: list[Cell], out: Path, on: str) -> None:
    write_rows(out / f"scores_{on}.csv", rows_of(cells))
    parts = []
    for pairs in sorted({cell.pairs for cell in cells}):
        parts += [
            f"Tone, {pairs} pairs: whole / song-dependent part, %",
            markdown_table(tone_table(cells, pairs)),
        ]
    parts += [
        f"{system}: song-dependent part, %\n\n{markdown_table(interval_table(cells, system))}"
        for system in dict.fromkeys(cell.system for cell in cells)
    ]
    last = max(cell.pairs for cell in cells)
    parts += [f"Mean absolute errors, {last} pairs", markdown_table(level_table(cells, last))]
    text = "\n\n".join(parts) + "\n"
    write_text(out / f"tables_{on}.md", text)
    sys.stdout.write(text)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
