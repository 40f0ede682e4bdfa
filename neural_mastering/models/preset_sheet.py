"""A model in words: what it listens with, and every device with its controls, ranges and resting values."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from neural_mastering.processors.control import Control
from neural_mastering.processors.parametric_eq import ParametricEQ
from neural_mastering.processors.processor import Processor


@dataclass(frozen=True)
class ControlLine:
    """One control of one device, or of one band of it.

    Attributes:
        device: name of the processor.
        band: such as "low shelf" or "peak 3"; empty where a control has one value.
        name, unit: of the control.
        low, high: ends of its range.
        rest: value at which the device does nothing, or starts; None where it has none.
    """

    device: str
    band: str
    name: str
    unit: str
    low: float
    high: float
    rest: float | None

    def text(self) -> str:
        """Such as "frequency 79 Hz (25 to 250)"."""
        rest = "" if self.rest is None else f" {number(self.rest)}"
        unit = _UNITS.get(self.unit, self.unit)
        return f"{self.name}{rest}{' ' + unit if unit else ''} ({number(self.low)} to {number(self.high)})"


_UNITS = {"hz": "Hz", "db": "dB", "ms": "ms", "percent": "%"}


def processors(model: nn.Module) -> Iterator[Processor]:
    """Every device of a model, in the order in which it is built in."""
    return (module for module in model.modules() if isinstance(module, Processor))


def control_lines(processor: Processor) -> list[ControlLine]:
    """All controls of a device: those of the whole, then band by band."""
    rest = {key: values[0].tolist() for key, values in processor.rest().items()}
    bands = max((spec.bands or 0 for spec in processor.specs.values()), default=0)
    specs = processor.specs.items()
    lines = [_line(processor, spec, "", None, rest.get(key)) for key, spec in specs if not spec.bands]
    return lines + [
        _line(processor, spec, _band(processor, band), band, rest.get(key))
        for band in range(bands)
        for key, spec in specs
        if spec.bands
    ]


def parameters_by_part(model: nn.Module) -> dict[str, int]:
    """Number of parameters of each direct part."""
    return {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}


def preset_sheet(model: nn.Module, title: str, notes: dict[str, str] | None = None) -> str:
    """The sheet.

    Args:
        model: with named parts and processors somewhere inside.
        title: its first line.
        notes: part → what to say about it besides its class and size.
    """
    lines = [title]
    for name, part in model.named_children():
        count = sum(p.numel() for p in part.parameters())
        note = (notes or {}).get(name, "")
        lines.append(f"  {name}: {type(part).__name__}, {count:,} parameters" + (f", {note}" if note else ""))
        for processor in processors(part):
            lines += _device(processor)
    return "\n".join(lines)


def number(value: float) -> str:
    """Three significant digits without a trailing zero, and thousands with a comma."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"


def _device(processor: Processor) -> list[str]:
    by_band: dict[str, list[str]] = {}
    for line in control_lines(processor):
        by_band.setdefault(line.band, []).append(line.text())
    whole = by_band.pop("", [])
    lines = [f"    {processor.name}" + (f": {', '.join(whole)}" if whole else "")]
    width = max((len(band) for band in by_band), default=0)
    return lines + [f"      {band:{width}}  {'  '.join(texts)}" for band, texts in by_band.items()]


def _line(
    processor: Processor, spec: Control, band: str, index: int | None, rest: float | list[float] | None
) -> ControlLine:
    low, high = spec.low, spec.high
    if isinstance(low, tuple) and isinstance(high, tuple):
        low, high = low[index or 0], high[index or 0]
    if isinstance(rest, list):
        rest = rest[index or 0]
    assert isinstance(low, float | int) and isinstance(high, float | int)
    return ControlLine(
        processor.name, band, spec.name, spec.unit, low, high, spec.neutral if rest is None else rest
    )


def _band(processor: Processor, index: int) -> str:
    if isinstance(processor, ParametricEQ):
        kind = processor.kinds[index].replace("_", " ")
        return f"peak {index}" if kind == "peak" else kind
    return f"band {index + 1}"
