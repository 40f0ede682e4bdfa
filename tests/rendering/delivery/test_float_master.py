"""Samples for encoders at another rate: below the ceiling again, and otherwise as soxr gives them."""

import numpy as np
import pytest
import soxr
import torch

from neural_mastering.audio_io.block import Block, blocks_of, joined
from neural_mastering.dsp.limiter import LimiterSettings
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.rendering.delivery.float_master import FloatMaster, at_rate


def peak_db(samples: Block, rate: int) -> float:
    return true_peak_db(torch.from_numpy(samples)[None], rate).item()


def limited(ceiling_db: float | None, audio: Block, rate: int, may_limit: bool = True) -> FloatMaster:
    settings = LimiterSettings() if may_limit else None
    return FloatMaster(lambda: blocks_of(audio), rate, 2, ceiling_db, settings)


@pytest.mark.parametrize("may_limit", [True, False])
def test_the_ceiling_holds_after_the_conversion(may_limit: bool) -> None:
    rng = np.random.default_rng(0)
    audio = np.clip(rng.standard_normal((2, 96_000)), -1.0, 1.0) * 0.5
    ceiling_db = peak_db(audio, 96_000)
    plain = soxr.resample(audio.T, 96_000, 48_000, "VHQ").T
    # clipped noise has its peaks from above 24 kHz: without that they are lower, so the ceiling is set below
    ceiling_db = min(ceiling_db, peak_db(np.ascontiguousarray(plain), 48_000) - 1.5)
    out = at_rate(limited(ceiling_db, audio, 96_000, may_limit), 48_000)
    samples = joined(out.blocks(), 2)
    assert samples.shape == plain.shape
    assert ceiling_db - 0.3 < peak_db(samples, 48_000) <= ceiling_db + 1e-6
    if not may_limit:  # one gain for the whole file
        gain = float((samples * plain).sum() / (plain * plain).sum())
        assert np.abs(samples - gain * plain).max() < 1e-6


def test_what_lies_below_the_ceiling_is_only_resampled() -> None:
    audio = 0.1 * np.random.default_rng(0).standard_normal((2, 44_100))
    plain = soxr.resample(audio.T, 44_100, 48_000, "VHQ").T
    for ceiling_db in (0.0, None):
        out = at_rate(limited(ceiling_db, audio, 44_100), 48_000)
        assert out.sample_rate == 48_000
        assert np.abs(joined(out.blocks(), 2) - plain).max() < 1e-9


def test_at_its_own_rate_nothing_happens() -> None:
    master = limited(-1.0, np.ones((2, 100)), 48_000)
    assert at_rate(master, 48_000) is master
