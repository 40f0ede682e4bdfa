"""How well does each system learn a planted engineer from 10 to 100 pairs?

    python -m experiments.engineers MUSIC OUT              everything below, in this order
    python -m experiments.engineers MUSIC OUT measure      what engineers and learner hear of each song (2 s of CPU)
    python -m experiments.engineers MUSIC OUT score        tables and learning curves
    python -m experiments.engineers MUSIC OUT ablate       the learner without each of its ingredients
    python -m experiments.engineers MUSIC OUT render       the whole path on audio, a subset

MUSIC holds manifest.csv (columns file and package) and the songs that it names. OUT keeps what was measured and
rendered, and the scores: run again to go on; delete scores_*.csv and ablations_*.csv to score another version of
the learner. Masters of three engineers have to be rendered to be known (3 s of CPU a song and engineer).
"""

import sys
from argparse import Namespace
from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from experiments.engineers import learned, rendered
from experiments.engineers.ablations import ablations
from experiments.engineers.cache import mix_of
from experiments.engineers.plots import learning_curves
from experiments.engineers.songs import in_turn, pool_songs, songs_of
from experiments.engineers.study import CLOSED_FORM, NAMES, SEEDS, SIZES, Cell, bench, cells_of, systems_for
from experiments.engineers.tables import Row, cell_of, interval_table, level_table, rows_of, tone_table
from neural_mastering.atomic import write_text
from neural_mastering.reporting.table import markdown_table

STEPS = ("measure", "score", "ablate", "render")


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
    parser.add_argument("--from-songs", type=int, default=None, help="draw all pairs from so many songs")
    parser.add_argument(
        "--matchering", type=Path, default=None, help="an interpreter that has matchering 2.0.6"
    )
    arguments = parser.parse_args()
    steps = {"measure": _measure, "score": _score, "ablate": _ablate, "render": _render}
    for name in STEPS if arguments.step is None else (arguments.step,):
        steps[name](arguments)


def _measure(arguments: Namespace) -> None:
    songs = pool_songs(arguments.music)
    parts = [in_turn(songs_of(songs, part), 0) for part in ("test", "development", "train")]
    for i, song in enumerate(song for part in parts for song in part):
        learned.features_of(mix_of(song, arguments.out), arguments.out)
        if i % 20 == 19:
            _tell(f"{i + 1} songs measured")


def _score(arguments: Namespace) -> None:
    given = bench(pool_songs(arguments.music), arguments.on, arguments.out, arguments.from_songs)
    table = arguments.out / f"scores_{arguments.on}.csv"
    cells = _kept(table)
    for name in arguments.engineers:
        for pairs in arguments.pairs:
            if any(cell.engineer == name and cell.pairs == pairs for cell in cells):
                continue
            systems = systems_for(name, arguments.out, {learned.NAME: learned.learner(arguments.out)})
            cells += cells_of(name, given, [pairs], arguments.seeds, systems, _tell)
            cells.sort(key=lambda cell: (NAMES.index(cell.engineer), cell.pairs))
            write_rows(table, rows_of(cells))
    learning_curves(cells, arguments.out / f"learning_curves_{arguments.on}.png")
    parts = []
    for pairs in sorted({cell.pairs for cell in cells}):
        parts.append(
            _titled(f"Tone, {pairs} pairs: whole / song-dependent part, %", tone_table(cells, pairs))
        )
    for system in dict.fromkeys(cell.system for cell in cells):
        parts.append(_titled(f"{system}: song-dependent part, %", interval_table(cells, system)))
    for pairs in sorted({cell.pairs for cell in cells}):
        parts.append(_titled(f"Mean absolute errors, {pairs} pairs", level_table(cells, pairs)))
    _write(arguments.out / f"tables_{arguments.on}.md", parts)


def _ablate(arguments: Namespace) -> None:
    given = bench(pool_songs(arguments.music), arguments.on, arguments.out, arguments.from_songs)
    table = arguments.out / f"ablations_{arguments.on}.csv"
    cells = _kept(table)
    for name in [name for name in arguments.engineers if name in CLOSED_FORM]:
        for pairs in arguments.pairs:
            if any(cell.engineer == name and cell.pairs == pairs for cell in cells):
                continue
            systems = ablations(arguments.out)
            cells += cells_of(name, given, [pairs], arguments.seeds, systems, _tell)
            write_rows(table, rows_of(cells))
    tables = [
        _titled(f"Ablations, {pairs} pairs: whole / song-dependent part, %", tone_table(cells, pairs))
        for pairs in sorted({cell.pairs for cell in cells})
    ]
    tables += [
        _titled(f"{system}: song-dependent part, %", interval_table(cells, system))
        for system in dict.fromkeys(cell.system for cell in cells)
    ]
    _write(arguments.out / f"ablations_{arguments.on}.md", tables)


def _render(arguments: Namespace) -> None:
    wanted = [name for name in arguments.engineers if name in rendered.ENGINEERS]
    rows = rendered.run(
        arguments.music, arguments.out, wanted, arguments.matchering, _tell, arguments.from_songs
    )
    _write(arguments.out / "rendered.md", [_titled("Rendered", rendered.table_of(rows))])


def _kept(table: Path) -> list[Cell]:
    """Scores of an earlier run: delete the file to score anew."""
    return [cell_of(row) for row in read_rows(table)] if table.exists() else []


def _titled(title: str, table: list[Row]) -> str:
    return f"{title}\n\n{markdown_table(table)}"


def _write(file: Path, parts: list[str]) -> None:
    text = "\n\n".join(parts) + "\n"
    write_text(file, text)
    sys.stdout.write(text)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
