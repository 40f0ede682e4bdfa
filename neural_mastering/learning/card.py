"""The model card of a learned engineer, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neural_mastering.atomic import write_text
from neural_mastering.engineer.bundle import FORMAT, FORMAT_VERSION
from neural_mastering.engineer.learned import LearnedEngineer
from neural_mastering.engineer.pair import PairMeasurement
from neural_mastering.learning.cross_validation import Validation
from neural_mastering.learning.words import level_words, percent, quality_words, tone_words


def write_card(
    path: Path,
    title: str,
    engineer: LearnedEngineer,
    pairs: Sequence[PairMeasurement],
    validation: Validation | None,
    notes: Sequence[str],
) -> Path:
    """Write the card; it appears whole or not at all."""
    lines = [
        f"# {title}: learned engineer",
        "",
        f"Learned from {len(pairs)} pairs of mix and master with `nm-learn`. Format: {FORMAT} {FORMAT_VERSION}, "
        "numbers only; it holds measurements of the songs and no audio.",
        "",
        "## What it does",
        "",
        *(f"- {text}" for text in (*tone_words(engineer), *level_words(engineer, pairs))),
        "",
        "## How well",
        "",
        *(f"- {text}" for text in quality_words(validation, len(pairs))),
        "",
    ]
    if validation is not None:
        lines += ["| system | error (dB) | of the move | beyond the average |", "|---|--:|--:|--:|"]
        lines += [
            f"| {s.name} | {s.error_db:.2f} | {percent(s.explained)} | {percent(s.dependent)} |"
            for s in validation.scores
        ]
        lines.append("")
    if notes:
        lines += ["## Notes", "", *(f"- {note}" for note in notes), ""]
    lines += [
        "## Limits",
        "",
        "- One setting for a whole song; nothing follows its parts.",
        "- Tone in third octaves, loudness, peaks and width. Saturation, reverb and edits are not learned.",
        "- A song unlike all of these gets about the average of what the engineer did.",
        "- The taste is that of these pairs; ask the engineer before you pass it on.",
        "",
    ]
    write_text(path, "\n".join(lines))
    return path
