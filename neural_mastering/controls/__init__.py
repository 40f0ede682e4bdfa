"""A song's settings in physical units, without torch: bands, stages, strengths, and the file a person edits."""

from neural_mastering.controls.bands import Bands, EqBand
from neural_mastering.controls.catalogue import CATALOGUE, ControlText, StageSpec, stage_spec
from neural_mastering.controls.chain_controls import ChainControls
from neural_mastering.controls.controls_file import controls_of, load_controls, save_controls
from neural_mastering.controls.scaling import scaled

__all__ = [
    "CATALOGUE",
    "Bands",
    "ChainControls",
    "ControlText",
    "EqBand",
    "StageSpec",
    "controls_of",
    "load_controls",
    "save_controls",
    "scaled",
    "stage_spec",
]
