"""Words that stand for settings of the compressor; their evidence is low and said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from neural_mastering.words.table import Source

PREFIX = "compressor."
"""Before a preset's name where the name is also a word of the equaliser: compressor.smooth."""


@dataclass(frozen=True)
class CompressorPreset:
    """Settings of `processors.Compressor` for a word.

    Attributes:
        name: lower case.
        about: what it does, in words.
        n: settings in the data.
        users: people, None where it is not known.
        controls: physical controls but for the mix, which is the strength; threshold relative to the loudness.
    """

    name: str
    about: str
    n: int
    users: int | None
    controls: Mapping[str, float]

    def stage(self, strength: float, input_lufs: float) -> dict[str, float]:
        """Controls of the chain's compressor stage at a strength from 0 to 1.

        Args:
            strength: mix of the compressed signal.
            input_lufs: loudness of the song where the compressor stands.
        """
        settings = {"sidechain_hz": 0.0, "link_max": 0.0, "input_lufs": input_lufs}
        return {**self.controls, "makeup_db": 0.0, "mix": strength, **settings}


@cache
def compressor_presets() -> Mapping[str, CompressorPreset]:
    """The presets by name."""
    return {name: _preset(name, entry) for name, entry in _tree()["presets"].items()}


@cache
def preset_source() -> Source:
    """Where the presets' evidence comes from."""
    return Source(**_tree()["source"])


def _tree() -> dict:
    text = files("neural_mastering.assets").joinpath("word_presets.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def _preset(name: str, entry: Mapping) -> CompressorPreset:
    known = ("about", "n", "users")
    controls = {key: float(value) for key, value in entry.items() if key not in known}
    return CompressorPreset(name, entry["about"], entry["n"], entry["users"], controls)
