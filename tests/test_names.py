"""A class name means one thing in the whole package."""

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "neural_mastering"


def class_names(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Where each class is defined, private and nested ones included, by its name."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{name}:{node.lineno}")
    return places


def test_a_name_that_occurs_twice_is_found() -> None:
    places = class_names({"a.py": "class Plan: ...\n", "b.py": "def f():\n    class Plan: ...\n"})
    assert places == {"Plan": ["a.py:1", "b.py:2"]}


def test_each_class_name_occurs_once() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    places = class_names({str(f.relative_to(PACKAGE)): f.read_text(encoding="utf-8") for f in files})
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert len(places) > 200 and not twice, f"one class name, one meaning: {twice}"
