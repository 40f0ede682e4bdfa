"""Templates of the JSFX export against the catalogue and the devices: written once, run over every template."""

import importlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from neural_mastering.controls import ChainControls, stage_spec
from neural_mastering.controls.catalogue import INPUT_LUFS
from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.processors import MidSideEQ, Processor
from neural_mastering.rendering.outputs.export import export_controls, jsfx_template
from neural_mastering.rendering.outputs.export.jsfx_template import Template, load_template, parse_template
from neural_mastering.rendering.outputs.export.stage_bands import BandKeys, Form, stage_bands

RATE = 44_100.0
FOLDER = files("neural_mastering.assets") / "jsfx"
NAMES = sorted(file.name.removesuffix(".eel") for file in FOLDER.iterdir() if file.name.endswith(".eel"))
NEEDED = {"bands": 3, "design_rate_hz": RATE}
"""Settings that `from_settings` asks for."""


def template_of(name: str) -> Template:
    template = load_template(name)
    assert template is not None
    return template


def device_of(name: str) -> type[Processor]:
    """The form of a stage without special keys."""
    path = next(path for key, path in stage_spec(name).devices if not key)
    module, _, kind = path.rpartition(".")
    return getattr(importlib.import_module(module), kind)


def built(name: str, *without: str) -> Processor:
    kind = device_of(name)
    own = {key: value for key, value in NEEDED.items() if key in kind.setting_names and key not in without}
    return kind.from_settings(RATE, own)


def test_there_are_templates() -> None:
    assert {"compressor", "dynamic_eq", "mid_side_eq", "saturation", "stereo"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_knows_all_keys_of_its_stage(name: str) -> None:
    template, processor = template_of(name), built(name)
    controls = {slider.key for _, sliders in template.sliders for slider in sliders}
    assert controls == set(processor.specs)
    own = {INPUT_LUFS} if processor.hears_level else set()
    assert set(template.settings) == set(processor.setting_names) | own
    in_bands = {key for group in template.bands for key in template.keys(group)}
    assert in_bands == {key for key, spec in processor.specs.items() if spec.bands}


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_that_is_missing_means_what_it_means_to_the_device(name: str) -> None:
    words = {"REFERENCE_DBFS": REFERENCE_DBFS, "SAMPLE_RATE": RATE}
    for key, default in template_of(name).settings.items():
        if default is not None:
            value = float(default.format_map(words))
            assert built(name, key).settings()[key] == value, key


@pytest.mark.parametrize("name", NAMES)
def test_sliders_cover_the_range_of_their_controls(name: str) -> None:
    specs = built(name).specs
    for _, sliders in template_of(name).sliders:
        for slider in sliders:
            low, high, step = slider.limits[1:-1].split(",")
            spec = specs[slider.key]
            assert float(low) <= np.min(spec.low) and np.max(spec.high) <= float(high), slider.key
            assert step.endswith(":log") == (spec.scale == "log"), slider.key


def test_bands_of_a_stage_have_the_kinds_of_the_device() -> None:
    keys = BandKeys(Form.EQUALISER, "f", "g", "q")
    for count in (3, 5, 8):
        values = {"f": tuple(100.0 * 2.0**i for i in range(count)), "g": (1.0,) * count, "q": (0.7,) * count}
        assert stage_bands(values, keys, RATE, RATE).bands.kinds == MidSideEQ(count).layout.kinds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@sldier\ngain = 1;", "unknown section @sldier"),
        ("@sample every band\n", "not a section"),
        ("@sliders\nmix 0..1 the mix", "not a slider"),
        ("@bands\nband = peaks(f, g, q)", "'peaks' is not a valid Form"),
        ("@bands\nband: f g q", "not a group of bands"),
    ],
)
def test_mistakes_in_a_template_are_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_template(text)


def test_what_a_template_understands() -> None:
    template = parse_template(
        "@settings\nneeded\nspare = 1\n@bands\nband = band_passes(f, g, q)\n"
        "@sliders\nmix <0,1,0.1> mix\n@sliders each band\nf <1,9,1> f\ng <1,9,1> g\nq <1,9,1> q\n"
    )
    values = {"needed": 1.0, "mix": 0.5, "f": (1.0, 2.0), "g": (1.0, 2.0), "q": (1.0, 2.0)}
    assert template.understands(values) and template.understands({**values, "spare": 2.0})
    for change in ({"mix": (0.5, 0.5)}, {"f": (1.0,)}, {"f": 1.0}, {"other": 1.0}, {"spare": (1.0,)}):
        assert not template.understands({**values, **change}), change
    for key in values:
        assert not template.understands({k: v for k, v in values.items() if k != key}), key


@pytest.fixture
def another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of templates that holds the shared functions and the stereo width."""
    folder = tmp_path / "jsfx"
    (folder / "shared").mkdir(parents=True)
    for name in ("stereo.eel", "shared/bands.eel", "shared/high_pass.eel"):
        (folder / name).write_text(FOLDER.joinpath(*name.split("/")).read_text())
    monkeypatch.setattr(jsfx_template, "_FOLDER", folder)
    load_template.cache_clear()
    yield folder
    load_template.cache_clear()


def test_a_new_stage_takes_a_template_and_nothing_else(another_folder: Path, tmp_path: Path) -> None:
    stereo = {"width": 1.2, "bass_frequency_hz": 100.0, "bass_amount": 0.5}
    controls = ChainControls(stages={"chain_limiter": {"amount": 0.5, "ceiling_db": -1.0}, "stereo": stereo})
    (before,) = export_controls(controls, ["jsfx"], tmp_path / "before", RATE)
    assert before.left_out == ("chain_limiter",)
    (another_folder / "chain_limiter.eel").write_text(
        "@sliders\namount <0,1,0.01> limiter: amount\nceiling_db <-12,0,0.1> limiter: ceiling (dB)\n"
        "@slider\nlimit_at = {amount} * 10 ^ ({ceiling_db} / 20);\n@sample\nspl0 = min(spl0, limit_at);\n"
    )
    load_template.cache_clear()
    (after,) = export_controls(controls, ["jsfx"], tmp_path / "after", RATE)
    text = after.path.read_text()
    assert after.left_out == () and "stereo width, limiter of the chain." in text
    assert "slider5:0.5<0,1,0.01>limiter: amount\nslider6:-1<-12,0,0.1>limiter: ceiling (dB)" in text
    assert "limit_at = slider5 * 10 ^ (slider6 / 20);" in text
    assert text.endswith("spl1 -= turn;\nspl0 = min(spl0, limit_at);\n"), "behind the residual, so at the end"
