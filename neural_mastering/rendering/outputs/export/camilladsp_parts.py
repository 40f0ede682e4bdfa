"""Pieces of a CamillaDSP configuration as lines of YAML."""

from collections.abc import Sequence

from neural_mastering.controls import EqBand
from neural_mastering.rendering.outputs.export.preset import NAMES, fixed

TYPES = {"low_shelf": "Lowshelf", "peak": "Peaking", "high_shelf": "Highshelf"}


def biquad(name: str, band: EqBand) -> list[str]:
    """A filter with one band of an equaliser."""
    return [
        f"  {name}:  # {NAMES[band.kind]}",
        "    type: Biquad",
        f"    parameters: {{type: {TYPES[band.kind]}, freq: {number(band.frequency_hz, 4)}, "
        f"gain: {number(band.gain_db)}, q: {number(band.q)}}}",
    ]


def mixer(name: str, channels: int, rows: Sequence[Sequence[tuple[int, float]]]) -> list[str]:
    """A mixer of so many channels; each of its outputs is a row of (channel, linear gain)."""
    lines = [f"  {name}:", f"    channels: {{in: {channels}, out: {len(rows)}}}", "    mapping:"]
    for dest, sources in enumerate(rows):
        lines += [f"      - dest: {dest}", "        sources:"]
        lines += [
            f"          - {{channel: {channel}, gain: {number(abs(gain), 9)}, scale: linear, "
            f"inverted: {'true' if gain < 0.0 else 'false'}}}"
            for channel, gain in sources
        ]
    return lines


def mixer_step(name: str) -> list[str]:
    """A step of the pipeline that mixes."""
    return [f"  - {{type: Mixer, name: {name}}}"]


def filter_step(channels: Sequence[int], names: Sequence[str]) -> list[str]:
    """A step of the pipeline that filters channels; version 2 wants a `channel` each, version 3 takes lists."""
    if len(channels) == 1:
        remark = f"in version 2: channel: {channels[0]}"
    else:
        each = " and ".join(f"channel: {channel}" for channel in channels)
        remark = f"CamillaDSP 3; in version 2 write this step twice, with {each}"
    return [
        "  - type: Filter",
        f"    channels: [{', '.join(map(str, channels))}]  # {remark}",
        f"    names: [{', '.join(names)}]",
    ]


def number(value: float, decimals: int = 6) -> str:
    """With a dot, so that YAML reads a float."""
    text = fixed(value, decimals)
    return text if "." in text else f"{text}.0"
