"""What is normal for a song like this: all of the study, from a folder of music to weights and tables.

    python -m experiments.normality MUSIC OUT [--to NAME]

MUSIC is as `experiments.bundled_model` describes it. Measuring 540 excerpts of 60 s takes some five minutes of one
core, all the rest about six.
"""

from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.commands import run_module


def main() -> None:
    """Measure, study, train, test."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--to", type=Path, help="where the weights go; by default into the package")
    arguments = parser.parse_args()
    where = (arguments.music, arguments.out)
    run_module("experiments.normality.songs", *where)
    run_module("experiments.normality.study", *where)
    run_module("experiments.normality.evaluate", *where, "--on", "training")
    run_module("experiments.normality.train", *where, *(["--to", arguments.to] if arguments.to else []))
    run_module("experiments.normality.invariance", *where)
    run_module("experiments.normality.evaluate", *where)
    run_module("experiments.normality.rendered", *where)
    run_module("experiments.normality.limit", arguments.out)
    run_module("experiments.normality.plots", *where)


if __name__ == "__main__":
    main()
