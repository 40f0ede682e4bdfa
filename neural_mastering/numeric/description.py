"""A model as numbers: what it listens to, its operations, and the ranges of the controls that it sets.

JSON of version 1, the entry `operations` of a bundle; tensors are named as in its safetensors file:

    version      1
    features     kind "log_mel" and the settings of `numeric.log_mel.LogMelSpec`
    steps        operations (`numeric.operations`) on the inputs `long_term`, `frames` (where named) and `level`
    outputs      names of the logits: eq, gain, and gates where bands switch themselves off
    kinds        of the bands, in order
    eq, gain     controls in order of the logits: key, scale "linear" or "log", low, high (a number a band)
    gates        bound (a number a band) and min_bands; null where all bands are always on
    level        centre and scale: the input `level` is (LUFS − centre)/scale
    analysis_lufs, silence_lufs   loudness to which a window is brought; what is quieter says nothing

A control is low + (high − low)·σ(logit), or low·(high/low)^σ(logit) where its scale is "log".
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from neural_mastering.dsp.rbj import Float64s, Kind
from neural_mastering.numeric.log_mel import LogMelSpec
from neural_mastering.numeric.operations import VERSION, Operation, operation_of

INPUTS = ("long_term", "frames", "level")


@dataclass(frozen=True)
class Range:
    """A control's range and its map from a logit.

    Attributes:
        key: name with unit, such as "gain_db".
        scale: "linear" or "log".
        low, high: (band,) ends; one number for a control without bands.
    """

    key: str
    scale: Literal["linear", "log"]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def of(self, logits: Float64s) -> Float64s:
        """Physical values of logits (row, band)."""
        share = 1.0 / (1.0 + np.exp(-logits))
        low, high = np.array(self.low), np.array(self.high)
        if self.scale == "linear":
            return low + (high - low) * share
        return np.exp(np.log(low) + np.log(high / low) * share)


@dataclass(frozen=True)
class GateRule:
    """When a band is switched off: P(open) below one half, and not among the `min_bands` most probable."""

    bound: tuple[float, ...]
    min_bands: int


@dataclass(frozen=True)
class Description:
    """See the module; one attribute for each entry."""

    features: LogMelSpec
    steps: tuple[Operation, ...]
    outputs: Mapping[str, str]
    kinds: tuple[Kind, ...]
    eq: tuple[Range, ...]
    gain: Range
    gates: GateRule | None
    level: tuple[float, float]
    analysis_lufs: float
    silence_lufs: float

    @property
    def reads_frames(self) -> bool:
        """Whether a step reads features of single frames."""
        return any("frames" in step.inputs for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "version": VERSION,
            "features": {"kind": "log_mel", **asdict(self.features)},
            "steps": [step.as_dict() for step in self.steps],
            "outputs": dict(self.outputs),
            "kinds": list(self.kinds),
            "eq": [asdict(each) for each in self.eq],
            "gain": asdict(self.gain),
            "gates": None if self.gates is None else asdict(self.gates),
            "level": list(self.level),
            "analysis_lufs": self.analysis_lufs,
            "silence_lufs": self.silence_lufs,
        }


def description_of(content: Mapping[str, Any]) -> Description | None:
    """A description from its JSON; None for one of another version or with another front end.

    Raises:
        KeyError, TypeError, ValueError: something is missing.
    """
    features = dict(content["features"])
    if content["version"] != VERSION or features.pop("kind") != "log_mel":
        return None
    gates = content["gates"]
    return Description(
        features=LogMelSpec(**features),
        steps=tuple(operation_of(step) for step in content["steps"]),
        outputs=dict(content["outputs"]),
        kinds=tuple(content["kinds"]),
        eq=tuple(_range(each) for each in content["eq"]),
        gain=_range(content["gain"]),
        gates=None if gates is None else GateRule(tuple(gates["bound"]), int(gates["min_bands"])),
        level=(float(content["level"][0]), float(content["level"][1])),
        analysis_lufs=float(content["analysis_lufs"]),
        silence_lufs=float(content["silence_lufs"]),
    )


def _range(content: Mapping[str, Any]) -> Range:
    return Range(content["key"], content["scale"], tuple(content["low"]), tuple(content["high"]))
