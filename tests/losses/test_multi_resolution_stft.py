"""The loss term is the mean of the pure function over items."""

import jaxtyping
import pytest
import torch

from neural_mastering.dsp.stft import multi_resolution_stft_distance
from neural_mastering.losses.multi_resolution_stft import MultiResolutionSTFT
from neural_mastering.output import MasteringOutput

SIZES = (1024, 256)


def _batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Four items of very different level."""
    target = torch.randn(4, 2, 3000) * torch.tensor([0.3, 0.1, 0.03, 0.01])[:, None, None]
    return target + 0.02 * torch.randn(4, 2, 3000), target


def test_is_the_mean_of_the_pure_function() -> None:
    prediction, target = _batch()
    settings = {"hop_ratio": 0.5, "views": ("left", "side"), "floor_db": -70.0, "silence_db": -35.0}
    term = MultiResolutionSTFT(fft_sizes=SIZES, floor_reference="bin", engine="torch", **settings)
    expected = multi_resolution_stft_distance(
        prediction, target, SIZES, floor_reference="bin", engine="torch", **settings
    ).mean()
    torch.testing.assert_close(term(MasteringOutput.of_audio(prediction), target), expected, rtol=0, atol=0)


def test_does_not_depend_on_how_a_batch_is_divided() -> None:
    prediction, target = _batch()
    term = MultiResolutionSTFT(fft_sizes=SIZES)

    def gradient(rows: list[slice]) -> tuple[torch.Tensor, torch.Tensor]:
        leaf = prediction.clone().requires_grad_()
        parts = [term(MasteringOutput.of_audio(leaf[r]), target[r]) for r in rows]
        loss = torch.stack(parts).mean()
        loss.backward()
        assert leaf.grad is not None
        return loss.detach(), leaf.grad

    whole, halves = gradient([slice(0, 4)]), gradient([slice(0, 2), slice(2, 4)])
    torch.testing.assert_close(whole[0], halves[0], rtol=1e-6, atol=0)
    torch.testing.assert_close(whole[1], halves[1], rtol=1e-6, atol=1e-9)


def test_gradient_descent_on_the_audio_reaches_the_target_spectrum() -> None:
    target = 0.1 * torch.randn(1, 2, 2048)
    audio = (0.5 * target).requires_grad_()
    term = MultiResolutionSTFT(fft_sizes=SIZES)
    optimizer = torch.optim.Adam([audio], lr=2e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = term(MasteringOutput.of_audio(audio), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_bad_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Users have no checks of types at run time: the messages must come without.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    audio = torch.zeros(1, 2, 3000)
    with pytest.raises(ValueError, match="views"):
        MultiResolutionSTFT(views=("top",))(MasteringOutput.of_audio(audio), audio)  # pyright: ignore[reportArgumentType]
