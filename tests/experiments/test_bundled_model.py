"""What the recipe of the bundled model rests on: licences, features under filters, folds, confidence, tests."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfilt

from neural_mastering.data.degradation import load_preset
from neural_mastering.data.degradation.chain import DegradationChain
from neural_mastering.data.degradation.parameters import NO_EXPANSION, Degradation, DegradationBand
from neural_mastering.dsp.biquad import equalize
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.metrics.signal import Signal
from neural_mastering.metrics.suite import measure
from neural_mastering.models import load_model
from neural_mastering.models.encoders import LogMel

FOLDER = Path(__file__).parents[2] / "experiments" / "bundled_model"
RATE = 44_100


@pytest.fixture(scope="module")
def recipe() -> Iterator[Any]:
    """The experiment's modules."""
    sys.path.insert(0, str(FOLDER))
    try:
        names = (
            "calibrate",
            "crossval",
            "evaluate",
            "finetune",
            "licences",
            "rendered",
            "simulation",
            "skill",
        )
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(str(FOLDER))


COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: © 2010 A. Maker
License: GPL-2+

Files: data/music/*
Copyright: 2011 B. Composer
           2012 C. Composer
License: CC-BY-SA-3.0

Files: data/music/odd.ogg
Copyright: D. Other
License: GPL-3 or CC-BY-3.0
"""


def test_the_last_matching_stanza_counts(recipe: Any, tmp_path: Path) -> None:
    path = tmp_path / "copyright"
    path.write_text(COPYRIGHT)
    terms_of = recipe.licences.terms_of
    assert terms_of(path, "/usr/share/x/readme").licence == "GPL-2+"
    music = terms_of(path, "/usr/share/games/x/data/music/a.ogg")
    assert music.licence == "CC-BY-SA-3.0" and music.author == "2011 B. Composer 2012 C. Composer"
    assert terms_of(path, "/usr/share/games/x/data/music/odd.ogg").author == "D. Other"
    path.write_text("This package was debianized by somebody.")
    assert terms_of(path, "/usr/share/x/readme") is None


@pytest.mark.parametrize(
    ("licence", "part"),
    [
        ("CC-BY-SA-3.0+", "CC-BY-SA-3.0+"),
        ("GPL-3 or CC-BY-3.0", "CC-BY-3.0"),
        ("GPL-2+ OR CC-BY-SA", "CC-BY-SA"),
        ("Expat or GPL-2 or GPL-3", "Expat"),
        ("BSD-2-Clause", "BSD-2-Clause"),
        ("public-domain", "public-domain"),
        ("CC0-1.0", "CC0-1.0"),
        ("CC-BY-3.0 and GPL-2+", None),
        ("CC-BY-NC-3.0", None),
        ("CC-BY-ND-4.0", None),
        ("GPL-2+", None),
        ("Battle-Tanks-License", None),
    ],
)
def test_simple_licences(recipe: Any, licence: str, part: str | None) -> None:
    simple = ["CC0", "public-domain", "Expat", "MIT", "BSD", "CC-BY", "CC-BY-SA"]
    assert recipe.licences.simple_part(licence, simple) == part


@pytest.mark.parametrize("stereo", ["wide", "mono"])
def test_filters_in_the_domain_of_features_are_those_of_audio(recipe: Any, stereo: str) -> None:
    """Noise with a codec's edge at 12 kHz, filtered as audio and as features: within tenths of a dB.

    Above the edge, and in the side of a mono song, there is nothing to filter: features stay at their floor. (Were
    they shifted, they would tell the answer.)
    """
    rng = np.random.default_rng(0)
    edge = butter(16, 12_000, fs=RATE, output="sos")
    left, right = (np.asarray(sosfilt(edge, rng.standard_normal(6 * RATE))) for _ in range(2))
    audio = 0.1 * np.stack((left, left if stereo == "mono" else right))
    encoder = LogMel(z_size=8, channels=4, dilations=(1,))
    simulator = recipe.simulation.Simulator(encoder, load_preset("medium"))
    bands = (
        DegradationBand("low_shelf", 150.0, 7.0, 0.7),
        DegradationBand("peak", 900.0, -5.0, 1.0),
        DegradationBand("high_shelf", 4000.0, 8.0, 0.7),
    )
    drawn = Degradation(NO_EXPANSION, NO_EXPANSION, 10.0, 100.0, 1.0, bands, None, -20.0, RATE, -20.0)

    def heard(signal: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(signal).float()[None, :, RATE:]
        level = 10.0 ** ((-23.0 - float(integrated_loudness(x, RATE))) / 20.0)
        with torch.inference_mode():
            return encoder.features(x * level)[1]

    before, after = heard(audio), heard(DegradationChain(drawn, 2)(audio.copy()))
    count = encoder.bands
    mean = 10.0 ** ((before[:, :count] * 10.0 + encoder.reference_db.float()) / 10.0)
    side = 10.0 ** ((before[:, count : 2 * count] * 20.0 + encoder.reference_db.float()) / 10.0)
    k_levels = (mean + side) * simulator.k_weights
    filters = recipe.simulation.Filters(*_filters(simulator, drawn))
    found = simulator.filtered(before, k_levels / k_levels.sum(dim=1, keepdim=True), filters.bands_db)
    scale = torch.tensor([10.0, 20.0]).repeat_interleave(count).repeat(2)
    error_db = (found - after)[0, : 4 * count] * scale
    moved_db = (after - before)[0, : 4 * count] * scale
    assert float(moved_db.abs().max()) > 5.0
    assert float(error_db.square().mean().sqrt()) < 0.4
    assert float(error_db.abs().max()) < 2.0  # the mel bands across the codec's edge
    if stereo == "mono":
        torch.testing.assert_close(
            found[:, count : 2 * count], before[:, count : 2 * count], atol=1e-3, rtol=0.0
        )


def _filters(simulator: Any, drawn: Degradation) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    response = simulator._response_db([drawn])
    points = torch.pow(10.0, response[:, 64:] / 10.0).unflatten(1, (-1, 5)) @ simulator._point_weights
    return response[:, :64], 10.0 * torch.log10(points), torch.tensor([-20.0])


def test_holm_and_the_sign_test(recipe: Any) -> None:
    """Holm's example by hand; four groups with equal sums can be matched by 2 of 16 sign patterns only."""
    assert recipe.evaluate.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    difference = np.array([-1.0, -1.0, -1.0, -1.0])
    assert recipe.evaluate.cluster_p(difference, ["a", "b", "c", "d"]) == pytest.approx(2 / 16)
    assert recipe.evaluate.cluster_p(np.array([1.0, -1.0]), ["a", "b"]) == 1.0


def test_folds_keep_games_apart_and_leave_the_test_out(recipe: Any, tmp_path: Path) -> None:
    """Each game is unknown to exactly one fold; the music of a fold has none of its games in training."""
    games = [f"game{i}" for i in range(13)]
    folds = recipe.crossval.fold_of(games * 3)
    assert set(folds) == set(games) and folds == recipe.crossval.fold_of(games[::-1])
    sizes = np.bincount(list(folds.values()))
    assert sizes.size == recipe.crossval.FOLDS and sizes.max() - sizes.min() <= 1

    music = tmp_path / "music"
    splits = {"a": "train", "b": "train", "c": "validation", "d": "test"}
    lines = ["file,group,split"]
    for game, split in splits.items():
        (music / game).mkdir(parents=True)
        (music / game / "song.flac").write_bytes(game.encode())
        lines.append(f"{game}/song.flac,{game},{split}")
    (music / "manifest.csv").write_text("\n".join(lines) + "\n")
    folder = recipe.finetune.music_without({"b", "c"}, music, tmp_path / "fold")
    rows = (folder / "manifest.csv").read_text().splitlines()[1:]
    assert rows == ["a/song.flac,a,train", "b/song.flac,b,validation", "c/song.flac,c,validation"]
    assert (folder / "b" / "song.flac").read_bytes() == b"b" and not (folder / "d").exists()


def test_the_confidence_is_the_boldest_that_is_safe(recipe: Any) -> None:
    """Large moves are right and small ones wrong, in proportion: the doubt must tell them apart."""
    calibrate = recipe.calibrate
    strengths = np.array(calibrate.STRENGTHS)

    def row(move_db: float, slope: float) -> Any:
        return calibrate.Row("m", "g", "s", 0, move_db, 0.0, list(1.0 + slope * strengths))

    good, bad = [row(6.0, -0.5)] * 8, [row(1.0, 1.0)] * 8
    own, nothing, strength = calibrate.followed([good[0], bad[0]], calibrate.Confidence(0.8, 3.0))
    np.testing.assert_allclose(strength, [0.8 * 36 / 45, 0.8 * 1 / 10])
    np.testing.assert_allclose(own, [1 - 0.5 * strength[0], 1 + strength[1]])
    np.testing.assert_array_equal(nothing, [1.0, 1.0])
    found = calibrate.fit({"mix": good + bad})
    # bad songs are followed to scale/(1 + e²) ≤ 0.05: with e = 5 dB any scale is safe, with 4 dB up to 0.85
    assert found["doubt_db"] in (4.0, 5.0) and found["mix"]["worse_90"] <= 1.05
    best = max(s * 36 / (36 + e * e) for s, e in ((0.85, 4.0), (1.0, 5.0)))
    assert found["mix"]["change"] == pytest.approx(
        (-0.5 * best + found["scale"] / (1 + found["doubt_db"] ** 2)) / 2, abs=0.01
    )
    # a second preset on which all moves are wrong holds everything back
    held = calibrate.fit({"mix": good + bad, "light": [row(6.0, 1.0)] * 8}, ("mix", "light"))
    assert held["light"]["worse_90"] <= 1.05 and held["light"]["used"] <= 0.05 < found["mix"]["used"]


def test_strengths_are_measured_as_nm_eval_does(recipe: Any) -> None:
    """Untouched and at full strength, against the metrics' own suite and the equaliser by itself."""
    calibrate, model = recipe.calibrate, load_model("modest-eq-2").eval()
    generator = torch.Generator().manual_seed(0)
    wanted = 0.05 * torch.randn(2, 10 * RATE, generator=generator)
    low = torch.from_numpy(np.array(sosfilt(butter(1, 400, fs=RATE, output="sos"), wanted.numpy()))).float()
    drawn = Degradation(NO_EXPANSION, NO_EXPANSION, 10.0, 100.0, 1.0, (), None, -20.0, RATE, -20.0)
    pair = recipe.rendered.Rendered({"group": "g", "file": "f"}, 0, wanted, 0.3 * (low + 0.1 * wanted), drawn)
    heard = recipe.rendered.hear(model, pair)
    move_db, _, found = calibrate.at_strengths(model, pair, heard)
    assert move_db > 1.0 and len(found) == len(calibrate.STRENGTHS)

    count = round(calibrate.SECONDS * RATE)
    start = (wanted.shape[-1] - count) // 2
    source, target = (x[None, :, start : start + count] for x in (pair.heard, wanted))
    logits = recipe.skill.predict(model, heard.features, torch.full((len(heard.power),), heard.lufs))
    eq = model.eq_head.decode(logits.mean(heard.power)).eq
    with torch.no_grad():
        full = equalize(
            source, eq["frequency_hz"], eq["gain_db"], eq["q"], RATE, kinds=model.eq_head.eq.kinds
        )
    for value, made in ((found[0], source), (found[-1], full)):
        expected = measure(Signal(made, RATE), Signal(target, RATE))["mr_stft_matched"]
        assert value == pytest.approx(expected, rel=1e-3)
    assert abs(found[-1] - found[0]) > 0.01
