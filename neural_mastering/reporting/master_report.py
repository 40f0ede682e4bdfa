"""The report of one mastered song: `report.html` to open and listen to, `report.json` with the same numbers."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from neural_mastering.atomic import write_text
from neural_mastering.reporting.audio_clip import EncodedClip, encode_clips, plan
from neural_mastering.reporting.charts import (
    course_chart,
    eq_chart,
    loudness_chart,
    reduction_chart,
    spectra_chart,
)
from neural_mastering.reporting.codec_section import codec_section
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.equaliser_table import bands_table
from neural_mastering.reporting.html_table import bullet_list, facts, flatten, number_cell, scrolling
from neural_mastering.reporting.markup import Html, duration, join, number, tag
from neural_mastering.reporting.master_data import (
    Delivery,
    MasterReport,
    Provenance,
    Reduction,
    ReportReadings,
)
from neural_mastering.reporting.master_json import master_json
from neural_mastering.reporting.page import section, write_page
from neural_mastering.reporting.player import excerpt_of, key_help, listening_log, player
from neural_mastering.reporting.reference_section import reference_section
from neural_mastering.reporting.report_data import ChartLine
from neural_mastering.reporting.sentences import tone_sentence
from neural_mastering.reporting.stereo_section import stereo_section
from neural_mastering.reporting.tone_section import tone_section
from neural_mastering.reporting.words_section import words_section

__all__ = [
    "Delivery",
    "MasterReport",
    "Provenance",
    "Reduction",
    "ReportReadings",
    "master_json",
    "write_master_report",
]

READINGS = (
    ("lufs", "Integrated loudness", "LUFS", 1),
    ("short_term_max_lufs", "Loudest 3 s (short-term)", "LUFS", 1),
    ("momentary_max_lufs", "Loudest 400 ms (momentary)", "LUFS", 1),
    ("lra", "Loudness range (LRA)", "LU", 1),
    ("true_peak_db", "True peak", "dBTP", 2),
    ("plr_db", "Peak to loudness ratio (PLR)", "dB", 1),
    ("width_db", "Width: side against mid", "dB", 1),
    ("correlation", "Correlation of left and right", "", 2),
)


def write_master_report(report: MasterReport, folder: Path | str) -> Path:
    """Write `report.html` and `report.json` into a folder (made where missing); returns the path of the page.

    Files that are there already are replaced, each at once and only when it is complete.

    Raises:
        ValueError: a clip with more than two channels or without samples.
    """
    folder = Path(folder)
    clips = _clips(report)
    numbers = master_json(report)
    page = write_page(
        folder / "report.html", f"{report.title}: master", _body(report, clips), _report_id(numbers)
    )
    text = json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(folder / "report.json", text + "\n", errors="replace")
    return page


def _body(report: MasterReport, clips: list[EncodedClip]) -> Iterator[Html]:
    colours = Colours()
    yield _header(report)
    yield Html("<main>")
    if report.warnings:
        yield section("Warnings", bullet_list(report.warnings), class_="notice")
    yield _tiles(report)
    if clips:
        yield tag(
            "section",
            tag("h2", "Listen"),
            player(report.title, clips, colours),
            key_help(),
            id="listen",
        )
    yield tag(
        "div",
        section("What was done", bullet_list(report.actions), id_="done"),
        section("Readings", _readings(report.input, report.output), id_="readings"),
        class_="columns",
    )
    if report.codecs:
        yield section(
            "After the encoder", codec_section(report.codecs, report.delivery.ceiling_db), id_="codecs"
        )
    if report.tone is not None:
        yield section("Tone", tone_section(report.tone), id_="tone")
    if report.reference is not None:
        yield section("Reference", reference_section(report.reference), id_="reference")
    if report.words is not None:
        yield section("Words", words_section(report.words), id_="words")
    yield from _charts(report, clips, colours)
    if report.stereo:
        yield section("Left and right", stereo_section(report.stereo), id_="stereo")
    if report.eq is not None and report.eq.bands:
        yield section("Bands of the equaliser", bands_table(report.eq))
    if report.controls:
        yield _controls(report)
    if clips:
        yield listening_log()
    yield _provenance(report)
    yield Html("</main>")


def _header(report: MasterReport) -> Html:
    made = report.provenance
    return tag(
        "header",
        tag("p", "Mastering report", class_="kind"),
        tag("h1", report.title),
        tag("p", f"{made.source_file} → {made.output_file}", class_="sub"),
        tag("p", f"{duration(made.duration_s)}, made for {report.delivery.name}", class_="sub"),
    )


def _tiles(report: MasterReport) -> Html:
    before, after = report.input, report.output
    shown = (
        ("Integrated loudness", after.lufs, before.lufs, "LUFS", 1),
        ("True peak", after.true_peak_db, before.true_peak_db, "dBTP", 1),
        ("Loudness range", after.lra, before.lra, "LU", 1),
        ("PLR", after.plr_db, before.plr_db, "dB", 1),
        ("Correlation", after.correlation, before.correlation, "", 2),
    )
    tiles = [
        tag(
            "div",
            tag("span", name),
            tag("b", f"{number(now, digits)} ", tag("small", unit, style="display:inline")),
            tag("small", f"before: {number(was, digits)} {unit}"),
            class_="tile",
        )
        for name, now, was, unit, digits in shown
    ]
    return tag("div", *tiles, class_="tiles")


def _readings(before: ReportReadings, after: ReportReadings) -> Html:
    titles = ("", "Before", "After", "Change")
    head = tag(
        "tr", *(tag("th", t, scope="col") for t in titles), tag("th", "Unit", scope="col", class_="text")
    )
    rows = []
    for field, name, unit, digits in READINGS:
        was, now = getattr(before, field), getattr(after, field)
        rows.append(
            tag(
                "tr",
                tag("th", name, scope="row"),
                number_cell(was, digits),
                number_cell(now, digits),
                number_cell(now - was, digits, signed=True),
                tag("td", unit, class_="text"),
                data_reading=field,
            )
        )
    caption = "Loudness after ITU-R BS.1770-5, loudness range after EBU Tech 3342, of the whole files."
    table = scrolling(tag("table", tag("thead", head), tag("tbody", *rows)))
    return join([table, tag("p", caption, class_="caption")])


def _charts(report: MasterReport, clips: list[EncodedClip], colours: Colours) -> Iterator[Html]:
    over_time, over_frequency = [], []
    excerpt = excerpt_of(clips)
    if report.short_term is not None:
        delivery = report.delivery
        target_lufs = delivery.lufs if delivery.aimed_lufs is None else delivery.aimed_lufs
        over_time.append(
            loudness_chart(
                report.short_term, colours, "Short-term loudness", target_lufs, excerpt, "Windows of 3 s."
            )
        )
    if report.reductions:
        lines = [ChartLine(r.stage, r.reduction_db, at=r.time_s) for r in report.reductions]
        own = Colours([line.name for line in lines])
        over_time.append(reduction_chart(lines, report.provenance.duration_s, own, "Gain reduction"))
    if report.added is not None:
        caption = "Level of what the stage adds, over that of the music, every 100 ms."
        own = Colours([line.name for line in report.added.lines])
        title = " and ".join(line.name for line in report.added.lines).capitalize()
        over_time.append(course_chart(report.added, own, title, "Added, over the music (dB)", caption))
    if report.eq is not None:
        caption = "The total response; the shaded shapes are the bands, numbered as in the table."
        if report.eq.bands_db is None:
            caption = "The total response; numbers are those of the table of bands."
        over_frequency.append(eq_chart(report.eq, "Equaliser", caption=caption if report.eq.bands else ""))
    if report.spectra is not None:
        caption = f"Third octaves, mean over the song. {tone_sentence(report.spectra)}".rstrip()
        over_frequency.append(spectra_chart(report.spectra, colours, "Long-term spectrum", caption))
    if over_time:
        yield section("Over time", tag("div", *over_time, class_="two"))
    if over_frequency:
        yield section("Over frequency", tag("div", *over_frequency, class_="two"))


def _controls(report: MasterReport) -> Html:
    rows = [
        tag("tr", tag("th", path, scope="row"), tag("td", text)) for path, text in flatten(report.controls)
    ]
    table = scrolling(tag("table", tag("tbody", *rows)))
    return section(
        "Controls", tag("details", tag("summary", f"All {len(rows)} numbers"), table, class_="more")
    )


def _provenance(report: MasterReport) -> Html:
    made, to = report.provenance, report.delivery
    asked = "loudness kept" if to.lufs is None else f"{number(to.lufs)} LUFS"
    ceiling = "no ceiling" if to.ceiling_db is None else f"ceiling {number(to.ceiling_db)} dBTP"
    checked = f" (checked {to.checked})" if to.checked else ""
    channels = {1: "mono", 2: "stereo"}.get(made.channels, f"{made.channels} channels")
    items = {
        "Source": made.source_file,
        "Written": made.output_file,
        "Format": f"{made.file_format}, {made.sample_rate_hz:,.0f} Hz, {channels}",
        "Length": duration(made.duration_s),
        "Delivery": f"{to.name}: {asked}, {ceiling}",
        "Source of the target": f"{to.source}{checked}" if to.source else "",
        "Model": made.model or "none",
        "References": ", ".join(made.references) or "none",
        "Made": made.date,
        "Program": f"neural_mastering {made.version}",
        **made.further,
    }
    return section("Where this comes from", facts(items))


def _clips(report: MasterReport) -> list[EncodedClip]:
    chosen = plan(len(report.clips), report.audio_budget_mb * 1e6) if report.clips else None
    return encode_clips(report.clips, chosen) if chosen else []


def _report_id(numbers: object) -> str:
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:12]
