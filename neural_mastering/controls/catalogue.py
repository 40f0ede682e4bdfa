"""The stages that a chain may have between the equaliser and the delivery: one row each, and nowhere else.

A row says how a stage is named, shown, weakened, built and placed. Strengths, controls files, rendering, meters,
reports and sentences read it; none of them knows a stage by name. The order of the rows is the usual order of the
chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from neural_mastering.errors import InputError

Value = float | tuple[float, ...]
Values = Mapping[str, Value]
"""Controls and settings of a stage by key; a tuple where each band has its own."""

INPUT_LUFS = "input_lufs"
"""Setting of a stage that hears levels: the song's loudness where the stage begins."""

Effect = Literal["reduction", "added", "side", "level"]
"""What a stage is measured by: gain reduction, what it adds to the signal, the side's level, or the level."""


@dataclass(frozen=True)
class ControlText:
    """How a person reads a control.

    Attributes:
        title: such as "attack".
        unit: such as "ms", "Hz" or "dB"; "%" for a share from 0 to 1, "" for a plain number.
        digits: decimals shown.
        signed: whether a plus is shown.
        note: what the number stands on or means, such as "from the song's loudness".
        quiet_at: a value at which the control does nothing and is not mentioned.
    """

    title: str
    unit: str = ""
    digits: int = 1
    signed: bool = False
    note: str = ""
    quiet_at: float | None = None


@dataclass(frozen=True)
class StageSpec:
    """One kind of stage.

    Attributes:
        name: key in controls files, in JSON and for --strength, --skip and --only.
        title: for readers.
        neutral: controls, and the values at which the stage does nothing; a weaker stage is one whose controls
            are closer to these: v → neutral + strength·(v − neutral).
        controls: what a person reads of it, in order; settings that are missing here are not shown.
        devices: (key, class) of its forms: the first whose key is among the stage's values is built; an empty key
            fits all. Classes are named by their full path, as in YAML.
        effect: what it is measured by.
        amount: the control that the whole effect is proportional to, "" where there is none.
        partial_amounts: controls that a part of the effect is proportional to, and for each the control that means
            nothing while it is 0.
        idle_gain: controls whose sum, times these factors, is its gain in dB when it reduces nothing.
        trained_as: its name in a model's chain.
        is_after_residual: whether it stands behind the neural residual.
    """

    name: str
    title: str
    neutral: Mapping[str, float]
    controls: Mapping[str, ControlText]
    devices: tuple[tuple[str, str], ...]
    effect: Effect
    amount: str = ""
    partial_amounts: Mapping[str, str] = field(default_factory=dict)
    idle_gain: Mapping[str, float] = field(default_factory=dict)
    trained_as: str = ""
    is_after_residual: bool = False

    @property
    def model_name(self) -> str:
        """The stage's name in a model's chain."""
        return self.trained_as or self.name

    def weakened(self, values: Values, share: float) -> Values:
        """The stage's values at a strength from 0 (nothing is done) to 1 (as they are)."""
        if share == 1.0:
            return values
        moved = {
            key: _towards(self.neutral[key], v, share) for key, v in values.items() if key in self.neutral
        }
        return {**values, **moved}

    def is_idle(self, values: Values) -> bool:
        """Whether every neutral control stands at the value at which the stage does nothing."""
        return all(_all_at(values.get(key, neutral), neutral) for key, neutral in self.neutral.items())


_MIX = ControlText("mix", "%", 0)
_PROCESSORS = "neural_mastering.processors"

