"""The record of the learned normal tone: files, bad input, statements."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.errors import InputError
from neural_mastering.metering.content import Content
from neural_mastering.normality import NormalTone, load_normal_tone, write_normal_tone
from neural_mastering.normality.kernel_ridge import RegressionSettings, fit_kernel_ridge
from neural_mastering.normality.kinds import KindModel

NAMES = tuple("abcde")
BANDS = 29


@pytest.fixture
def tone() -> NormalTone:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((40, len(NAMES)))
    spectra = features @ rng.standard_normal((len(NAMES), BANDS))
    return NormalTone(
        names=NAMES,
        regression=fit_kernel_ridge(
            features,
            spectra,
            np.repeat(["one", "two", "three", "four"], 10),
            RegressionSettings(width=0.8, ridge=0.1),
        ),
        covariance=4.0 * np.eye(BANDS),
        spread=(0.5, 2.0),
        largest=1.8,
        general=Gaussian.of(spectra.mean(axis=0), np.cov(spectra.T) + np.eye(BANDS)),
        kind_model=KindModel(
            ("rock", "folk"), np.array([[3.0, 0, 0, 0, 0], [-3.0, 0, 0, 0, 0]]), np.zeros(2)
        ),
        about={"terms": "CC BY-SA 4.0"},
    )


def song(values: np.ndarray) -> Content:
    return Content(NAMES, values)


def test_file_gives_the_record_back(tone: NormalTone, tmp_path: Path) -> None:
    write_normal_tone(tone, tmp_path / "mine")
    again = load_normal_tone(tmp_path / "mine.json")
    content = song(np.random.default_rng(1).standard_normal(len(NAMES)))
    one, other = tone.predict(content), again.predict(content)
    np.testing.assert_allclose(other.mean, one.mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(again.general.mean, tone.general.mean, atol=1e-5)
    assert again.kinds(content) == pytest.approx(tone.kinds(content), abs=1e-4)
    assert again.about == tone.about


def test_same_record_gives_the_same_bytes(tone: NormalTone, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_normal_tone(tone, tmp_path / name / "tone.json")
    for suffix in (".json", ".safetensors"):
        one, two = ((tmp_path / name / "tone").with_suffix(suffix).read_bytes() for name in ("one", "two"))
        assert one == two


def test_a_song_unlike_all_others_gets_the_mean_and_the_largest_covariance(tone: NormalTone) -> None:
    known = tone.regression.songs[0, : len(NAMES)] * tone.regression.scale + tone.regression.centre
    far, near = tone.predict(song(known + 1e3 * np.sign(known))), tone.predict(song(known))
    np.testing.assert_allclose(np.diag(far.covariance), 4.0 * 1.8)
    assert near.sigma[0] < far.sigma[0]
    unlike = tone.regression.mean - far.mean
    assert np.linalg.norm(unlike) < np.linalg.norm(tone.regression.mean - near.mean)


def test_kinds_sum_to_one_and_are_unsure_where_flat(tone: NormalTone) -> None:
    sure, unsure = tone.kinds(song(np.array([2.0, 0, 0, 0, 0]))), tone.kinds(song(tone.regression.centre))
    assert sum(sure.values()) == pytest.approx(1.0)
    assert sure["rock"] > 0.95
    assert unsure["unsure"] == pytest.approx(1.0, abs=1e-6)


def test_features_of_another_version_are_refused(tone: NormalTone) -> None:
    with pytest.raises(InputError, match="learn it again"):
        tone.predict(Content(("a", "b"), np.zeros(2)))


@pytest.mark.parametrize("damage", ["missing", "bytes", "format", "version", "no json", "field"])
def test_bad_files_are_refused(damage: str, tone: NormalTone, tmp_path: Path) -> None:
    path = tmp_path / "tone.json"
    write_normal_tone(tone, path)
    content = json.loads(path.read_text())
    if damage == "missing":
        path.with_suffix(".safetensors").unlink()
    elif damage == "bytes":
        path.with_suffix(".safetensors").write_bytes(b"0" * 100)
    elif damage == "no json":
        path.write_text("{")
    else:
        change = {"format": {"format": "x"}, "version": {"format_version": 99}, "field": {"spread": None}}[
            damage
        ]
        path.write_text(json.dumps(content | change))
    with pytest.raises(InputError, match=r"tone\.(json|safetensors)"):
        load_normal_tone(path)


def test_all_songs_sharpened_by_content_are_the_prediction() -> None:
    tone = load_normal_tone()
    standardised = tone.regression.songs[3, : len(tone.names)]
    known = standardised * tone.regression.scale + tone.regression.centre
    content = Content(tone.names, known)
    predicted = tone.predict(content)
    assert (
        np.linalg.eigvalsh(tone.general.covariance - predicted.covariance).min() > 0.0
    )  # narrower everywhere
    level = Gaussian.of(tone.general.mean + 7.0, tone.general.covariance)
    for prior in (tone.general, level):
        found = tone.sharpen(prior, content)
        np.testing.assert_allclose(
            found.mean, predicted.mean, atol=0.3
        )  # the mean of all songs is not quite 0
        np.testing.assert_allclose(found.covariance, predicted.covariance, atol=1e-6)


def test_content_pulls_a_style_towards_the_prediction_and_narrows_it() -> None:
    tone = load_normal_tone()
    rng = np.random.default_rng(1)
    for _ in range(5):
        z = rng.standard_normal(len(tone.names))
        content = Content(tone.names, tone.regression.centre + z * tone.regression.scale)
        known = np.ones(BANDS, dtype=bool)
        known[0] = False
        prior = Gaussian.of(20.0 + 10.0 * np.cos(np.arange(BANDS) / 3.0), 20.0 * np.eye(BANDS), known)
        found = tone.sharpen(prior, content)
        assert np.isfinite(found.mean).all()
        narrower = prior.covariance - found.covariance
        assert np.linalg.eigvalsh(narrower[1:, 1:]).min() > -1e-9
        centred = prior.mean - prior.mean[BROAD].mean()
        predicted = tone.predict(content).mean
        before, after = (np.sum((m - predicted)[BROAD] ** 2) for m in (centred, found.mean))
        assert after < before


def test_what_ships_is_small_licensed_and_sane() -> None:
    tone = load_normal_tone()
    folder = Path(str(files("neural_mastering.assets").joinpath("normality")))
    assert sum(file.stat().st_size for file in folder.glob("normal-tone-1.*")) < 1_000_000
    assert tone.about["terms"] == "CC BY-SA 4.0"
    assert len(tone.about["works"]) == tone.about["songs"]
    assert 150 < tone.about["full_band_songs"] == len(tone.regression.songs) < tone.about["songs"]
    assert all(
        w["licence"].startswith(("CC0", "CC-BY", "BSD", "Expat", "public")) for w in tone.about["works"]
    )
    rng = np.random.default_rng(0)
    for _ in range(5):
        z = rng.standard_normal(len(tone.names))
        found = tone.predict(Content(tone.names, tone.regression.centre + z * tone.regression.scale))
        assert found.mean[BROAD].mean() == pytest.approx(0.0, abs=1e-9)
        assert np.linalg.eigvalsh(found.covariance).min() > 0.0
        assert found.sigma[BROAD].min() > 1.0 and found.sigma[BROAD].max() < 15.0
    assert np.linalg.eigvalsh(tone.general.covariance).min() > 0.0


def test_torch_is_not_needed() -> None:
    code = (
        "import sys, neural_mastering.normality as n; n.load_normal_tone(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
