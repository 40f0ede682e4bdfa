"""A style vector for the heads: the identity until it is learned, at 0 dB for ever; gradients; checkpoints."""

import pytest
import torch
from torch import Tensor, nn

from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import validated
from neural_mastering.models import MasteringModel, build
from neural_mastering.models.conditioning import NoConditioning, StyleConditioning

RATE, THIRDS = 44_100, 29


def model_of(*overrides: str) -> tuple[MasteringModel, dict]:
    config = validated(compose(["model/residual_head=none", "z_size=16", *overrides])).model
    torch.manual_seed(0)
    return build_model(config), config


def shaken(model: nn.Module, size: float = 0.05) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(size * torch.randn_like(parameter))


def audio_of(batch: int = 2) -> Tensor:
    return 0.1 * torch.randn(batch, 2, RATE // 2)


def test_off_by_default() -> None:
    model, config = model_of("+phase=1a")
    assert isinstance(model.conditioning, NoConditioning) and config["conditioning"] is None
    assert not any("conditioning" in name for name in model.state_dict())
    with pytest.raises(ValueError, match="takes no style"):
        model(audio_of(), style_db=torch.zeros(2, THIRDS))


@pytest.mark.parametrize("phase", ["1a", "2"])
def test_any_style_is_the_identity_at_initialisation(phase: str) -> None:
    model, _ = model_of(f"+phase={phase}", "model/residual_head=none", "conditioning=style")
    audio = audio_of()
    with torch.no_grad():
        output = model.eval()(audio, style_db=3.0 * torch.randn(2, THIRDS))
    torch.testing.assert_close(output.audio, audio, rtol=0, atol=1e-7)


def test_no_style_and_zero_are_the_plain_model_whatever_was_learned() -> None:
    model, _ = model_of("+phase=1a", "conditioning=style")
    shaken(model)
    audio = audio_of()
    with torch.no_grad():
        plain = model.eval()(audio).audio
        assert torch.equal(model(audio, style_db=torch.zeros(2, THIRDS)).audio, plain)
        other = model(audio, style_db=torch.ones(2, THIRDS)).audio
    assert float((other - plain).abs().max()) > 1e-4


def test_each_item_has_its_own_style_and_z_stays() -> None:
    model, _ = model_of("+phase=1a", "conditioning=style")
    shaken(model)
    audio, style = audio_of(), torch.randn(2, THIRDS)
    with torch.no_grad():
        both = model.eval().analyse(audio, style_db=style)
        first = model.analyse(audio[:1], style_db=style[:1])
        plain = model.analyse(audio)
    torch.testing.assert_close(both.logits.eq[:1], first.logits.eq, rtol=1e-4, atol=1e-5)
    assert torch.equal(both.z, plain.z) and not torch.equal(both.logits.eq, plain.logits.eq)


def test_the_gradient_reaches_style_and_weights() -> None:
    conditioning = StyleConditioning(5).double()
    shaken(conditioning)
    z, style = (torch.randn(2, n, dtype=torch.float64, requires_grad=True) for n in (5, THIRDS))
    assert torch.autograd.gradcheck(lambda a, b: conditioning(a, b), (z, style))
    weight = conditioning.film.linear.weight
    expected = torch.einsum("bt,bz->zt", style / 1.5, z)
    (gradient,) = torch.autograd.grad(conditioning(z, style).sum(), weight)
    torch.testing.assert_close(gradient[:5], expected)  # of the factors
    torch.testing.assert_close(gradient[5:], (style / 1.5).sum(dim=0).expand(5, -1))  # of the shifts


def test_a_styled_model_learns_through_all_heads() -> None:
    """The gradient through the chain and the equaliser is the slope that a small step along it finds."""
    model, _ = model_of("+phase=2", "model/residual_head=none", "conditioning=style")
    shaken(model)
    model.eval()
    audio, style = audio_of(), torch.randn(2, THIRDS)
    weight = model.conditioning.get_parameter("film.linear.weight")

    def energy() -> Tensor:
        return model(audio, style_db=style).audio.double().square().mean()

    (gradient,) = torch.autograd.grad(energy(), weight)
    direction, step = gradient / gradient.norm(), 1e-2
    found = []
    with torch.no_grad():
        for way in (1.0, -1.0):
            weight.add_(way * step * direction)
            found.append(float(energy()))
            weight.sub_(way * step * direction)
    assert (found[0] - found[1]) / (2.0 * step) == pytest.approx(float(gradient.norm()), rel=0.02)


def test_a_style_of_another_length_is_refused(unchecked: None) -> None:
    with pytest.raises(ValueError, match="29 third octaves"):
        StyleConditioning(4)(torch.zeros(1, 4), torch.zeros(1, 30))


def test_a_configuration_rebuilds_the_model_without_hydra() -> None:
    model, config = model_of("+phase=1a", "conditioning=style")
    shaken(model)
    again = build(config)
    again.load_state_dict(model.state_dict())
    audio, style = audio_of(1), torch.randn(1, THIRDS)
    with torch.no_grad():
        assert torch.equal(again.eval()(audio, None, style).audio, model.eval()(audio, None, style).audio)
