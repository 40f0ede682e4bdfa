"""What a user asks for in words: checked, added up, and capped."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.words.presets import PREFIX, CompressorPreset, compressor_presets
from neural_mastering.words.shape import MOST_DB, centred, rms_db
from neural_mastering.words.table import Refused, Word, WordTable, word_table

DEFAULT_STRENGTH = 0.5
"""Of a word that is named without a number."""

CANCELLING = 0.4
"""A sum of shapes with less than this part of their sizes largely cancels."""

_ENDINGS = ("er", "ier", "r", "ness", "th", "ly", "y")


@dataclass(frozen=True)
class WordRequest:
    """Words that were asked for.

    Attributes:
        words: (word, strength −1 to 1) of the equaliser, without those at 0.
        preset: a compressor preset and its strength (0 to 1), None without one.
        curve_db: (third,) what the equaliser shall add: the sum of strength · shape, mean 0, within ±4 dB.
        notes: warnings, such as that two words cancel.
        remarks: what else there is to say.
    """

    words: tuple[tuple[Word, float], ...]
    preset: tuple[CompressorPreset, float] | None
    curve_db: Float64s
    notes: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing is asked for: no word, or strength 0 only."""
        return not self.words and self.preset is None


def parse_words(values: Sequence[str]) -> dict[str, float]:
    """("warm=0.5", "bright=-0.3", "clear") → strengths by word; a word without a number gets 0.5.

    Raises:
        InputError: no number after =, or a word that is there twice.
    """
    found: dict[str, float] = {}
    for value in values:
        name, separator, number = value.partition("=")
        name = " ".join(name.lower().split())
        strength = DEFAULT_STRENGTH
        if separator:
            try:
                strength = float(number.replace("−", "-"))
            except ValueError:
                raise InputError(
                    f"--word {value}: expected WORD or WORD=STRENGTH with a number from -1 to 1, such as warm=0.5"
                ) from None
        if not name:
            raise InputError(f"--word {value}: expected WORD=STRENGTH, such as warm=0.5")
        if name in found:
            raise InputError(f"--word {name} is there twice: give it once, with one strength")
        found[name] = strength
    return found


def request(strengths: Mapping[str, float], table: WordTable | None = None) -> WordRequest:
    """Look the words up and add their shapes.

    Args:
        strengths: −1 to 1 by word; punchy, smooth and glue of the compressor (`compressor.smooth`) 0 to 1.
        table: None for the one that ships with the package.

    Raises:
        InputError: a word that is refused (with the reason in numbers and the nearest words) or unknown, or a
            strength out of range.
    """
    if not isinstance(strengths, Mapping):
        raise InputError(f'words: expected strengths by word, such as {{"warm": 0.5}}; got {strengths!r}')
    table = word_table() if table is None else table
    words: list[tuple[Word, float]] = []
    presets: list[tuple[CompressorPreset, float]] = []
    remarks: list[str] = []
    for name, strength in strengths.items():
        found = look_up(name, table)
        if not (isinstance(strength, (int, float)) and math.isfinite(strength) and abs(strength) <= 1.0):
            raise InputError(f"--word {name}={strength}: expected a strength from -1 to 1")
        if isinstance(found, CompressorPreset):
            if strength < 0.0:
                raise InputError(
                    f"--word {name}={strength:g}: a compressor preset has no opposite; expected 0 to 1"
                )
            presets += [(found, float(strength))] if strength else []
        elif strength:
            words.append((found, float(strength)))
            if name in compressor_presets():
                remarks.append(
                    f"{name} was taken as a word of the equaliser; {PREFIX}{name} is the compressor preset"
                )
    if len(presets) > 1:
        names = " and ".join(preset.name for preset, _ in presets)
        raise InputError(f"--word {names}: there is one compressor, so only one of its presets can be used")
    curve_db, notes = combine(words)
    return WordRequest(tuple(words), presets[0] if presets else None, curve_db, tuple(notes), tuple(remarks))


