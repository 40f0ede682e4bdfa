"""The masked change against a general solver of the same problem, and its level against a plain loop."""

import numpy as np
import pytest
from scipy.optimize import minimize

from neural_mastering.dsp import masked_change
from neural_mastering.dsp.clip_level import ClipLevel
from neural_mastering.dsp.limiter import DRIVEN
from neural_mastering.dsp.masked_change import ASCENTS, MaskedChange

RATE = 5_000  # frames of 128 samples


def _masked(x: np.ndarray, multipliers: np.ndarray, size: int) -> np.ndarray:
    """H λ of one channel, written with numpy alone."""
    hop, window = size // 2, np.sin(np.pi * np.arange(size) / size)
    out = np.zeros(x.size + 2 * size)
    padded, lam = (np.pad(signal, size) for signal in (x, multipliers))
    for at in range(0, out.size - size + 1, hop):
        power = np.abs(np.fft.rfft(padded[at : at + size] * window**2)) ** 2
        mask = np.convolve(power, np.ones(5), mode="same") ** 0.375
        mask = mask / max(mask.max(), 1e-30) + 1e-6
        mask[np.arange(mask.size) > 0.45 * size] = 0.0
        out[at : at + size] += window * np.fft.irfft(mask * np.fft.rfft(lam[at : at + size] * window), size)
    return out[size:-size]


def _noise(hops: int, hop: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    x = np.convolve(rng.standard_normal(hops * hop), np.hanning(9), mode="same")
    x[: 4 * hop] = x[-12 * hop :] = 0.0
    return x / np.abs(x).max()


def test_with_many_steps_it_is_the_least_change(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (1.0,) * 150
    monkeypatch.setattr(masked_change, "STEPS", steps)
    monkeypatch.setattr(masked_change, "ASCENTS", len(steps))
    own = MaskedChange(RATE, 1)
    x = np.pad(_noise(24, own.hop), (0, len(steps) * own.hop))
    level = np.full(x.size, 0.75)
    change = own.push(x[None], level)[0, len(steps) * own.hop :]
    short, size = x[: change.size], 2 * own.hop
    places = np.flatnonzero(np.abs(short) > 0.5)  # no other sample comes to the level
    signs = np.sign(short[places])
    columns = np.stack(
        [_masked(short, np.eye(1, short.size, int(place))[0], size)[places] for place in places], axis=1
    )
    matrix = signs[:, None] * columns * signs
    excess = np.abs(short[places]) - 0.75
    solved = minimize(
        lambda lam: (0.5 * lam @ matrix @ lam - lam @ excess, matrix @ lam - excess),
        np.zeros(places.size),
        jac=True,
        bounds=[(0.0, None)] * places.size,
        method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9},
    )
    multipliers = np.zeros(short.size)
    multipliers[places] = signs * solved.x
    expected = _masked(short, multipliers, size)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(change, expected, atol=2e-3)
    assert np.abs(short - change).max() <= 0.752


def test_few_steps_come_most_of_the_way() -> None:
    own = MaskedChange(RATE, 1)
    x = np.pad(_noise(40, own.hop), (0, ASCENTS * own.hop))
    change = own.push(x[None], np.full(x.size, 0.75))[0, own.latency_samples :]
    before = np.abs(x[: change.size])
    after = np.abs(x[: change.size] - change)
    assert (
        np.square(np.maximum(after - 0.75, 0.0)).sum() < 0.1 * np.square(np.maximum(before - 0.75, 0)).sum()
    )
    assert own.most == pytest.approx((before[before > 0.75] / after[before > 0.75]).max())


def test_level_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    rate, depth_db = 4_000, 3.0
    peaks = np.abs(rng.standard_normal(6000)) * np.repeat(rng.uniform(0.1, 1.2, 60), 100)
    follower, parts, at = ClipLevel(1.0, depth_db, rate), [], 0
    while at < peaks.size:
        size = int(rng.integers(1, 400))
        parts.append(follower.push(peaks[at : at + size]))
        at += size
    got = np.concatenate(parts)[follower.latency_samples :]
    wanted = np.maximum(1.0 - 1.0 / peaks, 0.0)
    slow, fast, toward = DRIVEN.rates(rate)
    released = mean = 0.0
    hold, expected = follower.latency_samples, []
    for n in range(peaks.size):
        held = wanted[max(n - hold, 0) : n + hold + 1].max()
        if released > held:
            share = max(1.0 - mean / released, 0.0) ** DRIVEN.recovery_exponent
            released = max(held, released * (1.0 - slow - (fast - slow) * share))
        else:
            released = held
        mean += (released - mean) * toward
        spared = np.clip((1.0 - mean / released) / 0.2 - 1.0, 0.0, 1.0) if released > 0.0 else 0.0
        expected.append(1.0 / min((1.0 - released) * 10 ** (depth_db * spared / 20.0), 1.0))
    assert max(expected) > 1.0 and min(expected) == 1.0
    np.testing.assert_allclose(got, expected[: got.size], atol=2e-6)
