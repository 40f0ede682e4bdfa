"""The parts of docs/model_card.md that a command makes: the list of works and the table of packages.

    python experiments/bundled_model/card.py OUT

Writes docs/model_card_works.csv (every work with its author and licence) and what stands between the markers in
docs/model_card.md.
"""

import argparse
import csv
import re
from collections import Counter
from pathlib import Path

from neural_mastering.reporting.table import markdown_table

DOCS = Path(__file__).parents[2] / "docs"
COLUMNS: tuple[str, ...] = ("split", "group", "version", "work", "author", "licence", "source_path")
BEGIN, END = "<!-- packages:begin -->", "<!-- packages:end -->"


def write(out: Path) -> None:
    """Write the list, and the table into the card."""
    with (out / "works.csv").open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["split"] != "test"]
    for row in rows:  # who made it is credited; addresses are for the package
        author = re.sub(r"<[^>]*@[^>]*>", "", row["author"])
        row["author"] = " ".join(re.sub(r"\S+@\S+", "", author).split())
    rows.sort(key=lambda row: (row["split"], row["group"], row["work"]))
    with (DOCS / "model_card_works.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    write(parser.parse_args().out)
