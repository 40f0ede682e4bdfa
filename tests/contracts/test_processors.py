"""The contract of processors, for everything in conf/processor."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor

from neural_mastering.models import build
from neural_mastering.processors import Processor

CONF = Path(__file__).parents[2] / "conf"
NAMES = sorted(f.stem for f in (CONF / "processor").glob("*.yaml"))
RATE = 44_100


def _build(name: str) -> Processor:
    node: Any = OmegaConf.load(CONF / "processor" / f"{name}.yaml")
    if "defaults" in node:
        for entry in node.pop("defaults"):
            if entry != "_self_":
                (group, option) = next(iter(entry.items()))
                folder, _, key = group.strip("/").partition("@")
                node[key] = OmegaConf.load(CONF / folder / f"{option}.yaml")
    merged = OmegaConf.create({"sample_rate": RATE, "node": node})
    processor = build(OmegaConf.to_container(merged.node, resolve=True))
    assert isinstance(processor, Processor)
    return processor


def _logits(processor: Processor, batch: int, seed: int = 0, spread: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(batch, processor.logit_count, generator=generator)


def _audio(*shape: int) -> Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=NAMES)
def processor(request: pytest.FixtureRequest) -> Processor:
    return _build(request.param).eval()


def test_specs_are_the_arguments_of_render(processor: Processor) -> None:
    parameters = list(inspect.signature(processor.render).parameters)
    assert parameters == ["audio", "state", *processor.specs]
    assert all(key == spec.key for key, spec in processor.specs.items())


def test_controls_and_logits_are_inverse(processor: Processor) -> None:
    logits = _logits(processor, 3).double()
    torch.testing.assert_close(processor.logits(processor.controls(logits)), logits, atol=1e-6, rtol=1e-6)


def test_controls_stay_in_their_ranges(processor: Processor) -> None:
    for sign in (-40.0, 40.0):
        controls = processor.controls(torch.full((1, processor.logit_count), sign))
        for key, spec in processor.specs.items():
            ends = torch.as_tensor(spec.low if sign < 0 else spec.high)
            torch.testing.assert_close(controls[key][0], ends.expand_as(controls[key][0]), rtol=1e-4, atol=1e-4)


def test_half_precision_logits_give_float32_controls(processor: Processor) -> None:
    controls = processor.controls(_logits(processor, 2).bfloat16())
    assert {value.dtype for value in controls.values()} == {torch.float32}


def test_wrong_number_of_logits_is_named(processor: Processor) -> None:
    with pytest.raises(ValueError, match=f"expected {processor.logit_count} logits"):
        processor.controls(torch.zeros(1, processor.logit_count + 1))


def test_neutral_controls_reproduce_the_input(processor: Processor) -> None:
    controls = processor.controls(_logits(processor, 2))
    for key, spec in processor.specs.items():
        if spec.neutral is not None:
            controls[key] = torch.full_like(controls[key], spec.neutral)
    audio = _audio(2, 2, 5_000)
    torch.testing.assert_close(processor.render(audio, None, **controls)[0], audio, atol=1e-6, rtol=0)


def test_every_control_has_a_true_gradient(processor: Processor) -> None:
    """gradcheck in float64 at an interior point away from neutral, of every control and of the audio."""
    processor.train()
    controls = {k: v.double().requires_grad_() for k, v in processor.controls(_logits(processor, 1, seed=3)).items()}
    audio = _audio(1, 2, 48).double().requires_grad_()
    keys = list(controls)

    def render(audio: Tensor, *values: Tensor) -> Tensor:
        return processor.render(audio, None, **dict(zip(keys, values, strict=True)))[0]

    # Controls in Hz need larger steps than those in dB: check each in units of its own size.
    scales = [value.detach().abs().clamp(min=1.0) for value in controls.values()]

    def scaled(audio: Tensor, *units: Tensor) -> Tensor:
        return render(audio, *(unit * scale for unit, scale in zip(units, scales, strict=True)))

    units = [
        (value.detach() / scale).requires_grad_() for value, scale in zip(controls.values(), scales, strict=True)
    ]
    assert torch.autograd.gradcheck(scaled, (audio, *units), eps=1e-6, atol=1e-6, rtol=1e-4)
    long = _audio(1, 2, 4_000).double()
    gradients = torch.autograd.grad(render(long, *controls.values()).square().sum(), list(controls.values()))
    for key, gradient in zip(keys, gradients, strict=True):
        assert bool((gradient.abs() > 0).all()), f"{key} has entries without a gradient"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("channels", [1, 2])
def test_shape_and_dtype_are_kept(processor: Processor, dtype: torch.dtype, channels: int) -> None:
    audio = _audio(2, channels, 777).to(dtype)
    result = processor.render(audio, None, **processor.controls(_logits(processor, 2)))[0]
    assert (result.shape, result.dtype, result.device) == (audio.shape, audio.dtype, audio.device)


@pytest.mark.parametrize("end", [-40.0, 40.0])
@pytest.mark.parametrize("kind", ["silence", "full scale"])
def test_both_ends_of_all_ranges_are_finite(processor: Processor, end: float, kind: str) -> None:
    audio = torch.zeros(1, 2, 4_000) if kind == "silence" else torch.ones(1, 2, 4_000)
    logits = torch.full((1, processor.logit_count), end).requires_grad_()
    result = processor.render(audio, None, **processor.controls(logits))[0]
    (gradient,) = torch.autograd.grad(result.sum(), logits)
    assert bool(torch.isfinite(result).all()) and bool(torch.isfinite(gradient).all())
    if kind == "silence":
        assert bool((result == 0).all())


def test_rows_of_a_batch_are_independent(processor: Processor) -> None:
    audio, logits = _audio(3, 2, 3_000), _logits(processor, 3, spread=3.0)
    together = processor.render(audio, None, **processor.controls(logits))[0]
    for row in range(3):
        part = slice(row, row + 1)
        alone = processor.render(audio[part], None, **processor.controls(logits[part]))[0]
        torch.testing.assert_close(together[part], alone, atol=1e-6, rtol=0)


def test_chunks_with_state_equal_one_shot(processor: Processor) -> None:
    audio = _audio(1, 2, 130_000)
    controls = processor.controls(_logits(processor, 1, spread=2.0))
    whole = processor.render(audio, None, **controls)[0]
    state, pieces = None, []
    for piece in audio.split([1, 40_000, 7, 60_000, 29_992], dim=-1):
        rendered, state = processor.render(piece, state, **controls)
        pieces.append(rendered)
    torch.testing.assert_close(torch.cat(pieces, dim=-1), whole, atol=1e-6, rtol=0)
