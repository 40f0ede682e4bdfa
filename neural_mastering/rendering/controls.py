"""The controls of a whole song in physical units: what is rendered, saved, edited and exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from neural_mastering.errors import InputError

if TYPE_CHECKING:  # neither torch nor the models are needed to render from controls
    import numpy as np
    from numpy.typing import NDArray

    from neural_mastering.dsp.biquad import Kind
    from neural_mastering.models import Analysis, MasteringModel

MIX_KEYS = ("amount", "mix")
"""The control of a later stage that grows from 0, where the stage does nothing."""

NEUTRAL = {"width": 1.0, "bass_amount": 0.0}
"""Where the controls of the stereo stage do nothing."""


@dataclass(frozen=True)
class EqBand:
    """One band of the parametric equaliser (RBJ)."""

    kind: Kind
    frequency_hz: float
    gain_db: float
    q: float


@dataclass(frozen=True)
class ChainControls:
    """One song's settings of the chain EQ → gain → further stages → neural residual.

    The loudness and ceiling stage stands outside: it follows the delivery target, not the song's controls.

    Attributes:
        design_rate_hz: the sample rate at which the bands mean their curve (the training rate).
        eq: bands in series; a band at 0 dB does nothing.
        gain_db: broadband gain after the equaliser.
        stages: controls of the grey-box stages by stage name, in the order of the chain, keyed as
            `Processor.specs` are (`threshold_db`, `attack_ms`); empty before phase 2.
        residual: name of the model whose neural residual joins, None without one.
        residual_amount: factor of the residual where it is added.
        words: strengths of the words that are in these numbers already, for the record; nothing is added for them.
    """

    design_rate_hz: float = 44_100.0
    eq: tuple[EqBand, ...] = ()
    gain_db: float = 0.0
    stages: Mapping[str, Mapping[str, float | tuple[float, ...]]] = field(default_factory=dict)
    residual: str | None = None
    residual_amount: float = 1.0
    words: Mapping[str, float] = field(default_factory=dict)

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names that strengths may use, in the order of the chain."""
        return ("eq", "gain", *self.stages, "residual")

    def eq_sections(self, sample_rate: float) -> NDArray[np.float64]:
        """Second-order sections (section, 6) of the equaliser at a sample rate; (0, 6) without bands.

        The magnitude is that of the design rate; see `dsp.rate_match.sections_at_rate`.
        """
        from neural_mastering.dsp import rate_match

        return rate_match.sections_at_rate(
            *self.eq_columns(), design_rate_hz=self.design_rate_hz, sample_rate=sample_rate
        )

    def eq_deviation_db(self, sample_rate: float, high_hz: float = 16_000.0) -> float:
        """Largest deviation in dB of `eq_sections` from the curve of the design rate, up to `high_hz`."""
        from neural_mastering.dsp import rate_match

        return rate_match.max_deviation_db(
            self.eq_sections(sample_rate),
            *self.eq_columns(),
            design_rate_hz=self.design_rate_hz,
            sample_rate=sample_rate,
            high_hz=high_hz,
        )

    def eq_columns(self) -> tuple[list[str], list[float], list[float], list[float]]:
        """The bands as four lists: kinds, frequencies in Hz, gains in dB, Qs."""
        return (
            [band.kind for band in self.eq],
            [band.frequency_hz for band in self.eq],
            [band.gain_db for band in self.eq],
            [band.q for band in self.eq],
        )


