"""Released music made worse by a seeded, documented chain, so that mastering it back has a known answer."""

from neural_mastering.data.degradation.chain import DegradationChain
from neural_mastering.data.degradation.parameters import Degradation, DegradationBand, Expansion, eq_curve_db
from neural_mastering.data.degradation.preset import PRESETS, DegradationPreset, load_preset
from neural_mastering.data.degradation.records import read_degradations

__all__ = [
    "PRESETS",
    "Degradation",
    "DegradationBand",
    "DegradationChain",
    "DegradationPreset",
    "Expansion",
    "eq_curve_db",
    "load_preset",
    "read_degradations",
]
