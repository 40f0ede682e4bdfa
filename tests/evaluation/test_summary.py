"""Rows: the best baseline, paired differences, songs improved."""

import math
from dataclasses import dataclass

import pytest

from neural_mastering.evaluation.findings import findings
from neural_mastering.evaluation.song_result import SongResult
from neural_mastering.evaluation.summary import summarise, summarise_ablations
from neural_mastering.metrics.suite import columns

COLUMN = "ltas_error_matched"


@dataclass
class _System:
    key: str
    kind: str
    note: str = ""

    @property
    def name(self) -> str:
        return self.key


SYSTEMS: list = [_System("identity", "identity"), _System("average", "baseline"), _System("model", "model")]
GROUPS = ["a", "a", "b", "c", "d", "e"]


def _scores(
    identity: list[float], average: list[float], model: list[float], column: str = COLUMN
) -> list[dict]:
    rows = zip(identity, average, model, strict=True)
    blank = dict.fromkeys(columns(), math.nan)
    return [
        {
            key: {**blank, column: value}
            for key, value in zip(("identity", "average", "model"), row, strict=True)
        }
        for row in rows
    ]


def test_differences_are_paired_and_go_against_the_best_baseline() -> None:
    scores = _scores([4.0, 5, 6, 7, 8, 9], [3.0, 4, 5, 6, 7, 8], [2.5, 3.5, 4.5, 5.5, 6.5, 8.5])
    summary = summarise(scores, GROUPS, SYSTEMS)
    assert summary.best_baseline[COLUMN] == "average"
    model = summary.scores["model", COLUMN]
    assert model.difference is not None and model.difference.mean == pytest.approx(-2.0 / 6)
    assert model.difference.low >= -0.5 and model.difference.high <= 0.5
    assert model.improved == 6 and summary.scores["identity", COLUMN].improved is None
    assert summary.scores["average", COLUMN].difference is None
    worse = summary.scores["identity", COLUMN].difference
    assert worse is not None and worse.mean == pytest.approx(1.0)
    assert (summary.songs, summary.groups) == (6, 5)


def test_a_higher_snr_is_better() -> None:
    summary = summarise(
        _scores([5.0] * 6, [9.0] * 6, [6.0, 4, 6, 6, 6, 6], column="snr_matched"), GROUPS, SYSTEMS
    )
    assert summary.best_baseline["snr_matched"] == "average"
    assert summary.scores["model", "snr_matched"].improved == 5


def test_what_has_no_better_side_has_no_best_baseline() -> None:
    summary = summarise(_scores([1.0] * 6, [2.0] * 6, [3.0] * 6, column="true_peak"), GROUPS, SYSTEMS)
    assert "true_peak" not in summary.best_baseline
    score = summary.scores["model", "true_peak"]
    assert score.difference is None and score.improved is None and score.value.mean == 3.0


def test_equal_songs_are_not_improved_and_gaps_do_not_count() -> None:
    summary = summarise(_scores([1.0] * 6, [2.0] * 6, [1.0, math.nan, 0.5, 1, 1, 1]), GROUPS, SYSTEMS)
    model = summary.scores["model", COLUMN]
    assert summary.best_baseline[COLUMN] == "identity" and model.improved == 1 and model.value.songs == 5


def test_ablations_are_paired_with_their_model() -> None:
    results = [
        SongResult(
            str(i),
            group,
            1.0,
            2,
            {"model": {COLUMN: 1.0 + i}},
            ablations={("model", "no_eq"): {COLUMN: 3.0 + i}},
        )
        for i, group in enumerate(GROUPS)
    ]
    (row,) = summarise_ablations(results, [COLUMN])
    assert row.differences[COLUMN].mean == pytest.approx(2.0)
    assert row.differences[COLUMN].low == pytest.approx(2.0) == row.differences[COLUMN].high
    assert row.values[COLUMN].mean == pytest.approx(5.5)


@pytest.mark.parametrize(
    ("model", "word"),
    [
        ([2.0] * 6, "better ("),
        ([9.0] * 6, "worse ("),
        ([2.0, 4.5, 4.5, 2.0, 3.9, 3.1], "no clear difference"),
    ],
)
def test_findings_say_what_the_interval_says(model: list[float], word: str) -> None:
    summary = summarise(_scores([4.0] * 6, [3.3] * 6, model), GROUPS, SYSTEMS)
    (sentence,) = findings(SYSTEMS, summary, [])
    assert word in sentence and "best baseline (average)" in sentence


def test_findings_give_no_verdict_on_a_handful_of_groups() -> None:
    summary = summarise(_scores([4.0] * 6, [3.3] * 6, [1.0] * 6), list("aaabbb"), SYSTEMS)
    (sentence,) = findings(SYSTEMS, summary, [])
    assert "too few for a verdict" in sentence
