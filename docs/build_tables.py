"""Rewrite the tables in docs/ that commands produce: python docs/build_tables.py

A table stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
"""

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
TABLES = {
    "complexity": (DOCS / "architecture.md", "neural_mastering.models.complexity"),
    "words": (DOCS / "words.md", "neural_mastering.words.listing"),
}
"""Name → page and the module whose output is the table."""


def replace_between(text: str, name: str, table: str) -> str:
    """The text with a new table between the markers of `name`.

    Raises:
        ValueError: not exactly one pair of markers in this order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"expected one {begin} and after it one {end}")
    before, rest = text.split(begin)
    return f"{before}{begin}\n{table.strip()}\n{end}{rest.split(end)[1]}"


def main() -> None:
    """Run each table's command and rewrite its page."""
    for name, (page, module) in TABLES.items():
        table = subprocess.run(
            [sys.executable, "-m", module], check=True, capture_output=True, text=True
        ).stdout
        page.write_text(replace_between(page.read_text(encoding="utf-8"), name, table), encoding="utf-8")
        print(f"{page}: {name}")


if __name__ == "__main__":
    main()
