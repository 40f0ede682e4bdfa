"""What each word changes on each sound: monotony, loudness, and the round trip from the change to the word."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.words.sounds import (
    RATE,
    Bools,
    Row,
    audible_bands,
    correlation,
    lufs_of,
    projection,
    spectrum_of,
    with_minus,
)
from neural_mastering.controls import ChainControls
from neural_mastering.metering.profile import Spectrum
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.tone.from_words import apply_words
from neural_mastering.words import request, word_table
from neural_mastering.words.shape import Float64s

STRENGTHS = (-1.0, -0.5, 0.5, 1.0)


class Change(NamedTuple):
    """The change of a sound's spectrum by a word at strength 0.5, in dB, and the third octaves that hold sound."""

    sound: str
    word: str
    change_db: Float64s
    used: Bools


def render_words(
    sounds: dict[str, Float64s],
) -> tuple[list[Row], list[Change]]:
    """Every word at every strength on every sound: projection on its own shape, change of loudness."""
    rows: list[Row] = []
    changes = []
    for name, audio in sounds.items():
        meter = Spectrum(RATE, len(audio))
        meter.push(audio)
        powers, lufs = meter.finish(), lufs_of(audio)
        used = audible_bands(powers)
        for word in word_table().words.values():
            for strength in STRENGTHS:
                asked = request({word.name: strength})
                controls, _ = apply_words(ChainControls(), asked, meter.bins(), lufs)
                out = np.concatenate(list(run_stages(build_stages(controls, RATE, 2), [audio])), axis=1)
                change = 10.0 * np.log10((spectrum_of(out) + 1e-15) / (powers + 1e-15))
                rows.append(
                    {
                        "study": "projection",
                        "sound": name,
                        "word": word.name,
                        "strength": strength,
                        "projection": projection(change, word.shape_db, used),
                        "loudness_change_lu": lufs_of(out) - lufs,
                    }
                )
                if strength == 0.5 and name != "pink noise":
                    changes.append(Change(name, word.name, change, used))
    return rows, changes


def monotony(rows: Sequence[Row]) -> list[str]:
    """Is the projection strictly monotone in s (with 0 at s = 0), and how near to s is it?"""
    by_case: dict[tuple[str, str], dict[float, float]] = defaultdict(dict)
    loudness: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        by_case[str(row["sound"]), str(row["word"])][float(row["strength"])] = float(row["projection"])
        loudness[str(row["sound"])].append(abs(float(row["loudness_change_lu"])))
    lines = ["", "## Monotony and loudness", ""]
    lines.append(
        "| sound | monotone words | projection at s = 1 | at s = −1 | largest change of loudness, LU |"
    )
    lines.append("|---|--:|--:|--:|--:|")
    for sound, changed in loudness.items():
        cases = [{**found, 0.0: 0.0} for (name, _), found in by_case.items() if name == sound]
        good = sum(bool(np.all(np.diff([case[s] for s in sorted(case)]) > 0.0)) for case in cases)
        ends = [
            with_minus(f"{min(c[s] for c in cases):.2f} to {max(c[s] for c in cases):.2f}")
            for s in (1.0, -1.0)
        ]
        lines.append(f"| {sound} | {good}/{len(cases)} | {ends[0]} | {ends[1]} | {max(changed):.2f} |")
    return lines


def round_trip(
    changes: Sequence[Change],
) -> list[str]:
    """Name the nearest shape of what was measured at s = 0.5."""
    table = word_table().words
    hits = np.zeros(4)
    chances = np.zeros(4)
    for _, word, change, used in changes:
        order = sorted(table, key=lambda name: -correlation(change, table[name].shape_db, used))
        same = {word, *(name for name, _ in table[word].neighbours)}
        hits += [order[0] == word, word in order[:3], order[0] in same, bool(same & set(order[:3]))]
        count, alike = len(table), len(same)
        miss3 = np.prod([(count - alike - i) / (count - i) for i in range(3)])
        chances += [1 / count, 3 / count, alike / count, 1.0 - miss3]
    shares, chance = 100.0 * hits / len(changes), 100.0 * chances / len(changes)
    names = ("top 1", "top 3", "top 1, synonyms count", "top 3, synonyms count")
    lines = ["", "## Round trip at strength 0.5", "", "| | right | chance |", "|---|--:|--:|"]
    return lines + [
        f"| {name} | {share:.1f} % | {luck:.1f} % |"
        for name, share, luck in zip(names, shares, chance, strict=True)
    ]
