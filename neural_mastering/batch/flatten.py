"""Nested numbers as the columns of one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_LIST = 64
"""Longer lists are courses over time or spectra; reports and JSON files have them."""


def flatten(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Columns "a.b.c" of nested mappings.

    A list of plain values stays a list, or is left out where it is longer than `LONGEST_LIST`; a list of notes
    (kind and text) becomes two lists; items of another list of mappings are numbered from 0, or called by their
    `name`. None is left out.
    """
    found: dict[str, Any] = {}
    for key, value in tree.items():
        _add(found, str(key), value)
    return found


def _add(found: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _add(found, f"{name}.{key}", item)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        _add_list(found, name, value)
    elif value is not None:
        found[name] = float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _add_list(found: dict[str, Any], name: str, values: Sequence[Any]) -> None:
    if values and all(isinstance(value, Mapping) for value in values):
        if all(set(value) == {"kind", "text"} for value in values):
            found[f"{name}.kind"] = [str(value["kind"]) for value in values]
            found[f"{name}.text"] = [str(value["text"]) for value in values]
            return
        for number, value in enumerate(values):
            _add(
                found, f"{name}.{value.get('name', number)}", {k: v for k, v in value.items() if k != "name"}
            )
    elif 0 < len(values) <= LONGEST_LIST and not any(isinstance(v, Mapping | list | tuple) for v in values):
        is_number = all(isinstance(v, int | float) for v in values)
        found[name] = [float(v) for v in values] if is_number else [str(v) for v in values]
