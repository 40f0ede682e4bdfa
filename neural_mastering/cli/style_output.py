"""What nm-style prints: styles, comparisons, notes."""

from __future__ import annotations

import math
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_mastering.notes import Note
    from neural_mastering.styles.compare import Comparison
    from neural_mastering.styles.learn import LearnedStyle
    from neural_mastering.styles.profile import Spread, StyleProfile

_WIDTH = 100
_NOTES_OF_A_KIND = 5


def print_list() -> None:
    """The bundled styles, one a line."""
    from neural_mastering.styles.library import bundled_styles, find_style  # --help stays quick: loads NumPy

    for name in bundled_styles():
        style = find_style(name)
        print(f"{name:18} {style.songs:6d} songs  {_first_sentence(style)}")
    print("Show one with nm-style show NAME; make your own with nm-style learn FOLDER -o FILE.json.")


def print_style(style: StyleProfile) -> None:
    """All that a style says."""
    # --help stays quick: these load NumPy
    from neural_mastering.dsp.third_octaves import CENTRES_HZ
    from neural_mastering.metering.band_crest import OCTAVES_HZ
    from neural_mastering.styles.regions import nominal_hz

    print(f"{printable(style.name)}: {_songs(style)}")
    if style.about:
        print(textwrap.fill(printable(style.about), _WIDTH))
    for name, spread, unit in (
        ("loudness", style.lufs, "LUFS"),
        ("peak to loudness", style.plr_db, "dB"),
        ("loudness range", style.lra_lu, "LU"),
    ):
        print(f"{name:17} {_spread(spread, unit)}")
    reference = "less integrated loudness" if style.is_absolute else "of any offset: only the shape counts"
    print(f"\nlevels in dB ({reference}), side over mid, ± standard deviation between songs")
    sigma = style.tone.sigma
    for band, hz in enumerate(CENTRES_HZ):
        level = _pair(style.tone.mean[band], sigma[band]) if style.tone.known[band] else "–"
        side = "–"
        if style.side_db is not None and style.side_sd_db is not None:
            side = _pair(style.side_db[band], style.side_sd_db[band])
        print(f"{nominal_hz(hz):8g} Hz  {level:>14}  {side:>14}")
    if style.crest_db is not None and style.crest_sd_db is not None:
        print("\ncrest by octave in dB")
        for hz, crest, sd in zip(OCTAVES_HZ, style.crest_db, style.crest_sd_db, strict=True):
            print(f"{nominal_hz(hz):8g} Hz  {_pair(crest, sd):>14}")
    for source in style.sources:
        print(textwrap.fill(f"source: {printable(source)}", _WIDTH, subsequent_indent="  "))
    if style.licence:
        print(f"licence of the numbers: {printable(style.licence)}")


def print_learned(learned: LearnedStyle, path: str) -> None:
    """What was learned, and what was left out."""
    print_notes(learned.notes)
    style = learned.profile
    print(f"wrote {printable(path)}: {printable(style.name)}, {_songs(style)}")
    print(f"compare a song with it: nm-style compare SONG --style '{printable(path)}'")


def print_notes(notes: Sequence[Note]) -> None:
    """Notes on standard error, the first few of each kind."""
    shown = Counter[str]()
    for note in notes:
        shown[note.kind] += 1
        if shown[note.kind] <= _NOTES_OF_A_KIND:
            print(f"note: {printable(note.text)}", file=sys.stderr)
    for kind, count in shown.items():
        if count > _NOTES_OF_A_KIND:
            print(f"note: {count - _NOTES_OF_A_KIND} more such notes ({kind})", file=sys.stderr)


def print_comparison(comparison: Comparison) -> None:
    """A table of regions and numbers, and in words what is unusual."""
    style = comparison.style
    learned = (
        f"predicted from its content, learned from {style.songs} songs" if comparison.kinds else _songs(style)
    )
    print(f"{printable(comparison.song.name)} beside {printable(style.name)} ({learned}), at equal loudness")
    if comparison.kinds:
        shown = sorted(comparison.kinds.items(), key=lambda item: -item[1])
        print("kind of music, by content: " + ", ".join(f"{name} {share:.0%}" for name, share in shown))
    print(f"{'':18} {'':16} {'song':>8} {'usual':>8} {'differs':>11} {'sigma':>6} {'percentile':>10}")
    for each in (*comparison.regions, *comparison.numbers):
        numbers = (
            f"{each.value:8.1f} {each.usual:8.1f} {each.difference:+8.1f} {each.unit} {each.sigma:+6.1f}"
        )
        print(f"{each.name:18} {each.span:16} {numbers} {each.percentile:10.0f}")
    unusual = [each for each in (*comparison.regions, *comparison.numbers) if each.rarity is not None]
    unusual.sort(key=lambda each: -abs(each.sigma))
    print("" if unusual else "\nall of it is as usual: within the middle half of songs like this")
    for each in unusual:
        print(each.words())
    print_notes(comparison.notes)


def printable(text: str) -> str:
    """The text without what a terminal can't show (names on disk need not be valid UTF-8) or would obey."""
    shown = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() else "�" for c in shown)


def _songs(style: StyleProfile) -> str:
    return "1 song" if style.songs == 1 else f"{style.songs} songs"


def _spread(spread: Spread | None, unit: str) -> str:
    return "not measured" if spread is None else f"{spread.mean:.1f} ± {spread.sd:.1f} {unit}"


def _pair(mean: float, sd: float) -> str:
    return f"{mean:+.1f} ± {sd:.1f}" if math.isfinite(mean) and math.isfinite(sd) else "–"


def _first_sentence(style: StyleProfile) -> str:
    return printable(style.about.split(". ")[0].rstrip("."))
