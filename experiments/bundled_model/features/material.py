"""Windows and filters of a preset, computed once for many runs."""

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from experiments.bundled_model.features.mel_powers import SongMelPowers, load
from experiments.bundled_model.features.simulation import Simulator
from experiments.bundled_model.features.windows import Windows
from experiments.bundled_model.paths import MIX
from experiments.common.csv_files import read_rows
from neural_mastering.chance import seed_of
from neural_mastering.config.compose import compose
from neural_mastering.config.schema import validated
from neural_mastering.data.degradation import DegradationPreset, load_preset
from neural_mastering.models import build
from neural_mastering.models.encoders import LogMel

FILTERS = 20_000
VARIANTS = 3


class Material:
    """Windows and filters of a preset, computed once for many runs."""

    def __init__(
        self,
        training: Sequence[SongMelPowers],
        validation: Sequence[SongMelPowers],
        preset: DegradationPreset,
        window_s: float,
    ) -> None:
        encoder = build(model_config()).encoder
        self.preset, self.window_s = preset, window_s
        self.simulator = Simulator(encoder, preset)
        self.songs, self.validation_songs = [_light(s) for s in training], [_light(s) for s in validation]
        self.training = self.simulator.windows(training, window_s, VARIANTS, 0)
        self.validation = self.simulator.windows(validation, window_s, 1, 1)
        self.filters = self.simulator.filters([seed_of(0, "filters", i) for i in range(FILTERS)])
        self.checks = self.simulator.filters([seed_of(0, "checks", i) for i in range(64)])

    @staticmethod
    def of(out: Path, preset: str = "mix", window_s: float = 5.0) -> "Material":
        """The material of a folder made by `collect`, kept in a file until its songs change."""
        encoder = build(model_config()).encoder
        works = (out / "works.csv").read_text("utf-8").splitlines()
        names = [line for line in works if ",test," not in line]
        recipe = MIX.read_text("utf-8")
        key = hashlib.sha256(f"6{names}{recipe}{preset}{window_s}".encode()).hexdigest()[:12]
        kept = out / "material" / f"{preset}_{window_s:g}s_{key}.pt"
        if kept.is_file():
            return torch.load(kept, weights_only=False)  # a file of our own, made by the lines below
        material = Material(
            songs_of(out, "train", encoder), songs_of(out, "validation", encoder), preset_of(preset), window_s
        )
        kept.parent.mkdir(parents=True, exist_ok=True)
        torch.save(material, kept)
        return material

    def replaced(self, songs: Sequence[SongMelPowers], windows: Windows) -> "Material":
        """The same with other training songs."""
        other = copy.copy(self)
        other.songs, other.training = list(songs), windows
        return other

    def subset(self, count: int, seed: int) -> tuple[list[SongMelPowers], Windows]:
        """So many songs, drawn with the seed, and their windows; all for 0."""
        if not count or count >= len(self.songs):
            return self.songs, self.training
        order = sorted(range(len(self.songs)), key=lambda i: seed_of(seed, "subset", self.songs[i].name))[
            :count
        ]
        return [self.songs[i] for i in order], self.training.of_songs(order)


def model_config(overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The plain configuration of the model in conf/experiment/bundled.yaml."""
    config = validated(compose(["+experiment=bundled", "data.root=unused", *overrides]))
    return dict(config.model)


def preset_of(name: str) -> DegradationPreset:
    """mix.yaml of the recipe, or a preset by name."""
    return load_preset(MIX if name == "mix" else name)


def songs_of(out: Path, split: str, encoder: LogMel) -> list[SongMelPowers]:
    """Mel powers of all songs of a split, measured where that has not happened yet."""
    rows = [row for row in read_rows(out / "works.csv") if row["split"] == split]
    return [
        load(
            out / "music" / row["file"],
            encoder,
            out / "mel_powers",
            f"{row['group']}__{Path(row['file']).stem}",
            row["group"],
        )
        for row in rows
    ]


def _light(song: SongMelPowers) -> SongMelPowers:
    """The song with its mean powers only, which is what `Tones` asks for."""
    nothing = torch.zeros(0)
    mid, side = song.mid.mean(dim=-1, keepdim=True), song.side.mean(dim=-1, keepdim=True)
    return replace(song, mid=mid, side=side, cross=nothing, peak=nothing, power=nothing, k_power=nothing)