def scaled(controls: ChainControls, strength: float | Mapping[str, float]) -> ChainControls:
    """Weaker controls: decibels times the strength; a stage at strength 0 is taken out exactly.

    The gains of the equaliser's bands, the broadband gain and the factor of the residual are multiplied. A later
    stage y = x + amount·(processed − x) is weakened by its `amount` (or `mix`).

    Args:
        controls: of a song.
        strength: for all stages, or by stage name; stages not named keep theirs.

    Raises:
        InputError: a strength outside 0…1, a name that is no stage, a stage without `amount` or `mix` at a
            strength between 0 and 1.
    """
    names = controls.stage_names
    given = dict.fromkeys(names, strength) if isinstance(strength, (int, float)) else dict(strength)
    for name, value in given.items():
        if name not in names:
            raise InputError(f"unknown stage '{name}' for a strength: expected one of {', '.join(names)}")
        if not 0.0 <= value <= 1.0:  # also refuses NaN
            raise InputError(f"the strength of {name} must lie between 0 and 1, got {value:g}")
    share = {name: given.get(name, 1.0) for name in names}
    bands = tuple(replace(band, gain_db=band.gain_db * share["eq"]) for band in controls.eq)
    keeps_residual = controls.residual is not None and share["residual"] > 0.0
    return replace(
        controls,
        eq=tuple(band for band in bands if band.gain_db != 0.0),
        gain_db=controls.gain_db * share["gain"],
        stages={
            name: _weakened(name, _hears(stage, controls.gain_db * (share["gain"] - 1.0)), share[name])
            for name, stage in controls.stages.items()
            if share[name] > 0.0
        },
        residual=controls.residual if keeps_residual else None,
        residual_amount=controls.residual_amount * share["residual"] if keeps_residual else 1.0,
        words=controls.words if share["eq"] > 0.0 else {},
    )


def _hears(
    stage: Mapping[str, float | tuple[float, ...]], louder_db: float
) -> Mapping[str, float | tuple[float, ...]]:
    """The loudness that a stage's thresholds stand on, when the gain before it is another."""
    lufs = stage.get("input_lufs")
    return (
        stage
        if louder_db == 0.0 or not isinstance(lufs, float)
        else {**stage, "input_lufs": lufs + louder_db}
    )


def _weakened(
    name: str, stage: Mapping[str, float | tuple[float, ...]], share: float
) -> Mapping[str, float | tuple[float, ...]]:
    if share == 1.0:
        return stage
    if "width" in stage:  # the stereo stage grows from its width of 1
        weaker = {key: _towards(NEUTRAL[key], value, share) for key, value in stage.items() if key in NEUTRAL}
        return {**stage, **weaker}
    key = next((key for key in MIX_KEYS if key in stage), None)
    if key is None:
        raise InputError(
            f"stage {name} has neither of {' and '.join(MIX_KEYS)}, so its strength is 0 or 1; got {share:g}"
        )
    value = stage[key]
    weaker = tuple(v * share for v in value) if isinstance(value, tuple) else value * share
    return {**stage, key: weaker}


def _towards(neutral: float, value: float | tuple[float, ...], share: float) -> float | tuple[float, ...]:
    if isinstance(value, tuple):
        return tuple(neutral + share * (v - neutral) for v in value)
    return neutral + share * (value - neutral)


def controls_of(model: MasteringModel, analysis: Analysis, residual: str | None = None) -> ChainControls:
    """The controls that a model asks for after one analysis (a batch of one).

    Bands whose gate is closed, or whose gain is exactly 0 dB, are left out: they do nothing.

    Args:
        model: in evaluation mode.
        analysis: of a whole song, from `rendering.song.analyse_song`.
        residual: name under which the model's neural residual joins, None to leave it out.
    """
    decoded = model.eq_controls(analysis)
    columns = (decoded.eq[key][0].double().tolist() for key in ("frequency_hz", "gain_db", "q"))
    bands = (EqBand(kind, *values) for kind, *values in zip(model.eq_head.eq.kinds, *columns, strict=True))
    from neural_mastering.rendering.processor_stage import stage_values

    gain_db = float(decoded.gain["gain_db"][0])
    return ChainControls(
        design_rate_hz=float(model.sample_rate),
        eq=tuple(band for band in bands if band.gain_db != 0.0),
        gain_db=gain_db,
        stages=stage_values(model, analysis, gain_db),
        residual=residual,
    )


def save_controls(controls: ChainControls, path: str | Path, origin: str = "") -> None:
    """Write controls as YAML that a person can edit: physical units, a comment each; floats come back exactly.

    The file appears under its name only when it is complete. `origin` says in a comment where they came from.
    """
    from neural_mastering.rendering import controls_file

    controls_file.save(controls, Path(path), origin)


def load_controls(path: str | Path) -> ChainControls:
    """Read controls from YAML.

    Raises:
        InputError: no such file, not YAML, unknown or repeated keys, a value of the wrong kind, not finite or
            out of range. The message names the place and what was expected.
    """
    from neural_mastering.rendering import controls_file

    return controls_file.load(Path(path))
