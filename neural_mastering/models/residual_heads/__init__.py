"""Residual heads: what the white box can't do."""

from neural_mastering.models.residual_heads.none import NoResidual
from neural_mastering.models.residual_heads.residual_head import ResidualHead
from neural_mastering.models.residual_heads.streaming import Span, render_chunked, spans
from neural_mastering.models.residual_heads.wave_unet import WaveUNet

__all__ = ["NoResidual", "ResidualHead", "Span", "WaveUNet", "render_chunked", "spans"]
