"""Filters, mixers and pipeline for CamillaDSP (YAML, versions 2 and 3): add your own `devices` section.

`camilladsp_stages` says which stages it holds. CamillaDSP's own compressor adds the channels up, smooths the level
instead of the reduction and has neither knee nor mix, and its limiter is a clipper: such stages are left out, and
their settings stand in remarks.
"""

from neural_mastering.controls import ChainControls, stage_spec
from neural_mastering.rendering.outputs.export.camilladsp_parts import biquad, filter_step, number
from neural_mastering.rendering.outputs.export.camilladsp_stages import stage_parts
from neural_mastering.rendering.outputs.export.preset import (
    Preset,
    bands_at_rate,
    chain_stages,
    preset_of,
    remarks,
)


def write(controls: ChainControls, sample_rate: float) -> Preset:
    """The filters' text for a `samplerate` in Hz."""
    bands = bands_at_rate(controls, sample_rate, decimals=(4, 6, 6))
    found = {name: stage_parts(name, values, sample_rate) for name, values in chain_stages(controls)}
    stages = [parts for parts in found.values() if parts is not None]
    held = [parts.held for parts in stages]
    title = "Chain" if held else "Equaliser"
    title += " by neural_mastering for CamillaDSP; add a devices section, or merge into a configuration"
    lines = [f"# {line}" for line in remarks(controls, bands, sample_rate, title, held)]
    for name, parts in found.items():
        if parts is None:
            said = ", ".join(f"{key} {value}" for key, value in controls.stages[name].items())
            lines.append(f"# {stage_spec(name).title}, to be set by hand in a device of its kind: {said}")
    lines += [
        "filters:",
        "  gain:",
        "    type: Gain",
        f"    parameters: {{gain: {number(controls.gain_db)}, scale: dB, inverted: false, mute: false}}",
    ]
    names = ["gain"]
    for i, band in enumerate(bands.bands, 1):
        names.append(f"band_{i:02d}")
        lines += biquad(names[-1], band)
    lines += [line for parts in stages for line in parts.filters]
    mixers = [line for parts in stages for line in parts.mixers]
    lines += ["mixers:", *mixers] if mixers else []
    lines += ["pipeline:", *filter_step((0, 1), names)]
    lines += [line for parts in stages for line in parts.pipeline]
    return preset_of(lines, controls, bands, held)
