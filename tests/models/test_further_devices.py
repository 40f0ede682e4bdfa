"""Dynamic and mid-side equaliser in the chain of phase 2: composed, at rest, trained, rebuilt."""

import pytest
import torch
from torch import Tensor

from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import validated
from neural_mastering.losses import WeightedSum
from neural_mastering.models import MasteringModel, build
from neural_mastering.processors import Chain

RATE = 44_100
STAGES = "model.chain_head.chain.stages"


def _model(*order: str) -> tuple[MasteringModel, WeightedSum]:
    torch.manual_seed(0)
    config = validated(
        compose(
            [
                "+phase=2",
                "model/residual_head=none",
                "z_size=16",
                f"+processor@{STAGES}.dynamic_eq=dynamic_eq",
                f"+processor@{STAGES}.mid_side_eq=mid_side_eq",
                f"model.chain_head.chain.order=[{','.join(order)}]",
            ]
        )
    )
    objective = build(config.loss, path="loss", packages=None)
    assert isinstance(objective, WeightedSum)
    return build_model(config.model), objective


def _audio(items: int = 2, seconds: float = 0.6) -> Tensor:
    """Noise with bursts, louder in the middle than at the sides."""
    time = torch.arange(round(seconds * RATE)) / RATE
    middle, sides = torch.randn(items, 1, time.numel()), torch.randn(items, 2, time.numel())
    return 0.1 * (middle + 0.5 * sides) * (0.2 + torch.exp(-(time % 0.2) / 0.04))


def test_they_compose_rest_and_take_a_training_step() -> None:
    model, objective = _model("mid_side_eq", "dynamic_eq", "compressor", "saturation", "stereo", "limiter")
    audio = _audio()
    output = model.train()(audio)
    assert list(output.stages)[2:4] == ["mid_side_eq", "dynamic_eq"]
    assert torch.equal(output.audio, audio)
    before = {name: p.detach().clone() for name, p in model.chain_head.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    objective(output, torch.tanh(2.0 * audio), 0).backward()
    optimizer.step()
    for stage in ("mid_side_eq", "dynamic_eq"):
        assert not torch.equal(
            model.chain_head.get_parameter(f"heads.{stage}.out.bias"), before[f"heads.{stage}.out.bias"]
        )
    after = model(audio)
    assert bool(torch.isfinite(after.audio).all()) and not torch.equal(after.audio, audio)


def _trained(model: MasteringModel, audio: Tensor, target: Tensor, steps: int) -> list[float]:
    optimizer = torch.optim.Adam(model.chain_head.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (model(audio).audio - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize(
    ("stage", "wanted"),
    [
        ("dynamic_eq", {"range_db": -9.0, "threshold_db": -25.0}),
        ("mid_side_eq", {"mid_gain_db": 4.0, "side_gain_db": -6.0}),
    ],
)
def test_training_leaves_rest_without_an_amount(stage: str, wanted: dict[str, float]) -> None:
    """At rest only the range or the gains have a gradient; it leads to where the other settings have one, too."""
    model, _ = _model(stage)
    chain, audio = model.chain_head.chain, _audio()
    assert isinstance(chain, Chain)
    truth = {
        key: torch.full((2, *value.shape[1:]), wanted[key]) if key in wanted else value.expand(2, -1)
        for key, value in chain.processors[stage].rest().items()
    }
    with torch.no_grad():
        target = chain.stage(stage, audio, truth, model.analyse(audio).lufs)
    losses = _trained(model.train(), audio, target, 25)
    assert losses[-1] < 0.4 * losses[0]
    controls = model(audio).controls[stage]
    for key, value in wanted.items():
        if key.endswith(("range_db", "gain_db")):
            assert bool((controls[key] * value > 0.1 * value**2).all()), key
    model.zero_grad()
    logits = model.analyse(audio).chain
    assert logits is not None
    logits.retain_grad()
    output = chain.stage(stage, audio, model.chain_head.decode(logits)[stage], model.analyse(audio).lufs)
    (output - target).square().sum().backward()
    assert logits.grad is not None and bool((logits.grad != 0.0).all())


def test_a_song_in_evaluation_is_what_training_rendered() -> None:
    model, _ = _model("mid_side_eq", "dynamic_eq")
    audio = _audio()
    with torch.no_grad():
        for parameter in model.chain_head.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        trained, evaluated = model.train()(audio).audio, model.eval()(audio).audio
    assert float((trained - audio).abs().max()) > 0.01
    torch.testing.assert_close(evaluated, trained, rtol=0, atol=1e-5)
