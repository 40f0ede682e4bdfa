"""The page of an evaluation: tables with the numbers given, songs written one by one, size bounded."""

import gc
import json
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nm_test_html import Element, loads, read
from nm_test_reports import METRICS, SYSTEMS, eval_report, song_entry, spectra, summary
from numpy.typing import NDArray

from neural_mastering.errors import InputError
from neural_mastering.reporting.eval_report import Cell, EvalReport, SongEntry, SystemEntry, write_eval_report
from neural_mastering.reporting.report_data import Chart, ChartLine, Clip, Picture, Table
from neural_mastering.reporting.song_section import distance_to_target, list_columns
from neural_mastering.reporting.summary_section import best_system

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "c9fe92ef0000000049454e44ae426082"
)
Song = tuple[NDArray[np.float32], int]


@pytest.fixture(scope="module")
def report(song: Song) -> EvalReport:
    songs = [song_entry(i, f"song {i}", f"group {i // 2}", *song) for i in range(2)]
    pictures = [
        Picture("Curve", PNG, "a curve"),
        Picture("Vector", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "none"),
    ]
    return eval_report(songs, 2, pictures=pictures)


@pytest.fixture(scope="module")
def tree(report: EvalReport, tmp_path_factory: pytest.TempPathFactory) -> Element:
    page = write_eval_report(report, tmp_path_factory.mktemp("evaluation of it"))
    assert [f.name for f in page.parent.iterdir()] == ["report.html"]
    return read(page.read_text("utf-8"))


def test_nothing_is_loaded_from_elsewhere(tree: Element) -> None:
    assert loads(tree) == []
    assert (tree.all("img")[0].attributes["src"] or "").startswith("data:image/png;base64,iVBORw0KGgo")
    targets = {a.attributes["href"] for a in tree.one("nav").all("a")}
    ids = {f"#{e.attributes['id']}" for e in tree.all() if "id" in e.attributes}
    assert targets <= ids and len(targets) >= 8


def test_summary_tables_hold_the_means_and_intervals(tree: Element, report: EvalReport) -> None:
    for i, table in enumerate(report.tables):
        shown = tree.by_id(f"table-{i}").all("table")[0]
        rows = shown.one("tbody").all("tr")
        assert [r.all("th")[0].text.startswith(s.name) for r, s in zip(rows, SYSTEMS, strict=True)] == [
            True
        ] * 6
        assert [h.text for h in shown.one("thead").all("th")] == [
            "System", "LTAS error (dB) ↓", "MR-STFT ↓", "LUFS error (LU) ↓", "SNR (dB) ↑",
        ]  # fmt: skip
        for row, system in zip(rows, SYSTEMS, strict=True):
            for cell, metric in zip(row.all("td"), METRICS, strict=True):
                given = table.cells[system.key, metric.key]
                assert float(cell.attributes["data-value"] or "nan") == given.mean
                text = f"{given.low:.{metric.digits}f} … {given.high:.{metric.digits}f}".replace("-", "−")
                assert cell.one("small").text == text
        assert f"{table.songs} songs in {table.groups} groups" in tree.by_id(f"table-{i}").text


def test_identity_comes_first_oracles_are_marked_and_never_best(tree: Element, report: EvalReport) -> None:
    table = tree.by_id("table-0").all("table")[0]
    oracle = table.one("tr", "oracle")
    assert "oracle" in oracle.text and not oracle.all(class_="best")
    stars = table.all("span", "best")
    assert len(stars) == len(METRICS)  # one in each column
    for metric in METRICS:
        means = {s.key: report.tables[0].cells[s.key, metric.key].mean for s in SYSTEMS if s.kind != "oracle"}
        wanted = (max if metric.higher_is_better else min)(means, key=lambda key: means[key])
        assert best_system(metric, report.tables[0], SYSTEMS) == wanted
    assert best_system(replace(METRICS[0], higher_is_better=None), report.tables[0], SYSTEMS) is None


