"""The report of an evaluation: summary tables, pictures, and a section with players for each song."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from neural_mastering.reporting.audio_clip import EncodedClip, encode_clips, plan, shortest_bytes
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.eval_data import (
    Applied,
    Cell,
    EvalReport,
    Metric,
    SongEntry,
    SummaryTable,
    SystemEntry,
    SystemKind,
)
from neural_mastering.reporting.html_table import bullet_list, facts, plain_table
from neural_mastering.reporting.markup import Html, tag
from neural_mastering.reporting.page import section, write_page
from neural_mastering.reporting.picture import picture
from neural_mastering.reporting.player import key_help, listening_log
from neural_mastering.reporting.report_data import Clip, Table
from neural_mastering.reporting.song_section import song_list_opening, song_section
from neural_mastering.reporting.summary_section import colour_of, summary_section

__all__ = [
    "Applied",
    "Cell",
    "EvalReport",
    "Metric",
    "SongEntry",
    "SummaryTable",
    "SystemEntry",
    "SystemKind",
    "write_eval_report",
]


def write_eval_report(report: EvalReport, folder: Path | str) -> Path:
    """Write `report.html` into a folder (made where missing); returns its path.

    Songs are written as they come. The audio of all players together keeps to `report.audio_budget_mb`: excerpts
    get shorter as songs and systems get more, and where less than 5 s would be left for each, the last songs of
    the list have no player and the page says so.

    Raises:
        InputError: a picture that can't be read.
        ValueError: a clip with more than two channels or without samples.
    """
    identity = hashlib.sha256(repr((report.title, sorted(report.facts.items()))).encode()).hexdigest()[:12]
    return write_page(Path(folder) / "report.html", report.title, _body(report), identity)


def _body(report: EvalReport) -> Iterator[Html]:
    colours = Colours()
    for system in report.systems:
        colour_of(system, colours)
    yield _header(report)
    yield Html("<main>")
    if report.warnings:
        yield section("Warnings", bullet_list(report.warnings), class_="notice")
    if report.findings:
        yield section("Findings", bullet_list(report.findings), id_="findings")
    for i, table in enumerate(report.tables):
        yield tag("div", summary_section(table, report.systems, colours, i == 0), id=f"table-{i}")
    if report.pictures:
        yield section(
            "Pictures", tag("div", *map(picture, report.pictures), class_="two pictures"), id_="pictures"
        )
    for heading, id_, tables in _table_groups(report):
        if tables:
            yield section(heading, *map(plain_table, tables), id_=id_)
    yield from _songs(report, colours)
    if report.facts:
        yield section("Where this comes from", facts(report.facts), id_="facts")
    yield Html("</main>")


def _table_groups(report: EvalReport) -> tuple[tuple[str, str, Sequence[Table]], ...]:
    return (
        ("Open bands", "bands", report.band_tables),
        ("What each part does", "parts", report.part_tables),
        ("Recovery of the true correction", "recovery", report.recovery_tables),
    )


def _header(report: EvalReport) -> Html:
    links = [("findings", "Findings")] if report.findings else []
    links += [(f"table-{i}", table.title) for i, table in enumerate(report.tables)]
    links += [("pictures", "Pictures")] if report.pictures else []
    links += [(id_, name) for name, id_, tables in _table_groups(report) if tables]
    links += [("songs", "Songs"), ("listening-log", "Listening log")] if report.song_count else []
    return tag(
        "header",
        tag("p", "Evaluation report", class_="kind"),
        tag("h1", report.title),
        tag("nav", *(tag("a", name, href=f"#{id_}") for id_, name in links), aria_label="Sections"),
    )


def _songs(report: EvalReport, colours: Colours) -> Iterator[Html]:
    index, left_bytes, without = 0, report.audio_budget_mb * 1e6, 0
    for song in report.songs:  # enumerate would hold on to the song while the next one is made
        if index == 0:
            yield song_list_opening(report.systems, report.song_metrics)
        clips = _clips(song.clips, left_bytes / max(report.song_count - index, 1))
        if not clips and song.clips:  # too little for every song: those that still fit get players
            clips = _clips(song.clips, left_bytes, least=True)
            without += not clips
        left_bytes -= sum(len(clip.data) for clip in clips)
        yield song_section(index, song, clips, report.systems, report.song_metrics, colours)
        del song, clips
        index += 1
    if index:
        yield Html("</div></section>")
        if without:
            budget = f"the {report.audio_budget_mb:g} MB for audio were used up"
            yield section("Audio", tag("p", f"{without} songs have no player: {budget}."), class_="notice")
        yield listening_log(tag("h3", "Keys"), key_help())


def _clips(clips: Sequence[Clip], budget_bytes: float, least: bool = False) -> list[EncodedClip]:
    """Encoded within a budget; with `least`, as short as a player may be. Empty where the budget is too small."""
    smallest = shortest_bytes(len(clips))
    chosen = (
        plan(len(clips), smallest if least and budget_bytes >= smallest else budget_bytes) if clips else None
    )
    return encode_clips(clips, chosen) if chosen else []
