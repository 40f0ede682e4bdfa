"""Files of the recipe."""

from pathlib import Path

FOLDER = Path(__file__).parent
MIX = FOLDER / "mix.yaml"
