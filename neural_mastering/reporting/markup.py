"""Text, numbers and JSON written safely into HTML."""

import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MINUS, DASH, INFINITY = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{INFINITY}"


class Html(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def escape(text: object) -> Html:
    """Text as HTML, fit for element content and for quoted attributes; `Html` is left as it is."""
    if isinstance(text, Html):
        return text
    # control characters (all but tab, newline, carriage return) are not allowed in HTML at all
    clean = "".join(c if c >= " " or c in "\t\n\r" else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    return Html(html.escape(clean.encode("utf-8", "replace").decode("utf-8"), quote=True))


def tag(name: str, *content: object, **attributes: object) -> Html:
    """An element: `tag("p", "a < b", class_="note")`; content and values are escaped, None attributes left out.

    A trailing underscore of an attribute's name is dropped and the others become hyphens; True stands alone.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        parts.append(label if value is True else f'{label}="{escape(value)}"')
    return Html(f"<{' '.join(parts)}>{join(content)}</{name}>")


def join(content: Iterable[object]) -> Html:
    """Pieces one after the other, each escaped unless it is HTML; None is nothing."""
    return Html("".join(escape(piece) for piece in content if piece is not None))


def number(value: float | int | None, digits: int = 1, signed: bool = False) -> str:
    """A number for reading: true minus sign, a dash for what is not known, no −0.0.

    >>> number(-3.14159, 2), number(None), number(-math.inf), number(2.0, signed=True), number(-0.04)
    ('−3.14', '–', '−∞', '+2.0', '0.0')
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return (MINUS if value < 0 else "+" if signed else "") + INFINITY
    text = f"{abs(value):,.{digits}f}"
    if not any(c in "123456789" for c in text):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def frequency(value_hz: float) -> str:
    """A frequency for reading: "63 Hz", "1.25 kHz"."""
    if value_hz < 999.5:
        return f"{value_hz:.0f} Hz" if value_hz >= 99.5 else f"{value_hz:.3g} Hz"
    return f"{value_hz / 1000:.3g} kHz"


def duration(seconds: float) -> str:
    """A time for reading: "3:07"; below ten seconds "4.2 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def plain(value: Any) -> Any:
    """Numbers, arrays, paths and mappings as what strict JSON can hold; NaN and infinities become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if hasattr(value, "tolist"):  # NumPy arrays and scalars, tensors
        return plain(value.tolist())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return str(value)


def script_json(value: Any) -> Html:
    """JSON for the inside of a `<script type="application/json">`: no name in it can end the element."""
    text = json.dumps(plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Html(text)
