"""Settings as arguments of nm-master: the command that a page shows gives the same file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from neural_mastering.rendering.settings import Settings

_FLAGS: Mapping[str, str] = {
    "references": "--reference",
    "words": "--word",
    "max_reduction_db": "--max-reduction",
    "overall_strength": "--strength",
    "sample_rate_hz": "--sample-rate",
    "bass_mono_hz": "--bass-mono",
}
"""Where a flag isn't the name of the setting."""

_ONE_BY_ONE = ("references", "words", "strength")


def flag_of(name: str) -> str:
    """The option of nm-master for a field of `Settings`."""
    return _FLAGS.get(name, "--" + name.replace("_", "-"))


def settings_arguments(settings: Settings, stated: Sequence[str] = ()) -> list[str]:
    """Arguments for all settings that aren't at their defaults, and for those in `stated` that aren't None."""
    defaults = Settings()
    found: list[str] = []
    for each in fields(Settings):
        value = getattr(settings, each.name)
        if value is None or (value == getattr(defaults, each.name) and each.name not in stated):
            continue
        found += _arguments(flag_of(each.name), value, each.name in _ONE_BY_ONE)
    return found


def master_command(
    song: str, output: str, controls: str, settings: Settings, export: Sequence[str] = (), report: str = ""
) -> list[str]:
    """nm-master with a file of controls, everything about loudness stated; names beginning with a dash are kept."""
    stated = settings_arguments(settings, ("target", "ceiling", "density"))
    beside = ["--export", ",".join(export)] if export else []
    beside += ["--report", report] if report else []
    options = ["-o", output, "--controls", controls, *stated, *beside]
    return ["nm-master", *options, "--", song] if song.startswith("-") else ["nm-master", song, *options]


def album_command(
    songs: Sequence[str],
    settings: Settings,
    gap_s: float | None,
    info: str,
    controls: str,
    report: str,
    output: str = "masters/",
) -> list[str]:
    """nm-master --album with a folder of controls, a file for each song; empty texts are left out."""
    options = ["-o", output, "--album", "--controls", controls]
    options += ["--album-gap", _number(gap_s)] if gap_s is not None else []
    options += ["--album-info", info] if info else []
    options += settings_arguments(settings, ("target", "ceiling", "density"))
    options += ["--report", report] if report else []
    if any(song.startswith("-") for song in songs):
        return ["nm-master", *options, "--", *songs]
    return ["nm-master", *songs, *options]


def command_text(arguments: Sequence[str]) -> str:
    """One line for a POSIX shell."""
    return shlex.join(arguments)


def _arguments(flag: str, value: Any, one_by_one: bool) -> list[str]:
    if isinstance(value, bool):
        return [flag] if value else []
    if isinstance(value, Mapping):
        texts = [f"{name}={_number(item)}" for name, item in value.items()]
    elif isinstance(value, tuple):
        texts = [str(item) for item in value]
    else:
        return [flag, _number(value)]
    if one_by_one:
        return [part for text in texts for part in (flag, text)]
    return [flag, ",".join(texts)] if texts else []


def _number(value: float | str) -> str:
    """Text that reads back as the same number."""
    return value if isinstance(value, str) else repr(value)
