"""Make the table of words from one's own copies of the raw files.

    word → mean curve of its contributions → third octaves, mean 0, 1.5 dB RMS

`warm` and `bright` come from SAFE, where people turned an equaliser on full mixes; `airy` and `thin` from SAFE,
where SocialEQ hardly has them; the others from SocialEQ. In SAFE each person's curves are averaged first, and a
person counts with the square root of how many there are: neither one busy person nor one row decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.words.raw_files import Contribution
from neural_mastering.words.shape import HEARD, correlation, unit_shape
from neural_mastering.words.table import (
    FIRM_CONTRIBUTIONS,
    LEAST_AGREEMENT,
    LEAST_CONTRIBUTIONS,
    LEAST_RELIABILITY,
    Evidence,
    Refused,
    Source,
    Word,
    WordTable,
)

_SAFE = (
    "R. Stables, S. Enderby, B. De Man, G. Fazekas, J. D. Reiss, SAFE: a system for the extraction and "
    "retrieval of semantic audio descriptors, ISMIR 2014 (late-breaking)"
)
SOURCES = {
    "socialeq": Source(
        "SocialEQ",
        "M. Cartwright, B. Pardo, Social-EQ: crowdsourcing an equalization descriptor map, ISMIR 2013; in: "
        "T. Zheng, P. Seetharaman, B. Pardo, SocialFX: studying a crowdsourced folksonomy of audio effects "
        "terms, ACM Multimedia 2016",
    ),
    "safe_mixes": Source(
        "SAFE, full mixes",
        f"{_SAFE}; rows on ten full mixes",
    ),
    "safe": Source(
        "SAFE, instruments",
        f"{_SAFE}; rows on single instruments and unnamed sounds",
    ),
}
FROM_SAFE = {"warm": "safe_mixes", "bright": "safe_mixes", "airy": "safe", "thin": "safe"}
NO_SOUNDS = {"calm": "mood", "sad": "mood", "soothing": "mood", "muffled": "fault"}
"""Words with enough agreement that still are no request about tone."""

ANSWERED = ("full", "aggressive", "muddy", "boomy")
"""Words that people ask for in mastering; answered with numbers even where there are few."""

COUNTED = 5
"""Words with at least so many contributions are answered with numbers."""

OPPOSITES = {
    "warm": "bright",
    "bright": "dark",
    "dark": "bright",
    "heavy": "light",
    "light": "heavy",
    "deep": "thin",
    "thin": "deep",
    "smooth": "sharp",
    "sharp": "smooth",
}
"""What language calls opposites; kept where the curves say so too. The others get the most opposite curve."""

ANTONYM, SYNONYM = -0.75, 0.9
"""Correlations of two curves from which words count as opposites, or as one."""


def derive(socialeq: Sequence[Contribution], safe: Sequence[Contribution]) -> WordTable:
    """The whole table: supported words by their evidence, refused ones by why.

    Raises:
        ValueError: a word that should be supported has not enough contributions in these files.
    """
    social, other = _by_word(socialeq), _by_word(safe)
    mixes = _by_word(c for c in safe if c.on_mix)
    chosen: dict[str, tuple[str, Sequence[Contribution]]] = {}
    for word, source in FROM_SAFE.items():
        rows = (mixes if source == "safe_mixes" else other).get(word, [])
        if len(rows) < LEAST_CONTRIBUTIONS:
            raise ValueError(f"{word}: expected {LEAST_CONTRIBUTIONS} rows or more in SAFE, got {len(rows)}")
        chosen[word] = (source, rows)
    for word, rows in sorted(social.items(), key=lambda item: (-len(item[1]), item[0])):
        if word not in chosen and word not in NO_SOUNDS and _is_enough(evidence_of("socialeq", rows)):
            chosen[word] = ("socialeq", rows)
    shapes = {word: np.round(unit_shape(mean_curve(rows)), 3) for word, (_, rows) in chosen.items()}
    words = {word: _supported(word, *chosen[word], shapes) for word in chosen}
    refused = {}
    for word in sorted({*social, *other}):
        rows, source = max((social.get(word, []), "socialeq"), (other.get(word, []), "safe"), key=_length)
        is_known = len(rows) >= COUNTED or word in ANSWERED
        is_form = word.removesuffix("er") in chosen
        if is_known and word.isalpha() and word not in chosen and not is_form:
            refused[word] = _refuse(word, source, rows, shapes)
    return WordTable(words, refused, SOURCES)


def mean_curve(rows: Sequence[Contribution]) -> Float64s:
    """The curve (third,) of some contributions: people first, each with the root of its number of rows."""
    by_user: dict[int | tuple[str, int], list[Float64s]] = defaultdict(list)
    for i, row in enumerate(rows):
        by_user[("row", i) if row.user is None else row.user].append(row.curve)
    weights = np.sqrt([len(curves) for curves in by_user.values()])
    return np.average([np.mean(curves, axis=0) for curves in by_user.values()], axis=0, weights=weights)


def agreement(rows: Sequence[Contribution]) -> float:
    """Mean correlation of two contributions by different people; every pair of people counts once.

    Rows without a user count as one person each. 0 for fewer than two people.
    """
    curves = np.stack([row.curve[HEARD] for row in rows])
    curves = curves - curves.mean(axis=1, keepdims=True)
    curves /= np.linalg.norm(curves, axis=1, keepdims=True)
    people: dict[int | tuple[str, int], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        people[("row", i) if row.user is None else row.user].append(i)
    means: NDArray[np.float64] = np.stack([curves[index].mean(axis=0) for index in people.values()])
    count = len(means)
    if count < 2:
        return 0.0
    products = means @ means.T
    return float((products.sum() - np.trace(products)) / (count * (count - 1)))


def evidence_of(source: str, rows: Sequence[Contribution]) -> Evidence:
    """Numbers of contributions and people, agreement, reliability of the mean."""
    users = None if source == "socialeq" else len({row.user for row in rows})
    r = agreement(rows)
    count = len(rows) if users is None else users
    reliability = count * r / (1.0 + (count - 1) * r) if r > 0.0 else 0.0
    return Evidence(source, len(rows), users, round(r, 3), round(reliability, 3))


def to_text(table: WordTable) -> str:
    """The table as YAML, with what it is in a comment."""
    lines = [
        "# Words and what they mean for an equaliser: our own mean curves, made by",
        "# experiments/words/build_table.py from the raw files of SocialEQ and SAFE (which are not here).",
        "# shape_db: dB at centres_hz for strength 1: mean 0 and 1.5 dB RMS from 50 Hz on (our choice of size).",
        "# agreement: mean correlation of two people's curves. reliability: of the mean curve (Spearman-Brown).",
        f"centres_hz: [{', '.join(f'{f:.4g}' for f in CENTRES_HZ)}]",
        "sources:",
    ]
    for key, source in table.sources.items():
        lines += [f"  {key}:", f'    title: "{source.title}"', f'    citation: "{source.citation}"']
    lines.append("words:")
    for name, word in table.words.items():
        lines += [f"  {name}:", *_evidence_lines(word.evidence), f"    tier: {word.tier}"]
        lines.append(f"    antonym: {_mapping([] if word.antonym is None else [word.antonym])}")
        lines.append(f"    neighbours: {_mapping(word.neighbours)}")
        lines.append(f"    shape_db: [{', '.join(f'{v:.3f}' for v in word.shape_db)}]")
    lines.append("refused:")
    for name, entry in table.refused.items():
        lines += [f"  {name}:", *_evidence_lines(entry.evidence), f"    reason: {entry.reason}"]
        lines.append(f"    nearest: {_mapping(entry.nearest)}")
    return "\n".join(lines) + "\n"


def _by_word(rows: Iterable[Contribution]) -> dict[str, list[Contribution]]:
    found: dict[str, list[Contribution]] = defaultdict(list)
    for row in rows:
        found[row.word].append(row)
    return found


def _length(item: tuple[Sequence[Contribution], str]) -> int:
    return len(item[0])


def _is_enough(evidence: Evidence) -> bool:
    return (
        evidence.n >= LEAST_CONTRIBUTIONS
        and evidence.agreement >= LEAST_AGREEMENT
        and evidence.reliability >= LEAST_RELIABILITY
    )


def _supported(word: str, source: str, rows: Sequence[Contribution], shapes: Mapping[str, Float64s]) -> Word:
    near = _ranked(shapes[word], {name: shape for name, shape in shapes.items() if name != word})
    by_name = dict(near)
    opposite = OPPOSITES.get(word, "")
    if by_name.get(opposite, 0.0) > ANTONYM:
        opposite = near[-1][0]
    evidence = evidence_of(source, rows)
    return Word(
        word,
        shapes[word],
        evidence,
        "supported" if evidence.n >= FIRM_CONTRIBUTIONS else "low",
        (opposite, by_name[opposite]) if by_name[opposite] <= ANTONYM else None,
        tuple((name, value) for name, value in near if value >= SYNONYM),
    )


def _refuse(word: str, source: str, rows: Sequence[Contribution], shapes: Mapping[str, Float64s]) -> Refused:
    evidence = evidence_of(source, rows)
    reason = "few" if evidence.n < LEAST_CONTRIBUTIONS else "disagree"
    near = _ranked(unit_shape(mean_curve(rows)), shapes)
    return Refused(word, evidence, NO_SOUNDS.get(word, reason), tuple(near[:3]))


def _ranked(shape: Float64s, shapes: Mapping[str, Float64s]) -> list[tuple[str, float]]:
    found = [(name, round(correlation(shape, other), 2)) for name, other in shapes.items()]
    return sorted(found, key=lambda item: -item[1])


def _evidence_lines(evidence: Evidence) -> list[str]:
    users = "null" if evidence.users is None else str(evidence.users)
    return [
        f"    source: {evidence.source}",
        f"    n: {evidence.n}",
        f"    users: {users}",
        f"    agreement: {evidence.agreement:.3f}",
        f"    reliability: {evidence.reliability:.3f}",
    ]


def _mapping(pairs: Sequence[tuple[str, float]]) -> str:
    return f"{{{', '.join(f'{name}: {value:.2f}' for name, value in pairs)}}}"
