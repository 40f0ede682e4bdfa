"""Files that several studies share."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Of the repository."""

SOURCES = Path(__file__).with_name("sources.yaml")
"""Which packages of music serve for what."""
