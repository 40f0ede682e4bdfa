"""Gates that depend on what is heard: planted for two groups, found by the statistics and drawn as planted."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from neural_mastering.evaluation import pictures
from neural_mastering.evaluation.controls_trace import model_trace
from neural_mastering.evaluation.eq_statistics import band_statistics, bands_by_song, open_share_by_group
from neural_mastering.evaluation.plan import model_rows
from neural_mastering.evaluation.run_info import read_run
from neural_mastering.evaluation.song_result import SongResult
from neural_mastering.models import load_model
from neural_mastering.models.eq_heads import AdaptiveBands
from neural_mastering.rendering.tone.from_model import follow

OPEN_IN = {"a": (1, 1, 0, 0, 0, 0), "b": (1, 0, 0, 1, 1, 0)}
"""By group; two is the least number. The first gate gets pushed down: it is held in a and shut in b."""
SONGS = {"a": 4, "b": 3}


@pytest.fixture(scope="module")
def results(eval_run: Path) -> list[SongResult]:
    """The head reads the first entry of z: positive for songs of group a, negative for b."""
    model = load_model(eval_run)
    head = model.eq_head
    assert isinstance(head, AdaptiveBands)
    sign = torch.tensor([OPEN_IN["a"], OPEN_IN["b"]], dtype=torch.float32) * 6.0 - 3.0
    head.trunk = torch.nn.Identity()  # type: ignore[assignment]
    with torch.no_grad():
        head.gate_logits.weight.zero_()
        head.gate_logits.weight[:, 0] = (sign[0] - sign[1]) / 2
        head.gate_logits.bias.copy_((sign[0] + sign[1]) / 2)
        head.gate_logits.bias[0] -= 5.0
        found = []
        for group, count in SONGS.items():
            for i in range(count):
                z = torch.zeros(1, 16)
                z[0, 0] = 1.0 if group == "a" else -1.0
                trace = model_trace(follow(model, "m", model.decide(z, torch.tensor([-20.0]))))
                found.append(SongResult(f"{group}{i}", group, 1.0, 2, {}, traces={"phase_1c": trace}))
    return found


def test_the_planted_pattern_is_found_by_group(results: list[SongResult]) -> None:
    names, share = open_share_by_group(results, "phase_1c")
    assert names == ["a (4)", "b (3)"]
    # in b two gates are open already: nothing needs to be held
    np.testing.assert_array_equal(share, [OPEN_IN["a"], (0, *OPEN_IN["b"][1:])])
    statistics = band_statistics(bands_by_song(results, "phase_1c"))
    assert [s.open_songs for s in statistics] == [4, 4, 0, 3, 3, 0]
    assert [s.held_songs for s in statistics] == [4, 0, 0, 0, 0, 0]


def test_the_picture_shows_the_planted_pattern(
    results: list[SongResult], eval_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    (row,) = model_rows([read_run(eval_run)])
    (picture,) = pictures._bands(tmp_path, row, "phase_1C", results, True)
    assert picture.file.name == "phase_1C_bands.png" and "Hatched" in picture.caption
    often, many, by_group = sorted(drawn[0].axes, key=_order)
    assert [t.get_text() for t in often.texts] == ["57 %", "57 %", "never", "43 %", "43 %", "never"]
    (held,) = [patch for patch in often.patches if patch.get_hatch()]
    bottom, top = _heights(often, held)
    assert (bottom, top) == (pytest.approx(0.0, abs=1e-6), pytest.approx(4 / 7))
    assert many.get_title(loc="left").startswith("Open at once: 2.0")
    assert [_heights(many, patch)[1] for patch in many.patches] == pytest.approx(
        [0, 0, 7, 0, 0, 0, 0], abs=1e-6
    )
    assert " ".join(t.get_text() for t in by_group.texts) == "100 100 0 0 0 0 0 0 0 100 100 0"
    assert [t.get_text() for t in by_group.get_yticklabels()] == ["a (4)", "b (3)"]


def _order(axes: Axes) -> int:
    titles = ("How often", "Open at once", "Songs of a group")
    return next(i for i, title in enumerate(titles) if axes.get_title(loc="left").startswith(title))


def _heights(axes: Axes, bar: Patch) -> tuple[float, float]:
    """Lower and upper end of a bar in units of the axis."""
    ends = axes.transData.inverted().transform(bar.get_extents().get_points())
    return float(ends[0, 1]), float(ends[1, 1])
