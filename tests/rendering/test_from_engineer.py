"""A learned engineer's width on a written master: measured side over mid, against what was predicted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from planted_engineer import planted_pair, planted_songs

from neural_mastering.engineer.bundle import write_engineer
from neural_mastering.engineer.fit import fit
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master

RATE = 32_000


@pytest.fixture(scope="module")
def engineer():
    """Changes no tone, and makes every song 1 dB wider."""
    songs = planted_songs(12)
    return fit([planted_pair(song, str(i), lambda _: np.zeros(29)) for i, song in enumerate(songs)])


def _side_over_mid_db(audio: np.ndarray) -> float:
    mid, side = audio[:, 0] + audio[:, 1], audio[:, 0] - audio[:, 1]
    return float(10.0 * np.log10((side**2).sum() / (mid**2).sum()))


def _mix(path: Path, side: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    beat = np.repeat(rng.uniform(0.3, 1.0, 60), RATE // 10)
    mid, own = (0.05 * rng.standard_normal(beat.size) * beat for _ in range(2))
    audio = np.stack([mid + side * own, mid - side * own], axis=1)
    soundfile.write(path, audio, RATE, subtype="FLOAT")
    return audio


@pytest.mark.parametrize(
    ("imposed", "side", "change_db"), [(("width_db",), 0.4, 1.0), ((), 0.4, 0.0), (("width_db",), 0.0, None)]
)
def test_the_width_is_changed_only_where_it_was_borne_out_and_there_is_a_side(
    engineer, imposed: tuple[str, ...], side: float, change_db: float | None, tmp_path: Path
) -> None:
    model = write_engineer(replace(engineer, imposed=imposed), tmp_path / "model.json")
    mix = _mix(tmp_path / "mix.wav", side)
    result = master(tmp_path / "mix.wav", tmp_path / "master.wav", Options(model=str(model)))
    said = [note.kind for note in result.tone.actions]
    assert ("engineer_width" in said) == (change_db == 1.0)
    audio, _ = soundfile.read(tmp_path / "master.wav")
    if change_db is None:
        assert np.array_equal(audio[:, 0], audio[:, 1])
    else:
        assert _side_over_mid_db(audio) - _side_over_mid_db(mix) == pytest.approx(change_db, abs=0.1)