def combine(words: Sequence[tuple[Word, float]]) -> tuple[Float64s, list[str]]:
    """Σ strength · shape in dB, mean removed, capped at ±4 dB, and what is to be said about it."""
    parts = [strength * word.shape_db for word, strength in words]
    if not parts:
        return np.zeros(len(CENTRES_HZ)), []
    total, notes = centred(np.sum(parts, axis=0)), []
    sizes = sum(rms_db(part) for part in parts)
    if len(parts) > 1 and sizes > 0.0 and rms_db(total) < CANCELLING * sizes:
        names = " and ".join(f"{word.name} {strength:+g}" for word, strength in words)
        notes.append(
            f"{names} largely cancel: {rms_db(total):.2f} dB RMS are left of {sizes:.2f} dB asked for one by one"
        )
    highest = float(np.abs(total).max())
    if highest > MOST_DB:
        notes.append(
            f"the words together ask for {highest:.1f} dB at one frequency: capped at {MOST_DB:g} dB"
        )
    return np.clip(total, -MOST_DB, MOST_DB), notes


def look_up(name: str, table: WordTable | None = None) -> Word | CompressorPreset:
    """The word or compressor preset of a name.

    Raises:
        InputError: a refused or unknown word; the message says why and names the nearest supported ones.
    """
    table = word_table() if table is None else table
    presets = compressor_presets()
    name = " ".join(name.lower().split())
    if name in table.words:
        return table.words[name]
    if name in presets:
        return presets[name]
    if name.startswith(PREFIX) and name.removeprefix(PREFIX) in presets:
        return presets[name.removeprefix(PREFIX)]
    if name in table.refused:
        raise InputError(f"--word {name}: {why_refused(table.refused[name], table)}")
    close = _spelled_like(name, [*table.words, *presets, *table.refused])
    if close in table.refused:
        raise InputError(
            f"--word {name}: unknown; the nearest known word, {close}, is refused: "
            f"{why_refused(table.refused[close], table)}"
        )
    if close:
        raise InputError(f"--word {name}: unknown; did you mean {close}? (--list-words shows the evidence)")
    known = [*table.words, *(preset for preset in presets if preset not in table.words)]
    raise InputError(
        f"--word {name}: unknown: the data has it fewer than 5 times, too few for a curve; "
        f"known words: {', '.join(known)} (--list-words shows the evidence)"
    )


def why_refused(entry: Refused, table: WordTable | None = None) -> str:
    """The reason with its numbers, and the nearest supported words."""
    table = word_table() if table is None else table
    evidence = entry.evidence
    people = "" if evidence.users is None else f" by {evidence.users} people"
    said = f"{evidence.n} contributions{people} in {table.sources[evidence.source].title}"
    numbers = f"agreement r = {evidence.agreement:.2f}, reliability {evidence.reliability:.2f}"
    near = ", ".join(f"{name} ({value:.2f})" for name, value in entry.nearest)
    reason = {
        "disagree": f"people disagree about it: {numbers} over {said}; 0.20 and 0.70 are needed",
        "few": f"too little evidence: {said}, {numbers}; 6 contributions, 0.20 and 0.70 are needed",
        "mood": f"it names a mood and not a sound ({said}, {numbers})",
        "fault": f"it names a fault and not an aim ({said}, {numbers})",
    }[entry.reason]
    return f"refused, since {reason}. Nearest supported words by the correlation of their curves: {near}"


def _spelled_like(name: str, known: Sequence[str]) -> str:
    """The known word nearest in spelling: "warmer" → "warm", "brigth" → "bright"; "" where nothing is near."""
    for ending in _ENDINGS:
        stem = name.removesuffix(ending)
        for form in (stem, stem + "y", stem[:-1] if stem[-2:-1] == stem[-1:] else stem, stem + "e"):
            if stem != name and form in known:
                return form
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return close[0] if close else ""
