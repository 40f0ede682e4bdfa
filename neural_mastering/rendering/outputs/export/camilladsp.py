"""Filters, mixers and pipeline for CamillaDSP (YAML, versions 2 and 3): add your own `devices` section.

The stereo stage is exact: mixers make mid and side, a high-pass takes the bass off a copy of the side.
CamillaDSP's own compressor adds the channels up, smooths the level instead of the reduction and has neither knee
nor mix, and its limiter is a clipper: those stages are left out, and their settings stand in remarks.
"""

import math
from collections.abc import Mapping

from neural_mastering.controls import ChainControls
from neural_mastering.rendering.outputs.export.preset import (
    NAMES,
    Preset,
    bands_at_rate,
    fixed,
    left_out,
    remarks,
)

_WIDTH_KEYS = {"width", "bass_frequency_hz", "bass_amount"}
TYPES = {"low_shelf": "Lowshelf", "peak": "Peaking", "high_shelf": "Highshelf"}


def write(controls: ChainControls, sample_rate: float) -> Preset:
    """The filters' text for a `samplerate` in Hz."""
    bands = bands_at_rate(controls, sample_rate, decimals=(4, 6, 6))
    stereo = controls.stages.get("stereo", {})
    held = ("stereo",) if set(stereo) == _WIDTH_KEYS else ()
    title = "Chain" if held else "Equaliser"
    title += " by neural_mastering for CamillaDSP; add a devices section, or merge into a configuration"
    lines = [f"# {line}" for line in remarks(controls, bands, sample_rate, title, held)]
    for name, values in controls.stages.items():
        if name not in held:
            said = ", ".join(f"{key} {value}" for key, value in values.items())
            lines.append(f"# {name}, to be set by hand in a device of its kind: {said}")
    lines += [
        "filters:",
        "  gain:",
        "    type: Gain",
        f"    parameters: {{gain: {_number(controls.gain_db)}, scale: dB, inverted: false, mute: false}}",
    ]
    names = ["gain"]
    for i, band in enumerate(bands.bands, 1):
        names.append(f"band_{i:02d}")
        lines += [
            f"  {names[-1]}:  # {NAMES[band.kind]}",
            "    type: Biquad",
            f"    parameters: {{type: {TYPES[band.kind]}, freq: {_number(band.frequency_hz, 4)}, "
            f"gain: {_number(band.gain_db)}, q: {_number(band.q)}}}",
        ]
    if held:
        lines += _width_filter(stereo) + _mixers(stereo)
    lines.append("pipeline:")
    # Version 2 wants a `channel` each, version 3 takes lists but also a single entry in one.
    lines += [
        "  - type: Filter",
        "    channels: [0, 1]  # CamillaDSP 3; in version 2 write this step twice, with channel: 0 and channel: 1",
        f"    names: [{', '.join(names)}]",
    ]
    if held:
        lines += [
            "  - {type: Mixer, name: to_mid_side}",
            "  - type: Filter",
            "    channels: [2]  # in version 2: channel: 2",
            "    names: [bass_of_side]",
            "  - {type: Mixer, name: to_left_right}",
        ]
    return Preset("\n".join(lines) + "\n", bands.max_deviation_db, left_out(controls, held))


def _width_filter(stereo: Mapping[str, float | tuple[float, ...]]) -> list[str]:
    return [
        "  bass_of_side:  # Butterworth high-pass",
        "    type: Biquad",
        f"    parameters: {{type: Highpass, freq: {_number(_one(stereo['bass_frequency_hz']), 4)}, "
        f"q: {_number(math.sqrt(0.5), 12)}}}",
    ]


def _mixers(stereo: Mapping[str, float | tuple[float, ...]]) -> list[str]:
    """Left and right to mid, side and a side without bass, and back with the width."""
    width, amount = _one(stereo["width"]), _one(stereo["bass_amount"])
    plain, high = width * (1.0 - amount), width * amount
    to = [[(0, 0.5), (1, 0.5)], [(0, 0.5), (1, -0.5)], [(0, 0.5), (1, -0.5)]]
    back = [[(0, 1.0), (1, plain), (2, high)], [(0, 1.0), (1, -plain), (2, -high)]]
    lines = ["mixers:"]
    for name, count, rows in (("to_mid_side", 2, to), ("to_left_right", 3, back)):
        lines += [f"  {name}:", f"    channels: {{in: {count}, out: {len(rows)}}}", "    mapping:"]
        for dest, sources in enumerate(rows):
            lines += [f"      - dest: {dest}", "        sources:"]
            lines += [
                f"          - {{channel: {channel}, gain: {_number(abs(gain), 9)}, scale: linear, "
                f"inverted: {'true' if gain < 0.0 else 'false'}}}"
                for channel, gain in sources
            ]
    return lines


def _one(value: float | tuple[float, ...]) -> float:
    assert not isinstance(value, tuple)
    return float(value)


def _number(value: float, decimals: int = 6) -> str:
    """With a dot, so that YAML reads a float."""
    text = fixed(value, decimals)
    return text if "." in text else f"{text}.0"
