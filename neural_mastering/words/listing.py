"""The words with their evidence as text; as Markdown with `python -m neural_mastering.words.listing`."""

import textwrap
from collections.abc import Sequence

import numpy as np

from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.words.fit import fit_shape, judged
from neural_mastering.words.presets import PREFIX, compressor_presets, preset_source
from neural_mastering.words.table import Evidence, word_table

_SHOWN_HZ = (63.0, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0)
_HEAD = ("word", "source", "n", "people", "agreement", "reliability", "evidence", "opposite", "much the same")


def plain_text() -> str:
    """What `nm-master --list-words` prints."""
    table, presets = word_table(), compressor_presets()
    rows = _word_rows()
    widths = [max(len(row[i]) for row in [_HEAD, *rows]) for i in range(len(_HEAD))]
    lines = [
        "Words of the equaliser (--word WORD=S, S from -1 to 1):",
        "",
        *(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in [_HEAD, *rows]
        ),
        "",
        "agreement: mean correlation of two people's curves, what one listener can expect; reliability: of the",
        "mean curve. Strength 1 is 1.5 dB RMS, at most ±4 dB in all: our choice, since the data has no amounts.",
        "",
        f"Compressor presets (S from 0 to 1; low evidence, from {preset_source().title}):",
        "",
    ]
    for name, preset in presets.items():
        shown = PREFIX + name if name in table.words else name
        people = "" if preset.users is None else f" of {preset.users} people"
        lines.append(f"  {shown:18} {preset.n} settings{people}: {preset.about}")
    refused = ", ".join(f"{name} ({entry.reason})" for name, entry in table.refused.items())
    lines += ["", "Refused (--word NAME says why, in numbers):", "", *_wrapped(refused)]
    return "\n".join(lines)


def markdown() -> str:
    """The evidence tables of docs/words.md."""
    table = word_table()
    lines = [*_table(_HEAD, _word_rows()), ""]
    curves = []
    for word in table.words.values():
        at = np.interp(np.log(_SHOWN_HZ), np.log(CENTRES_HZ), word.shape_db)
        fit = judged(fit_shape(word.shape_db), word.shape_db)
        curves.append([word.name, *(f"{v:+.1f}" for v in at), f"{fit.rms_db:.2f}", f"{fit.max_db:.2f}"])
    head = ["dB at strength 1", *(f"{f / 1000:g}k" if f >= 1000 else f"{f:g}" for f in _SHOWN_HZ)]
    lines += [*_table([*head, "fit RMS", "fit max"], curves), ""]
    presets = [
        [
            PREFIX + name if name in table.words else name,
            str(preset.n),
            _people(preset.users),
            *(f"{preset.controls[key]:g}" for key in _CONTROLS),
        ]
        for name, preset in compressor_presets().items()
    ]
    lines += [*_table(["compressor preset (low evidence)", "n", "people", *_CONTROLS.values()], presets), ""]
    refused = [
        [name, *_numbers(entry.evidence), entry.reason, ", ".join(f"{n} {r:.2f}" for n, r in entry.nearest)]
        for name, entry in table.refused.items()
    ]
    lines += _table(
        ["refused", "source", "n", "people", "agreement", "reliability", "reason", "nearest"], refused
    )
    return "\n".join(lines)


_CONTROLS = {
    "threshold_db": "threshold (dB re loudness)",
    "ratio": "ratio",
    "attack_ms": "attack (ms)",
    "release_ms": "release (ms)",
    "knee_db": "knee (dB)",
}


def _word_rows() -> list[list[str]]:
    return [
        [
            word.name,
            *_numbers(word.evidence),
            word.tier,
            "–" if word.antonym is None else f"{word.antonym[0]} {word.antonym[1]:.2f}".replace("-", "−"),
            ", ".join(name for name, _ in word.neighbours) or "–",
        ]
        for word in word_table().words.values()
    ]


def _numbers(evidence: Evidence) -> list[str]:
    source = word_table().sources[evidence.source].title
    agreement = f"{evidence.agreement:.2f}".replace("-", "−")
    return [source, str(evidence.n), _people(evidence.users), agreement, f"{evidence.reliability:.2f}"]


def _people(users: int | None) -> str:
    return "not known" if users is None else str(users)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    right = {"n", "people", "agreement", "reliability", "fit RMS", "fit max"}
    marks = ["--:" if cell in right or cell[:1].isdigit() else "---" for cell in head]
    return [f"| {' | '.join(row)} |" for row in (head, marks, *rows)]


def _wrapped(text: str) -> list[str]:

    return textwrap.wrap(text, 110, initial_indent="  ", subsequent_indent="  ")


if __name__ == "__main__":
    print(markdown())
