"""Strengths: the probability and the range of every operation, read from YAML, and the draw from them."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from neural_mastering.chance import seed_of
from neural_mastering.data.degradation.parameters import NO_EXPANSION, Degradation, DegradationBand, Expansion
from neural_mastering.data.errors import DataError
from neural_mastering.dsp.biquad import Kind

PRESETS = ("light", "medium", "heavy")

_LAYOUT: dict[str, tuple[str, ...]] = {
    "upward_expansion": ("probability", "threshold_db", "ratio", "limit_db"),
    "downward_expansion": ("probability", "threshold_db", "ratio", "limit_db"),
    "ballistics": ("attack_ms", "release_ms"),
    "width": ("probability", "factor"),
    "low_shelf": ("probability", "frequency_hz", "gain_db", "q"),
    "peaks": ("count", "probability", "frequency_hz", "gain_db", "q"),
    "high_shelf": ("probability", "frequency_hz", "gain_db", "q"),
    "low_pass": ("probability", "frequency_hz"),
    "level_lufs": (),
}
_LOG_SCALED = ("frequency_hz", "q", "factor", "attack_ms", "release_ms")
_SINGLE = ("probability", "count", "limit_db")
_LIMITS: dict[str, tuple[float, float]] = {
    "probability": (0.0, 1.0),
    "count": (0.0, 32.0),
    "limit_db": (0.0, 60.0),
    "threshold_db": (-60.0, 40.0),
    "ratio": (1.0, 20.0),
    "attack_ms": (0.1, 1_000.0),
    "release_ms": (1.0, 10_000.0),
    "factor": (0.01, 10.0),
    "frequency_hz": (10.0, 40_000.0),
    "gain_db": (-24.0, 24.0),
    "q": (0.1, 20.0),
    "level_lufs": (-60.0, -6.0),
}


@dataclass(frozen=True)
class DegradationPreset:
    """Ranges by operation, as in the YAML file.

    Attributes:
        name: of the preset, or the path of the user's own file.
        operations: operation → setting → (low, high), or (value, value) where the file gives one number.
        recipe: a short hash of all numbers; pairs made by other numbers have another one.
    """

    name: str
    operations: Mapping[str, Mapping[str, tuple[float, float]]]
    level_lufs: tuple[float, float]
    recipe: str

    def draw(self, seed: int) -> Degradation:
        """The degradation that belongs to a seed.

        Each number has its own hash(seed, operation, setting), so that an operation which does not happen
        leaves the draws of the others alone. Frequencies, Q, width and times are uniform in their logarithm,
        all others uniform.
        """
        bands: list[DegradationBand] = []
        for operation, kind, count in (
            ("low_shelf", "low_shelf", 1),
            ("peaks", "peak", int(self.operations["peaks"]["count"][0])),
            ("high_shelf", "high_shelf", 1),
        ):
            for index in range(count):
                if self._happens(seed, operation, index):
                    bands.append(self._band(seed, operation, kind, index))  # type: ignore[arg-type]
        return Degradation(
            upward=self._expansion(seed, "upward_expansion"),
            downward=self._expansion(seed, "downward_expansion"),
            attack_ms=self._value(seed, "ballistics", "attack_ms"),
            release_ms=self._value(seed, "ballistics", "release_ms"),
            width=self._value(seed, "width", "factor") if self._happens(seed, "width") else 1.0,
            bands=tuple(bands),
            lowpass_hz=(
                self._value(seed, "low_pass", "frequency_hz") if self._happens(seed, "low_pass") else None
            ),
            level_lufs=_between(self.level_lufs, _uniform(seed, "level_lufs"), log=False),
        )

    def _happens(self, seed: int, operation: str, index: int = 0) -> bool:
        return _uniform(seed, operation, "happens", index) < self.operations[operation]["probability"][0]

    def _value(self, seed: int, operation: str, setting: str, index: int = 0) -> float:
        chance = _uniform(seed, operation, setting, index)
        return _between(self.operations[operation][setting], chance, setting in _LOG_SCALED)

    def _band(self, seed: int, operation: str, kind: Kind, index: int) -> DegradationBand:
        frequency_hz, gain_db, q = (
            self._value(seed, operation, setting, index) for setting in ("frequency_hz", "gain_db", "q")
        )
        return DegradationBand(kind, frequency_hz, gain_db, q)

    def _expansion(self, seed: int, operation: str) -> Expansion:
        if not self._happens(seed, operation):
            return NO_EXPANSION
        return Expansion(*(self._value(seed, operation, s) for s in ("threshold_db", "ratio", "limit_db")))


def load_preset(name: str | Path) -> DegradationPreset:
    """A preset of the package by its name, or one from a YAML file with the same entries.

    Raises:
        DataError: no such preset or file, or entries that are missing, unknown or out of range.
    """
    if str(name) in PRESETS:
        text = (files("neural_mastering.data.degradation") / "presets" / f"{name}.yaml").read_text("utf-8")
    else:
        path = Path(name).expanduser()
        if not path.is_file():
            raise DataError(
                f"there is no preset '{name}': choose {', '.join(PRESETS)}, or name a YAML file of your own"
            )
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"the preset {path} cannot be read ({error})") from error
    return parse_preset(text, str(name))


def parse_preset(text: str, name: str) -> DegradationPreset:
    """A preset from YAML text; see `load_preset`."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"the preset {name} is not YAML: {error}") from error
    _same_keys(content, _LAYOUT, f"the preset {name}")
    operations: dict[str, dict[str, tuple[float, float]]] = {}
    for operation, settings in _LAYOUT.items():
        if not settings:
            continue
        _same_keys(content[operation], settings, f"'{operation}' in the preset {name}")
        operations[operation] = {
            setting: _range(content[operation][setting], setting, f"{operation}.{setting}", name)
            for setting in settings
        }
    level = _range(content["level_lufs"], "level_lufs", "level_lufs", name)
    plain = repr((sorted((o, sorted(s.items())) for o, s in operations.items()), level))
    return DegradationPreset(
        name, operations, level, hashlib.blake2b(plain.encode(), digest_size=8).hexdigest()
    )


