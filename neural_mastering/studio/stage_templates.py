"""Each stage as it is added to a chain, with the ranges of its controls, read without loading its device.

The numbers are those of the devices in `processors`, which need torch; `python -m
neural_mastering.studio.stage_templates` writes them anew, and a test holds both together.
"""

from __future__ import annotations

import importlib
import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from neural_mastering.atomic import write_text
from neural_mastering.controls.catalogue import CATALOGUE, INPUT_LUFS, StageSpec

FILE = "stage_templates.json"


@cache
def stage_templates() -> dict[str, Any]:
    """By stage: `values`, ready to be used and doing nothing (`input_lufs` null: the song's), and `ranges`."""
    return json.loads(files("neural_mastering.studio").joinpath(FILE).read_text(encoding="utf-8"))


def read_devices() -> dict[str, Any]:
    """The same from the devices themselves; loads torch."""
    return {spec.name: _template(spec) for spec in CATALOGUE}


def _template(spec: StageSpec) -> dict[str, Any]:
    module, _, name = spec.devices[-1][1].rpartition(".")
    processor = getattr(importlib.import_module(module), name)()
    rest = {key: value[0].tolist() for key, value in processor.rest().items()}
    values: dict[str, Any] = {
        key: [_short(v) for v in value] if isinstance(value, list) else _short(value)
        for key, value in rest.items()
    }
    values |= {key: value for key, value in processor.settings().items() if key != "reference_dbfs"}
    if processor.hears_level:
        values[INPUT_LUFS] = None
    ranges = {
        key: {"low": control.low, "high": control.high, "scale": control.scale, "default": values[key]}
        for key, control in processor.specs.items()
    }
    return {"values": values, "ranges": ranges}


def _short(value: float) -> float:
    """Numbers of float32 without the digits that it doesn't have."""
    return float(f"{value:.5g}")


def main() -> None:
    """Write the file."""
    text = json.dumps(read_devices(), indent=1) + "\n"
    write_text(Path(__file__).with_name(FILE), text)


if __name__ == "__main__":
    main()
