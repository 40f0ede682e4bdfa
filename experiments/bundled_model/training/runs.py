"""Pretraining runs whose results are lines of JSON in OUT/study; what is there is not run again."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from experiments.bundled_model.features.analysis import AnalysedExcerpt, analysed_excerpts
from experiments.bundled_model.features.material import Material
from experiments.bundled_model.training.pretrain import train
from experiments.bundled_model.training.settings import Settings
from neural_mastering.models import MasteringModel

DRAWS = 6
"""Degradations of each validation excerpt that a run is scored on."""
Keep = Callable[[MasteringModel, dict[str, Any], dict[str, Any], Settings], object]


class Job(NamedTuple):
    """One run: preset of the degradation (`mix` is the recipe's own) and settings."""

    preset: str
    settings: Settings


def run_jobs(name: str, jobs: Iterable[Job], out: Path, keep: Keep | None = None) -> None:
    """Train each job and append what was measured to OUT/study/NAME.jsonl.

    Args:
        name: of the study.
        jobs: to run, except those in the file.
        out: folder of the recipe.
        keep: is given each model, its configuration, what was measured, and the settings.
    """
    path = out / "study" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    seen = {(row["preset"], json.dumps(row["settings"])) for row in done}
    rendered: dict[str, list[AnalysedExcerpt]] = {}
    for preset, settings in jobs:
        if (preset, json.dumps(asdict(settings))) in seen:
            continue
        material = Material.of(out, preset, settings.window_s)
        if preset not in rendered:
            rendered[preset] = analysed_excerpts(out, "validation", DRAWS, preset)
        model, config, measured = train(material, settings, rendered[preset])
        measured["preset"] = preset
        if keep is not None:
            keep(model, config, measured, settings)
        with path.open("a") as handle:
            handle.write(json.dumps(measured) + "\n")
        keys = ("skill", "rendered_skill", "rendered_skill_half")
        history = [tuple(round(found[key], 3) for key in keys) for found in measured["history"][1::2]]
        changed = {k: v for k, v in asdict(settings).items() if v != asdict(Settings())[k]}
        print(preset, changed, history, measured["seconds"], flush=True)


def with_seeds(base: Settings, count: int) -> list[Settings]:
    """The same settings with the seeds from 0 on."""
    return [replace(base, seed=seed) for seed in range(count)]
