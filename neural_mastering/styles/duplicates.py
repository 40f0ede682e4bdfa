"""Songs that are in a folder twice: another format, another master, another name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_mastering.metering.fine_structure import SAME
from neural_mastering.styles.song import SongTone

_ROWS = 1024


def duplicates(songs: Sequence[SongTone]) -> dict[int, int]:
    """Index of each song that is left out as a copy, and of the one that is kept, its longest version.

    Two are the same where their fine structures correlate by `fine_structure.SAME` or more, as 28 mixes and their
    masters do and no two of 237 songs. A chain of such pairs is one song. The order of the songs changes nothing.
    """
    fine = [song.fine_db - song.fine_db.mean() if song.fine_db.size else song.fine_db for song in songs]
    usable = [i for i, each in enumerate(fine) if each.size and each.std() > 1e-9]
    if len(usable) < 2:
        return {}
    rows = np.stack([fine[i] / np.linalg.norm(fine[i]) for i in usable])
    leader = list(range(len(songs)))

    def find(i: int) -> int:
        while leader[i] != i:
            i = leader[i]
        return i

    for start in range(0, len(usable), _ROWS):
        agreement = rows[start : start + _ROWS] @ rows.T
        for one, two in np.argwhere(agreement >= SAME):
            i, j = find(usable[start + one]), find(usable[two])
            if i != j:
                leader[max(i, j)] = min(i, j)
    groups: dict[int, list[int]] = {}
    for i in usable:
        groups.setdefault(find(i), []).append(i)
    found: dict[int, int] = {}
    for group in groups.values():
        kept = min(group, key=lambda i: (-songs[i].seconds, songs[i].name))
        found.update({i: kept for i in group if i != kept})
    return found
