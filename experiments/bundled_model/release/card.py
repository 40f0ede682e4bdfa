"""The parts of docs/model_card.md that a command makes: the list of works and the table of packages.

    python -m experiments.bundled_model.release.card OUT

Writes docs/model_card_works.csv (every work with its author and licence) and what stands between the markers in
docs/model_card.md.
"""

import re
from collections import Counter
from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from experiments.common.paths import ROOT
from neural_mastering.reporting.table import markdown_table

DOCS = ROOT / "docs"
COLUMNS: tuple[str, ...] = ("split", "group", "version", "work", "author", "licence", "source_path")
BEGIN, END = "<!-- packages:begin -->", "<!-- packages:end -->"


def write(out: Path) -> None:
    """Write the list, and the table into the card."""
    rows = [row for row in read_rows(out / "works.csv") if row["split"] != "test"]
    for row in rows:  # who made it is credited; addresses are for the package
        author = re.sub(r"<[^>]*@[^>]*>", "", row["author"])
        row["author"] = " ".join(re.sub(r"\S+@\S+", "", author).split())
    rows.sort(key=lambda row: (row["split"], row["group"], row["work"]))
    write_rows(DOCS / "model_card_works.csv", rows, COLUMNS)
    lines = []
    for split, group in sorted(
        {(row["split"], row["group"]) for row in rows}, key=lambda key: (key[0], key[1])
    ):
        own = [row for row in rows if (row["split"], row["group"]) == (split, group)]
        licences = Counter(row["licence"] for row in own).most_common()
        authors = list(dict.fromkeys(row["author"] for row in own))
        shown = "; ".join(authors[:3]) + (f"; and {len(authors) - 3} more" if len(authors) > 3 else "")
        lines.append(
            {
                "package": group,
                "version": own[0]["version"],
                "for": split,
                "songs": str(len(own)),
                "licences (songs)": ", ".join(f"{name} ({count})" for name, count in licences),
                "authors": shown if len(shown) < 160 else shown[:157] + "…",
            }
        )
    card = DOCS / "model_card.md"
    text = card.read_text("utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    card.write_text(f"{head}{BEGIN}\n{markdown_table(lines)}\n{END}{tail}", "utf-8")


def main() -> None:
    """Write the list and the table from OUT/works.csv."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
