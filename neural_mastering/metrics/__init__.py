"""Metrics: a pure function and a torchmetrics.Metric a file; `suite` measures all of them at once."""

from neural_mastering.metrics.a_weighted_error import AWeightedError, a_weighted_error
from neural_mastering.metrics.correlation_error import CorrelationError, correlation_error
from neural_mastering.metrics.crest_error import CrestError, crest_error
from neural_mastering.metrics.item_metric import ItemMetric, MetricInfo
from neural_mastering.metrics.loudness_range_error import LoudnessRangeError, loudness_range_error
from neural_mastering.metrics.ltas_error import LtasError, ltas_error
from neural_mastering.metrics.lufs_error import LufsError, lufs_error
from neural_mastering.metrics.mel_distance import MelDistance
from neural_mastering.metrics.multi_resolution_stft import MultiResolutionStft, multi_resolution_stft
from neural_mastering.metrics.peak_to_loudness_error import PeakToLoudnessError, peak_to_loudness_error
from neural_mastering.metrics.snr import SignalToNoise, snr_db
from neural_mastering.metrics.stereo_width_error import StereoWidthError, stereo_width_error
from neural_mastering.metrics.true_peak import TruePeak, true_peak_level
from neural_mastering.metrics.true_peak_error import TruePeakError, true_peak_error

__all__ = [
    "AWeightedError",
    "CorrelationError",
    "CrestError",
    "ItemMetric",
    "LoudnessRangeError",
    "LtasError",
    "LufsError",
    "MelDistance",
    "MetricInfo",
    "MultiResolutionStft",
    "PeakToLoudnessError",
    "SignalToNoise",
    "StereoWidthError",
    "TruePeak",
    "TruePeakError",
    "a_weighted_error",
    "correlation_error",
    "crest_error",
    "loudness_range_error",
    "ltas_error",
    "lufs_error",
    "multi_resolution_stft",
    "peak_to_loudness_error",
    "snr_db",
    "stereo_width_error",
    "true_peak_error",
    "true_peak_level",
]
