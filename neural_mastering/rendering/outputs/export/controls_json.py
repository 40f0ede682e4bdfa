"""JSON: the controls in physical units, and the finished biquads for a sample rate."""

import json
from typing import Any

import numpy as np

from neural_mastering.controls import ChainControls
from neural_mastering.rendering.outputs.export.preset import Preset

VERSION = 1


def write(controls: ChainControls, sample_rate: float) -> Preset:
    """All controls as they are, and the sections [b0, b1, b2, 1, a1, a2] with their curve at a sample rate."""
    deviation_db = controls.eq_deviation_db(sample_rate)
    tree: dict[str, Any] = {
        "generator": "neural_mastering",
        "version": VERSION,
        "design_rate_hz": controls.design_rate_hz,
        "gain_db": controls.gain_db,
        "eq": [
            {"kind": b.kind, "frequency_hz": b.frequency_hz, "gain_db": b.gain_db, "q": b.q}
            for b in controls.eq
        ],
        "stages": {name: dict(stage) for name, stage in controls.stages.items()},
        "residual": controls.residual,
        "residual_amount": controls.residual_amount,
        "biquads": {
            "sample_rate_hz": sample_rate,
            "max_deviation_db": float(np.round(deviation_db, 6)),
            "deviation_range_hz": [10.0, 16_000.0],
            "columns": ["b0", "b1", "b2", "a0", "a1", "a2"],
            "sections": controls.eq_sections(sample_rate).tolist(),
        },
    }
    text = json.dumps(tree, indent=2, ensure_ascii=False, allow_nan=False)
    # The neural residual is named but can't be rendered from numbers.
    return Preset(text + "\n", deviation_db, ("residual",) if controls.residual is not None else ())
