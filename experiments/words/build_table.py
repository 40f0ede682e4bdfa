"""Make the table of words from your own copies of the raw files.

    python -m experiments.words.build_table SOCIALEQ_CSV SAFE_CSV [--out words.yaml]

SOCIALEQ_CSV is SocialEQ's eq_contributions.csv, SAFE_CSV is SAFEEqualiserUserData.csv (docs/words.md says where
they come from). The table is printed, or written to the file named. Nothing about persons is read.
"""

from pathlib import Path

from experiments.common.command_line import parser_of
from neural_mastering.words.derive import derive, to_text
from neural_mastering.words.raw_files import read_safe, read_socialeq


def main() -> None:
    """Read both files and print or write the table."""
    parser = parser_of(__doc__)
    parser.add_argument("socialeq", type=Path)
    parser.add_argument("safe", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    text = to_text(derive(read_socialeq(arguments.socialeq), read_safe(arguments.safe)))
    if arguments.out is None:
        print(text, end="")
    else:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
