"""The stored ranges of the stages are those of the devices."""

import pytest

from neural_mastering.controls import ChainControls, controls_of
from neural_mastering.controls.catalogue import CATALOGUE, INPUT_LUFS
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.studio.stage_templates import read_devices, stage_templates


def test_the_stored_file_is_up_to_date() -> None:
    import json

    assert stage_templates() == json.loads(json.dumps(read_devices())), (
        "run python -m neural_mastering.studio.stage_templates"
    )


@pytest.mark.parametrize("name", [spec.name for spec in CATALOGUE])
def test_a_template_can_be_rendered_and_does_nothing(name: str) -> None:
    spec = next(spec for spec in CATALOGUE if spec.name == name)
    values = dict(stage_templates()[name]["values"])
    if INPUT_LUFS in values:
        values[INPUT_LUFS] = -20.0
    tree = ChainControls().as_dict() | {"stages": {name: values}}
    assert len(build_stages(controls_of(tree), 48_000, 2)) == 1
    assert spec.is_idle(controls_of(tree).stages[name])
