"""Loss terms and their weighted sum."""

from neural_mastering.losses.a_weighted import AWeighted
from neural_mastering.losses.gate_sparsity import GateSparsity
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.losses.loudness_matched import LoudnessMatched
from neural_mastering.losses.lufs import Lufs
from neural_mastering.losses.multi_resolution_stft import MultiResolutionSTFT
from neural_mastering.losses.parameter_regularization import ParameterRegularization
from neural_mastering.losses.residual_share import ResidualShare
from neural_mastering.losses.third_octaves import ThirdOctaves
from neural_mastering.losses.weighted_sum import WeightedSum, WeightedTerm

__all__ = [
    "AWeighted",
    "GateSparsity",
    "LossTerm",
    "LoudnessMatched",
    "Lufs",
    "MultiResolutionSTFT",
    "ParameterRegularization",
    "ResidualShare",
    "ThirdOctaves",
    "WeightedSum",
    "WeightedTerm",
]
