"""The page of a mastered song: whole, self-contained, with the numbers it was given."""

import base64
import hashlib
import json
import math
import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from nm_test_html import Element, loads, read
from nm_test_reports import master_report
from numpy.typing import NDArray

from neural_mastering.reporting.markup import number
from neural_mastering.reporting.master_report import MasterReport, ReportReadings, write_master_report
from neural_mastering.reporting.page import content_policy, script
from neural_mastering.reporting.report_data import Clip


@pytest.fixture(scope="module")
def report(song: tuple[NDArray[np.float32], int]) -> MasterReport:
    return master_report(*song)


@pytest.fixture(scope="module")
def page(report: MasterReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_master_report(report, tmp_path_factory.mktemp("reports") / "söng = [1]")


@pytest.fixture(scope="module")
def tree(page: Path) -> Element:
    return read(page.read_text("utf-8"))


def test_nothing_is_loaded_from_elsewhere(tree: Element, page: Path) -> None:
    assert loads(tree) == []
    assert not re.search(r"""(?:fetch|XMLHttpRequest|WebSocket|import)\s*\(""", page.read_text("utf-8"))
    assert sorted(f.name for f in page.parent.iterdir()) == ["report.html", "report.json"]


def test_the_policy_allows_this_script_and_nothing_else(tree: Element) -> None:
    policy = next(m for m in tree.all("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy")
    rules = {r.split()[0]: r.split(maxsplit=1)[1] for r in (policy.attributes["content"] or "").split(";")}
    assert rules["default-src"] == "'none'" and "connect-src" not in rules
    (running,) = [s for s in tree.all("script") if "type" not in s.attributes]
    digest = base64.b64encode(hashlib.sha256(running.text.encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert "eval(" not in script() and "new Function" not in script() and "innerHTML" not in script()
    assert content_policy() == policy.attributes["content"]


def test_every_reading_stands_in_the_table(tree: Element, report: MasterReport) -> None:
    rows = {name: r for r in tree.all("tr") if (name := r.attributes.get("data-reading"))}
    assert set(rows) == {f.name for f in fields(ReportReadings)}
    for name, row in rows.items():
        before, after = getattr(report.input, name), getattr(report.output, name)
        exact = [float(cell.attributes["data-value"] or "nan") for cell in row.all("td")[:3]]
        assert exact == [before, after, after - before]
        digits = 2 if name in ("true_peak_db", "correlation") else 1
        assert [cell.text for cell in row.all("td")[:2]] == [number(before, digits), number(after, digits)]


def test_page_and_json_hold_the_same_numbers(tree: Element, page: Path, report: MasterReport) -> None:
    numbers = json.loads((page.parent / "report.json").read_text("utf-8"))
    assert {key: value for key, value in numbers.items() if key != "curves"} == report.numbers
    assert [li.text for li in tree.by_id("done").all("li")] == ["The level was raised by 4.0 dB."]
    assert [li.text for li in tree.one("section", "notice").all("li")] == list(report.warnings)
    curves = numbers["curves"]
    assert report.eq is not None
    gains = [b["gain_db"] for b in curves["eq"]["bands"]]
    assert gains == [b.gain_db for b in sorted(report.eq.bands, key=lambda b: b.frequency_hz)]
    shown = [
        f"{cell.text}"
        for row in tree.all("table")
        for cell in row.all("td")
        if cell.text.startswith(("+", "−"))
    ]
    assert all(number(g, 2, signed=True) in shown for g in gains)
    course = np.asarray(report.reductions[0].reduction_db)
    np.testing.assert_allclose(curves["reductions"][0]["reduction_db"], course)
    assert curves["reductions"][0]["stage"] == "limiter" and curves["added"] is None


def test_provenance_is_told(tree: Element) -> None:
    told = tree.all("dl")[-1].text
    for text in (
        "Rock excerpt.wav",
        "24 bit",
        "44,100 Hz",
        "stereo",
        "checked 2026-11-20",
        "ceiling −1.0 dBTP",
    ):
        assert text in told


def test_a_report_with_nothing_but_readings(report: MasterReport, tmp_path: Path) -> None:
    silent = ReportReadings(-math.inf, -math.inf, -math.inf, 0.0, -math.inf, math.nan, -math.inf, math.nan)
    bare = replace(
        report, input=silent, output=silent, eq=None, reductions=(), short_term=None, spectra=None, controls={},
        warnings=(), clips=(), delivery=replace(report.delivery, lufs=None, ceiling_db=None, source=""),
    )  # fmt: skip
    page = write_master_report(bare, tmp_path)
    tree = read(page.read_text("utf-8"))
    assert not tree.all("div", "player") and "−∞" in tree.text and "nan" not in tree.one("main").text
    bare = replace(bare, numbers={"input": {"lufs": -math.inf}})
    write_master_report(bare, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["input"]["lufs"] is None
    assert page.stat().st_size < 100_000


def test_names_stay_text(report: MasterReport, nasty: tuple[str, ...], tmp_path: Path) -> None:
    clips = [replace(c, name=n) for c, n in zip(report.clips, nasty, strict=False)]
    made = replace(
        report.provenance, source_file=nasty[0], output_file=nasty[4], model=nasty[2], references=nasty
    )
    hostile = replace(
        report,
        title=nasty[0],
        clips=clips,
        provenance=made,
        warnings=nasty,
        actions=nasty,
        controls={nasty[1]: nasty[3]},
    )
    tree = read(write_master_report(hostile, tmp_path).read_text("utf-8"))
    assert tree.one("h1").text == nasty[0] and tree.one("title").text == f"{nasty[0]}: master"
    assert [li.text for li in tree.one("section", "notice").all("li")] == list(nasty)
    assert not tree.all("img") and loads(tree) == []
    assert len([s for s in tree.all("script") if "type" not in s.attributes]) == 1
    data = json.loads(tree.one("script", "player-data").text)
    assert [s["name"] for s in data["sources"]] == list(nasty[:2]) and data["song"] == nasty[0]


def test_size_keeps_to_the_budget(report: MasterReport, tmp_path: Path) -> None:
    """30 s of a song: whole songs may be given, and the excerpts fit; without room there is no player."""
    rate = report.clips[0].sample_rate_hz
    long = [Clip(c.name, np.tile(c.audio, 8)[:, : 30 * int(rate)], rate, c.role) for c in report.clips]
    sizes = {}
    for budget in (20.0, 1.5, 0.1):
        page = write_master_report(
            replace(report, clips=long, audio_budget_mb=budget), tmp_path / str(budget)
        )
        sizes[budget] = page.stat().st_size
        assert sizes[budget] < budget * 1e6 + 120_000
    assert sizes[20.0] > 4e6 > sizes[1.5] > 500_000
    assert not read((tmp_path / "0.1" / "report.html").read_text("utf-8")).all("div", "player")


def test_a_failed_report_leaves_the_old_one(report: MasterReport, tmp_path: Path) -> None:
    write_master_report(report, tmp_path)
    before = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    broken = replace(report, clips=[Clip("bad", np.zeros((5, 100)), 44_100)])
    with pytest.raises(ValueError, match="'bad'"):
        write_master_report(broken, tmp_path)
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == before
