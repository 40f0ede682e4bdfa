"""The bundled styles, and finding one by name or file."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from neural_mastering.errors import InputError
from neural_mastering.styles.library import GENERAL, bundled_styles, find_style
from neural_mastering.styles.style_file import save_style

NAMES = sorted(bundled_styles())


def test_the_promised_styles_are_there_and_small() -> None:
    assert {"all", "pop", "rock", "electronic", "classical", GENERAL} <= set(NAMES)
    assert sum(path.stat().st_size for path in bundled_styles().values()) < 300_000
    assert str(files("neural_mastering.assets").joinpath("styles")) == str(bundled_styles()[GENERAL].parent)


@pytest.mark.parametrize("name", NAMES)
def test_each_bundled_style_is_whole_and_plausible(name: str) -> None:
    style = find_style(name)
    assert style.name == name and style.songs >= 25 and style.sources and style.licence and style.about
    known = style.tone.known
    assert known[4:].all()  # from 63 Hz
    sigma = style.tone.sigma[known]
    assert sigma.min() > 1.5 and sigma.max() < 12.0
    slope = np.polyfit(np.arange(known.sum()) / 3.0, style.tone.mean[known], 1)[0]
    assert -8.0 < slope < -1.0  # dB an octave: music falls
    deviation = np.sqrt(np.diag(style.tone.covariance))
    correlation = style.tone.covariance / np.outer(deviation, deviation)
    index = np.flatnonzero(known)
    assert all(correlation[i, i + 1] > 0.3 for i in index[:-1])  # neighbours go together


def test_a_style_by_name_in_any_case_or_by_file(tmp_path: Path) -> None:
    assert find_style(" Rock ").name == "rock"
    save_style(find_style("pop"), tmp_path / "mine.json")
    assert find_style(tmp_path / "mine.json").name == "pop"


def test_a_name_that_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"did you mean electronic\? expected all, .*rock"):
        find_style("electronics")
    with pytest.raises(InputError, match="expected all, classical"):
        find_style("")
    with pytest.raises(InputError, match="there is no style file"):
        find_style(tmp_path / "mine.json")
