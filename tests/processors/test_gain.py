"""Broadband gain against its definition, and its logits against the range."""

import pytest
import torch

from neural_mastering.processors import Gain


def test_six_decibels_double_and_signs_are_kept() -> None:
    audio = torch.tensor([[[0.25, -0.5], [0.1, 0.0]]], dtype=torch.float64)
    louder, _ = Gain().render(audio, gain_db=torch.tensor([20.0 * 0.30102999566398120], dtype=torch.float64))
    torch.testing.assert_close(louder, 2.0 * audio)


def test_each_item_has_its_own_gain() -> None:
    audio = torch.ones(3, 2, 4)
    out, _ = Gain().render(audio, gain_db=torch.tensor([0.0, 20.0, -20.0]))
    torch.testing.assert_close(out[:, 0, 0], torch.tensor([1.0, 10.0, 0.1]))


def test_the_range_bounds_the_control() -> None:
    gain = Gain(range_db=9.0)
    controls = gain.controls(torch.tensor([[-100.0], [0.0], [100.0]]))
    assert controls["gain_db"].tolist() == pytest.approx([-9.0, 0.0, 9.0])
