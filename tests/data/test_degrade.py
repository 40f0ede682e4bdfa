"""The rule that makes demo pairs: exactly invertible, and audible in its result."""

import math

import pytest
import torch

from neural_mastering.data.degrade import KINDS, DegradationRule, degrade, spectral_balance_db
from neural_mastering.dsp.biquad import equalize

RATE = 44_100
SEEDS = torch.arange(9)


def tilted_noise() -> torch.Tensor:
    """Nine stereo noises (9, 2, time) whose bass-to-treble balance rises by 4 dB each."""
    noise = 0.02 * torch.randn(1, 2, 2 * RATE, generator=torch.Generator().manual_seed(1)).double()
    slope_db = torch.arange(9.0).double()[:, None] * 4.0 - 2.0
    gain_db = torch.cat([slope_db / 2, -slope_db / 2], dim=1)
    frequency = torch.tensor([[450.0, 450.0]]).double().expand(9, 2)
    return equalize(noise.expand(9, 2, -1), frequency, gain_db, torch.full_like(gain_db, 0.7), RATE, KINDS)


def test_balance_of_two_sines_is_their_power_ratio() -> None:
    time = torch.arange(4 * RATE).double() / RATE
    bass, treble = torch.sin(2 * math.pi * 100 * time), torch.sin(2 * math.pi * 3_000 * time)
    audio = torch.stack([bass + 0.1 * treble, bass])[None]  # power 2 : 0.01
    assert float(spectral_balance_db(audio, RATE)) == pytest.approx(10 * math.log10(200.0), abs=0.01)
    assert float(spectral_balance_db(0.01 * audio, RATE)) == pytest.approx(10 * math.log10(200.0), abs=0.01)
    assert float(spectral_balance_db(torch.zeros(1, 1, RATE), RATE)) == 0.0


def test_the_inverse_shelves_and_gain_restore_the_target() -> None:
    target, rule = tilted_noise(), DegradationRule()
    made = degrade(target, RATE, SEEDS, rule)
    frequency = torch.tensor([[rule.low_shelf_hz, rule.high_shelf_hz]]).double().expand(9, 2)
    q = torch.full_like(frequency, rule.q)
    restored = equalize(made.audio, frequency, -made.shelf_gain_db, q, RATE, KINDS) * 10 ** (
        -rule.level_db / 20
    )
    # The end of the signal misses nothing, since both filters are causal.
    assert (restored - target).norm() / target.norm() < 1e-4


def test_the_gains_are_those_of_the_documented_rule() -> None:
    made = degrade(tilted_noise(), RATE, SEEDS)
    g = 6.0 * torch.tanh((made.balance_db - 8.0) / 8.0)
    jitter = made.shelf_gain_db - torch.stack([1.0 + g, -3.0 - g], dim=1)
    assert 0.05 < float(jitter.abs().max()) <= 0.25
    assert float(g.max() - g.min()) > 8.0


def test_the_input_gives_the_rule_away() -> None:
    """The balance of the input rises with the target's, and by more than the target's does."""
    target = tilted_noise()
    made = degrade(target, RATE, SEEDS)
    before, after = made.balance_db.diff(), spectral_balance_db(made.audio, RATE).diff()
    assert (before > 1.0).all()
    assert (after > before).all()


def test_rows_are_independent_and_seeded() -> None:
    target = tilted_noise()
    whole = degrade(target, RATE, SEEDS)
    torch.testing.assert_close(degrade(target[3:4], RATE, SEEDS[3:4]).shelf_gain_db, whole.shelf_gain_db[3:4])
    other = degrade(target[3:4], RATE, SEEDS[4:5]).shelf_gain_db
    assert float((other - whole.shelf_gain_db[3:4]).abs().min()) > 1e-3
