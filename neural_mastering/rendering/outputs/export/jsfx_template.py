"""Stages of the JSFX export as template files, one a stage, found by the stage's name.

docs/exports.md says what a file may contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from neural_mastering.controls.catalogue import Values
from neural_mastering.rendering.outputs.export.stage_bands import BandKeys, Form

_FOLDER = files("neural_mastering.assets").joinpath("jsfx")
_HEAD = re.compile(r"@(\w+)(?: +(?:each +)?(\w+))?")
_SLIDER = re.compile(r"(\w+) +(<[^<>]+>) +(.+)")
_BANDS = re.compile(r"(\w+) *= *(\w+)\((\w+), *(\w+), *(\w+)\)")
_TEXT = ("functions", "start", "slider", "sample")


@dataclass(frozen=True)
class Slider:
    """A control with a slider: its key, its range as JSFX writes it, and its title."""

    key: str
    limits: str
    title: str


@dataclass(frozen=True)
class Part:
    """Lines of one section; `each` names the group of bands for which they are repeated, "" for none."""

    section: str
    each: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """A stage's code with places for its values.

    Attributes:
        settings: default of each setting, None where it must be given.
        bands: for each group of bands, the keys of its values.
        sliders: (group, sliders): of the whole stage, whose group is "", and of each band of a group.
        parts: lines to fill, in order; those of the section "functions" include the shared ones.
        latency_samples: by how much the output is late.
    """

    settings: Mapping[str, str | None]
    bands: Mapping[str, BandKeys]
    sliders: tuple[tuple[str, tuple[Slider, ...]], ...]
    parts: tuple[Part, ...]
    latency_samples: int

    def keys(self, each: str) -> tuple[str, ...]:
        """Keys with sliders: the stage's own for "", else those of a group of bands."""
        return tuple(slider.key for group, sliders in self.sliders if group == each for slider in sliders)

    def understands(self, values: Values) -> bool:
        """Whether the template holds all of a stage's values.

        It does where it knows each key, misses none, and gets lists of one length for a group of bands and single
        numbers elsewhere.
        """
        controls = {key for _, sliders in self.sliders for key in (slider.key for slider in sliders)}
        required = controls | {key for key, default in self.settings.items() if default is None}
        if not required <= set(values) <= controls | set(self.settings):
            return False
        in_bands = {key for group in self.bands for key in self.keys(group)}
        if any(isinstance(value, tuple) != (key in in_bands) for key, value in values.items()):
            return False
        return all(len({_length(values, key) for key in self.keys(group)}) == 1 for group in self.bands)


@lru_cache(maxsize=32)
def load_template(name: str) -> Template | None:
    """The template of a stage; None where there is none."""
    file = _FOLDER.joinpath(f"{name}.eel")
    return parse_template(file.read_text(encoding="utf-8")) if file.is_file() else None


@lru_cache(maxsize=32)
def shared_functions(name: str) -> str:
    """Functions that several stages use."""
    return _FOLDER.joinpath("shared", f"{name}.eel").read_text(encoding="utf-8")


def parse_template(text: str) -> Template:
    """A template from its text.

    Raises:
        ValueError: an unknown section, or a line that its section can't have.
    """
    settings: dict[str, str | None] = {}
    bands: dict[str, BandKeys] = {}
    sliders: list[tuple[str, tuple[Slider, ...]]] = []
    parts: list[Part] = []
    latency = 0
    for section, each, lines in _sections(text):
        if section == "settings":
            for line in lines:
                key, found, default = line.partition("=")
                settings[key.strip()] = default.strip() if found else None
        elif section == "bands":
            bands |= dict(_group(line) for line in lines)
        elif section == "sliders":
            sliders.append((each, tuple(_slider(line) for line in lines)))
        elif section == "include":
            parts.append(Part("functions", "", tuple(shared_functions(each).splitlines())))
        elif section == "latency":
            (line,) = lines
            latency = int(line)
        elif section in _TEXT:
            parts.append(Part(section, each, tuple(lines)))
        else:
            raise ValueError(f"unknown section @{section}")
    return Template(settings, bands, tuple(sliders), tuple(parts), latency)


def _sections(text: str) -> Iterator[tuple[str, str, Sequence[str]]]:
    """(section, group of bands or name of an include, lines without empty ones at the ends)."""
    head, lines = "", []
    for line in [*text.splitlines(), "@"]:
        if not line.startswith("@"):
            lines.append(line.rstrip())
            continue
        if head:
            match = _HEAD.fullmatch(head.rstrip())
            if match is None:
                raise ValueError(f"not a section: {head!r}")
            yield match[1], match[2] or "", "\n".join(lines).strip("\n").splitlines()
        head, lines = line, []


def _slider(line: str) -> Slider:
    match = _SLIDER.fullmatch(line)
    if match is None:
        raise ValueError(f"not a slider: {line!r}; expected key <low,high,step> title")
    return Slider(match[1], match[2], match[3])


def _group(line: str) -> tuple[str, BandKeys]:
    match = _BANDS.fullmatch(line)
    if match is None:
        raise ValueError(f"not a group of bands: {line!r}; expected group = form(frequency, gain, Q)")
    return match[1], BandKeys(Form(match[2]), match[3], match[4], match[5])


def _length(values: Values, key: str) -> int:
    value = values[key]
    return len(value) if isinstance(value, tuple) else 1
