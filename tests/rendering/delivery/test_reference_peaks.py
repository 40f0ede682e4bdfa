"""Peaks that follow a reference: the ratio of true peak to loudness of what is written."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.metering.forecast import LimiterForecast, forecast
from neural_mastering.rendering.delivery.plr import PlrTarget
from neural_mastering.rendering.delivery.reference_peaks import SMALLEST_DB, follow_peaks, follow_plr
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.reference.shares import MatchShares
from tests.rendering.conftest import RATE, music


def _blocks(audio: np.ndarray) -> Iterator[np.ndarray]:
    return (np.ascontiguousarray(audio[:, i : i + 7000]) for i in range(0, audio.shape[1], 7000))


@pytest.fixture(scope="module")
def before() -> LimiterForecast:
    audio = music(4.0)
    return forecast(_blocks(audio), RATE, len(audio))


def _plr_db(before: LimiterForecast) -> float:
    return before.readings.true_peak_db - before.readings.lufs


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_the_ceiling_lies_as_asked_above_the_loudness(before: LimiterForecast, share: float) -> None:
    own_db = _plr_db(before)
    spec = DeliverySpec(-30.0, -1.0, 24.0)
    lower = follow_peaks(before, spec, PlrTarget(own_db - 4.0, share))
    assert lower.ceiling_db is not None
    assert lower.ceiling_db == pytest.approx(-30.0 + own_db - 4.0 * share)
    assert lower.promised_db == spec.ceiling_db
    assert replace(lower, ceiling_db=spec.ceiling_db, kept_db=None) == spec


def test_nothing_happens_where_there_is_nothing_to_follow(before: LimiterForecast) -> None:
    own_db = _plr_db(before)
    spec = DeliverySpec(-30.0, -1.0, 24.0)
    assert follow_peaks(before, spec, PlrTarget(own_db + 3.0, 1.0)) is spec  # the song is denser
    assert follow_peaks(before, spec, PlrTarget(own_db - 0.9 * SMALLEST_DB, 1.0)) is spec
    assert follow_peaks(before, spec, PlrTarget(own_db - 4.0, 0.0)) is spec
    for other in (
        replace(spec, lufs=None),
        replace(spec, ceiling_db=None),
        replace(spec, max_reduction_db=0.0),
    ):
        assert follow_peaks(before, other, PlrTarget(own_db - 4.0, 1.0)) is other
    loud = replace(spec, lufs=-1.0 - own_db + 6.0)  # the ceiling itself leaves 6 dB less
    assert follow_peaks(before, loud, PlrTarget(own_db - 5.0, 1.0)) is loud


def test_a_song_that_is_denser_is_left_and_said_so(before: LimiterForecast) -> None:
    own_db = _plr_db(before)
    spec = DeliverySpec(-30.0, -1.0, 24.0)
    same, said = follow_plr(before, spec, PlrTarget(own_db + 3.0, 1.0), None)
    assert same is spec
    assert [note.kind for note in said] == ["plr"]
    assert f"{own_db:.1f} dB" in said[0].text and f"{own_db + 3.0:.1f} dB" in said[0].text
    for unsaid in (PlrTarget(own_db + 0.9 * SMALLEST_DB, 1.0), PlrTarget(own_db + 3.0, 0.0)):
        assert follow_plr(before, spec, unsaid, None) == (spec, ())


def test_the_bounds_of_the_user_come_first(before: LimiterForecast) -> None:
    own_db = _plr_db(before)
    spec = DeliverySpec(-30.0, -1.0, max_reduction_db=4.0)
    lower = follow_peaks(before, spec, PlrTarget(own_db - 12.0, 1.0))
    assert lower.ceiling_db is not None
    taken_db = -30.0 + own_db - lower.ceiling_db
    assert 2.0 < taken_db < 4.0


def test_a_master_is_as_dense_as_its_reference(tmp_path: Path) -> None:
    """The whole way: peak to loudness of the written file, which still is as loud as was asked."""
    song, reference = music(6.0), music(6.0, seed=5)
    dense = np.tanh(reference / np.abs(reference).max() * 6.0)
    for name, audio in (("song", 0.3 * song), ("dense", 0.3 * dense)):
        soundfile.write(tmp_path / f"{name}.wav", audio.T, RATE, subtype="FLOAT")
    plr_db = {}
    for name, share in (("left", 0.0), ("followed", 1.0)):
        options = Options(
            target="-20",
            model="none",
            references=((tmp_path / "dense.wav", 1.0),),
            match=MatchShares(0.0, 0.0, share, 0.0),
            max_reduction_db=24.0,
            density=1.0,
        )
        result = master(tmp_path / "song.wav", tmp_path / f"{name}.wav", options)
        plr_db[name] = result.result.plr_db
        assert result.result.lufs == pytest.approx(-20.0, abs=0.1)
    wanted = forecast(_blocks(dense), RATE, 2).readings.plr_db
    assert plr_db["left"] - wanted > 3.0
    assert abs(plr_db["followed"] - wanted) < 0.5 * (plr_db["left"] - wanted)


def test_a_master_says_that_its_reference_is_less_dense(tmp_path: Path) -> None:
    song, reference = music(6.0), music(6.0, seed=5)
    dense = np.tanh(song / np.abs(song).max() * 6.0)
    for name, audio in (("song", 0.3 * dense), ("open", 0.3 * reference / np.abs(reference).max())):
        soundfile.write(tmp_path / f"{name}.wav", audio.T, RATE, subtype="FLOAT")
    for share, expected in ((1.0, 1), (0.0, 0)):
        options = Options(
            target="-20",
            model="none",
            references=((tmp_path / "open.wav", 1.0),),
            match=MatchShares(0.0, 0.0, share, 0.0),
        )
        result = master(tmp_path / "song.wav", tmp_path / f"{share:g}.wav", options)
        assert sum(note.kind == "denser_than_reference" for note in result.actions) == expected
        assert result.result.plr_db < forecast(_blocks(reference), RATE, 2).readings.plr_db - SMALLEST_DB


@pytest.mark.parametrize("density", [0.0, 0.2])
def test_lowered_peaks_never_keep_a_song_from_its_target(density: float, tmp_path: Path) -> None:
    """Without --plr it is reached; with it, peaks are lowered as far as that stays so."""
    soundfile.write(tmp_path / "song.wav", music(6.0).T, RATE, subtype="FLOAT")
    plain = Options(target="-16", model="none", density=density, max_reduction_db=12.0)
    without = master(tmp_path / "song.wav", tmp_path / "without.wav", plain)
    assert without.delivery.limited_by is None
    result = master(tmp_path / "song.wav", tmp_path / "with.wav", replace(plain, plr=PlrTarget(4.0)))
    assert result.delivery.limited_by is None
    assert result.result.lufs == pytest.approx(-16.0, abs=0.1)
    assert result.result.plr_db < without.result.plr_db - 0.5
    assert sum(note.kind == "plr" for note in result.actions) == 1
