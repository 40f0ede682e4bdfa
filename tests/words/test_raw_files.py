"""The raw files: their traps, what is dropped, and the table that comes of them."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from neural_mastering.dsp import rbj
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.words.derive import agreement, derive, evidence_of, mean_curve, to_text
from neural_mastering.words.fit import fit_shape
from neural_mastering.words.raw_files import SOCIALEQ_HZ, Contribution, read_safe, read_socialeq
from neural_mastering.words.shape import HEARD, correlation, unit_shape
from neural_mastering.words.table import word_table

HEADER = ["descriptor", "audio_id", "ratings_consistency", *(f"RSC_{f:.0f}Hz_band" for f in SOCIALEQ_HZ)]
GIVEN = {name: os.environ.get(name) for name in ("NM_SOCIALEQ_CSV", "NM_SAFE_CSV")}


def tilt(at_hz: Float64s, per_octave: float = 1.0) -> Float64s:
    return per_octave * np.log2(at_hz / 1_000.0)


def socialeq_file(path: Path, rows: list[list[object]], encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)  # 43 names, as in the original
        writer.writerows(rows)
    return path


def socialeq_row(word: str, curve: Float64s, language: str = "English", sound: int = 7) -> list[object]:
    z = (curve - curve.mean()) / curve.std()
    return [word, language, sound, 0.8, *z]


def safe_row(
    word: str, user: str, gains: list[float], genre: str = "", instrument: str = "", person: str = ""
) -> list[object]:
    low, g2, g3, g4, high = gains
    bands = [low, 120.0, g2, 300.0, 0.9, g3, 1_200.0, 0.8, g4, 3_300.0, 0.7, high, 8_000.0]
    private = [person] * 4  # location, experience, age, nationality
    return [1, word, user, 2, 2, *bands, genre, instrument, *private, "abcdef"]


def safe_file(path: Path, rows: list[list[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def test_the_header_lacks_a_name_and_columns_are_read_by_position(tmp_path: Path) -> None:
    rising = tilt(SOCIALEQ_HZ)
    path = socialeq_file(
        tmp_path / "eq.csv", [socialeq_row(" Bright ", rising), socialeq_row("dark", -rising)]
    )
    first, second = read_socialeq(path)
    assert (first.word, first.sound, first.user) == ("bright", "7", None)
    assert first.curve.shape == CENTRES_HZ.shape
    # a straight line over log f stays one, whatever the grid
    assert correlation(first.curve, tilt(CENTRES_HZ)) > 0.9999
    assert correlation(second.curve, tilt(CENTRES_HZ)) < -0.9999


def test_other_languages_and_broken_letters(tmp_path: Path) -> None:
    rising = tilt(SOCIALEQ_HZ)
    rows = [
        socialeq_row("cálido", rising, "Español"),
        socialeq_row("naïve", rising),
        socialeq_row("flat", 0 * rising + 1e-9 * rising),
    ]
    path = socialeq_file(tmp_path / "eq.csv", rows, encoding="latin-1")
    words = [row.word for row in read_socialeq(path)]
    assert "cálido" not in words and len(words) == 2 and words[0].startswith("na")


def test_forty_weights_are_one_curve(tmp_path: Path) -> None:
    """The trap: 40 fixed-band weights are one curve for an equaliser of six bands, not 40 (or ten) filters."""
    planted = 1.5 * np.tanh(tilt(SOCIALEQ_HZ, 0.8))
    path = socialeq_file(tmp_path / "eq.csv", [socialeq_row("bright", planted)])
    (row,) = read_socialeq(path)
    shape = unit_shape(row.curve)
    bands = fit_shape(shape)
    assert len(bands.kinds) == 6
    truth = unit_shape(np.interp(np.log(CENTRES_HZ), np.log(SOCIALEQ_HZ), planted))
    played = bands.level_db(CENTRES_HZ, 44_100.0)
    assert np.abs(played - truth)[HEARD].max() < 0.3
    # the misreading: a peak at each band's centre; its overlap makes more than the weights say
    gains = np.interp(np.log(SOCIALEQ_HZ), np.log(CENTRES_HZ), shape)
    cascade = rbj.level_db(("peak",) * 40, SOCIALEQ_HZ, gains, np.full(40, 4.31), CENTRES_HZ, 44_100.0)
    assert np.abs(cascade - truth)[HEARD].max() > 1.5


def test_a_safe_row_is_its_five_bands(tmp_path: Path) -> None:
    gains = [3.0, -2.0, 1.0, 0.0, 4.0]
    path = safe_file(tmp_path / "safe.csv", [safe_row("Warm ", "1.2.3.4", gains, "", "jazz1")])
    (row,) = read_safe(path)
    assert row.word == "warm" and row.on_mix and row.sound == "jazz1" and row.user == 0
    expected = rbj.level_db(
        ("low_shelf", "peak", "peak", "peak", "high_shelf"),
        [120.0, 300.0, 1_200.0, 3_300.0, 8_000.0],
        gains,
        [0.71, 0.9, 0.8, 0.7, 0.71],
        CENTRES_HZ[HEARD],
        44_100.0,
    )
    np.testing.assert_allclose(row.curve[HEARD], expected)


def test_persons_are_dropped_while_reading(tmp_path: Path) -> None:
    rows = [
        safe_row("warm", "84.12.0.7", [2.0, 1.0, 0.0, 0.0, -1.0], "metal2", "", "Secretland"),
        safe_row("warm", "84.12.0.8", [2.0, 1.0, 0.0, 0.0, -2.0], "pop", "Jane Doe's violin", "Secretland"),
        safe_row("warm", "84.12.0.7", [3.0, 1.0, 0.0, 0.0, -1.0], "", "", "Secretland"),
    ]
    found = read_safe(safe_file(tmp_path / "safe.csv", rows))
    assert [row.user for row in found] == [0, 1, 0] and [row.on_mix for row in found] == [True, False, False]
    kept = repr(found)
    assert not any(secret in kept for secret in ("84.12", "Secretland", "Jane", "violin", "abcdef"))


def test_safe_rows_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    good = safe_row("warm", "a", [2.0, 1.0, 0.0, 0.0, -1.0])
    rows = [
        good,
        safe_row("test", "a", [2.0, 1.0, 0.0, 0.0, -1.0]),
        safe_row("", "a", [2.0, 1.0, 0.0, 0.0, -1.0]),
        safe_row("warm", "a", [0.0] * 5),
        safe_row("warm", "a", [60.0, 0.0, 0.0, 0.0, 0.0]),
    ]
    assert len(read_safe(safe_file(tmp_path / "safe.csv", rows))) == 1


def test_other_files_are_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b,c\n1,2,3\n")
    for read in (read_socialeq, read_safe):
        with pytest.raises(InputError, match="line 1: expected"):
            read(path)
        with pytest.raises(InputError, match="can't be read"):
            read(tmp_path / "nowhere.csv")
    path.write_text("")
    with pytest.raises(InputError, match="no English rows"):
        read_socialeq(path)
    with pytest.raises(InputError, match="no equalisers"):
        read_safe(path)


def test_a_busy_person_does_not_decide() -> None:
    """100 rows of one person against one row each of five: the root of the number counts."""
    busy = [Contribution("warm", tilt(CENTRES_HZ), 0, "", True)] * 100
    rest = [Contribution("warm", -tilt(CENTRES_HZ), i, "", True) for i in range(1, 6)]
    np.testing.assert_allclose(mean_curve([*busy, *rest]), (10.0 - 5.0) / 15.0 * tilt(CENTRES_HZ))
    assert agreement([*busy, *rest]) == pytest.approx((10 - 5) / 15)  # 10 of 15 pairs agree, 5 are opposite
    assert evidence_of("safe", [*busy, *rest]).users == 6


def test_agreement_and_reliability_of_planted_curves() -> None:
    """Signal and noise of equal power: two people correlate by one half."""
    rng = np.random.default_rng(0)
    signal = tilt(CENTRES_HZ)
    signal = (signal - signal[HEARD].mean()) / signal[HEARD].std()
    rows = [Contribution("x", signal + rng.standard_normal(len(CENTRES_HZ)), None, "") for _ in range(60)]
    found = evidence_of("socialeq", rows)
    assert found.agreement == pytest.approx(0.5, abs=0.06) and found.users is None and found.n == 60
    noise = np.mean([correlation(mean_curve(rows[:30]), signal), correlation(mean_curve(rows[30:]), signal)])
    # the reliability of a mean of 30 is its squared correlation with the truth
    assert noise**2 == pytest.approx(30 * 0.5 / (1 + 29 * 0.5), abs=0.03)


def test_the_table_of_planted_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rising, middle = tilt(SOCIALEQ_HZ), -np.abs(tilt(SOCIALEQ_HZ))
    rows = []
    for word, curve, noise, count in (
        ("crisp", rising, 0.5, 12),
        ("dark", -rising, 0.5, 7),
        ("loud", middle, 0.5, 9),
        ("cold", rising, 30.0, 12),
        ("rare", rising, 0.1, 5),
        ("sad", -rising, 0.5, 9),
        ("twice", rising, 0.1, 2),
    ):
        rows += [socialeq_row(word, curve + noise * rng.standard_normal(curve.size)) for _ in range(count)]
    social = read_socialeq(socialeq_file(tmp_path / "eq.csv", rows))
    safe = [
        safe_row(word, f"user{i % 3}", [v + 0.1 * i for v in gains], genre="jazz3")
        for word, gains in (
            ("warm", [3.0, 2.0, 0.0, -1.0, -3.0]),
            ("bright", [-3.0, -2.0, 0.0, 1.0, 3.0]),
            ("airy", [-2.0, 0.0, 0.0, 0.0, 5.0]),
            ("thin", [-6.0, -2.0, 0.0, 0.0, 0.0]),
        )
        for i in range(6)
    ]
    table = derive(social, read_safe(safe_file(tmp_path / "safe.csv", safe)))
    assert set(table.words) == {"warm", "bright", "airy", "thin", "crisp", "dark", "loud"}
    assert table.words["warm"].evidence.users == 3 and table.words["warm"].antonym is not None
    assert table.words["dark"].tier == "low" and table.words["crisp"].tier == "supported"
    assert correlation(table.words["crisp"].shape_db, tilt(CENTRES_HZ)) > 0.98
    reasons = {name: entry.reason for name, entry in table.refused.items()}
    assert reasons == {"cold": "disagree", "rare": "few", "sad": "mood"}
    assert {name for name, _ in table.refused["rare"].nearest} & {"crisp", "bright"}
    with pytest.raises(ValueError, match="warm"):
        derive(social, [])


@pytest.mark.skipif(
    not all(GIVEN.values()),
    reason="needs one's own copies of the raw files: set NM_SOCIALEQ_CSV and NM_SAFE_CSV",
)
def test_the_shipped_table_is_that_of_the_raw_files() -> None:
    social, safe = (str(GIVEN[name]) for name in ("NM_SOCIALEQ_CSV", "NM_SAFE_CSV"))
    made = derive(read_socialeq(social), read_safe(safe))
    assert to_text(made) == to_text(word_table())
