"""Delivery targets: how loud, and how high the true peak may go."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

import yaml

from neural_mastering.errors import InputError

QUIETEST_LUFS, LOUDEST_LUFS = -60.0, -3.0
DEFAULT_CEILING_DB = -1.0
DEFAULT_TARGET = "spotify"


@dataclass(frozen=True)
class Target:
    """Where the song goes.

    Attributes:
        name: as typed: "spotify", "-14 LUFS", "keep".
        lufs: integrated loudness, None to keep that of the input.
        ceiling_db: highest true peak in dBTP, None with the ceiling off.
        source, checked, note: where the numbers come from, and the day on which that was read.
        kind: "primary" where the source is the platform's or the standard's own text, "secondary" where it is
            other people's account of it; empty for a loudness that you name yourself.
    """

    name: str
    lufs: float | None
    ceiling_db: float | None
    source: str = ""
    checked: str = ""
    note: str = ""
    kind: str = ""

    @property
    def is_number(self) -> bool:
        """The target was asked for as a number of LUFS."""
        return self.lufs is not None and self.name == f"{self.lufs:g} LUFS"


@lru_cache(maxsize=1)
def known_targets() -> Mapping[str, Target]:
    """The targets that ship with the package, by name."""
    text = files("neural_mastering.assets").joinpath("targets.yaml").read_text(encoding="utf-8")
    return {
        name: Target(
            name=name,
            lufs=float(row["lufs"]),
            ceiling_db=float(row["ceiling_db"]),
            source=row["source"],
            checked=str(row["checked"]),
            note=row["note"],
            kind=row["kind"],
        )
        for name, row in yaml.safe_load(text).items()
    }


def find_target(name: str, ceiling: str | float | None = None) -> Target:
    """A target by name, "keep", or a number of LUFS; `ceiling` in dBTP or "off" replaces its ceiling.

    Raises:
        InputError: unknown name, loudness outside −60 … −3 LUFS, ceiling above 0 or below −30 dBTP.
    """
    key = name.strip().lower()
    if key == "keep":
        target = Target("keep", None, DEFAULT_CEILING_DB)
    elif (lufs := _number(key.removesuffix("lufs").strip())) is not None:
        if not QUIETEST_LUFS <= lufs <= LOUDEST_LUFS:
            raise InputError(
                f"--target {name}: expected {QUIETEST_LUFS:g} to {LOUDEST_LUFS:g} LUFS (a negative number)"
            )
        target = Target(f"{lufs:g} LUFS", lufs, DEFAULT_CEILING_DB)
    elif key in known_targets():
        target = known_targets()[key]
    else:
        close = difflib.get_close_matches(key, known_targets(), n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(
            f"--target {name}: unknown{hint}; expected {', '.join(known_targets())}, keep, or a number of LUFS"
        )
    return with_ceiling(target, ceiling)


def with_ceiling(target: Target, ceiling: str | float | None) -> Target:
    """The target with another ceiling in dBTP, or "off"; None changes nothing.

    Raises:
        InputError: above 0 or below −30 dBTP.
    """
    return target if ceiling is None else replace(target, ceiling_db=_ceiling(ceiling))


def _ceiling(value: str | float) -> float | None:
    if isinstance(value, str) and value.strip().lower() == "off":
        return None
    number = _number(str(value).lower().removesuffix("dbtp").removesuffix("db").strip())
    if number is None or not -30.0 <= number <= 0.0:
        raise InputError(f"--ceiling {value}: expected a true peak from -30 to 0 dBTP, or off")
    return number


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