def test_paired_differences_say_better_only_where_the_interval_leaves_out_zero(tmp_path: Path) -> None:
    systems = [SystemEntry(key, key) for key in ("sure", "unsure", "worse")]
    error, ratio = METRICS[0], METRICS[3]  # lower is better, higher is better
    spans = {"sure": (-0.5, -0.9, -0.1), "unsure": (-0.5, -1.1, 0.1), "worse": (0.5, 0.1, 0.9)}
    cells = {
        (key, metric.key): Cell(1.0, 1.0, 0.5, 1.5, *span, improved=3, songs=4)
        for key, span in spans.items()
        for metric in (error, ratio)
    }
    table = replace(summary("t", 4, 2), metrics=(error, ratio), cells=cells)
    page = write_eval_report(EvalReport("t", systems, [table]), tmp_path)
    folded = read(page.read_text("utf-8")).all("details", "more")
    details = next(d for d in folded if "Medians" in d.all("summary")[0].text)
    words = [row.all("td")[3].text for row in details.all("tr") if row.all("td")]
    assert words == ["−0.50 better", "−0.50", "+0.50 worse", "−0.5 worse", "−0.5", "+0.5 better"]
    assert [row.all("td")[5].text for row in details.all("tr") if row.all("td")] == ["3 of 4"] * 6


def test_plain_tables_and_footnotes(tree: Element) -> None:
    bands = tree.by_id("bands").all("tr")
    assert [c.text for c in bands[3].all("td")] == ["22.00", "–", "–", "900.00", "0.80"]
    assert tree.by_id("parts").one("tr", "strong").all("th")[0].text == "as trained"
    assert "zero correction" in tree.by_id("recovery").text
    notes = tree.by_id("table-0").text
    charts = [tree.by_id(f"table-{i}").all("details", "more")[0].attributes for i in range(2)]
    assert ["open" in attributes for attributes in charts] == [True, False]
    assert (
        "Equal to the identity in the loudness-matched columns" in notes
        and "Says nothing where phase" in notes
    )


def test_each_song_shows_what_it_was_given(tree: Element, report: EvalReport) -> None:
    songs = tree.all("details", "song")
    assert len(songs) == 2
    entry = list(report.songs)[1]
    shown = songs[1]
    assert shown.attributes["data-name"] == "song 1" and shown.attributes["data-group"] == "group 0"
    values = json.loads(shown.attributes["data-values"] or "")
    assert values["identity"] == entry.metrics["identity"]["ltas_db"]
    data = json.loads(shown.one("script", "player-data").text)
    assert [s["name"] for s in data["sources"]] == [c.name for c in entry.clips]
    assert max(s["matched_db"] for s in data["sources"]) == 0.0
    loudness = [s["lufs"] + s["matched_db"] for s in data["sources"]]
    assert loudness == pytest.approx([data["matched_lufs"]] * len(loudness), abs=1e-6)
    assert len(shown.all("script", "clip")) == len(entry.clips) == 6
    curves = [a for a in entry.applied if a.eq is not None]
    assert len([f for f in shown.all("figure") if "Equaliser" in f.text]) == len(curves)
    gains = {c.attributes.get("data-value") for c in shown.all("td")}
    assert all(repr(b.gain_db) in gains for a in curves for b in (a.eq.bands if a.eq else ()))


def test_distance_to_the_target_is_tone_alone(song: Song) -> None:
    audio, rate = song
    chart = spectra([("before", audio, "before"), ("target", audio * np.float32(2), "target")], rate)
    apart = distance_to_target(chart)
    assert apart is not None and [line.name for line in apart.lines] == ["before"]
    np.testing.assert_allclose(np.asarray(apart.lines[0].values), 0.0, atol=1e-4)
    tilted = Chart([100.0, 1_000.0], [ChartLine("t", [0.0, 0.0], "target"), ChartLine("a", [5.0, 9.0])])
    found = distance_to_target(tilted)
    assert found is not None
    np.testing.assert_allclose(np.asarray(found.lines[0].values), [-2.0, 2.0])
    assert distance_to_target(Chart([1.0], [ChartLine("a", [1.0])])) is None


def test_names_stay_text(song: Song, nasty: tuple[str, ...], tmp_path: Path) -> None:
    audio, rate = song
    part = audio[:, :rate]
    systems = [SystemEntry(f"{i}|{n}", n, note=n) for i, n in enumerate(nasty)]
    entry = SongEntry(
        nasty[0], nasty[2], {s.key: {"ltas_db": 1.0} for s in systems},
        clips=[Clip(n, part, rate) for n in nasty], notes=nasty,
        spectra=Chart([100.0, 1_000.0], [ChartLine(n, [-20.0, -30.0]) for n in nasty]),
    )  # fmt: skip
    table = replace(summary(nasty[1], 4, 2), cells={(s.key, "ltas_db"): Cell(1, 1, 0, 2) for s in systems})
    page = write_eval_report(
        EvalReport(
            nasty[0], systems, [table], 1, [entry], METRICS[:1], {nasty[2]: nasty[1]}, nasty,
            band_tables=[Table(nasty[0], nasty, [nasty], nasty[1])], warnings=nasty,
        ),
        tmp_path,
    )  # fmt: skip
    tree = read(page.read_text("utf-8"))
    assert loads(tree) == [] and not tree.all("img")
    assert len([s for s in tree.all("script") if "type" not in s.attributes]) == 1
    assert tree.one("details", "song").attributes["data-find"] == f"{nasty[0]} {nasty[2]}"
    assert json.loads(tree.one("details", "song").attributes["data-values"] or "").keys() == {
        s.key for s in systems
    }


