"""Building blocks that several networks share."""

from neural_mastering.models.blocks.film import FiLM
from neural_mastering.models.blocks.mid_side import mid_side
from neural_mastering.models.blocks.pooling import mean_and_std
from neural_mastering.models.blocks.resample import Downsample, Upsample, low_pass_taps
from neural_mastering.models.blocks.tcn_block import DilatedStack, FrameNorm, TCNBlock

__all__ = [
    "DilatedStack",
    "Downsample",
    "FiLM",
    "FrameNorm",
    "TCNBlock",
    "Upsample",
    "low_pass_taps",
    "mean_and_std",
    "mid_side",
]
