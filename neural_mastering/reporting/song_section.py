"""One song of an evaluation: its line in the list, and what opens below it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from neural_mastering.reporting.audio_clip import EncodedClip
from neural_mastering.reporting.axes import as_array
from neural_mastering.reporting.charts import difference_chart, eq_chart, loudness_chart, spectra_chart
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.equaliser_table import bands_table
from neural_mastering.reporting.eval_data import Applied, Metric, SongEntry, SystemEntry
from neural_mastering.reporting.html_table import bullet_list, facts, number_cell, scrolling
from neural_mastering.reporting.markup import Html, number, plain, tag
from neural_mastering.reporting.player import excerpt_of, player
from neural_mastering.reporting.report_data import Chart
from neural_mastering.reporting.sentences import band_words, eq_words
from neural_mastering.reporting.summary_section import colour_of, heading, system_name


def song_list_opening(systems: Sequence[SystemEntry], metrics: Sequence[Metric]) -> Html:
    """What stands before the songs: search, order and headings; leaves a section and a div open."""
    shown = list_columns(systems)
    options = [tag("option", "Name", value="up|name"), tag("option", "Group", value="up|group")]
    if metrics:
        first = metrics[0]
        worse = "up" if first.higher_is_better else "down"
        better = "down" if first.higher_is_better else "up"
        for system in shown:
            for words, direction in (("worst first", worse), ("best first", better)):
                label = f"{first.name}, {system.name}: {words}"
                options.append(tag("option", label, value=f"{direction}|value:{system.key}"))
    toolbar = tag(
        "div",
        Html('<input type="search" placeholder="Find a song or group" aria-label="Find" autocomplete="off">'),
        tag("label", "Order ", tag("select", *options, class_="order", autocomplete="off")),
        tag("button", "Previous", type="button", class_="previous"),
        tag("button", "Next", type="button", class_="next"),
        tag("span", class_="found", role="status"),
        class_="toolbar",
    )
    columns = [
        tag("span", system.name, class_=None if system in narrow_columns(shown) else "wide")
        for system in shown
    ]
    named = tag("div", tag("span", "Song"), *columns, class_="heading")
    caption = tag("p", "Numbers: ", heading(metrics[0]), ".", class_="caption") if metrics else None
    opening = tag("div", toolbar, caption, named if metrics else None)
    width = f"--columns:{max(len(shown) if metrics else 0, 1)}"
    return Html(f'<section id="songs" style="{width}"><h2>Songs</h2>{opening}<div class="songs">')


def list_columns(systems: Sequence[SystemEntry]) -> list[SystemEntry]:
    """Up to five systems for the list: the identity, models, baselines, other tools, oracles.

    Without a model, the other tools are what the page is about, and come before the baselines.
    """
    rank = {"identity": 0, "model": 1, "baseline": 3, "peer": 4, "oracle": 5}
    if not any(system.kind == "model" for system in systems):
        rank["peer"] = 2
    chosen = sorted(systems, key=lambda s: rank[s.kind])[:5]
    return [s for s in systems if s in chosen]


def narrow_columns(shown: Sequence[SystemEntry]) -> Sequence[SystemEntry]:
    """The two that a narrow window keeps: the identity and the last model, or the last column."""
    models = [s for s in shown if s.kind == "model"] or list(shown[1:])
    return [*shown[:1], *models[-1:]]


def song_section(
    index: int,
    song: SongEntry,
    clips: Sequence[EncodedClip],
    systems: Sequence[SystemEntry],
    metrics: Sequence[Metric],
    colours: Colours,
) -> Html:
    """A song as one line that opens: players, spectra, loudness, what each system did."""
    shown = list_columns(systems)
    narrow = narrow_columns(shown)
    values = {s.key: song.metrics.get(s.key, {}).get(metrics[0].key) for s in shown} if metrics else {}
    cells = [
        tag("span", number(values.get(s.key), metrics[0].digits), class_=None if s in narrow else "wide")
        for s in shown
    ]
    name = tag("span", song.name, tag("small", f"  {song.group}") if song.group else None)
    excerpt = excerpt_of(clips)
    charts = []
    if song.spectra is not None:
        charts.append(spectra_chart(song.spectra, colours, "Long-term spectrum", "Third octaves."))
        apart = distance_to_target(song.spectra)
        if apart is not None:
            caption = "Third octaves less the target's, without the mean difference: tone alone, not level."
            charts.append(spectra_chart(apart, colours, "Spectrum against the target", caption, against=True))
    if song.short_term is not None:
        charts.append(
            loudness_chart(song.short_term, colours, "Short-term loudness", None, excerpt, "Windows of 3 s.")
        )
    if song.level_against is not None:
        caption = "Windows of 50 ms of the excerpt, less the target's, without the mean difference."
        charts.append(difference_chart(song.level_against, colours, "Level against the target", caption))
    if metrics and song.metrics:
        charts.append(_metrics_table(song.metrics, systems, metrics))
    body = tag(
        "div",
        bullet_list(song.notes) if song.notes else None,
        player(song.name, clips, colours) if clips else tag("p", "No audio here.", class_="caption"),
        tag("div", *charts, class_="two") if charts else None,
        tag("div", *(_applied(a, systems, colours) for a in song.applied), class_="applied")
        if song.applied
        else None,
        class_="body",
    )
    return tag(
        "details",
        tag("summary", name, *cells),
        body,
        class_="song",
        id=f"song-{index}",
        data_name=song.name,
        data_group=song.group,
        data_find=f"{song.name} {song.group}",
        data_values=json.dumps(plain(values)),
    )


def distance_to_target(spectra: Chart) -> Chart | None:
    """Each line less the target's, and less the mean of that; None without a target."""
    target = next((line for line in spectra.lines if line.role == "target" and line.at is None), None)
    if target is None:
        return None
    lines = []
    for line in spectra.lines:
        if line is not target and line.at is None:
            apart = as_array(line.values) - as_array(target.values)
            known = apart[np.isfinite(apart)]
            lines.append(replace(line, values=apart - (known.mean() if known.size else 0.0)))
    return Chart(spectra.at, lines)


