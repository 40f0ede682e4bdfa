"""The table of words: shapes with their evidence, and words that are refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.words.shape import UNIT_RMS_DB, centred, rms_db

LEAST_CONTRIBUTIONS, LEAST_AGREEMENT, LEAST_RELIABILITY = 6, 0.2, 0.7
"""Below any of these a word is refused."""

FIRM_CONTRIBUTIONS = 8
"""With fewer a word's evidence is called low."""

TIERS = ("supported", "low")
REASONS = ("disagree", "few", "mood", "fault")


@dataclass(frozen=True)
class Evidence:
    """What is known about a word.

    Attributes:
        source: key of `WordTable.sources`.
        n: contributions.
        users: people, None where the source doesn't say.
        agreement: mean correlation of the curves of two people; what one listener can expect.
        reliability: of the mean curve, n·r/(1 + (n − 1)·r) (Spearman–Brown), 0 where r ≤ 0.
    """

    source: str
    n: int
    users: int | None
    agreement: float
    reliability: float


@dataclass(frozen=True)
class Word:
    """A word that can be asked for.

    Attributes:
        name: lower case.
        shape_db: (third,) at `shape.CENTRES_HZ`; strength 1.
        evidence: where the shape comes from.
        tier: "supported" or "low".
        antonym: the word that means the opposite, with the correlation of the two curves (−0.75 or less); None
            where no supported word is its opposite.
        neighbours: supported words with nearly the same curve, (word, correlation), closest first.
    """

    name: str
    shape_db: Float64s
    evidence: Evidence
    tier: str
    antonym: tuple[str, float] | None
    neighbours: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Refused:
    """A word that the sources know but that is not applied.

    Attributes:
        name: lower case.
        evidence: what there is.
        reason: "disagree", "few", "mood" (names a mood, not a sound) or "fault" (names something to avoid).
        nearest: supported words with the most similar curves, (word, correlation).
    """

    name: str
    evidence: Evidence
    reason: str
    nearest: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Source:
    """Where words come from: a short name and a citation."""

    title: str
    citation: str


@dataclass(frozen=True)
class WordTable:
    """All words by name, in the order of the file."""

    words: Mapping[str, Word]
    refused: Mapping[str, Refused]
    sources: Mapping[str, Source]


@cache
def word_table() -> WordTable:
    """The table that ships with the package."""
    text = files("neural_mastering.assets").joinpath("words.yaml").read_text(encoding="utf-8")
    return from_text(text, "words.yaml")


def read_table(path: Path | str) -> WordTable:
    """A table of one's own, as `derive.to_text` writes it.

    Raises:
        InputError: a file that can't be read, or that is no such table.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read as text: {error}") from error
    return from_text(text, str(path))


def from_text(text: str, where: str) -> WordTable:
    """A table from YAML; `where` names it in messages.

    Raises:
        InputError: missing or unknown entries, or shapes that are not of mean 0 and 1.5 dB RMS.
    """
    try:
        tree = yaml.safe_load(text)
        centres = np.array(tree["centres_hz"], dtype=np.float64)
        if centres.shape != CENTRES_HZ.shape or not np.allclose(centres, CENTRES_HZ, rtol=0.02):
            raise InputError(f"{where}: centres_hz: expected the third octaves from 25 Hz to 16 kHz")
        sources = {key: Source(**value) for key, value in tree["sources"].items()}
        words = {name: _word(name, entry, where) for name, entry in tree["words"].items()}
        refused = {name: _refused(name, entry, where) for name, entry in tree["refused"].items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{where} is no table of words: {type(error).__name__}: {error}") from error
    for name, entry in [*words.items(), *refused.items()]:
        if entry.evidence.source not in sources:
            raise InputError(f"{where}: {name}: unknown source {entry.evidence.source!r}")
    return WordTable(words, refused, sources)


def _word(name: str, entry: Mapping[str, Any], where: str) -> Word:
    shape = np.array(entry["shape_db"], dtype=np.float64)
    if shape.shape != CENTRES_HZ.shape or not np.isfinite(shape).all():
        raise InputError(f"{where}: {name}: shape_db: expected {len(CENTRES_HZ)} numbers")
    if abs(rms_db(shape) - UNIT_RMS_DB) > 0.01 or float(np.abs(shape - centred(shape)).max()) > 0.01:
        raise InputError(f"{where}: {name}: shape_db: expected mean 0 and {UNIT_RMS_DB:g} dB RMS")
    if entry["tier"] not in TIERS:
        raise InputError(f"{where}: {name}: tier: expected {' or '.join(TIERS)}, got {entry['tier']!r}")
    antonym = _pairs(entry["antonym"])
    return Word(
        name,
        shape,
        _evidence(entry),
        entry["tier"],
        antonym[0] if antonym else None,
        _pairs(entry["neighbours"]),
    )


def _refused(name: str, entry: Mapping[str, Any], where: str) -> Refused:
    if entry["reason"] not in REASONS:
        raise InputError(f"{where}: {name}: reason: expected {', '.join(REASONS)}, got {entry['reason']!r}")
    return Refused(name, _evidence(entry), entry["reason"], _pairs(entry["nearest"]))


def _evidence(entry: Mapping[str, Any]) -> Evidence:
    users = None if entry["users"] is None else int(entry["users"])
    return Evidence(
        str(entry["source"]), int(entry["n"]), users, float(entry["agreement"]), float(entry["reliability"])
    )


def _pairs(tree: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    return tuple((str(name), float(value)) for name, value in tree.items())
