"""Rewrite the tables in docs/ that come from the code.

Run it as `python docs/build_tables.py`.

A table stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
"""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from neural_mastering.config.compose import compose
from neural_mastering.config.schema import validated
from neural_mastering.models import build
from neural_mastering.models.mastering import MasteringModel
from neural_mastering.processors import Chain, Control, ParametricEQ

DOCS = Path(__file__).parent

UNITS = {"hz": " Hz", "db": " dB", "ms": " ms", "dbtp": " dBTP"}
FRACTIONS = {0.25: "a quarter", 0.5: "half"}


def command(module: str) -> str:
    """What `python -m module` prints."""
    done = subprocess.run([sys.executable, "-m", module], check=True, capture_output=True, text=True)
    return done.stdout


def equaliser() -> str:
    """The default equaliser's bands and controls."""
    model = _model("+phase=1a")
    eq, gain = model.eq_head.eq, model.eq_head.gain.specs["gain_db"]
    assert isinstance(eq, ParametricEQ)
    overlap = float(compose(["+phase=1a"]).model.eq_head.eq.overlap)
    ten = _model("+phase=1c").eq_head.eq
    rest_hz, ten_hz = eq.layout.rest_hz[1:-1], ten.layout.rest_hz[1:-1]
    text = (
        "Each peak owns a slot of the log-frequency range and may leave it by "
        f"{FRACTIONS.get(overlap, f'{overlap:g}')} of its width to either side: neighbours overlap, and no band "
        f"can wander far from its place. With {eq.bands} bands the peaks rest at {_hz(*rest_hz)}, with "
        f"{ten.bands} at {_hz(*ten_hz)}."
    )
    header = ["| control | range | scale | at rest |", "|---|---|---|---|"]
    lines = [*textwrap.wrap(text, 116), "", *header]
    frequency, level, q = (eq.specs[key] for key in ("frequency_hz", "gain_db", "q"))
    groups = {"low shelf": slice(0, 1), "peaks, together": slice(1, -1), "high shelf": slice(-1, None)}
    for name, bands in groups.items():
        low, high = _ends(frequency, bands)
        rest = "the middle of each slot" if name.startswith("peaks") else _hz(eq.layout.rest_hz[bands][0])
        lines.append(
            f"| frequency of the {name} | {low:,.0f} … {high:,.0f} Hz | {frequency.scale} | {rest} |"
        )
    for name, bands in (("peak", slice(1, -1)), ("shelf", slice(0, 1))):
        low, high = _ends(q, bands)
        lines.append(f"| Q of a {name} | {low:g} … {high:g} | {q.scale} | {eq.layout.rest_q[bands][0]:.2g} |")
    for name, control in (("gain of a band", level), ("broadband gain", gain)):
        lines.append(f"| {name} | {_range(control)} | {control.scale} | {control.neutral:g} dB |")
    return "\n".join(lines)


def chain() -> str:
    """Every control of the default chain's stages, in the order of the signal."""
    rack = _model("+phase=2").chain_head.chain
    assert isinstance(rack, Chain)
    lines = ["| stage | control | range | scale |", "|---|---|---|---|"]
    for stage, processor in rack.processors.items():
        for control in processor.specs.values():
            lines.append(
                f"| {stage} | {control.name.replace('_', ' ')} | {_range(control)} | {control.scale} |"
            )
            stage = ""
    return "\n".join(lines)


TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "complexity": (DOCS / "architecture.md", partial(command, "neural_mastering.models.complexity")),
    "equaliser": (DOCS / "architecture.md", equaliser),
    "chain": (DOCS / "chain.md", chain),
    "words": (DOCS / "words.md", partial(command, "neural_mastering.words.listing")),
}
"""Name → page and what makes the table."""


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
    """Make each table and rewrite its page."""
    for name, (page, make) in TABLES.items():
        text = page.read_text(encoding="utf-8")
        page.write_text(replace_between(text, name, make()), encoding="utf-8")
        print(f"{page}: {name}")


def _model(*overrides: str) -> MasteringModel:
    return build(validated(compose(overrides)).model)


def _ends(control: Control, bands: slice) -> tuple[float, float]:
    """Lowest and highest value of some bands together."""
    low, high = control.low, control.high
    assert isinstance(low, tuple) and isinstance(high, tuple)
    return min(low[bands]), max(high[bands])


def _range(control: Control) -> str:
    ends: Iterator[float] = (end[0] if isinstance(end, tuple) else end for end in (control.low, control.high))
    low, high = (f"{end:,g}".replace("-", "−") for end in ends)
    return f"{low} … {high}{UNITS.get(control.unit, '')}"


def _hz(*frequencies_hz: float) -> str:
    """Frequencies to three digits: "58, 119 and 1,060 Hz"."""
    *first, last = (f"{float(f'{f:.3g}'):,.0f}" for f in frequencies_hz)
    return f"{', '.join(first)} and {last} Hz" if first else f"{last} Hz"


if __name__ == "__main__":
    main()
