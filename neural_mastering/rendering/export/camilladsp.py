"""Filters and pipeline for CamillaDSP (YAML, versions 2 and 3): add your own `devices` section."""

from neural_mastering.rendering.controls import ChainControls
from neural_mastering.rendering.export.preset import NAMES, Preset, bands_at_rate, fixed, left_out, remarks

TYPES = {"low_shelf": "Lowshelf", "peak": "Peaking", "high_shelf": "Highshelf"}


def write(controls: ChainControls, sample_rate: float) -> Preset:
    """The filters' text for a `samplerate` in Hz."""
    bands = bands_at_rate(controls, sample_rate, decimals=(4, 6, 6))
    title = (
        "Equaliser by neural_mastering for CamillaDSP; add a devices section, or merge into a configuration"
    )
    lines = [f"# {line}" for line in remarks(controls, bands, sample_rate, title)]
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
    lines.append("pipeline:")
    # Version 2 wants a `channel` each, version 3 takes lists but also a single entry in one.
    lines += [
        "  - type: Filter",
        "    channels: [0, 1]  # CamillaDSP 3; in version 2 write this step twice, with channel: 0 and channel: 1",
        f"    names: [{', '.join(names)}]",
    ]
    return Preset("\n".join(lines) + "\n", bands.max_deviation_db, left_out(controls))


def _number(value: float, decimals: int = 6) -> str:
    """With a dot, so that YAML reads a float."""
    text = fixed(value, decimals)
    return text if "." in text else f"{text}.0"
