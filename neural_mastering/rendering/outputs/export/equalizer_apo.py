"""Equalizer APO text, which AutoEq, REW, EasyEffects and others read too.

Fc has at most two decimals: some readers take exactly three for a thousands separator. Gain and Q have four,
which a null below −80 dB takes. Q is always written; LSC and HSC are shelves whose Fc is the middle of the
slope, with the cookbook's Q.
"""

from neural_mastering.controls import ChainControls
from neural_mastering.rendering.outputs.export.preset import Preset, bands_at_rate, fixed, preset_of, remarks

TYPES = {"low_shelf": "LSC", "peak": "PK", "high_shelf": "HSC"}


def write(controls: ChainControls, sample_rate: float) -> Preset:
    """The preset's text for software that runs at a sample rate."""
    bands = bands_at_rate(controls, sample_rate, decimals=(2, 4, 4))
    lines = [f"# {line}" for line in remarks(controls, bands, sample_rate, "Equaliser by neural_mastering")]
    lines.append(f"Preamp: {controls.gain_db:.4f} dB")
    lines += [
        f"Filter {i}: ON {TYPES[b.kind]} Fc {fixed(b.frequency_hz, 2)} Hz Gain {b.gain_db:.4f} dB Q {b.q:.4f}"
        for i, b in enumerate(bands.bands, 1)
    ]
    return preset_of(lines, controls, bands)
