"""Tables of the study of foreign references, from its rows."""

from collections import defaultdict

import numpy as np

from experiments.common.bootstrap import median_interval
from experiments.reference_matching.cells import interval

COLUMNS = (
    "tone_before_db",
    "tone_db",
    "perfect_db",
    "tone_all_db",
    "move_db",
    "jaggedness_db",
    "bands",
    "notes",
    "crest_db",
    "width_before_db",
    "width_db",
    "levels_before_db",
    "levels_db",
)
DISTANCES = {
    "tone": ("tone_db", "tone_before_db"),
    "tone, whole chain": ("tone_all_db", "tone_before_db"),
    "width": ("width_db", "width_before_db"),
    "levels": ("levels_db", "levels_before_db"),
}
"""Columns after and before."""

Row = dict[str, str | float]


def summary(rows: list[Row]) -> str:
    """Means over pairs with 95 % intervals, which are drawn over songs; distances as after over before."""
    table: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        table[str(row["system"])].append(row)
    heads = (
        "system", "pairs", "tone, after/before", "perfect", "whole chain", "largest move, dB", "most",
        "jaggedness, dB",
        "bands", "notes, least 5 %", "crest, largest 5 %, dB", "crest > 1.5 dB", "width", "levels",
    )  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    for system, found in table.items():
        values = {key: np.array([float(row[key]) for row in found]) for key in COLUMNS}
        songs = [str(row["song"]) for row in found]
        cells = [
            system,
            str(len(found)),
            by_song(values["tone_db"] / values["tone_before_db"], songs),
            by_song(values["perfect_db"] / values["tone_before_db"], songs),
            by_song(values["tone_all_db"] / values["tone_before_db"], songs),
            f"{values['move_db'].mean():.1f}",
            f"{values['move_db'].max():.1f}",
            by_song(values["jaggedness_db"], songs),
            "" if np.isnan(values["bands"]).any() else f"{values['bands'].mean():.1f}",
            f"{np.quantile(values['notes'], 0.05):.3f}",
            f"{np.quantile(values['crest_db'], 0.95):.2f}",
            str(int((values["crest_db"] > 1.5).sum())),
            by_song(values["width_db"] / values["width_before_db"], songs),
            by_song(values["levels_db"] / values["levels_before_db"], songs),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def medians(rows: list[Row]) -> str:
    """Medians over pairs with 95 % intervals, drawn over songs; the largest; how many end farther away."""
    heads = ("system", "distance", "pairs", "after/before, median", "largest", "farther than before")
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "--:|" * (len(heads) - 2)]
    for system in dict.fromkeys(str(row["system"]) for row in rows):
        found = [row for row in rows if row["system"] == system]
        for name, (after, before) in DISTANCES.items():
            ratio = np.array([float(row[after]) / float(row[before]) for row in found])
            kept = np.isfinite(ratio)
            if not kept.any():
                continue
            songs = [str(row["song"]) for row, keep in zip(found, kept, strict=True) if keep]
            ratio = ratio[kept]
            low, high = median_interval(ratio, songs)
            cell = f"{np.median(ratio):.2f} [{low:.2f}, {high:.2f}]"
            ends = f"{ratio.max():.2f} | {int((ratio > 1.0).sum())}"
            lines.append(f"| {system} | {name} | {len(ratio)} | {cell} | {ends} |")
    return "\n".join(lines) + "\n"


def by_song(values: np.ndarray, songs: list[str]) -> str:
    """Mean over songs of their means, with an interval; pairs without a number are left out."""
    groups: dict[str, list[float]] = defaultdict(list)
    for song, value in zip(songs, values.tolist(), strict=True):
        if np.isfinite(value):
            groups[song].append(value)
    return (
        interval(np.array([float(np.mean(each)) for each in groups.values()], dtype=np.float64))
        if groups
        else ""
    )
