"""Every device, loss, metric and phase gives on a GPU what it gives on the CPU, gradients included."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor

from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import validated
from neural_mastering.dsp.biquad import equalize
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.losses import WeightedSum, WeightedTerm
from neural_mastering.metrics.item_metric import ItemMetric
from neural_mastering.metrics.signal import Signal
from neural_mastering.metrics.suite import METRICS, measure
from neural_mastering.models import build
from neural_mastering.output import Gates, MasteringOutput
from neural_mastering.processors import Processor

RATE = 44_100
CONF = Path(__file__).parents[2] / "conf"
PROCESSORS = sorted(file.stem for file in (CONF / "processor").glob("*.yaml"))
TERMS = sorted(file.stem for file in (CONF / "loss" / "term").glob("*.yaml"))
PHASES = ("1a", "1b", "1c", "2_full")
ENCODERS = sorted(file.stem for file in (CONF / "model" / "encoder").glob("*.yaml"))


def _noise(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    return 0.2 * torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _close(got: Tensor, expected: Tensor, relative: float, what: str) -> None:
    """The energy of the difference, as a share of the expected."""
    got, expected = got.detach().cpu().double(), expected.detach().cpu().double()
    assert got.shape == expected.shape, what
    assert torch.isfinite(got).all(), what
    error = float((got - expected).norm() / expected.norm().clamp_min(1e-9))
    assert error < relative, f"{what}: differs by {error:.2e} of its size"


def _values_and_gradients(
    function: Callable[..., Tensor], leaves: Mapping[str, Tensor], device: torch.device
) -> tuple[Tensor, dict[str, Tensor]]:
    moved = {key: value.detach().clone().to(device).requires_grad_() for key, value in leaves.items()}
    value = function(**moved)
    weights = torch.linspace(-1.0, 1.0, value.numel(), dtype=value.dtype, device=device).reshape(value.shape)
    gradients = torch.autograd.grad((value * weights).sum(), list(moved.values()), allow_unused=True)
    kept = {
        key: torch.zeros_like(leaf) if gradient is None else gradient
        for (key, leaf), gradient in zip(moved.items(), gradients, strict=True)
    }
    return value, kept


def _compare(
    function_on: Callable[[torch.device], Callable[..., Tensor]],
    leaves: Mapping[str, Tensor],
    device: torch.device,
    relative: float,
) -> None:
    expected, by_cpu = _values_and_gradients(function_on(torch.device("cpu")), leaves, torch.device("cpu"))
    got, by_device = _values_and_gradients(function_on(device), leaves, device)
    assert got.device.type == device.type
    _close(got, expected, relative, "value")
    for key, gradient in by_cpu.items():
        _close(by_device[key], gradient, 10 * relative, f"gradient by {key}")


def _probe(name: str) -> Any:
    return OmegaConf.to_container(compose([f"+processor@probe={name}"]).probe, resolve=True)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", PROCESSORS)
def test_processors(name: str, dtype: torch.dtype, device: torch.device) -> None:
    config = _probe(name)

    def on(target: torch.device) -> Callable[..., Tensor]:
        torch.manual_seed(0)
        processor = build(config, path=name)
        assert isinstance(processor, Processor)
        processor = processor.train().to(target).to(dtype)
        return lambda audio, logits: processor(audio, **processor.controls(logits))

    torch.manual_seed(0)
    logits = build(config, path=name).logit_count
    leaves = {
        "audio": _noise(2, 2, 8_000, dtype=dtype),
        "logits": 5.0 * _noise(2, logits, dtype=dtype, seed=1),
    }
    _compare(on, leaves, device, 1e-8 if dtype == torch.float64 else 1e-4)


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_song_in_pieces(name: str, device: torch.device) -> None:
    processor = build(_probe(name), path=name).eval().to(device)
    audio = _noise(1, 2, 12_000).to(device)
    controls = processor.controls(torch.full((1, processor.logit_count), 0.4, device=device))
    late = processor.latency_samples
    padded = torch.nn.functional.pad(audio, (0, late))  # silence behind the end brings out what is on its way
    with torch.no_grad():
        whole = processor(audio, **controls)
        pieces, state = [], processor.initial_state(audio)
        for piece in padded.split(5_000, dim=-1):
            rendered, state = processor.render(piece, state, **controls)
            pieces.append(rendered)
    _close(torch.cat(pieces, dim=-1)[..., late:], whole, 1e-5, name)


@pytest.mark.parametrize("name", [name for name in TERMS if name != "auraloss_stft"])
def test_losses(name: str, device: torch.device) -> None:
    config = validated(compose([f"+loss/term@loss.terms.probe={name}"])).loss["terms"]["probe"]
    target = _noise(2, 2, RATE, seed=2)

    def on(place: torch.device) -> Callable[..., Tensor]:
        weighted = build(config, packages=None)
        assert isinstance(weighted, WeightedTerm)
        term = weighted.term.to(place)

        def loss(audio: Tensor) -> Tensor:
            level = audio.abs().mean(dim=(1, 2))[:, None]
            ones = torch.ones(audio.shape[0], 6, device=audio.device)
            gates = Gates(values=ones, open_probability=0.5 * ones + 0.1 * level, held=ones < 0)
            eq = {"frequency_hz": 1000 * ones, "gain_db": ones + level, "q": 2 * ones + level}
            controls = {"eq": eq, "gain": {"gain_db": level[:, 0]}}
            output = MasteringOutput(audio, {"eq": audio}, controls, gates, audio.square())
            return term(output, target.to(audio.device))[None]

        return loss

    _compare(on, {"audio": _noise(2, 2, RATE)}, device, 1e-4)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.info.key)
def test_single_metrics(metric: type[ItemMetric], device: torch.device) -> None:
    target = _noise(2, 2, 4 * RATE, seed=1)
    prediction = 0.7 * target + 0.1 * _noise(2, 2, 4 * RATE)
    readings = []
    for place in (torch.device("cpu"), device):
        reading = metric(RATE).to(place)
        reading.update(prediction.to(place), target.to(place))
        readings.append(float(reading.compute()))
    assert readings[1] == pytest.approx(readings[0], rel=1e-3, abs=1e-3)


def test_all_metrics_at_once(device: torch.device) -> None:
    prediction, target = _noise(1, 2, 4 * RATE), _noise(1, 2, 4 * RATE, seed=1)
    prediction = 0.7 * target + 0.1 * prediction
    expected = measure(Signal(prediction, RATE), Signal(target, RATE))
    got = measure(Signal(prediction.to(device), RATE), Signal(target.to(device), RATE))
    assert got == pytest.approx(expected, rel=1e-3, abs=1e-3, nan_ok=True)


def test_loudness_true_peak_and_equaliser(device: torch.device) -> None:
    audio = _noise(2, 2, 2 * RATE, dtype=torch.float64)
    moved = audio.to(device)
    torch.testing.assert_close(
        integrated_loudness(moved, RATE).cpu(), integrated_loudness(audio, RATE), rtol=0, atol=1e-6
    )
    torch.testing.assert_close(true_peak_db(moved, RATE).cpu(), true_peak_db(audio, RATE), rtol=0, atol=1e-6)
    frequency_hz, gain_db, q = (
        torch.tensor([values], dtype=torch.float64).expand(2, -1)
        for values in ([80.0, 2e3], [6.0, -9.0], [0.7, 2.0])
    )
    kinds = ("low_shelf", "peak")
    expected = equalize(audio, frequency_hz, gain_db, q, RATE, kinds)
    got = equalize(moved, frequency_hz.to(device), gain_db.to(device), q.to(device), RATE, kinds)
    _close(got, expected, 1e-9, "equaliser")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_encoders(encoder: str, device: torch.device) -> None:
    size = 302 if encoder == "content" else 32  # what its features give
    _phase("1a", [f"model/encoder={encoder}", f"z_size={size}"], device)


@pytest.mark.parametrize("phase", PHASES)
def test_phases(phase: str, device: torch.device) -> None:
    _phase(phase, ["z_size=32"], device)


def _phase(phase: str, more: list[str], device: torch.device) -> None:
    """One objective and its gradient by every parameter; parameters of the heads are moved from their start."""
    config = validated(compose([f"+phase={phase}", *more]))
    audio, target = _noise(2, 2, RATE), _noise(2, 2, RATE, seed=1)
    losses, gradients = [], []
    for place in (torch.device("cpu"), device):
        torch.manual_seed(0)
        model = build_model(config.model)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.01 * torch.randn(parameter.shape))
        model = model.to(place).eval()
        objective = build(config.loss, path="loss", packages=None)
        assert isinstance(objective, WeightedSum)
        loss = objective.to(place)(model(audio.to(place)), target.to(place), 0)
        loss.backward()
        losses.append(loss.detach())
        flat = [p.grad.flatten().cpu() for p in model.parameters() if p.grad is not None]
        gradients.append(torch.cat(flat))
    _close(losses[1], losses[0], 1e-4, "loss")
    _close(gradients[1], gradients[0], 1e-2, "gradient")
