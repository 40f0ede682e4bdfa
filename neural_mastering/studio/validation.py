"""What is wrong with a request, as one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def plain_error(errors: Sequence[Mapping[str, Any]]) -> str:
    """The first of pydantic's errors: where it is, and what was expected."""
    first = errors[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    text = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown name '{place}'"
    return f"{place}: {text}" if place else text
