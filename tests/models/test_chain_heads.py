"""The chain inside the model: identity, live gradients, pooling, whole songs, old checkpoints."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from neural_mastering.audio_io.block import blocks_of, joined
from neural_mastering.models import MasteringModel
from neural_mastering.models.chain_heads import GreyBoxChain, NoChain
from neural_mastering.models.chain_heads.grey_box import StageHead
from neural_mastering.models.encoders import LogMel
from neural_mastering.models.eq_heads import FixedBands
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.processors import (
    Chain,
    Compressor,
    Gain,
    Limiter,
    ParametricEQ,
    Saturation,
    StereoWidth,
)
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.tone.from_model import decoded_controls

RATE = 44_100


def _model() -> MasteringModel:
    chain = Chain(
        {
            "compressor": Compressor(RATE, sidechain_hz=100.0),
            "saturation": Saturation(RATE, render_hz=88_200),
            "stereo": StereoWidth(RATE),
            "limiter": Limiter(RATE),
        },
        after_residual=["limiter"],
    )
    return MasteringModel(
        encoder=LogMel(16, sample_rate=RATE),
        eq_head=FixedBands(16, ParametricEQ(3), Gain(), hidden_size=16),
        residual_head=NoResidual(),
        chain_head=GreyBoxChain(16, chain, hidden_size=16),
    )


def _music(seconds: float, items: int = 1) -> Tensor:
    time = torch.arange(round(seconds * RATE)) / RATE
    beat = 0.1 + torch.exp(-(time % 0.3) / 0.05)
    noise = torch.randn(items, 2, time.numel())
    return 0.3 * beat * (noise + 0.5 * torch.sin(2 * torch.pi * 110 * time)) * 0.5


def test_the_chain_is_the_identity_at_first_and_says_what_it_would_do() -> None:
    model, audio = _model(), _music(0.5, 2)
    output = model(audio)
    assert torch.equal(output.audio, audio)
    assert list(output.stages) == ["eq", "gain", "compressor", "saturation", "stereo", "residual", "limiter"]
    assert set(output.controls) == {"eq", "gain", "compressor", "saturation", "stereo", "limiter"}
    assert not bool(output.controls["compressor"]["mix"].any())
    torch.testing.assert_close(output.controls["saturation"]["drive_db"], torch.full((2,), 6.0))


def test_every_control_has_a_live_gradient_after_three_steps() -> None:
    """On a target that no stage makes better than by chance: nobody has to help for its gradient to be there."""
    model, audio = _model().train(), 2.0 * _music(0.5, 2)
    target = torch.tanh(2.0 * audio)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    kept: dict[str, Tensor] = {}
    for step in range(4):
        optimizer.zero_grad()
        analysis = model.analyse(audio)
        assert analysis.chain is not None
        analysis.chain.retain_grad()
        (model.render(audio, analysis).audio - target).square().mean().backward()
        assert analysis.chain.grad is not None
        kept[str(step)] = analysis.chain.grad.abs().amax(dim=0)
        optimizer.step()
    processors = model.chain_head.chain.processors
    names = [f"{name}.{key}" for name, p in processors.items() for key in p.specs]
    # an amount or a knee at an end whose gradient leads further out is stopped, and only these may be
    ends = [spec.reaches_ends for p in processors.values() for spec in p.specs.values()]
    dead = [n for n, end, g in zip(names, ends, kept["3"].tolist(), strict=True) if g == 0.0 and not end]
    assert not dead
    assert sum(g > 0 for g in kept["3"].tolist()) >= len(names) - 3


def test_a_stage_at_rest_that_would_help_is_switched_on() -> None:
    model, audio = _model(), _music(0.5, 2)
    chain = model.chain_head.chain
    ready = chain.processors["compressor"].rest() | {
        "mix": torch.ones(1),
        "threshold_db": torch.full((1,), -15.0),
    }
    settings = {key: value.expand(2) for key, value in ready.items()}
    target = chain.eval().stage("compressor", audio, settings, model.analyse(audio).lufs)
    model.train()
    optimizer = torch.optim.Adam(model.chain_head.parameters(), lr=1e-2)
    first = float((model(audio).audio - target).square().mean())
    for _ in range(25):
        optimizer.zero_grad()
        (model(audio).audio - target).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        output = model(audio)
        last = float((output.audio - target).square().mean())
    assert bool((output.controls["compressor"]["mix"] > 0.2).all())
    assert last < 0.6 * first


def test_a_quiet_and_a_loud_copy_get_the_same_chain() -> None:
    model, audio = _shaken(), _music(1.0)
    loud, quiet = (model(audio * gain) for gain in (1.0, 0.1))
    for name in ("compressor", "saturation", "stereo"):
        for key, value in loud.controls[name].items():
            torch.testing.assert_close(value, quiet.controls[name][key], atol=1e-3, rtol=1e-3)
    compressed, reference = (o.stages["compressor"] / o.stages["gain"] for o in (quiet, loud))
    big = audio.abs() > 0.05
    torch.testing.assert_close(compressed[big], reference[big], atol=1e-3, rtol=1e-3)


def test_a_song_in_chunks_equals_one_shot() -> None:
    model, audio = _shaken(), _music(2.0)
    with torch.no_grad():
        analysis = model.analyse(audio)
        whole = model.render(audio, analysis).audio
    stages = build_stages(decoded_controls(model, analysis), RATE, 2)
    blocks = blocks_of(audio[0].numpy(), round(0.3 * RATE))
    chunked = torch.from_numpy(joined(run_stages(stages, blocks), 2)).float()[None]
    assert float((whole - audio).abs().max()) > 0.01
    torch.testing.assert_close(chunked, whole, atol=2e-5, rtol=0)


def test_windows_are_pooled_by_their_power() -> None:
    model = _shaken()
    with torch.no_grad():
        analysis = model.analyse(torch.cat([_music(1.0), 0.1 * _music(1.0)]))
    pooled = analysis.pooled()
    assert analysis.chain is not None and pooled.chain is not None
    power = 10 ** (analysis.lufs / 10)
    expected = (analysis.chain * (power / power.sum())[:, None]).sum(dim=0)
    torch.testing.assert_close(pooled.chain[0], expected)
    assert model.chain_controls(replace(pooled, chain=None)) == {}


def test_a_model_without_a_chain_is_what_it_was() -> None:
    model = MasteringModel(
        LogMel(16, sample_rate=RATE), FixedBands(16, ParametricEQ(3), Gain(), 16), NoResidual()
    )
    assert isinstance(model.chain_head, NoChain)
    assert not [name for name in model.state_dict() if name.startswith("chain_head")]
    assert set(model(_music(0.5)).controls) == {"eq", "gain"}


def test_parts_of_different_rates_are_refused() -> None:
    chain = GreyBoxChain(16, Chain({"compressor": Compressor(48_000.0)}), hidden_size=4)
    with pytest.raises(ValueError, match="44100 Hz but the compressor 48000 Hz"):
        MasteringModel(
            LogMel(16, sample_rate=RATE),
            FixedBands(16, ParametricEQ(3), Gain(), 16),
            NoResidual(),
            chain_head=chain,
        )


def _shaken() -> MasteringModel:
    model = _model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        assert isinstance(model.chain_head, GreyBoxChain)
        for head in model.chain_head.heads.values():
            assert isinstance(head, StageHead)
            head.out.bias.add_(0.6)
    return model.eval()
