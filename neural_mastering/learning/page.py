"""The page "what your engineer does": words, curves, how well it was learned, and songs to hear."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.engineer.learned import LearnedEngineer
from neural_mastering.engineer.pair import PairMeasurement
from neural_mastering.engineer.reactions import tone_reactions
from neural_mastering.engineer.traits import TRAITS
from neural_mastering.learning.cross_validation import Validation
from neural_mastering.learning.listening import ListeningSong
from neural_mastering.learning.words import LEAST_PART, MOST_TRAITS, level_words, quality_words, tone_words
from neural_mastering.reporting.audio_clip import encode_clips, plan
from neural_mastering.reporting.charts import spectra_chart
from neural_mastering.reporting.colours import Colours
from neural_mastering.reporting.html_table import bullet_list, facts, plain_table
from neural_mastering.reporting.markup import Html, number, tag
from neural_mastering.reporting.page import section, write_page
from neural_mastering.reporting.player import key_help, listening_log, player
from neural_mastering.reporting.report_data import Chart, ChartLine, Table

AUDIO_BYTES = 12e6
"""Of all players together."""

NAMES = {
    "loudness_lufs": "loudness (LU)",
    "plr_db": "peak to loudness ratio (dB)",
    "lra_lu": "loudness range (LU)",
    "width_db": "width (dB)",
    "true_peak_db": "true peak (dB)",
}


@dataclass(frozen=True)
class LearnPage:
    """What the page shows.

    Attributes:
        title: such as the folder's name.
        engineer: that was learned.
        pairs: that it was learned from.
        left_out: name and reason of each pair that was not.
        validation: None where there were too few.
        songs: to hear.
        drift: differences between sets of pairs, in words.
        notes: what a person should know.
        facts: where this comes from.
    """

    title: str
    engineer: LearnedEngineer
    pairs: Sequence[PairMeasurement]
    left_out: Sequence[tuple[str, str]]
    validation: Validation | None
    songs: Sequence[ListeningSong] = ()
    drift: Sequence[str] = ()
    notes: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()


def write_learn_page(page: LearnPage, path: Path) -> Path:
    """Write the page; it appears whole or not at all."""
    identity = hashlib.sha256(repr((page.title, [p.name for p in page.pairs])).encode()).hexdigest()[:12]
    return write_page(path, f"{page.title}: what this engineer does", _body(page), identity)


def _body(page: LearnPage) -> Iterator[Html]:
    colours = Colours()
    yield tag(
        "header",
        tag("p", "Learned engineer", class_="kind"),
        tag("h1", page.title),
        tag(
            "p",
            f"What this engineer does, learned from {len(page.pairs)} songs before and after",
            class_="sub",
        ),
    )
    yield Html("<main>")
    if page.notes:
        yield section("Notes", bullet_list(page.notes), class_="notice")
    yield _tiles(page)
    yield tag(
        "div",
        section("Tone", bullet_list(tone_words(page.engineer)), id_="tone"),
        section("Level, dynamics, width", bullet_list(level_words(page.engineer, page.pairs)), id_="level"),
        class_="columns",
    )
    yield section("Curves", tag("div", *_charts(page, colours), class_="two"), id_="curves")
    yield section(
        "How well this was learned, on songs it did not hear",
        bullet_list(quality_words(page.validation, len(page.pairs))),
        *([] if page.validation is None else _quality_tables(page.validation)),
        id_="quality",
    )
    if page.songs:
        yield section("Listen", *_players(page.songs, colours), key_help(), id_="listen")
    if page.drift:
        yield section("Differences between the sets", bullet_list(page.drift), id_="drift")
    if page.left_out:
        table = Table("", ("pair", "why it was left out"), list(page.left_out))
        yield section("Pairs that were left out", plain_table(table), id_="left-out")
    if page.songs:
        yield listening_log()
    if page.facts:
        yield section("Where this comes from", facts(dict(page.facts)), id_="facts")
    yield Html("</main>")


def _tiles(page: LearnPage) -> Html:
    def median(name: str, side: str) -> float:
        return float(np.median([getattr(getattr(p, side), name) for p in page.pairs]))

    shown = [
        (
            "Loudness of the masters",
            median("loudness_lufs", "move"),
            median("loudness_lufs", "features"),
            "LUFS",
        ),
        ("PLR", median("plr_db", "move"), median("plr_db", "features"), "dB"),
        ("Loudness range", median("lra_lu", "move"), median("lra_lu", "features"), "LU"),
        ("Width", median("width_db", "move"), median("width_db", "features"), "dB"),
    ]
    tiles = [
        tag(
            "div",
            tag("span", name),
            tag("b", f"{number(after)} ", tag("small", unit, style="display:inline")),
            tag("small", f"mixes: {number(before)} {unit} (medians)"),
            class_="tile",
        )
        for name, after, before, unit in shown
    ]
    return tag("div", *tiles, class_="tiles")


def _charts(page: LearnPage, colours: Colours) -> Iterator[Html]:
    moves = np.stack([pair.move.curve_db for pair in page.pairs])
    low, high = np.quantile(moves, [0.1, 0.9], axis=0)
    yield spectra_chart(
        Chart(CENTRES_HZ, [ChartLine("average move", page.engineer.mean_db)], corridor=(low, high)),
        colours,
        "The move from mix to master",
        "Loudness taken out. Shaded: where 80 % of the songs lie.",
        against=True,
    )
    lines = [
        ChartLine(TRAITS[reaction.trait].more, reaction.change)
        for reaction in tone_reactions(page.engineer, MOST_TRAITS).traits
        if reaction.part >= LEAST_PART and np.abs(reaction.change).max() >= 0.2
    ]
    if lines:
        yield spectra_chart(
            Chart(CENTRES_HZ, lines),
            colours,
            "How the move changes with the song",
            "What songs get on top of the average that have one standard deviation more of a trait.",
            against=True,
        )
    if page.validation is not None:
        yield _error_chart(page.validation, colours)


def _error_chart(validation: Validation, colours: Colours) -> Html:
    true = np.stack([song.pair.move.curve_db for song in validation.songs])

    def error(name: str) -> Float64s:
        return np.sqrt(((np.stack([s.curves[name] for s in validation.songs]) - true) ** 2).mean(axis=0))

    shown = [
        score.name
        for score in validation.scores
        if score.name in ("learned engineer", "average EQ", "nothing")
    ]
    return spectra_chart(
        Chart(
            CENTRES_HZ,
            [ChartLine(name, error(name), "before" if name == "nothing" else "result") for name in shown],
        ),
        colours,
        "Error on songs that were held out",
        "Root mean square distance from the engineer's move, by band.",
        against=True,
    )


def _quality_tables(validation: Validation) -> list[Html]:
    rows = [
        (
            s.name,
            s.error_db,
            100.0 * s.explained,
            100.0 * s.dependent if s.dependent >= -1.0 else "below −100",
        )
        for s in validation.scores
    ]
    tone = Table(
        "Tone",
        ("system", "error (dB)", "of the whole move (%)", "beyond the average (%)"),
        rows,
        "Error: root mean square over songs and third octaves from 50 Hz to 12.5 kHz.",
        (2, 2, 0, 0),
        (0,),
    )
    numbers = Table(
        "Level, dynamics, width",
        ("of the master", "learned", "average of the others"),
        [(NAMES[n.name], n.learned, n.average) for n in validation.numbers],
        "Mean absolute error.",
        2,
    )
    return [plain_table(tone), plain_table(numbers)]


def _players(songs: Sequence[ListeningSong], colours: Colours) -> Iterator[Html]:
    yield tag(
        "p",
        "Three songs that the model did not learn from, from well to badly predicted. Mix, engineer and model at "
        "the same loudness.",
    )
    for song in songs:
        chosen = plan(len(song.clips), AUDIO_BYTES / len(songs))
        if chosen is not None:
            yield tag("h3", f"{song.name} (tone error {number(song.error_db, 2)} dB)")
            yield player(song.name, encode_clips(song.clips, chosen), colours)
