"""How far references are followed, and how large a move may be for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from neural_mastering.errors import InputError

DEFAULT_MATCH = 0.6
"""Share of the way to a reference that is gone unless you say otherwise."""

LIMIT_DB, LIMIT_IN_FULL_DB = 6.0, 12.0
"""Largest move for a share of up to `DEFAULT_MATCH`, and for a share of 1."""


@dataclass(frozen=True)
class MatchShares:
    """Share of the way to the references, 0 to 1, in each respect.

    Attributes:
        tone: of the smooth difference of the spectra.
        width: of the difference of side against mid, in dB.
        dynamics: of the compression that brings the levels closest.
        loudness: of the way from the default target to the references' loudness, in dB.

    Raises:
        InputError: a share outside 0 to 1.
    """

    tone: float = DEFAULT_MATCH
    width: float = DEFAULT_MATCH
    dynamics: float = DEFAULT_MATCH
    loudness: float = 1.0

    def __post_init__(self) -> None:
        for name, share in asdict(self).items():
            if not 0.0 <= share <= 1.0:  # also refuses NaN
                raise InputError(f"--match {name}={share:g}: expected 0 to 1")


EXACT = MatchShares(1.0, 1.0, 1.0, 1.0)
"""How another version of the song itself is followed, as far as it is one."""


def parse_match(values: Sequence[str]) -> MatchShares | None:
    """("0.8",) → tone, width and dynamics 0.8; ("tone=0.8,width=0",) → these, the others as they are by default.

    A number alone leaves the loudness at 1: name it to change it. None without values.

    Raises:
        InputError: neither a number nor RESPECT=NUMBER, or not from 0 to 1.
    """
    names = [field.name for field in fields(MatchShares)]
    shares: dict[str, float] = {}
    named: set[str] = set()
    parts = [part.strip() for value in values for part in value.split(",") if part.strip()]
    if values and not parts:
        raise InputError(
            f"--match: expected a number from 0 to 1, or {', '.join(f'{n}=NUMBER' for n in names)}"
        )
    for part in sorted(parts, key=lambda text: "=" in text):  # a number alone first, whatever the order
        name, separator, number = part.rpartition("=")
        name = name.strip().lower()
        if separator and name not in names:
            raise InputError(f"--match {part}: there is no such respect; expected {', '.join(names)}")
        try:
            share = float(number)
        except ValueError:
            example = f"{part}=1" if part in names else "dynamics=0.5"
            raise InputError(
                f"--match {part}: expected a number from 0 to 1, or a respect with one, such as {example}"
            ) from None
        if not 0.0 <= share <= 1.0:
            raise InputError(f"--match {part}: expected 0 to 1")
        if name in named:
            raise InputError(f"--match {part}: {name or 'a number alone'} was given twice")
        named.add(name)
        shares |= {name: share} if separator else dict.fromkeys(("tone", "width", "dynamics"), share)
    return MatchShares(**shares) if parts else None


def limit_db(share: float) -> float:
    """Largest move in dB for a share of the way: 6 dB up to 0.6, then rising to 12 dB at 1."""
    return float(np.interp(share, [DEFAULT_MATCH, 1.0], [LIMIT_DB, LIMIT_IN_FULL_DB]))
