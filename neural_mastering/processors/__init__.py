"""Audio devices with physical controls."""

from neural_mastering.processors.chain import Chain
from neural_mastering.processors.compressor import Compressor
from neural_mastering.processors.control import Control
from neural_mastering.processors.dynamic_eq import DynamicEQ
from neural_mastering.processors.gain import Gain
from neural_mastering.processors.limiter import Limiter
from neural_mastering.processors.mid_side_eq import MidSideEQ
from neural_mastering.processors.multiband_compressor import MultibandCompressor
from neural_mastering.processors.multiband_width import MultibandWidth
from neural_mastering.processors.neural_saturation import NeuralSaturation
from neural_mastering.processors.parametric_eq import ParametricEQ
from neural_mastering.processors.processor import Processor, State
from neural_mastering.processors.saturation import Saturation
from neural_mastering.processors.stereo_width import StereoWidth
from neural_mastering.processors.streaming import render_in_chunks

__all__ = [
    "Chain",
    "Compressor",
    "Control",
    "DynamicEQ",
    "Gain",
    "Limiter",
    "MidSideEQ",
    "MultibandCompressor",
    "MultibandWidth",
    "NeuralSaturation",
    "ParametricEQ",
    "Processor",
    "Saturation",
    "State",
    "StereoWidth",
    "render_in_chunks",
]
