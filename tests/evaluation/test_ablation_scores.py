"""The few columns of ablations are those of the whole suite, to the last digit."""

import pytest
import torch

from neural_mastering.evaluation.ablation_scores import ABLATION_COLUMNS, ablation_scores
from neural_mastering.metrics.signal import Signal
from neural_mastering.metrics.suite import measure

RATE = 44_100


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("gain", [0.0, 0.3, 1.0])
def test_they_are_those_of_the_suite(channels: int, gain: float) -> None:
    generator = torch.Generator().manual_seed(1)
    target = 0.1 * torch.randn(1, channels, 2 * RATE, generator=generator)
    duller = target + 0.9 * target.roll(1, -1) if gain != 1.0 else target.clone()
    pair = Signal(gain * duller, RATE, 12_000.0), Signal(target, RATE, 12_000.0)
    whole = measure(*pair)
    few = ablation_scores(*pair)
    assert tuple(few) == ABLATION_COLUMNS
    assert few == pytest.approx({column: whole[column] for column in ABLATION_COLUMNS}, rel=1e-6, abs=1e-9)
    if gain == 0.3:
        assert few["mr_stft"] != few["mr_stft_matched"] and few["lufs_error"] > 1.0