def _same_keys(found: Any, expected: Any, what: str) -> None:
    names = set(found) if isinstance(found, dict) else set()
    if names != set(expected):
        missing, unknown = sorted(set(expected) - names), sorted(map(str, names - set(expected)))
        problem = f"lacks {', '.join(missing)}" if missing else f"has unknown entries {', '.join(unknown)}"
        raise DataError(f"{what} {problem}: expected exactly {', '.join(expected)}")


def _range(value: Any, setting: str, where: str, name: str) -> tuple[float, float]:
    """(low, high) of a setting, checked."""
    ends = [value, value] if setting in _SINGLE else value
    numbers = isinstance(ends, list) and all(
        isinstance(e, int | float) and not isinstance(e, bool) and math.isfinite(e) for e in ends
    )
    shape = "one number" if setting in _SINGLE else "[low, high]"
    low, high = _LIMITS[setting]
    if not numbers or len(ends) != 2 or not low <= ends[0] <= ends[1] <= high:
        raise DataError(
            f"{where} in the preset {name} must be {shape} between {low:g} and {high:g}; got {value!r}"
        )
    if setting == "count" and ends[0] != int(ends[0]):
        raise DataError(f"{where} in the preset {name} must be a whole number; got {value!r}")
    return float(ends[0]), float(ends[1])


def _uniform(seed: int, *parts: int | str) -> float:
    """A number in [0, 1)."""
    return (seed_of(seed, *parts) >> 10) / float(1 << 53)


def _between(ends: tuple[float, float], share: float, log: bool) -> float:
    low, high = ends
    if low == high:
        return low
    return math.exp(math.log(low) + share * math.log(high / low)) if log else low + share * (high - low)
