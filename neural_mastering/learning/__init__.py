"""Learn a mastering engineer from pairs: measure, fit, cross-validate, report."""

from neural_mastering.engineer.features import SongFeatures
from neural_mastering.engineer.fit import fit
from neural_mastering.engineer.learned import LearnedEngineer, Prediction
from neural_mastering.engineer.pair import MasterMove, PairMeasurement, measure_features, measure_pair

__all__ = [
    "LearnedEngineer",
    "MasterMove",
    "PairMeasurement",
    "Prediction",
    "SongFeatures",
    "fit",
    "measure_features",
    "measure_pair",
]
