"""Heads that predict the parametric equaliser."""

from neural_mastering.models.eq_heads.adaptive_bands import AdaptiveBands
from neural_mastering.models.eq_heads.eq_head import EqControls, EqHead, EqLogits
from neural_mastering.models.eq_heads.fixed_bands import FixedBands
from neural_mastering.models.eq_heads.normal_tone import NormalToneHead

__all__ = ["AdaptiveBands", "EqControls", "EqHead", "EqLogits", "FixedBands", "NormalToneHead"]