def test_one_song_is_in_memory_at_a_time(song: Song, tmp_path: Path) -> None:
    audio, rate = song
    alive: list[weakref.ref] = []
    most = 0

    def songs() -> Iterator[SongEntry]:
        nonlocal most
        for i in range(4):
            gc.collect()
            most = max(most, sum(ref() is not None for ref in alive))
            part = audio[:, : rate + i].copy()
            alive.append(weakref.ref(part))
            yield SongEntry(f"song {i}", clips=[Clip("before", part, rate)])
            del part

    write_eval_report(EvalReport("lazy", [], [], 4, songs()), tmp_path)
    assert len(alive) == 4 and most == 0


def test_the_audio_budget_is_shared_by_all_songs(song: Song, tmp_path: Path) -> None:
    audio, rate = song
    long = np.tile(audio, 3)
    entries = [
        SongEntry(f"song {i}", clips=[Clip(f"system {k}", long, rate) for k in range(2)]) for i in range(6)
    ]
    players, sizes = [], []
    for budget in (2.6, 0.8, 0.1):
        report = EvalReport("budget", [], [], 6, entries, audio_budget_mb=budget)
        page = write_eval_report(report, tmp_path / str(budget))
        tree = read(page.read_text("utf-8"))
        players.append(len(tree.all("div", "player")))
        sizes.append(page.stat().st_size)
        assert page.stat().st_size < budget * 1e6 + 120_000
        assert ("have no player" in tree.text) == (players[-1] < 6)
        assert len(tree.all("details", "song")) == 6
    assert players[0] == 6 and 0 < players[1] < 6 and players[2] == 0


def test_wide_pictures_get_the_whole_width(tmp_path: Path) -> None:
    sizes = {"wide": (2000, 1000), "plain": (1040, 546), "tall": (500, 900)}
    pictures = [
        Picture(title, PNG[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + PNG[24:], "")
        for title, (width, height) in sizes.items()
    ]
    page = write_eval_report(EvalReport("p", [], [], pictures=pictures), tmp_path)
    figures = read(page.read_text("utf-8")).all("figure")
    assert ["broad" in f.classes for f in figures] == [True, False, False]


def test_pictures_must_be_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected PNG or SVG"):
        write_eval_report(EvalReport("p", [], [], pictures=[Picture("x", b"GIF89a", "")]), tmp_path)
    with pytest.raises(InputError, match="can't be read"):
        write_eval_report(EvalReport("p", [], [], pictures=[Picture("x", tmp_path / "no.png", "")]), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_fifty_songs_and_four_systems(song: Song, tmp_path: Path) -> None:
    """Bounded size, and under 3 s of one core for a song, far less than it takes to render it four times."""
    audio, rate = song
    long = np.tile(audio, 8)
    first = song_entry(0, "song", "group", long, rate)
    assert len(first.clips) == 6
    began = time.process_time()
    songs = (replace(first, name=f"song {i}", group=f"group {i % 10}") for i in range(50))
    page = write_eval_report(eval_report(songs, 50), tmp_path)
    seconds = time.process_time() - began
    size_mb = page.stat().st_size / 1e6
    print(f"50 songs × 6 sources: {size_mb:.1f} MB in {seconds:.1f} s of one core")
    assert size_mb < 75.0 and seconds < 150.0


def test_the_list_shows_other_tools_before_baselines_where_no_model_is() -> None:
    baselines = [SystemEntry(f"b{i}", f"b{i}", "baseline") for i in range(3)]
    tools = [SystemEntry(f"t{i}", f"t{i}", "peer") for i in range(3)]
    identity, model = SystemEntry("identity", "identity", "identity"), SystemEntry("m", "m")
    assert [s.key for s in list_columns([identity, *baselines, *tools])] == [
        "identity",
        "b0",
        "t0",
        "t1",
        "t2",
    ]
    with_model = list_columns([identity, model, *baselines, *tools])
    assert [s.key for s in with_model] == ["identity", "m", "b0", "b1", "b2"]
