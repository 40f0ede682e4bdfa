"""The compressor against a loop that is written out, its limits, and another maker's compressor."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from neural_mastering.dsp import compressor
from neural_mastering.dsp.envelope import coefficient, smooth

RATE = 44_100.0


def _by_hand(
    audio: np.ndarray, threshold: float, ratio: float, attack: float, release: float, knee: float, link: str
) -> np.ndarray:
    """Gain reduction in dB of audio (channel, time), sample by sample."""
    rise, fall = (1.0 - math.exp(-1000.0 / (ms * RATE)) for ms in (attack, release))
    state, out = 0.0, np.empty(audio.shape[1])
    for n in range(audio.shape[1]):
        squares = audio[:, n] ** 2
        power = max(squares.max() if link == "max" else squares.mean(), 1e-12)
        over = 10.0 * math.log10(power) - threshold
        if over <= -knee / 2:
            wanted = 0.0
        elif over >= knee / 2:
            wanted = (1 - 1 / ratio) * over
        else:
            wanted = (1 - 1 / ratio) * (over + knee / 2) ** 2 / (2 * knee)
        state += (rise if wanted > state else fall) * (wanted - state)
        out[n] = state
    return out


def _controls(*rows: tuple[float, ...]) -> list[Tensor]:
    return list(torch.tensor(rows, dtype=torch.float64).T)


SETTINGS = [(-30.0, 4.0, 1.0, 80.0, 6.0), (-12.0, 20.0, 0.1, 10.0, 0.0), (-40.0, 1.0, 30.0, 500.0, 12.0)]


@pytest.mark.parametrize("link", ["max", "mean_square"])
def test_equals_the_loop(link: compressor.Link) -> None:
    rng = np.random.default_rng(0)
    audio = 0.3 * rng.standard_normal((3, 2, 6_000)) * (rng.random((3, 1, 6_000)) > 0.3)
    power = compressor.linked_power(torch.from_numpy(audio), link)
    got = compressor.gain_reduction_db(power, *_controls(*SETTINGS), sample_rate=RATE)
    expected = np.stack([_by_hand(a, *s, link=link) for a, s in zip(audio, SETTINGS, strict=True)])
    assert expected[0].max() > 5.0
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-9)


def test_ratio_1_reduces_nothing_and_no_knee_divides_by_nothing() -> None:
    over = torch.linspace(-20, 40, 601, dtype=torch.float64)[None].requires_grad_()
    one, ten = (torch.full((1, 1), r, dtype=torch.float64) for r in (1.0, 10.0))
    none = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    assert not bool(compressor.static_reduction_db(over, one, none + 6.0).any())
    hard = compressor.static_reduction_db(over, ten, none)
    torch.testing.assert_close(hard, 0.9 * over.clamp(min=0.0))
    by_over, by_knee = torch.autograd.grad(hard.sum(), [over, none])
    assert bool(torch.isfinite(by_over).all()) and float(by_knee) == 0.0


@pytest.mark.parametrize("knee", [0.5, 6.0, 12.0])
def test_the_knee_joins_the_lines_smoothly(knee: float) -> None:
    half = knee / 2
    over = torch.tensor([[-half, half]], dtype=torch.float64, requires_grad=True)
    ratio, width = (torch.full((1, 1), v, dtype=torch.float64) for v in (4.0, knee))
    reduction = compressor.static_reduction_db(over, ratio, width)
    torch.testing.assert_close(reduction, torch.tensor([[0.0, 0.75 * half]], dtype=torch.float64))
    (inside,) = torch.autograd.grad(
        compressor.static_reduction_db(over * (1 - 1e-9), ratio, width).sum(), over
    )
    torch.testing.assert_close(inside, torch.tensor([[0.0, 0.75]], dtype=torch.float64), atol=1e-6, rtol=0)


def test_channels_are_never_added_up() -> None:
    mono = torch.full((1, 1, 8), 0.5)
    both, opposed = mono.repeat(1, 2, 1), torch.cat([mono, -mono], dim=1)
    for link in ("max", "mean_square"):
        for audio in (mono, both, opposed):
            torch.testing.assert_close(compressor.linked_power(audio, link), torch.full((1, 8), 0.25))
    one_side = torch.cat([mono, 0 * mono], dim=1)
    assert float(compressor.linked_power(one_side, "max")[0, 0]) == 0.25
    assert float(compressor.linked_power(one_side, "mean_square")[0, 0]) == 0.125


@pytest.mark.parametrize("rising", [True, False])
def test_a_step_takes_its_time_constant(rising: bool) -> None:
    target = torch.full((1, 4_410), 10.0 if rising else 0.0, dtype=torch.float64)
    start = torch.tensor([0.0 if rising else 10.0], dtype=torch.float64)
    attack, release = torch.tensor([10.0]), torch.tensor([40.0])
    out = smooth(target, attack, release, RATE, start)
    after = round((10.0 if rising else 40.0) * RATE / 1000.0) - 1
    share = float(out[0, after]) / 10.0
    assert share == pytest.approx(1 - math.exp(-1) if rising else math.exp(-1), abs=1e-3)


def test_gradients_of_the_smoother() -> None:
    target = (10 * torch.rand(2, 60, dtype=torch.float64)).requires_grad_()
    times = [
        torch.tensor(v, dtype=torch.float64).requires_grad_()
        for v in ([0.1, 30.0], [10.0, 500.0], [3.0, 0.0])
    ]
    assert torch.autograd.gradcheck(lambda x, a, r, s: smooth(x, a, r, RATE, s), [target, *times])


def test_agrees_with_torchcomp() -> None:
    torchcomp = pytest.importorskip("torchcomp.core")
    target = 10 * torch.rand(2, 500, dtype=torch.float64)
    attack, release = torch.tensor([1.0, 5.0]), torch.tensor([50.0, 20.0])
    leaves = [t.double().requires_grad_() for t in (target, attack, release)]
    ours = smooth(*leaves, sample_rate=RATE)
    theirs = -torchcomp.compressor_core(
        -leaves[0],
        torch.zeros(2, dtype=torch.float64),
        coefficient(leaves[1], RATE),
        coefficient(leaves[2], RATE),
    )
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)
    weights = torch.randn_like(ours)
    for a, b in zip(
        torch.autograd.grad((ours * weights).sum(), leaves),
        torch.autograd.grad((theirs * weights).sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    ("level_db", "ratio"), [(-30.0, 4.0), (-10.0, 4.0), (0.0, 4.0), (-6.0, 20.0), (-6.0, 1.5)]
)
def test_the_steady_state_is_that_of_pedalboard(level_db: float, ratio: float) -> None:
    """A square wave keeps both detectors at one level, whatever their ballistics; the knee is a corner in both."""
    pedalboard = pytest.importorskip("pedalboard")
    threshold = -20.0
    square = 10.0 ** (level_db / 20.0) * np.sign(np.sin(2 * np.pi * 441.3 * np.arange(44_100) / RATE + 0.1))
    theirs = pedalboard.Compressor(threshold, ratio, 1.0, 20.0)(square.astype(np.float32)[None], RATE)
    their_db = 20.0 * np.log10(np.abs(theirs[0, -100:]).max() / 10.0 ** (level_db / 20.0))
    audio = torch.from_numpy(square)[None, None]
    controls = _controls((threshold, ratio, 1.0, 20.0, 0.0))
    ours = compressor.gain_reduction_db(compressor.linked_power(audio, "max"), *controls, sample_rate=RATE)
    assert -float(ours[0, -1]) == pytest.approx(their_db, abs=0.02)


@pytest.mark.parametrize("knee", [6.0, 0.0])
def test_one_pass_is_the_gain_computer_and_the_smoother(knee: float) -> None:
    """The compiled pass against its two parts: the values and the derivatives of everything, knee 0 included."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(3, 4_000, generator=generator, dtype=torch.float64)
    leaves = [noise, *_controls(*((-18.0 - 3 * i, 1.5 + i, 2.0, 60.0, knee) for i in range(3)))]
    leaves.append(torch.tensor([0.0, 3.0, 1.0], dtype=torch.float64))
    weights = torch.randn(3, 4_000, generator=generator, dtype=torch.float64)
    found = []
    for fused in (True, False):
        power, threshold, ratio, attack, release, width, start = (t.clone().requires_grad_() for t in leaves)
        if fused:
            out = compressor.gain_reduction_db(power, threshold, ratio, attack, release, width, RATE, start)
        else:
            over = 10.0 * torch.log10(power.clamp(min=1e-12)) - threshold[:, None]
            static = compressor.static_reduction_db(over, ratio[:, None], width[:, None])
            out = smooth(static, attack, release, RATE, start)
        (out * weights).sum().backward()
        grads = [t.grad for t in (power, threshold, ratio, attack, release, width, start)]
        found.append([out.detach(), *(g for g in grads if g is not None)])
    assert len(found[0]) == len(found[1]) == 8
    for one, two in zip(*found, strict=True):
        assert knee == 0.0 or bool(two.abs().max() > 0.0)
        torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-9)


def test_items_in_threads_are_items_one_by_one() -> None:
    """Long enough for the batch to be divided; every array, in both directions."""
    generator = torch.Generator().manual_seed(0)
    leaves = [
        torch.rand(3, 40_000, generator=generator),
        *_controls(*((-18.0 - 3 * i, 1.5 + i, 2.0, 60.0, 6.0) for i in range(3))),
    ]
    found = []
    for threads in (3, 1):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            power, threshold, ratio, attack, release, knee = (t.clone().requires_grad_() for t in leaves)
            out = compressor.gain_reduction_db(power, threshold, ratio, attack, release, knee, RATE)
            out = out + smooth(out, attack, release, RATE)
            out.square().sum().backward()
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
        found.append([out.detach(), *(t.grad for t in (power, threshold, ratio, attack, release, knee))])
    for one, two in zip(*found, strict=True):
        assert one is not None and torch.equal(one, two)
