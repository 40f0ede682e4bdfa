"""Encoders: loudness-normalised audio → z."""

from neural_mastering.models.encoders.content import ContentEncoder, content_size
from neural_mastering.models.encoders.encoder import Encoder
from neural_mastering.models.encoders.log_mel import LogMel
from neural_mastering.models.encoders.mel_powers import MelPowers
from neural_mastering.models.encoders.tcn import TCN

__all__ = ["TCN", "ContentEncoder", "Encoder", "LogMel", "MelPowers", "content_size"]
