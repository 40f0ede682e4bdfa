"""The equaliser against scipy's recursive filter, the cookbook's formulae, closed forms and gradcheck."""

import math
from collections.abc import Sequence

import jaxtyping
import numpy as np
import pytest
import scipy.signal
import torch
from numpy.typing import NDArray
from torch import Tensor

from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import KINDS, Kind, equalize, response, response_db

RATE = 44_100.0
LOW_SHELF, PEAK, HIGH_SHELF = KINDS
PEAKS: list[Kind] = [PEAK] * 10
SHELVED: list[Kind] = [LOW_SHELF, *PEAKS[:8], HIGH_SHELF]


@pytest.fixture(params=["compiled", "tensor"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the compiled loops and with tensor operations."""
    if request.param == "tensor":
        monkeypatch.setattr(biquad, "can_compile_for", lambda _: False)
    return request.param


def cookbook(kind: Kind, frequency_hz: float, gain_db: float, q: float) -> NDArray[np.float64]:
    """One second-order section, written down from the Audio EQ Cookbook."""
    a = 10.0 ** (gain_db / 40.0)
    w0 = 2.0 * np.pi * frequency_hz / RATE
    c, alpha = np.cos(w0), np.sin(w0) / (2.0 * q)
    r = 2.0 * np.sqrt(a) * alpha
    if kind == "peak":
        b = [1 + alpha * a, -2 * c, 1 - alpha * a]
        d = [1 + alpha / a, -2 * c, 1 - alpha / a]
    elif kind == "low_shelf":
        b = [
            a * ((a + 1) - (a - 1) * c + r),
            2 * a * ((a - 1) - (a + 1) * c),
            a * ((a + 1) - (a - 1) * c - r),
        ]
        d = [(a + 1) + (a - 1) * c + r, -2 * ((a - 1) + (a + 1) * c), (a + 1) + (a - 1) * c - r]
    else:
        b = [
            a * ((a + 1) + (a - 1) * c + r),
            -2 * a * ((a - 1) + (a + 1) * c),
            a * ((a + 1) + (a - 1) * c - r),
        ]
        d = [(a + 1) - (a - 1) * c + r, 2 * ((a - 1) - (a + 1) * c), (a + 1) - (a - 1) * c - r]
    return np.array([*b, *d]) / d[0]


def sections(kinds: Sequence[Kind], *parameters: Tensor) -> NDArray[np.float64]:
    """Second-order sections of one item."""
    columns = [p.double().tolist() for p in parameters]
    return np.stack([cookbook(kind, f, g, q) for kind, f, g, q in zip(kinds, *columns, strict=True)])


def settings(kinds: Sequence[Kind], batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """20 Hz to 18 kHz, gains to ±12 dB, Q to 5 (shelves to 1), both ends reached."""
    generator = torch.Generator().manual_seed(5)
    bands = len(kinds)
    frequency = torch.logspace(math.log10(20.0), math.log10(18_000.0), bands).repeat(batch, 1)
    gain = 24.0 * torch.rand(batch, bands, generator=generator) - 12.0
    gain[:, 0], gain[:, -1] = 12.0, -12.0
    q = 0.5 + 4.5 * torch.rand(batch, bands, generator=generator)
    q[:, 0] = 5.0
    for band, kind in enumerate(kinds):
        if kind != "peak":
            q[:, band] = 1.0
    return frequency, gain, q


def one(f: float, g: float, q: float, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """One band of one item."""
    frequency, gain, quality = torch.tensor([f, g, q], dtype=dtype).view(3, 1, 1)
    return frequency, gain, quality


@pytest.mark.parametrize("kinds", [PEAKS, SHELVED], ids=["peaks", "shelved"])
def test_single_precision_is_close_to_scipy_in_double(kinds: Sequence[Kind], path: str) -> None:
    frequency, gain, q = settings(kinds, batch=1)
    audio = 0.1 * torch.randn(1, 1, 5 * int(RATE))
    expected = scipy.signal.sosfilt(sections(kinds, frequency[0], gain[0], q[0]), audio.double().numpy())
    got = equalize(audio, frequency, gain, q, RATE, kinds)
    assert got.dtype == torch.float32
    error = np.linalg.norm(got.double().numpy() - expected) / np.linalg.norm(expected)
    # The bound to keep is 1e-5; the compiled cascade computes in double and leaves only the FFTs' rounding.
    assert error < (1e-6 if path == "compiled" else 1e-5)


@pytest.mark.parametrize("kinds", [PEAKS, SHELVED], ids=["peaks", "shelved"])
def test_response_is_the_cookbooks(kinds: Sequence[Kind], path: str) -> None:
    at_hz = torch.cat([torch.zeros(1), torch.logspace(0, math.log10(RATE / 2), 400)]).double()
    frequency, gain, q = (p.double() for p in settings(kinds))
    got = response(frequency, gain, q, at_hz, RATE, kinds).numpy()
    for item in range(2):
        sos = sections(kinds, frequency[item], gain[item], q[item])
        z = np.exp(-2j * np.pi * at_hz.numpy() / RATE)[:, None] ** np.arange(3)
        expected = np.prod([(z @ s[:3]) / (z @ s[3:]) for s in sos], axis=0)
        np.testing.assert_allclose(got[item], expected, rtol=1e-9)


@pytest.mark.parametrize("gain_db", [-12.0, -0.5, 6.0, 12.0])
@pytest.mark.parametrize("frequency_hz", [20.0, 440.0, 5_000.0, 18_000.0])
@pytest.mark.parametrize("kind", KINDS)
def test_gain_at_the_bands_own_frequency(kind: Kind, frequency_hz: float, gain_db: float, path: str) -> None:
    q = 5.0 if kind == "peak" else 0.8
    at_hz = torch.tensor([frequency_hz])
    got = response_db(*one(frequency_hz, gain_db, q, torch.float32), at_hz, RATE, [kind])
    # A shelf is half-way up there.
    assert got.item() == pytest.approx(gain_db if kind == "peak" else gain_db / 2.0, abs=1e-4)


@pytest.mark.parametrize(
    ("kind", "flat_hz", "raised_hz"), [("low_shelf", RATE / 2, 0.0), ("high_shelf", 0.0, RATE / 2)]
)
def test_ends_of_a_shelf(kind: Kind, flat_hz: float, raised_hz: float, path: str) -> None:
    at_hz = torch.tensor([flat_hz, raised_hz], dtype=torch.float64)
    got = response_db(*one(900.0, 7.5, 0.7), at_hz, RATE, [kind])
    np.testing.assert_allclose(got.numpy(), [[0.0, 7.5]], atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_boost_undoes_a_cut(kind: Kind, path: str) -> None:
    audio = torch.randn(1, 2, 6_000, dtype=torch.float64)
    frequency, gain, q = one(300.0, 9.0, 0.9)
    there = equalize(audio, frequency, gain, q, RATE, [kind], taps=16_384)
    back = equalize(there, frequency, -gain, q, RATE, [kind], taps=16_384)
    assert (there - audio).abs().max() > 0.1
    torch.testing.assert_close(back, audio, rtol=0, atol=1e-9)


def test_no_gain_is_the_input_bit_for_bit(path: str) -> None:
    frequency, gain, q = settings(SHELVED)
    audio = torch.randn(2, 2, 5_000)
    assert torch.equal(equalize(audio, frequency, 0.0 * gain, q, RATE, SHELVED), audio)


def test_a_band_without_gain_is_not_there(path: str) -> None:
    frequency, gain, q = settings(SHELVED)
    gain[:, 3] = 0.0
    audio, others = torch.randn(2, 1, 5_000), [0, 1, 2, *range(4, 10)]
    full = equalize(audio, frequency, gain, q, RATE, SHELVED, taps=8_192)
    without = equalize(
        audio,
        frequency[:, others],
        gain[:, others],
        q[:, others],
        RATE,
        [SHELVED[i] for i in others],
        taps=8_192,
    )
    assert torch.equal(full, without)


def test_rows_do_not_depend_on_one_another(path: str) -> None:
    frequency, gain, q = settings(SHELVED, batch=3)
    audio = torch.randn(3, 2, 5_000)
    together = equalize(audio, frequency, gain, q, RATE, SHELVED, taps=8_192)
    alone = equalize(audio[1:2], frequency[1:2], gain[1:2], q[1:2], RATE, SHELVED, taps=8_192)
    torch.testing.assert_close(together[1:2], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gain_db", [-8.0, 0.0])
def test_gradcheck_of_every_parameter_and_the_audio(kind: Kind, gain_db: float, path: str) -> None:
    audio = torch.randn(2, 2, 30, dtype=torch.float64).requires_grad_()
    # The logarithm of the frequency: per Hz the derivative would vanish in gradcheck's tolerance.
    log_frequency = torch.tensor([[7.0], [9.2]], dtype=torch.float64).requires_grad_()
    gain = torch.tensor([[gain_db], [0.5 - gain_db]], dtype=torch.float64).requires_grad_()
    q = torch.tensor([[0.6], [0.9]], dtype=torch.float64).requires_grad_()

    def filtered(x: Tensor, log_f: Tensor, g: Tensor, quality: Tensor) -> Tensor:
        return 100.0 * equalize(x, log_f.exp(), g, quality, RATE, [kind], taps=64)

    assert torch.autograd.gradcheck(filtered, (audio, log_frequency, gain, q))


def test_gradients_of_a_cascade_agree_between_the_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, upstream = torch.randn(2, 2, 3_000, dtype=torch.float64), torch.randn(2, 2, 3_000)
    gradients = {}
    for name in ("compiled", "tensor"):
        leaves = [p.double().requires_grad_() for p in settings(SHELVED)]
        frequency, gain, q = leaves
        (equalize(audio, frequency, gain, q, RATE, SHELVED, taps=4_096) * upstream).sum().backward()
        gradients[name] = [leaf.grad for leaf in leaves]
        monkeypatch.setattr(biquad, "can_compile_for", lambda _: False)
    for compiled, tensor in zip(gradients["compiled"], gradients["tensor"], strict=True):
        assert compiled is not None and compiled.abs().min() > 0
        torch.testing.assert_close(compiled, tensor, rtol=1e-8, atol=0)


def test_a_response_can_be_fitted_by_its_gradient(path: str) -> None:
    at_hz = torch.logspace(math.log10(30.0), math.log10(16_000.0), 200)
    wanted = response_db(*one(1_000.0, 6.0, 1.5, torch.float32), at_hz, RATE)
    start = torch.tensor([math.log(700.0), 0.5, 0.0]).requires_grad_()
    optimizer = torch.optim.LBFGS([start], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        log_f, gain, log_q = start.view(3, 1, 1)
        loss = (response_db(log_f.exp(), gain, log_q.exp(), at_hz, RATE) - wanted).square().mean()
        loss.backward()
        return loss

    optimizer.step(closure)  # pyright: ignore[reportArgumentType]
    fitted = (start[0].exp().item(), start[1].item(), start[2].exp().item())
    assert fitted == pytest.approx((1_000.0, 6.0, 1.5), rel=1e-3)


def test_autocast_and_half_precision_are_filtered_in_single() -> None:
    frequency, gain, q = settings(SHELVED)
    audio = (0.1 * torch.randn(2, 2, 5_000)).bfloat16()
    expected = equalize(audio.float(), frequency, gain, q, RATE, SHELVED)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        single = equalize(audio.float(), frequency, gain, q, RATE, SHELVED)
        half = equalize(audio, frequency, gain, q, RATE, SHELVED)
    assert torch.equal(single, expected)
    assert half.dtype == torch.bfloat16 and torch.equal(half, expected.bfloat16())


def test_impulse_response_length_covers_the_slowest_pole() -> None:
    frequency, gain, q = one(20.0, 12.0, 5.0)
    taps = biquad.impulse_response_length(frequency, gain, q, RATE, ["peak"])
    impulse = np.zeros(2 * taps)
    impulse[0] = 1.0
    ringing = scipy.signal.sosfilt(cookbook("peak", 20.0, 12.0, 5.0)[None], impulse)
    tail_db = 10.0 * np.log10(np.square(ringing[taps:]).sum() / np.square(ringing[1:]).sum())
    assert -125.0 < tail_db < -105.0


def test_mistakes_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Users have no checks of types at run time: the messages must come without.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    audio, ones = torch.zeros(2, 2, 100), torch.ones(2, 3)
    with pytest.raises(ValueError, match="share one shape"):
        equalize(audio, ones, ones[:, :2], ones, RATE)
    with pytest.raises(ValueError, match="2 items but the parameters have 1"):
        equalize(audio, ones[:1], ones[:1], ones[:1], RATE)
    with pytest.raises(ValueError, match="2 kinds for 3 bands"):
        equalize(audio, ones, ones, ones, RATE, ["peak", "peak"])
    with pytest.raises(ValueError, match="unknown kind 'notch'"):
        equalize(audio, ones, ones, ones, RATE, ["peak", "notch", "peak"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="between 0 and 22050 Hz"):
        equalize(audio, 30_000.0 * ones, ones, ones, RATE)
