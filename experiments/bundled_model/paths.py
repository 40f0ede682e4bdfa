"""Files of the recipe."""

from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
"""Of the repository."""
MIX = FOLDER / "mix.yaml"
SOURCES = FOLDER / "sources.yaml"
