"""The columns of `metrics.suite.measure` that ablations show; the others would take most of the time."""

import math

from neural_mastering.dsp import stft_totals
from neural_mastering.dsp.ltas_error import levels_rms_error
from neural_mastering.metrics.lufs_error import loudness_difference
from neural_mastering.metrics.multi_resolution_stft import VIEWS
from neural_mastering.metrics.signal import Signal
from neural_mastering.metrics.suite import LEVEL_TOLERANCE_DB
from neural_mastering.units import db_to_gain

ABLATION_COLUMNS = ("mr_stft_matched", "ltas_error_matched", "mr_stft", "lufs_error")


def ablation_scores(prediction: Signal, target: Signal) -> dict[str, float]:
    """`ABLATION_COLUMNS` on left and right, as `measure` has them.

    Args:
        prediction, target: of one shape and rate.
    """
    gain_db = float(target.lufs[0] - prediction.lufs[0])
    gain_db = gain_db if math.isfinite(gain_db) and abs(gain_db) > LEVEL_TOLERANCE_DB else 0.0
    gains = [1.0, db_to_gain(gain_db)] if gain_db else [1.0]
    distances = stft_totals.distances(prediction.audio, target.audio, gains, [VIEWS["lr"]])
    rows = slice(0, target.channels)
    own, wanted = (side.third_octaves_db[None, rows] for side in (prediction, target))
    return {
        "mr_stft_matched": distances[-1][0],
        "ltas_error_matched": float(levels_rms_error(own, wanted, gain_db)),
        "mr_stft": distances[0][0],
        "lufs_error": float(loudness_difference(prediction.floored_lufs, target.floored_lufs)[0]),
    }
