"""Multi-resolution STFT distance: closed forms, the peer, gradcheck, and one engine against the other."""

import math

import jaxtyping
import numpy as np
import pytest
import torch
from torch import Tensor

from neural_mastering.dsp import stft_fused
from neural_mastering.dsp.stft import Engine, multi_resolution_stft_distance
from neural_mastering.dsp.stft_resolution import VIEWS, View, resolution

ENGINES: tuple[Engine, ...] = ("fused", "torch")
SIZES = (1024, 512, 256)


def _noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def _pair(*shape: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """A prediction and a target that have something in common."""
    target = _noise(*shape, seed=1, dtype=dtype)
    return 0.7 * target + 0.5 * _noise(*shape, seed=2, dtype=dtype), target


def _with_gradient(prediction: Tensor, target: Tensor, **settings) -> tuple[Tensor, Tensor]:
    leaf = prediction.clone().requires_grad_()
    values = multi_resolution_stft_distance(leaf, target, **settings)
    values.sum().backward()
    assert leaf.grad is not None
    return values.detach(), leaf.grad


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("gain", [0.5, 1.25])
def test_a_pure_gain_has_a_closed_form(engine: Engine, gain: float) -> None:
    target = _noise(2, 2, 5000)
    values = multi_resolution_stft_distance(gain * target, target, SIZES, floor_db=-200.0, engine=engine)
    expected = torch.full((2,), abs(gain - 1.0) + abs(math.log(gain)))
    torch.testing.assert_close(values, expected, rtol=2e-6, atol=0)


@pytest.mark.parametrize("engine", ENGINES)
def test_equals_auraloss_at_batch_one(engine: Engine) -> None:
    auraloss = pytest.importorskip("auraloss", reason="needs the extra interop")
    sizes = (8192, 4096, 2048, 1024, 512, 256)
    prediction, target = _pair(1, 2, 20_000)
    peer_leaf = prediction.clone().requires_grad_()
    peer = auraloss.freq.MultiResolutionSTFTLoss(list(sizes), [n // 4 for n in sizes], list(sizes))(
        peer_leaf, target
    )
    peer.backward()
    value, gradient = _with_gradient(
        prediction,
        target,
        views=("left", "right"),
        floor_db=-80.0,
        floor_reference="bin",
        engine=engine,
    )
    torch.testing.assert_close(value[0], peer.detach(), rtol=1e-6, atol=0)
    # The derivative of a logarithm near its floor magnifies the rounding of either FFT.
    tolerance = 1e-5 if engine == "torch" else 2e-2
    assert peer_leaf.grad is not None
    assert (gradient - peer_leaf.grad).norm() < tolerance * peer_leaf.grad.norm()


@pytest.mark.parametrize(
    ("channels", "time", "hop_ratio", "views"),
    [
        (2, 5000, 0.25, VIEWS),
        (2, 4097, 0.5, ("side",)),
        (2, 3001, 0.25, ("right", "mid")),
        (1, 2500, 0.2, VIEWS),
        (2, 1024, 1.0, ("left", "right")),
    ],
)
def test_fused_engine_agrees_with_double_precision(
    channels: int, time: int, hop_ratio: float, views: tuple[View, ...]
) -> None:
    prediction, target = _pair(3, channels, time)
    settings = {"fft_sizes": SIZES, "hop_ratio": hop_ratio, "views": views, "floor_db": -60.0}
    value, gradient = _with_gradient(prediction, target, engine="fused", **settings)
    exact, exact_gradient = _with_gradient(prediction.double(), target.double(), engine="torch", **settings)
    torch.testing.assert_close(value.double(), exact, rtol=1e-6, atol=0)
    assert (gradient - exact_gradient).norm() < 1e-4 * exact_gradient.norm()


def test_threads_and_neighbours_change_no_bit() -> None:
    prediction, target = (side.numpy() for side in _pair(3, 2, 3000))
    resolutions = [resolution(size, 0.25, -100.0, "sine", -60.0) for size in SIZES]
    mix = [(1.0, 0.0), (0.5, 0.5)]
    one = stft_fused.distance_and_gradient(prediction, target, resolutions, mix, True, workers=1)
    three = stft_fused.distance_and_gradient(prediction, target, resolutions, mix, True, workers=3)
    alone = stft_fused.distance_and_gradient(prediction[1:2], target[1:2], resolutions, mix, True, workers=2)
    assert one[1] is not None and three[1] is not None and alone[1] is not None
    np.testing.assert_array_equal(one[0], three[0])
    np.testing.assert_array_equal(one[1], three[1])
    np.testing.assert_array_equal(one[0][1:2], alone[0])
    np.testing.assert_array_equal(one[1][1:2], alone[1])


def test_no_more_ffts_than_value_and_gradient_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two real FFTs a frame and side, and two back: views cost none; nor does a value without its gradient."""
    counted = {"rfft": 0, "irfft": 0}
    for name in counted:
        original = getattr(torch.fft, name)

        def counting(x: Tensor, *args, name: str = name, original=original, **settings) -> Tensor:
            counted[name] += x.numel() // x.shape[-1]
            return original(x, *args, **settings)

        monkeypatch.setattr(torch.fft, name, counting)
    prediction, target = _pair(3, 2, 3000)
    frames = sum(3000 // (size // 4) + 1 for size in SIZES)
    _with_gradient(prediction, target, fft_sizes=SIZES, engine="fused")
    assert counted == {"rfft": 3 * 2 * 2 * frames, "irfft": 3 * 2 * frames}
    multi_resolution_stft_distance(prediction, target, fft_sizes=SIZES, engine="fused")
    assert counted == {"rfft": 2 * 3 * 2 * 2 * frames, "irfft": 3 * 2 * frames}


@pytest.mark.parametrize("channels", [1, 2])
def test_gradcheck(channels: int) -> None:
    prediction, target = _pair(2, channels, 50, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: multi_resolution_stft_distance(x, target, fft_sizes=(32, 8)), prediction.requires_grad_()
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("which", ["target", "output", "both"])
def test_silence_is_finite_and_mild(engine: Engine, which: str) -> None:
    prediction, target = _pair(2, 2, 4000)
    prediction = torch.zeros_like(prediction) if which in ("output", "both") else prediction
    target = torch.zeros_like(target) if which in ("target", "both") else target
    values, gradient = _with_gradient(prediction, target, fft_sizes=SIZES, engine=engine)
    assert torch.isfinite(values).all() and torch.isfinite(gradient).all()
    if which == "both":
        assert values.abs().max() == 0.0 and gradient.abs().max() == 0.0
    elif which == "target":
        # Noise at −18 dBFS against silence at −60: convergence 10^(42/20) plus some ten nepers.
        assert (values < 150.0).all() and (gradient != 0).any()
    else:
        # Convergence 1, and every bin as far down as the floor.
        assert ((values > 5.0) & (values < 15.0)).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_mono_compatible_audio_has_a_silent_side(engine: Engine) -> None:
    prediction, target = (side.expand(-1, 2, -1) for side in _pair(2, 1, 4000))
    values, gradient = _with_gradient(prediction, target, fft_sizes=SIZES, engine=engine)
    assert torch.isfinite(values).all() and torch.isfinite(gradient).all()
    assert (values < 2.0).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_mono_is_one_view(engine: Engine) -> None:
    prediction, target = _pair(2, 1, 4000)
    mono, gradient = _with_gradient(prediction, target, fft_sizes=SIZES, engine=engine)
    stereo, stereo_gradient = _with_gradient(
        prediction.repeat(1, 2, 1), target.repeat(1, 2, 1), fft_sizes=SIZES, views=("left",), engine=engine
    )
    torch.testing.assert_close(mono, stereo, rtol=1e-6, atol=0)
    assert (gradient - stereo_gradient[:, :1]).norm() < 1e-4 * gradient.norm()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_magnitudes_of_left_and_right_miss_costs(engine: Engine) -> None:
    left, shared = _noise(1, 1, 6000, seed=3), _noise(1, 1, 6000, seed=4)
    target = torch.cat([shared + 0.5 * left, shared - 0.2 * left], dim=1)
    inverted = target * torch.tensor([1.0, -1.0])[:, None]

    def cost(audio: Tensor, views: tuple[View, ...] = VIEWS) -> float:
        return multi_resolution_stft_distance(audio, target, SIZES, views=views, engine=engine).item()

    assert cost(target.clone()) == 0.0
    assert cost(inverted, ("left", "right")) < 1e-6
    assert cost(inverted) > 0.5
    assert cost(target.flip(1)) > 0.1


@pytest.mark.parametrize("engine", ENGINES)
def test_windows_longer_than_the_audio_are_left_out(engine: Engine) -> None:
    prediction, target = _pair(1, 2, 700)
    kept = multi_resolution_stft_distance(prediction, target, (512, 256), engine=engine)
    torch.testing.assert_close(
        multi_resolution_stft_distance(prediction, target, SIZES, engine=engine), kept, rtol=0, atol=0
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("time", [1, 100])
def test_audio_shorter_than_every_window_is_padded_with_zeros(engine: Engine, time: int) -> None:
    prediction, target = _pair(1, 2, time)
    values, gradient = _with_gradient(prediction, target, fft_sizes=(256,), engine=engine)
    padded = [torch.nn.functional.pad(side, (0, 256 - time)) for side in (prediction, target)]
    torch.testing.assert_close(
        values, multi_resolution_stft_distance(padded[0], padded[1], (256,), engine=engine)
    )
    assert gradient.shape == prediction.shape and torch.isfinite(gradient).all() and (gradient != 0).any()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_nan_is_not_hidden(engine: Engine) -> None:
    prediction, target = _pair(2, 2, 2000)
    prediction[0, 0, 700] = math.nan
    values = multi_resolution_stft_distance(prediction, target, SIZES, engine=engine)
    assert values[0].isnan() and torch.isfinite(values[1])


@pytest.mark.parametrize("engine", ENGINES)
def test_non_contiguous_audio(engine: Engine) -> None:
    prediction, target = _pair(2, 3000, 2)
    expected = multi_resolution_stft_distance(
        prediction.mT.contiguous(), target.mT.contiguous(), SIZES, engine=engine
    )
    got = multi_resolution_stft_distance(prediction.mT, target.mT, SIZES, engine=engine)
    torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_half_precision_is_computed_in_single() -> None:
    prediction, target = _pair(1, 2, 3000)
    expected = multi_resolution_stft_distance(prediction.bfloat16().float(), target, SIZES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = multi_resolution_stft_distance(prediction.bfloat16(), target, SIZES)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_mistakes_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Users have no checks of types at run time: the messages must come without.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    audio = torch.zeros(1, 2, 100)
    with pytest.raises(ValueError, match="share one shape"):
        multi_resolution_stft_distance(audio, audio[..., 1:])
    with pytest.raises(ValueError, match="1 or 2 channels"):
        multi_resolution_stft_distance(torch.zeros(1, 3, 100), torch.zeros(1, 3, 100))
    with pytest.raises(ValueError, match="views must be some of"):
        multi_resolution_stft_distance(audio, audio, views=("centre",))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="even numbers"):
        multi_resolution_stft_distance(audio, audio, fft_sizes=(255,))
    with pytest.raises(ValueError, match="hop_ratio"):
        multi_resolution_stft_distance(audio, audio, hop_ratio=0.0)
    with pytest.raises(ValueError, match="engine='auto'"):
        multi_resolution_stft_distance(audio.double(), audio.double(), engine="fused")
