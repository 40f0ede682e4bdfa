"""The contract of processors, for everything in conf/processor."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor

from neural_mastering.config.compose import compose
from neural_mastering.models import build
from neural_mastering.processors import Processor

NAMES = sorted(f.stem for f in (Path(__file__).parents[2] / "conf" / "processor").glob("*.yaml"))
CONFIGS: dict[str, Any] = {}


def _processor(name: str) -> Processor:
    if name not in CONFIGS:
        CONFIGS[name] = OmegaConf.to_container(compose([f"+processor@probe={name}"]).probe, resolve=True)
    processor = build(CONFIGS[name], path=name)
    assert isinstance(processor, Processor)
    return processor.eval()


def _controls(
    processor: Processor, unit: float, items: int = 1, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Every control at the same place in its range, 0 to 1."""
    return {
        key: spec.to_physical(torch.full((items, spec.bands) if spec.bands else (items,), unit, dtype=dtype))
        for key, spec in processor.specs.items()
    }


def _random_controls(processor: Processor, items: int) -> dict[str, Tensor]:
    return processor.controls(torch.randn(items, processor.logit_count))


def _noise(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return 0.2 * torch.randn(*shape, dtype=dtype)


@pytest.mark.parametrize("name", NAMES)
def test_the_specs_are_the_arguments_of_render(name: str) -> None:
    processor = _processor(name)
    arguments = inspect.signature(processor.render).parameters.values()
    keywords = {a.name for a in arguments if a.kind is inspect.Parameter.KEYWORD_ONLY}
    assert keywords == set(processor.specs)
    assert set(processor.controls(torch.zeros(1, processor.logit_count))) == keywords


@pytest.mark.parametrize("name", NAMES)
def test_logits_and_controls_are_inverse(name: str) -> None:
    processor = _processor(name)
    logits = torch.randn(4, processor.logit_count, dtype=torch.float64)
    torch.testing.assert_close(processor.logits(processor.controls(logits)), logits, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_logits_give_float32_controls(name: str) -> None:
    processor = _processor(name)
    logits = torch.randn(2, processor.logit_count).bfloat16()
    for key, value in processor.controls(logits).items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, processor.controls(logits.float())[key])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [0.0, 0.3, 1.0])
def test_neutral_controls_change_nothing(name: str, place: float) -> None:
    processor = _processor(name)
    neutral = {key: spec.neutral for key, spec in processor.specs.items() if spec.neutral is not None}
    assert neutral, "a processor needs a control at which it does nothing"
    controls = _controls(processor, place, items=2)
    for key, value in neutral.items():
        controls[key] = torch.full_like(controls[key], value)
    audio = _noise(2, 2, 5_000)
    torch.testing.assert_close(processor(audio, **controls), audio, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_a_gradient(name: str) -> None:
    processor = _processor(name).train()
    audio = _noise(1, 2, 300, dtype=torch.float64)
    keys = list(processor.specs)
    values = [v.requires_grad_() for v in _controls(processor, 0.62, dtype=torch.float64).values()]

    def render(*controls: Tensor) -> Tensor:
        # A sum against fixed weights keeps gradcheck to one output.
        rendered = processor(audio, **dict(zip(keys, controls, strict=True)))
        return (rendered * torch.linspace(-1, 1, 300, dtype=torch.float64)).sum() + rendered.square().sum()

    assert torch.autograd.gradcheck(render, values, eps=1e-6, atol=1e-6, rtol=1e-4)
    for key, gradient in zip(keys, torch.autograd.grad(render(*values), values), strict=True):
        ends = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
        relative = gradient.abs() * processor.specs[key].to_physical(ends).abs().max()
        assert bool((relative > 1e-9).all()), f"{key} has no gradient: {gradient}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_shape_dtype_and_device_are_kept(name: str, channels: int, dtype: torch.dtype) -> None:
    processor = _processor(name)
    audio = _noise(2, channels, 1_001).to(dtype)
    controls = _random_controls(processor, 2)
    rendered, _ = processor.render(audio, **controls)
    assert rendered.shape == audio.shape and rendered.dtype == dtype and rendered.device == audio.device
    exact, _ = processor.render(audio.double(), **{key: value.double() for key, value in controls.items()})
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-12, torch.bfloat16: 1e-2}[dtype]
    assert float((rendered.double() - exact).norm() / exact.norm()) < tolerance


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [0.0, 1.0])
@pytest.mark.parametrize("signal", ["silence", "full scale", "one sample"])
def test_finite_at_the_ends_of_each_range(name: str, place: float, signal: str) -> None:
    processor = _processor(name)
    audio = {
        "silence": torch.zeros(1, 2, 2_000),
        "full scale": torch.sign(_noise(1, 2, 2_000)),
        "one sample": torch.ones(1, 2, 1),
    }[signal].requires_grad_()
    controls = {key: value.requires_grad_() for key, value in _controls(processor, place).items()}
    rendered = processor.train()(audio, **controls)
    assert bool(torch.isfinite(rendered).all())
    for gradient in torch.autograd.grad(rendered.square().sum(), [audio, *controls.values()]):
        assert bool(torch.isfinite(gradient).all())
    if signal == "silence":
        assert not bool(rendered.any())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("training", [True, False])
def test_an_item_does_not_depend_on_its_batch(name: str, training: bool) -> None:
    processor = _processor(name).train(training)
    audio, controls = _noise(3, 2, 4_000), _random_controls(processor, 3)
    together = processor(audio, **controls)
    for item in range(3):
        alone = processor(audio[item : item + 1], **{k: v[item : item + 1] for k, v in controls.items()})
        torch.testing.assert_close(together[item : item + 1], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_chunks_with_state_equal_one_shot(name: str) -> None:
    processor = _processor(name)
    audio, controls = _noise(2, 2, 30_000), _random_controls(processor, 2)
    whole = processor(audio, **controls)
    state, parts, start = processor.initial_state(audio), [], 0
    late = processor.latency_samples
    padded = torch.nn.functional.pad(audio, (0, late))  # silence behind the end brings out what is on its way
    for size in (1, 4_096, 11_000, 3, 14_900 + late):
        part, state = processor.render(padded[..., start : start + size], state, **controls)
        assert part.shape[-1] == size
        parts.append(part)
        start += size
    assert start == padded.shape[-1]
    torch.testing.assert_close(torch.cat(parts, dim=-1)[..., late:], whole, rtol=0, atol=1e-6)
