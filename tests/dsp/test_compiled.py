"""Where compiled loops step aside for tensor operations."""

import numba
import pytest
import torch

from neural_mastering.dsp.biquad import equalize
from neural_mastering.dsp.compiled import can_compile_for


def test_only_on_a_cpu_with_the_compiler_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_compile_for(torch.zeros(1))
    assert not can_compile_for(torch.zeros(1, device="meta"))
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert not can_compile_for(torch.zeros(1))


class _Equaliser(torch.nn.Module):
    def forward(
        self, audio: torch.Tensor, frequency: torch.Tensor, gain: torch.Tensor, q: torch.Tensor
    ) -> torch.Tensor:
        return equalize(audio, frequency, gain, q, 44_100.0, taps=1_024)


def test_an_exported_equaliser_gives_the_same_audio() -> None:
    audio = 0.1 * torch.randn(1, 2, 2_000)
    frequency, gain, q = torch.tensor([[500.0, 4_000.0], [6.0, -9.0], [1.0, 2.0]]).unsqueeze(1)
    exported = torch.export.export(_Equaliser(), (audio, frequency, gain, q)).module()
    torch.testing.assert_close(
        exported(audio, frequency, gain, q), _Equaliser()(audio, frequency, gain, q), rtol=0, atol=1e-6
    )
