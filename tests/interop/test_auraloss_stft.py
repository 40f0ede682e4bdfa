"""auraloss in the place of our own loss: the same number where it is right, and its defects worked around."""

import sys

import pytest
import torch

from neural_mastering.dsp.stft import multi_resolution_stft_distance
from neural_mastering.interop.auraloss_stft import AuralossSTFT
from neural_mastering.output import MasteringOutput

SIZES = (512, 256)


def _term() -> AuralossSTFT:
    pytest.importorskip("auraloss", reason="needs the extra interop")
    return AuralossSTFT(fft_sizes=SIZES)


def _value(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return _term()(MasteringOutput.of_audio(prediction), target)


def test_equals_our_own_distance_item_by_item() -> None:
    target = torch.randn(3, 2, 3000) * torch.tensor([0.5, 0.1, 0.02])[:, None, None]
    prediction = 0.8 * target + 0.02 * torch.randn(3, 2, 3000)
    ours = multi_resolution_stft_distance(
        prediction, target, SIZES, views=("left", "right"), floor_db=-80.0, floor_reference="bin"
    )
    torch.testing.assert_close(_value(prediction, target), ours.mean(), rtol=1e-5, atol=0)


def test_a_silent_target_stays_moderate() -> None:
    prediction = (0.1 * torch.randn(2, 2, 3000)).requires_grad_()
    value = _value(prediction, torch.zeros(2, 2, 3000))
    value.backward()
    # ln of some 1 against the floor of 1e-4, and no quotient.
    assert 5.0 < value.item() < 15.0
    assert prediction.grad is not None and torch.isfinite(prediction.grad).all()


def test_non_contiguous_audio() -> None:
    prediction, target = 0.1 * torch.randn(2, 3000, 2), 0.1 * torch.randn(2, 3000, 2)
    expected = _value(prediction.mT.contiguous(), target.mT.contiguous())
    torch.testing.assert_close(_value(prediction.mT, target.mT), expected, rtol=0, atol=0)


def test_windows_too_long_to_reflect_are_left_out() -> None:
    prediction, target = 0.1 * torch.randn(1, 2, 200), 0.1 * torch.randn(1, 2, 200)
    pytest.importorskip("auraloss", reason="needs the extra interop")
    shorter = AuralossSTFT(fft_sizes=(256,))(MasteringOutput.of_audio(prediction), target)
    torch.testing.assert_close(_value(prediction, target), shorter, rtol=0, atol=0)
    with pytest.raises(ValueError, match="100 samples are too few"):
        _value(prediction[..., :100], target[..., :100])


def test_without_auraloss_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "auraloss.freq", None)
    monkeypatch.setitem(sys.modules, "auraloss", None)
    with pytest.raises(ImportError, match=r"neural-mastering\[interop\]"):
        AuralossSTFT()
