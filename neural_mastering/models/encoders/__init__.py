"""Encoders: loudness-normalised audio → z."""

from neural_mastering.models.encoders.encoder import Encoder
from neural_mastering.models.encoders.log_mel import LogMel
from neural_mastering.models.encoders.mel_powers import MelPowers
from neural_mastering.models.encoders.tcn import TCN

__all__ = ["TCN", "Encoder", "LogMel", "MelPowers"]
