"""How much of a mix's tonal mistakes does each system undo, and what does it do to finished songs?

    python -m experiments.mistakes_undone MUSIC OUT

MUSIC holds manifest.csv (columns file and package) and the songs that it names. The songs of the test are those of
experiments/normality/test_songs.csv; songs of other packages give the plain posterior, corridor and average.
What OUT/songs.csv holds already is kept: run again to go on.
"""

from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.mistakes import CONDITIONS
from experiments.mistakes_undone.run import Setting
from experiments.mistakes_undone.songs import TEST_SONGS, chosen, pool_songs
from experiments.mistakes_undone.spectra import Spectra, spectra_of
from experiments.mistakes_undone.systems import LEARNING, NAMES
from experiments.mistakes_undone.table_file import grown
from experiments.mistakes_undone.tables import PLAIN, finished_table, mistakes_table, summary_table
from neural_mastering.reporting.table import markdown_table


def main() -> None:
    """Measure what is missing, write songs.csv and tables.md."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="folder of songs with manifest.csv")
    parser.add_argument("out", type=Path, help="folder of the results")
    parser.add_argument("--test-songs", type=Path, default=TEST_SONGS)
    parser.add_argument("--songs", type=int, default=None, help="at most so many of each package")
    parser.add_argument("--seconds", type=float, default=30.0, help="this much from the middle of each song")
    parser.add_argument(
        "--plain-from",
        choices=("music", "weights"),
        default="music",
        help="the plain posterior knows the other songs of MUSIC, or those behind the shipped weights",
    )
    parser.add_argument("--systems", nargs="+", choices=NAMES, default=NAMES, help="only these")
    parser.add_argument(
        "--conditions",
        nargs="+",
        choices=[condition.name for condition in CONDITIONS],
        default=[condition.name for condition in CONDITIONS],
        help="only these mistakes",
    )
    parser.add_argument("--again", action="store_true", help="measure the systems anew")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=16)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    test, others = pool_songs(arguments.music, arguments.test_songs)
    names = tuple(arguments.systems)
    training, held = None, arguments.out / "training.npz"
    learning = {name for name in LEARNING if arguments.plain_from == "music" or not name.startswith(PLAIN)}
    if set(names) & learning:
        if not held.exists():
            spectra_of(others, arguments.seconds).save(held)
        training = Spectra.load(held)
    conditions = tuple(condition for condition in CONDITIONS if condition.name in arguments.conditions)
    setting = Setting(training, names, arguments.seconds, arguments.seed, conditions)
    rows = grown(
        arguments.out / "songs.csv",
        chosen(test, arguments.songs),
        setting,
        arguments.processes,
        names if arguments.again else (),
    )
    tables = (summary_table(rows), mistakes_table(rows), finished_table(rows))
    text = "\n".join(markdown_table(table) for table in tables if table)
    (arguments.out / "tables.md").write_text(text, encoding="utf-8")
    if training is not None:
        print(f"{len(training.packages)} songs of {len(set(training.packages))} packages to learn from")
    print(text)


if __name__ == "__main__":
    main()
