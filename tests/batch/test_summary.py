"""The page and what it is made from."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neural_mastering.batch.engines.local import LocalEngine
from neural_mastering.batch.estimate import estimate
from neural_mastering.batch.flatten import LONGEST_LIST, flatten
from neural_mastering.batch.histogram import histogram
from neural_mastering.batch.outliers import outliers
from neural_mastering.batch.plan import Plan
from neural_mastering.batch.request import BatchRequest, SongLimits, parse_shard
from neural_mastering.batch.results import ResultWriter
from neural_mastering.batch.run import run_batch
from neural_mastering.batch.summary import write_summary
from neural_mastering.errors import InputError


def test_columns_of_nested_numbers() -> None:
    tree = {
        "a": {"b": 1, "c": None, "d": True},
        "bands": [{"hz": 1.0}, {"hz": 2}],
        "stages": [{"name": "eq", "seconds": 2}],
        "notes": [{"kind": "k", "text": "t"}],
        "short": [1, 2.5],
        "long": [0.0] * (LONGEST_LIST + 1),
        "empty": [],
    }
    assert flatten(tree) == {
        "a.b": 1.0,
        "a.d": True,
        "bands.0.hz": 1.0,
        "bands.1.hz": 2.0,
        "stages.eq.seconds": 2.0,
        "notes.kind": ["k"],
        "notes.text": ["t"],
        "short": [1.0, 2.5],
    }


def test_an_outlier_is_far_in_robust_deviations_and_the_others_do_not_hide_it() -> None:
    values = np.random.default_rng(0).normal(-14.0, 1.0, 1000)
    values[:3] = (-40.0, 1000.0, np.nan)
    found = outliers({"lufs": values, "same": np.full(1000, 2.0)}, {"lufs": 0.1, "same": 0.1}, beyond=6.0)
    assert [(o.row, o.column) for o in found] == [(1, "lufs"), (0, "lufs")]
    assert found[1].deviations == pytest.approx(-26.0, rel=0.1)  # the planted normal's own deviation is 1
    assert not outliers({"few": np.array([0.0] * 10 + [99.0])}, {})


def test_a_histogram_counts_every_finite_value() -> None:
    values = np.concatenate([np.zeros(30), np.ones(70), [np.nan]])
    page = histogram(values, "Title", "dB")
    assert page.count("<polygon") == 2 and "Median 1.0 dB" in page and "1 songs without a value" in page
    assert histogram(np.array([np.nan]), "Title", "dB") == ""


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/2/3", "-1/2"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--shard"):
        parse_shard(text)


def test_the_page_names_failures_and_outliers_and_no_name_becomes_markup(tmp_path: Path) -> None:
    from neural_mastering.batch.song import Song

    songs = tuple(Song(f"{n:016x}", f"<script>{n}", f"/{n}") for n in range(30))
    (tmp_path / "parts").mkdir()
    writer = ResultWriter(tmp_path)
    for n, song in enumerate(songs):
        row = {"id": song.id, "path": song.path, "name": song.path, "finished": "1", "status": "done"}
        row |= {"input.lufs": -60.0 if n == 7 else -14.0 + 0.01 * n, "tone.100_hz_db": -10.0, "seconds": 1.0}
        row |= {"warnings.kind": ["dc_offset"]} if n < 3 else {}
        if n == 29:
            row |= {"status": "failed", "error_kind": "input", "error": "not <b>audio</b>"}
        writer.add([row])
    writer.close()
    request = BatchRequest("measure", songs, tmp_path)
    page = write_summary(request).read_text()
    assert "<script>7" not in page and "&lt;script&gt;7" in page and "not &lt;b&gt;audio" in page
    assert "dc offset" in page and "10.3\N{NO-BREAK SPACE}%" in page  # 3 of 29
    fewer = write_summary(replace(request, songs=songs[:5])).read_text()
    assert "Health report: 5 songs" in fewer and "not &lt;b&gt;" not in fewer


def test_an_estimate_is_the_mean_of_what_was_done_here(asked: Callable[..., BatchRequest]) -> None:
    request = asked({"a": "slow", "b": "slow"}, limits=SongLimits(60.0, 0))
    assert "a guess" in estimate(request, Plan((), {}), 1)
    run_batch(request, LocalEngine())
    assert "the mean of 2 songs done here" in estimate(request, Plan((), {}), 1)
