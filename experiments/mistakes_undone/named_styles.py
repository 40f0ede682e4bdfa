"""What a named style undoes, on songs whose kind their title or package tells, against `auto`.

    python -m experiments.mistakes_undone.named_styles MUSIC OUT [--songs 60]

Labels are those of experiments/common/song_kinds.py; nobody listened. Each song gets its own kind's published
style, and pop, which is none of them. Rows of `auto` come from OUT/songs.csv, which the main study writes.
"""

from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.mistakes import FINISHED, Condition
from experiments.common.song_kinds import label_of
from experiments.mistakes_undone.rows import Row, read
from experiments.mistakes_undone.run import Setting
from experiments.mistakes_undone.songs import Song, chosen, pool_songs
from experiments.mistakes_undone.systems import STYLES
from experiments.mistakes_undone.table_file import grown
from experiments.mistakes_undone.tables import finished_table, mistakes_table
from neural_mastering.reporting.table import markdown_table

CONDITIONS = (Condition("random", 2.0), Condition("random", 4.0), FINISHED)
INTENSITIES = ("balanced", "strong")
ANOTHER, OWN = "pop", "own style"


def main() -> None:
    """Measure what is missing, write styles.csv and print the tables."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="folder of songs with manifest.csv")
    parser.add_argument("out", type=Path, help="folder of the main study's results")
    parser.add_argument("--songs", type=int, default=60, help="at most so many")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=16)
    arguments = parser.parse_args()
    test, _ = pool_songs(arguments.music)
    songs = chosen([song for song in test if label_of(song.package, song.name)])[: arguments.songs]
    names = tuple(f"{style}@{intensity}" for style in STYLES for intensity in INTENSITIES)
    setting = Setting(None, names, arguments.seconds, arguments.seed, CONDITIONS)
    rows = grown(
        arguments.out / "styles.csv",
        songs,
        setting,
        arguments.processes,
        not_asked=lambda song: not_asked(song, names),
    )
    measured = {(row.package, row.song) for row in rows}
    auto = [row for row in read(arguments.out / "songs.csv") if (row.package, row.song) in measured]
    wanted = {condition.name for condition in CONDITIONS}
    auto = [row for row in auto if row.condition in wanted and row.system.partition("@")[2] in INTENSITIES]
    every = [*auto, *map(renamed, rows)]
    print(markdown_table(mistakes_table(every)))
    print(markdown_table(finished_table(every)))


def not_asked(song: Song, names: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    """Styles that are neither the song's own nor the one for comparison, under each condition."""
    asked = (label_of(song.package, song.name), ANOTHER)
    return frozenset(
        (condition.name, name)
        for condition in CONDITIONS
        for name in names
        if name.partition("@")[0] not in asked
    )


def renamed(row: Row) -> Row:
    """The song's own style by that name, so that one table holds all kinds."""
    style, _, intensity = row.system.partition("@")
    if style == ANOTHER:
        return row
    return Row(*row[:3], f"{OWN}@{intensity}", *row[4:])


if __name__ == "__main__":
    main()
