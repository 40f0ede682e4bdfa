"""Presets and the draws from them."""

import math
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from neural_mastering.chance import seed_of
from neural_mastering.data.degradation import PRESETS, DegradationPreset, load_preset
from neural_mastering.data.degradation.preset import parse_preset
from neural_mastering.data.errors import DataError

MEDIUM = (files("neural_mastering.data.degradation") / "presets" / "medium.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", PRESETS)
def test_draws_stay_in_their_ranges_and_happen_as_often_as_the_preset_says(name: str) -> None:
    preset = load_preset(name)
    draws = [preset.draw(seed) for seed in range(600)]
    ranges = preset.operations
    three_sigma = 3.0 * math.sqrt(0.25 / len(draws))
    for kind, key, count in (("low_shelf", "low_shelf", 1), ("peak", "peaks", ranges["peaks"]["count"][0])):
        bands = [band for draw in draws for band in draw.bands if band.kind == kind]
        share = len(bands) / (len(draws) * count)
        assert share == pytest.approx(ranges[key]["probability"][0], abs=three_sigma)
        for setting in ("frequency_hz", "gain_db", "q"):
            low, high = ranges[key][setting]
            values = [getattr(band, setting) for band in bands]
            assert low <= min(values) and max(values) <= high
            assert max(values) - min(values) > 0.9 * (high - low)
    for setting, happens in (
        ("upward_expansion", [draw.upward.ratio > 1.0 for draw in draws]),
        ("downward_expansion", [draw.downward.ratio > 1.0 for draw in draws]),
        ("width", [draw.width != 1.0 for draw in draws]),
        ("low_pass", [draw.lowpass_hz is not None for draw in draws]),
    ):
        assert np.mean(happens) == pytest.approx(ranges[setting]["probability"][0], abs=three_sigma)
    levels = [draw.level_lufs for draw in draws]
    assert -24.0 <= min(levels) < -23.8 and -18.2 < max(levels) <= -18.0
    assert np.mean([d.width < 1.0 for d in draws if d.width != 1.0]) == pytest.approx(0.5, abs=0.12)


def test_stronger_presets_do_more() -> None:
    def moved_db(name: str) -> float:
        draws = [load_preset(name).draw(seed) for seed in range(200)]
        return float(np.mean([sum(abs(band.gain_db) for band in draw.bands) for draw in draws]))

    light, medium, heavy = (moved_db(name) for name in PRESETS)
    assert 1.5 * light < medium and 1.5 * medium < heavy


def test_a_draw_is_a_function_of_its_seed() -> None:
    preset = load_preset("heavy")
    assert repr(preset.draw(5)) == repr(load_preset("heavy").draw(5))
    assert len({repr(preset.draw(seed)) for seed in range(50)}) == 50


def test_what_one_operation_does_leaves_the_others_draws_alone() -> None:
    one, two = parse_preset(MEDIUM, "a"), parse_preset(MEDIUM.replace("count: 4", "count: 0"), "b")
    for seed in range(20):
        first, second = one.draw(seed), two.draw(seed)
        changed = [
            f.name for f in fields(first) if repr(getattr(first, f.name)) != repr(getattr(second, f.name))
        ]
        assert changed in ([], ["bands"])
        assert second.bands == tuple(band for band in first.bands if band.kind != "peak")


def test_logarithmic_settings_have_their_median_in_the_geometric_middle() -> None:
    preset = load_preset("medium")
    hz = [b.frequency_hz for seed in range(800) for b in preset.draw(seed).bands if b.kind == "peak"]
    assert math.log(np.median(hz) / math.sqrt(120 * 8_000)) == pytest.approx(0.0, abs=0.2)


def test_a_preset_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "my preset.yaml"
    path.write_text(MEDIUM.replace("level_lufs: [-24, -18]", "level_lufs: [-30, -30]"))
    preset = load_preset(path)
    assert isinstance(preset, DegradationPreset) and preset.draw(seed_of(1)).level_lufs == -30.0
    assert preset.recipe != load_preset("medium").recipe


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("][", "is not YAML"),
        ("a: 1", "lacks ballistics"),
        ("just words", "lacks ballistics"),
        (MEDIUM + "\nreverb: 1\n", "unknown entries reverb"),
        (MEDIUM.replace("  count: 4", "  number: 4"), "'peaks' in the preset mine lacks count"),
        (
            MEDIUM.replace("probability: 0.25", "probability: 25"),
            r"low_pass.probability .* one number between 0 and 1",
        ),
        (MEDIUM.replace("gain_db: [-6, 6]", "gain_db: [6, -6]"), r"low_shelf.gain_db .* \[low, high\]"),
        (MEDIUM.replace("ratio: [1.1, 1.4]", "ratio: [0.9, 1.4]"), r"ratio .* between 1 and 20"),
        (MEDIUM.replace("gain_db: [-6, 6]", "gain_db: 6"), "got 6"),
        (MEDIUM.replace("gain_db: [-6, 6]", "gain_db: [a, b]"), "low_shelf.gain_db"),
        (MEDIUM.replace("count: 4 ", "count: 4.5 "), "whole number"),
    ],
)
def test_mistakes_in_a_preset_are_named(text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_preset(text, "mine")


def test_an_unknown_preset() -> None:
    with pytest.raises(DataError, match=r"no preset 'strong': choose light, medium, heavy, or name a YAML"):
        load_preset("strong")
