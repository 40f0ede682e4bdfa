"""What is measured of a pair: a planted curve comes back, and level plays no part in it."""

import numpy as np
import pytest
from scipy.signal import sosfilt

from neural_mastering.dsp import rbj
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.engineer.measurement_file import measurement_dict, measurement_of
from neural_mastering.engineer.pair import CommonPart, measure_pair
from neural_mastering.errors import InputError

RATE = 44_100


def _song(seconds: float = 8.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    time = np.arange(int(seconds * RATE)) / RATE
    return 0.05 * rng.standard_normal((2, time.size)) * (0.3 + 0.7 * (np.sin(4.0 * np.pi * time) > 0.0))


def _shelf(audio: np.ndarray, gain_db: float) -> np.ndarray:
    sections = rbj.sections(["low_shelf"], [200.0], [gain_db], [0.7], RATE)
    return np.asarray(sosfilt(sections, audio, axis=-1))


def test_the_curve_of_an_equaliser_comes_back() -> None:
    song = _song()
    found = measure_pair((song, RATE), (2.0 * _shelf(song, 5.0), RATE)).move.curve_db
    expected = rbj.level_db(["low_shelf"], [200.0], [5.0], [0.7], CENTRES_HZ, RATE)
    expected = expected - expected[BROAD].mean()
    assert np.abs(found - expected)[BROAD].max() < 0.25


def test_gains_of_either_side_do_not_change_the_curve() -> None:
    song = _song()
    master = _shelf(song, -4.0)
    one = measure_pair((song, RATE), (master, RATE))
    other = measure_pair((0.1 * song, RATE), (3.0 * master, RATE))
    assert np.abs(one.move.curve_db - other.move.curve_db).max() < 1e-5
    assert np.abs(one.features.content.values - other.features.content.values).max() < 1e-3
    assert one.move.plr_db == pytest.approx(other.move.plr_db, abs=1e-6)
    assert other.move.loudness_lufs - one.move.loudness_lufs == pytest.approx(20.0 * np.log10(3.0), abs=1e-3)


def test_only_the_common_part_counts() -> None:
    song = _song()
    noise = 0.5 * np.random.default_rng(1).standard_normal((2, 3 * RATE))
    whole = measure_pair((song, RATE), (song, RATE))
    part = measure_pair(
        (np.concatenate([noise, song], axis=1), RATE),
        (np.concatenate([song, noise], axis=1), RATE),
        common=CommonPart(3.0, 0.0, 8.0),
    )
    assert np.abs(part.move.curve_db - whole.move.curve_db).max() < 1e-9
    assert part.features.loudness_lufs == pytest.approx(whole.features.loudness_lufs, abs=1e-9)


def test_a_measurement_survives_a_file() -> None:
    song = _song(6.0)
    mono = (song[:1], RATE)
    pair = measure_pair(mono, mono)  # has NaN: no side
    again = measurement_of(measurement_dict(pair))
    assert measurement_dict(again) == measurement_dict(pair)
    assert np.isnan(again.features.side_db).all()


@pytest.mark.parametrize(("mix", "master"), [(0.0, 1.0), (1.0, 0.0)])
def test_a_silent_side_is_refused(mix: float, master: float) -> None:
    song = _song(6.0)
    with pytest.raises(InputError, match="master" if master == 0.0 else "mix"):
        measure_pair((mix * song, RATE), (master * song, RATE))
