"""Weaker controls: a share of what a song's controls do, stage by stage."""

from collections.abc import Mapping
from dataclasses import replace

from neural_mastering.controls.catalogue import INPUT_LUFS, Values, stage_spec
from neural_mastering.controls.chain_controls import ChainControls
from neural_mastering.errors import InputError


def scaled(controls: ChainControls, strength: float | Mapping[str, float]) -> ChainControls:
    """Weaker controls: decibels times the strength; a stage at strength 0 is taken out exactly.

    The gains of the equaliser's bands, the broadband gain and the factor of the residual are multiplied; a later
    stage's controls move towards the values at which it does nothing (`StageSpec.neutral`).

    Args:
        controls: of a song.
        strength: for all stages, or by stage name; stages not named keep theirs.

    Raises:
        InputError: a strength outside 0…1, a name that is no stage.
    """
    names = controls.stage_names
    given = dict.fromkeys(names, strength) if isinstance(strength, (int, float)) else dict(strength)
    for name, value in given.items():
        if name not in names:
            raise InputError(f"unknown stage '{name}' for a strength: expected one of {', '.join(names)}")
        if not 0.0 <= value <= 1.0:  # also refuses NaN
            raise InputError(f"the strength of {name} must lie between 0 and 1, got {value:g}")
    share = {name: given.get(name, 1.0) for name in names}
    keeps_residual = controls.residual is not None and share["residual"] > 0.0
    louder_db = controls.gain_db * (share["gain"] - 1.0)
    return replace(
        controls,
        eq=controls.eq.scaled(share["eq"]).active(),
        gain_db=controls.gain_db * share["gain"],
        stages={
            name: stage_spec(name).weakened(_at_level(values, louder_db), share[name])
            for name, values in controls.stages.items()
            if share[name] > 0.0
        },
        residual=controls.residual if keeps_residual else None,
        residual_amount=controls.residual_amount * share["residual"] if keeps_residual else 1.0,
        words=controls.words if share["eq"] > 0.0 else {},
    )


def _at_level(values: Values, louder_db: float) -> Values:
    """A stage's values when the gain before it changes: the loudness that its thresholds stand on moves along."""
    lufs = values.get(INPUT_LUFS)
    if louder_db == 0.0 or not isinstance(lufs, float):
        return values
    return {**values, INPUT_LUFS: lufs + louder_db}
