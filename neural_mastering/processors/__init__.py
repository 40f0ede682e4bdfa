"""Audio devices with physical controls."""

from neural_mastering.processors.control import Control
from neural_mastering.processors.gain import Gain
from neural_mastering.processors.parametric_eq import ParametricEQ
from neural_mastering.processors.processor import Processor, State

__all__ = ["Control", "Gain", "ParametricEQ", "Processor", "State"]
