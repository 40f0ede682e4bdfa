"""Coefficients of the K-weighting (ITU-R BS.1770): a high shelf of about +4 dB and a high-pass at 38 Hz.

BS.1770 gives them for 48 kHz only; the analogue parameters behind that table give the same filter at other rates.
This module needs no torch, so that meters of files start fast; `weighting` has the tensor functions.

Source: ITU-R BS.1770-5, annex 1, and B. De Man, "Evaluation of implementations of the EBU R128 loudness
measurement", AES 145 (2018).
"""

import math

import numpy as np

from neural_mastering.units import db_to_gain

LOWEST_RATE_HZ = 8000

_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_SHELF_MID_EXPONENT = 0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773


def k_weighting_sections(sample_rate: float) -> np.ndarray:
    """The two biquads of the K-weighting as float64 rows [b0, b1, b2, 1, a1, a2]: shelf, high-pass.

    At 48 kHz they are tables 1 and 2 of BS.1770. The high-pass has the numerator [1, −2, 1] at every rate.

    Raises:
        ValueError: a rate below 8 kHz, which leaves no room for the shelf.
    """
    if not sample_rate >= LOWEST_RATE_HZ:
        raise ValueError(f"K-weighting needs a rate of {LOWEST_RATE_HZ} Hz or more; got {sample_rate:g} Hz")
    k = math.tan(math.pi * _SHELF_HZ / sample_rate)
    high = db_to_gain(_SHELF_DB)
    middle = high**_SHELF_MID_EXPONENT
    a0 = 1.0 + k / _SHELF_Q + k * k
    shelf = [
        (high + middle * k / _SHELF_Q + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - middle * k / _SHELF_Q + k * k) / a0,
        1.0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / _SHELF_Q + k * k) / a0,
    ]
    k = math.tan(math.pi * _HIGH_PASS_HZ / sample_rate)
    a0 = 1.0 + k / _HIGH_PASS_Q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / _HIGH_PASS_Q + k * k) / a0]
    return np.array([shelf, high_pass])
