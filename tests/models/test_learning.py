"""Plant a truth and recover it: known curves, and two kinds of songs that each want their own.

The models and terms are those of conf/, the terms as they stand (`PLAIN`).
"""

import math

import pytest
import torch
from torch import Tensor

from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import validated
from neural_mastering.dsp.biquad import response_db
from neural_mastering.losses import WeightedSum
from neural_mastering.models import MasteringModel, build
from neural_mastering.models.mastering import Analysis

RATE = 44_100
PLAIN = ("loss/term@loss.terms.mr_stft=multi_resolution_stft", "loss/term@loss.terms.a_weighted=a_weighted")
"""Level and tone together: the planted curves hold both."""

AT_HZ = torch.logspace(math.log10(30.0), math.log10(16_000.0), 200)


def _model(*overrides: str) -> tuple[MasteringModel, WeightedSum]:
    config = validated(compose(["model/residual_head=none", *PLAIN, *overrides]))
    objective = build(config.loss, path="loss", packages=None)
    assert isinstance(objective, WeightedSum)
    return build_model(config.model), objective


def _curve(model: MasteringModel, audio: Tensor, analysis: Analysis | None = None) -> Tensor:
    """Total response of equaliser and gain in dB, (batch, frequency)."""
    with torch.no_grad():
        controls = model.eq_head.decode((analysis or model.analyse(audio)).logits)
        return model.eq_head.eq.response_db(AT_HZ, **controls.eq) + controls.gain["gain_db"][:, None]


def _rms(curve_db: Tensor) -> Tensor:
    return curve_db.square().mean(dim=-1).sqrt()


@pytest.mark.slow
def test_one_pair_gives_its_equaliser_back() -> None:
    """Overfitting one synthetic pair recovers the known curve to 0.3 dB RMS."""
    model, objective = _model("+phase=1a", "z_size=32", "loss.terms.mr_stft.term.fft_sizes=[8192,2048,512]")
    eq = model.eq_head.eq
    truth = {
        "frequency_hz": torch.tensor([[90.0, 240.0, 1_100.0, 5_200.0, 9_000.0]]),
        "gain_db": torch.tensor([[5.0, -6.0, 4.0, -3.5, 6.0]]),
        "q": torch.tensor([[0.7, 1.5, 1.0, 2.0, 0.7]]),
    }
    audio = 0.1 * torch.randn(2, 2, RATE)
    target = eq(audio, **{key: value.expand(2, -1) for key, value in truth.items()})
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
    for step in range(400):
        optimizer.zero_grad()
        objective(model(audio), target, step).backward()
        optimizer.step()
        scheduler.step()
    error = _rms(_curve(model.eval(), audio) - eq.response_db(AT_HZ, **truth))
    assert float(error.max()) <= 0.3


# Two kinds of songs: dark steady noise and bright clicks. Both have energy everywhere, so that curves can be heard.
def _songs(kind: int, count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(RATE) / RATE
    tilt_db_per_octave = (-4.5, -1.5)[kind] + torch.rand(count, 1, 1, generator=generator) - 0.5
    spectrum = torch.fft.rfft(torch.randn(count, 2, RATE, generator=generator))
    octaves = torch.log2(torch.arange(spectrum.shape[-1]).clamp(min=20) / 1_000.0)
    noise = torch.fft.irfft(spectrum * 10 ** (tilt_db_per_octave * octaves / 20), n=RATE)
    if kind == 1:
        clicks_hz = 4.0 + 4.0 * torch.rand(count, 1, 1, generator=generator)
        noise = noise * (0.1 + torch.exp(-30.0 * (time * clicks_hz % 1.0) / clicks_hz))
    level = 0.02 + 0.08 * torch.rand(count, 1, 1, generator=generator)
    return level * noise / noise.square().mean(dim=(1, 2), keepdim=True).sqrt()


TRUTH: tuple[dict[int, tuple[float, float, float]], ...] = (
    {
        0: (90.0, 6.0, 0.7),
        3: (330.0, -6.0, 1.5),
        5: (1_300.0, 6.0, 2.0),
        7: (5_200.0, -5.0, 1.2),
        8: (11_000.0, 7.0, 1.5),
    },
    {
        1: (60.0, -6.0, 1.5),
        2: (150.0, 6.0, 2.0),
        4: (650.0, -7.0, 1.2),
        6: (2_700.0, 6.0, 1.5),
        9: (9_000.0, -6.0, 0.7),
    },
)
"""For each kind of song: band → (frequency in Hz, gain in dB, Q); five bands each, none in common."""


def _truth(kind: int, bands: int) -> dict[str, Tensor]:
    columns = [TRUTH[kind].get(band, (1_000.0, 0.0, 0.7)) for band in range(bands)]
    return {
        key: torch.tensor([[c[i] for c in columns]]) for i, key in enumerate(("frequency_hz", "gain_db", "q"))
    }


@pytest.mark.slow
def test_the_network_listens() -> None:
    """Each kind of song ends with its own curve and bands on songs never heard; shuffled z destroys it."""
    steps = 1_500
    model, objective = _model("+phase=1c", "z_size=64", "loss.terms.mr_stft.term.fft_sizes=[8192,2048,512]")
    eq = model.eq_head.eq
    truths = [_truth(kind, eq.bands) for kind in (0, 1)]
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        songs = [_songs(kind, 2, seed=10_000 + 2 * step + kind) for kind in (0, 1)]
        audio = torch.cat(songs)
        with torch.no_grad():
            target = torch.cat(
                [
                    eq(s, **{k: v.expand(2, -1) for k, v in t.items()})
                    for s, t in zip(songs, truths, strict=True)
                ]
            )
        optimizer.zero_grad()
        seeds = torch.arange(4) + 4 * step
        objective(model(audio, seeds), target, step).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()

    model.eval()
    held_out = [_songs(kind, 8, seed=kind) for kind in (0, 1)]
    wanted = [response_db(t["frequency_hz"], t["gain_db"], t["q"], AT_HZ, RATE, eq.kinds) for t in truths]
    difference = float(_rms(wanted[0] - wanted[1]))
    for kind in (0, 1):
        assert float(_rms(_curve(model, held_out[kind]) - wanted[kind]).max()) <= 0.5
        with torch.no_grad():
            is_open = model.eq_head.decode(model.analyse(held_out[kind]).logits).gates.is_open
        expected = torch.tensor([band in TRUTH[kind] for band in range(eq.bands)])
        assert bool((is_open == expected).all(dim=-1).float().mean() >= 0.9), is_open

    # Each song gets the analysis of the other kind.
    with torch.no_grad():
        analyses = [model.analyse(songs) for songs in held_out]
    for kind in (0, 1):
        shuffled = _curve(model, held_out[kind], analyses[1 - kind])
        assert float(_rms(shuffled - wanted[kind]).min()) >= 0.8 * difference
