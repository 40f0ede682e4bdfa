"""The operations of which a numeric model is made, and the loop that computes them in float64.

An operation takes named arrays and gives one. Rows are windows of a song: values are (row, feature), frames are
(row, channel, frame). The set is version 1; a file that names another operation is refused.

    linear       y = x·Wᵀ + b                                    weight (out, in), bias (out,)
    gelu         y = ½·x·(1 + erf(x/√2))
    layer_norm   y = (x − mean)/√(variance + 1e-5)·w + b          over features, or over channels of each frame
    conv1d       cross-correlation over frames, zeros around      weight (out, in, tap), bias, dilation
    mean_std     (mean, √(variance + 1e-6)) over frames
    add          y = Σ x_i
    concat       features of all inputs side by side
    affine       y = x·scale + shift                              lists of numbers, one a feature

Sources: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016; J. L. Ba et al., "Layer normalization", 2016.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Tensors = Mapping[str, NDArray[Any]]

VERSION = 1
LAYER_NORM_EPSILON, DEVIATION_FLOOR = 1e-5, 1e-3


@dataclass(frozen=True)
class Operation:
    """One step.

    Attributes:
        op: its name, see the module.
        inputs: names of what it reads.
        output: name of what it gives.
        tensors: names of its weights by their role.
        settings: plain numbers and lists by name.
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    tensors: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `operation_of` is the inverse."""
        content: dict[str, Any] = {"op": self.op, "inputs": list(self.inputs), "output": self.output}
        return content | dict(self.tensors) | dict(self.settings)


_TENSOR_ROLES = {
    "linear": ("weight", "bias"),
    "layer_norm": ("weight", "bias"),
    "conv1d": ("weight", "bias"),
}


def operation_of(content: Mapping[str, Any]) -> Operation:
    """An operation from its JSON.

    Raises:
        KeyError, TypeError: something is missing, or the operation is not one of this version.
    """
    op = str(content["op"])
    if op not in COMPUTE:
        raise KeyError(f"operation {op!r}")
    roles = _TENSOR_ROLES.get(op, ())
    rest = {k: v for k, v in content.items() if k not in ("op", "inputs", "output", *roles)}
    tensors = {role: str(content[role]) for role in roles}
    return Operation(op, tuple(content["inputs"]), str(content["output"]), tensors, rest)


def run_operations(
    steps: Sequence[Operation], inputs: Mapping[str, NDArray[Any]], tensors: Tensors
) -> dict[str, Numbers]:
    """All values by name: the inputs and what each step gives.

    Raises:
        KeyError: a step reads what is not there.
        ValueError: shapes that do not fit.
    """
    values = {name: np.asarray(value, dtype=np.float64) for name, value in inputs.items()}
    for step in steps:
        read = [values[name] for name in step.inputs]
        weights = {role: np.asarray(tensors[name], np.float64) for role, name in step.tensors.items()}
        values[step.output] = COMPUTE[step.op](read, weights, step.settings)
    return values


Settings = Mapping[str, Any]


def _linear(x: list[Numbers], w: dict[str, Numbers], _: Settings) -> Numbers:
    return x[0] @ w["weight"].T + w["bias"]


def _gelu(x: list[Numbers], _w: dict[str, Numbers], _: Settings) -> Numbers:
    return 0.5 * x[0] * (1.0 + _erf(x[0] * math.sqrt(0.5)))


def _layer_norm(x: list[Numbers], w: dict[str, Numbers], _: Settings) -> Numbers:
    value = x[0]
    mean = value.mean(axis=1, keepdims=True)
    variance = np.square(value - mean).mean(axis=1, keepdims=True)
    shape = (-1, 1) if value.ndim == 3 else (-1,)
    scaled = (value - mean) / np.sqrt(variance + LAYER_NORM_EPSILON)
    return scaled * w["weight"].reshape(shape) + w["bias"].reshape(shape)


def _conv1d(x: list[Numbers], w: dict[str, Numbers], settings: Settings) -> Numbers:
    weight, dilation = w["weight"], int(settings.get("dilation", 1))
    reach = dilation * (weight.shape[2] // 2)
    padded = np.pad(x[0], ((0, 0), (0, 0), (reach, reach)))
    frames = x[0].shape[2]
    out = np.zeros((x[0].shape[0], weight.shape[0], frames))
    for tap in range(weight.shape[2]):
        out += weight[:, :, tap] @ padded[:, :, tap * dilation : tap * dilation + frames]
    return out + w["bias"][:, None]


def _mean_std(x: list[Numbers], _w: dict[str, Numbers], _: Settings) -> Numbers:
    deviation = np.sqrt(x[0].var(axis=2) + DEVIATION_FLOOR**2)
    return np.concatenate([x[0].mean(axis=2), deviation], axis=1)


def _add(x: list[Numbers], _w: dict[str, Numbers], _: Settings) -> Numbers:
    return np.sum(x, axis=0)


def _concat(x: list[Numbers], _w: dict[str, Numbers], _: Settings) -> Numbers:
    return np.concatenate(x, axis=1)


def _affine(x: list[Numbers], _w: dict[str, Numbers], settings: Settings) -> Numbers:
    return x[0] * np.asarray(settings["scale"]) + np.asarray(settings["shift"])


def _erf(x: Numbers) -> Numbers:
    flat = np.array([math.erf(value) for value in x.ravel().tolist()])
    return flat.reshape(x.shape)


COMPUTE: dict[str, Callable[[list[Numbers], dict[str, Numbers], Settings], Numbers]] = {
    "linear": _linear,
    "gelu": _gelu,
    "layer_norm": _layer_norm,
    "conv1d": _conv1d,
    "mean_std": _mean_std,
    "add": _add,
    "concat": _concat,
    "affine": _affine,
}
