"""Released music made worse by a seeded, documented chain, so that mastering it back has a known answer."""

from neural_mastering.data.degradation.chain import DegradationChain
from neural_mastering.data.degradation.parameters import Band, Degradation, Expansion, eq_curve_db
from neural_mastering.data.degradation.preset import PRESETS, Preset, load_preset
from neural_mastering.data.degradation.records import read_degradations

__all__ = [
    "PRESETS",
    "Band",
    "Degradation",
    "DegradationChain",
    "Expansion",
    "Preset",
    "eq_curve_db",
    "load_preset",
    "read_degradations",
]