def _metrics_table(
    values: Mapping[str, Mapping[str, float]], systems: Sequence[SystemEntry], metrics: Sequence[Metric]
) -> Html:
    head = tag("tr", tag("th", "System", scope="col"), *(tag("th", heading(m), scope="col") for m in metrics))
    rows = []
    for system in systems:
        if system.key in values:
            own = values[system.key]
            cells = [number_cell(own.get(m.key), m.digits) for m in metrics]
            rows.append(
                tag(
                    "tr",
                    tag("th", system_name(system), scope="row"),
                    *cells,
                    class_="oracle" if system.kind == "oracle" else None,
                )
            )
    return scrolling(tag("table", tag("thead", head), tag("tbody", *rows)))


def _applied(applied: Applied, systems: Sequence[SystemEntry], colours: Colours) -> Html:
    system = next(
        (s for s in systems if s.key == applied.system), SystemEntry(applied.system, applied.system)
    )
    words = list(applied.words)
    table = None
    chart = None
    if applied.eq is not None:
        open_bands = sorted(
            (b for b in applied.eq.bands if abs(b.gain_db) >= 0.05), key=lambda b: b.frequency_hz
        )
        said = "; ".join(band_words(b) for b in open_bands)
        extremes = eq_words(applied.eq)
        lies = "The curve is flat." if extremes == "flat" else f"The curve lies {extremes}."
        words = [*([f"{said}."] if said and not words else []), *words, lies]
        chart = eq_chart(applied.eq, f"Equaliser: {system.name}", colour_of(system, colours))
        table = bands_table(applied.eq) if applied.eq.bands else None
    figures = {label: number(v, 2) if math.isfinite(v) else "–" for label, v in applied.numbers.items()}
    more = tag("details", tag("summary", "In numbers"), table, facts(figures), class_="more")
    return tag(
        "div",
        tag("h4", system.name) if chart is None else None,
        chart,
        bullet_list(words) if words else None,
        more if table or figures else None,
    )
