"""Whether an engineer has changed between two sets of pairs."""

from dataclasses import replace

import numpy as np
import pytest
from planted_engineer import HIGH_SHELF, LOW_SHELF, centred, planted_pair, planted_songs

from neural_mastering.engineer.pair import PairMeasurement
from neural_mastering.learning.drift import drift


@pytest.fixture(autouse=True)
def _average_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The earlier set is learned as its average: how songs are told apart is tested elsewhere."""
    monkeypatch.setattr("neural_mastering.engineer.fit.SONG_DEPENDENT_PAIRS", 99)


def _sets(treble_db: float, louder_lu: float) -> tuple[list[PairMeasurement], list[PairMeasurement]]:
    """12 and 8 pairs; each move is off by 0.2 dB, and the later ones by so much more."""
    rng = np.random.default_rng(0)
    pairs = [planted_pair(s, str(i), lambda _: 2.0 * LOW_SHELF) for i, s in enumerate(planted_songs(20))]
    for i, pair in enumerate(pairs):
        later = i >= 12
        change = (0.2 * rng.standard_normal() + later * treble_db) * HIGH_SHELF
        move = replace(
            pair.move,
            curve_db=pair.move.curve_db + centred(change),
            loudness_lufs=-10.0 + 0.2 * rng.standard_normal() + later * louder_lu,
            plr_db=9.0,
            width_db=pair.features.width_db,
        )
        pairs[i] = replace(pair, move=move)
    return pairs[:12], pairs[12:]


def test_the_same_engineer_has_not_drifted() -> None:
    assert drift(*_sets(0.0, 0.0)) == [
        "what was done to the second set is what the first one predicts, within chance"
    ]


def test_a_change_is_named_with_its_size() -> None:
    (text,) = drift(*_sets(0.0, 2.0))
    assert text.startswith("the second set differs") and "LU louder" in text
    size = float(text.split(": ")[1].split(" LU louder")[0].replace("−", "-"))
    assert size == pytest.approx(2.0, abs=0.3)
    (text,) = drift(*_sets(3.0, 0.0))
    assert "LU" not in text and "dB" in text


def test_of_two_pairs_nothing_is_said() -> None:
    first, second = _sets(3.0, 2.0)
    (text,) = drift(first, second[:2])
    assert "not known" in text