CATALOGUE: tuple[StageSpec, ...] = (
    StageSpec(
        name="compressor",
        title="compressor",
        neutral={"mix": 0.0},
        controls={
            "crossovers_hz": ControlText("bands split at", "Hz"),
            "threshold_db": ControlText("threshold", "dB", 1, True, "from the song's loudness"),
            "ratio": ControlText("ratio", "", 1),
            "attack_ms": ControlText("attack", "ms", 1),
            "release_ms": ControlText("release", "ms", 0),
            "knee_db": ControlText("knee", "dB", 1),
            "makeup_db": ControlText("make-up", "dB", 1, True),
            "mix": _MIX,
        },
        devices=(
            ("crossovers_hz", f"{_PROCESSORS}.MultibandCompressor"),
            ("", f"{_PROCESSORS}.Compressor"),
        ),
        effect="reduction",
        amount="mix",
        idle_gain={"makeup_db": 1.0},
    ),
    StageSpec(
        name="dynamic_eq",
        title="dynamic equaliser",
        neutral={"range_db": 0.0},
        controls={
            "frequency_hz": ControlText("at", "Hz"),
            "q": ControlText("Q", "", 2),
            "threshold_db": ControlText("threshold", "dB", 1, True, "from the song's loudness"),
            "range_db": ControlText("range", "dB", 1, True),
            "attack_ms": ControlText("attack", "ms", 1),
            "release_ms": ControlText("release", "ms", 0),
        },
        devices=(("", f"{_PROCESSORS}.DynamicEQ"),),
        effect="level",
    ),
    StageSpec(
        name="mid_side_eq",
        title="mid-side equaliser",
        neutral={"mid_gain_db": 0.0, "side_gain_db": 0.0},
        controls={
            "mid_frequency_hz": ControlText("mid at", "Hz"),
            "mid_gain_db": ControlText("gain", "dB", 1, True),
            "mid_q": ControlText("Q", "", 2),
            "side_frequency_hz": ControlText("side at", "Hz"),
            "side_gain_db": ControlText("gain", "dB", 1, True),
            "side_q": ControlText("Q", "", 2),
        },
        devices=(("", f"{_PROCESSORS}.MidSideEQ"),),
        effect="side",
    ),
    StageSpec(
        name="saturation",
        title="saturation",
        neutral={"mix": 0.0},
        controls={
            "drive_db": ControlText("drive", "dB", 1),
            "shape": ControlText("shape", "", 2, note="0 soft, 1 hard"),
            "bias": ControlText("bias", "", 2, True),
            "mix": _MIX,
        },
        devices=(
            ("unit_weight", f"{_PROCESSORS}.NeuralSaturation"),
            ("", f"{_PROCESSORS}.Saturation"),
        ),
        effect="added",
        amount="mix",
    ),
    StageSpec(
        name="stereo",
        title="stereo width",
        neutral={"width": 1.0, "bass_amount": 0.0},
        controls={
            "width": ControlText("width", "", 2),
            "crossovers_hz": ControlText("bands split at", "Hz"),
            "bass_frequency_hz": ControlText("bass below", "Hz"),
            "bass_amount": ControlText("side's bass turned down by", "%", 0, quiet_at=0.0),
        },
        devices=(
            ("crossovers_hz", f"{_PROCESSORS}.MultibandWidth"),
            ("", f"{_PROCESSORS}.StereoWidth"),
        ),
        effect="side",
        partial_amounts={"bass_amount": "bass_frequency_hz"},
    ),
    StageSpec(
        name="chain_limiter",
        title="limiter of the chain",
        neutral={"amount": 0.0},
        controls={
            "threshold_db": ControlText("threshold", "dBTP", 1, True),
            "ceiling_db": ControlText("raised to", "dBTP", 1, True),
            "release_ms": ControlText("release", "ms", 0),
            "amount": ControlText("amount", "%", 0),
        },
        devices=(("", f"{_PROCESSORS}.Limiter"),),
        effect="reduction",
        amount="amount",
        idle_gain={"ceiling_db": 1.0, "threshold_db": -1.0},
        trained_as="limiter",  # the delivery has a limiter of its own, which keeps that name
        is_after_residual=True,
    ),
)
"""All stages, in the usual order of the chain."""

STAGE_NAMES: tuple[str, ...] = tuple(spec.name for spec in CATALOGUE)

_BY_NAME = {spec.name: spec for spec in CATALOGUE}
_BY_MODEL_NAME = {spec.model_name: spec for spec in CATALOGUE}


def stage_spec(name: str) -> StageSpec:
    """The row of a stage.

    Raises:
        InputError: a name that is no stage.
    """
    spec = _BY_NAME.get(name)
    if spec is None:
        raise InputError(
            f"the controls name a stage '{name}', which this version does not have: expected one of "
            f"{', '.join(STAGE_NAMES)}"
        )
    return spec


def stage_of_model(name: str) -> StageSpec:
    """The row of a stage that a model's chain calls `name`.

    Raises:
        InputError: a stage that has no row, and can therefore be trained but not rendered.
    """
    spec = _BY_MODEL_NAME.get(name)
    if spec is None:
        raise InputError(
            f"the model has a stage '{name}' without a row in controls/catalogue.py: expected one of "
            f"{', '.join(_BY_MODEL_NAME)}"
        )
    return spec


def find_stage_of_model(name: str) -> StageSpec | None:
    """The row of a stage that a model's chain calls `name`; None where there is none."""
    return _BY_MODEL_NAME.get(name)


def _towards(neutral: float, value: Value, share: float) -> Value:
    if isinstance(value, tuple):
        return tuple(neutral + share * (v - neutral) for v in value)
    return neutral + share * (value - neutral)


def _all_at(value: Value, neutral: float) -> bool:
    return all(v == neutral for v in value) if isinstance(value, tuple) else value == neutral
