"""What a checkpoint is, as text or as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from neural_mastering.evaluation.run_info import RunInfo, read_run
from neural_mastering.models import MasteringModel, load_model
from neural_mastering.models.preset_sheet import control_lines, parameters_by_part, processors

_SHOWN = ("seed", "sample_rate", "z_size", "init_from", "metric")


@dataclass(frozen=True)
class Inspection:
    """A checkpoint's run and its rebuilt model."""

    run: RunInfo
    model: MasteringModel

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        run = self.run
        parameters = parameters_by_part(self.model)
        return {
            "checkpoint": str(run.checkpoint),
            "run_folder": None if run.folder is None else str(run.folder),
            "phase": run.phase,
            "phase_name": run.phase_name,
            "epoch": None if run.is_bundle else run.epoch,
            "step": None if run.is_bundle else run.step,
            "bundle": {"confidence": asdict(run.confidence), "about": dict(run.about)}
            if run.confidence
            else None,
            "version": run.version,
            "sample_rate_hz": self.model.sample_rate,
            "parameters": {**parameters, "total": sum(parameters.values())},
            "controls": [vars(line) for device in processors(self.model) for line in control_lines(device)],
            "data": _data(run),
            "training": _training(run),
            "model_config": run.model_config,
        }

    def as_text(self) -> str:
        """For the terminal."""
        run = self.run
        parameters = parameters_by_part(self.model)
        total = sum(parameters.values())
        lines = [
            *_heading(run),
            "",
            "Model",
            str(self.model),
            "",
            "Parameters",
            *(f"  {name:14}{count:>12,}" for name, count in parameters.items()),
            f"  {'total':14}{total:>12,}",
            "",
            "Trained on",
            *_indented(_data(run) or {"": _UNKNOWN["data", run.is_bundle]}),
            "",
            "Training",
            *_indented(_training(run) or {"": _UNKNOWN["training", run.is_bundle]}),
            "",
            "Configuration of the model",
            *(f"  {line}" for line in _yaml(run.model_config)),
        ]
        return "\n".join(lines)


def inspect_checkpoint(path: str | Path) -> Inspection:
    """Read a run folder, a checkpoint or a bundle and rebuild its model.

    Raises:
        BundleError: a bundle whose files are damaged or don't belong together.
        CheckpointError: nothing there, or not a checkpoint of this package.
    """
    run = read_run(path)
    return Inspection(run, load_model(run.checkpoint))


_UNKNOWN = {
    ("data", False): "unknown: the run folder holds no splits.json and no config.yaml",
    ("data", True): "unknown: the bundle does not say",
    ("training", False): "unknown: there is no config.yaml beside the checkpoint",
    ("training", True): "unknown: the bundle does not say",
}


def _heading(run: RunInfo) -> list[str]:
    if not run.is_bundle:
        return [
            f"checkpoint    {run.checkpoint}",
            f"phase         {run.phase} ({run.phase_name}), epoch {run.epoch}, step {run.step}, written by version "
            f"{run.version}",
        ]
    lines = [
        f"bundle        {run.name}: {run.checkpoint}",
        f"phase         {run.phase} (by its parts), written by version {run.version}",
        f"confidence    {run.trusted}: the equaliser's decibels times scale · m²/(m² + d² + doubt²),",
        "              m the move that a song's windows have in common, d their differences from it, in dB",
    ]
    return lines + [f"{key:14}{run.about[key]}" for key in ("terms", "card", "recipe") if run.about.get(key)]


def _data(run: RunInfo) -> dict[str, Any]:
    found: dict[str, Any] = {}
    songs = run.about.get("songs")
    for split, groups in songs.items() if isinstance(songs, Mapping) else ():
        if isinstance(groups, Mapping):
            found[split] = f"{sum(groups.values())} songs in {len(groups)} groups: {', '.join(groups)}"
    if run.uses_demo:
        found["root"] = "the bundled demo pairs"
    elif run.data_root is not None:
        found["root"] = run.data_root
    if run.songs is not None:
        for split, songs in run.songs.items():
            found[split] = f"{len(songs)} songs in {len(set(songs.values()))} groups"
    for key in ("segment_s", "batch_size", "seed", "validation_fraction", "test_fraction"):
        if key in run.data:
            found[key] = run.data[key]
    if run.data.get("augment"):
        found["augment"] = run.data["augment"]
    return found


def _training(run: RunInfo) -> dict[str, Any]:
    settings = run.about.get("settings")
    found = dict(settings) if isinstance(settings, Mapping) else {}
    found |= {key: run.config[key] for key in _SHOWN if run.config.get(key) is not None}
    for part in ("optimizer", "scheduler"):
        node = run.config.get(part) or {}
        if "_target_" in node:
            settings = ", ".join(f"{k} {v}" for k, v in node.items() if not k.startswith("_"))
            found[part] = f"{str(node['_target_']).rpartition('.')[2]}" + (
                f" ({settings})" if settings else ""
            )
    trainer = run.config.get("trainer") or {}
    if trainer.get("max_epochs") is not None:
        found["max_epochs"] = trainer["max_epochs"]
    terms = ((run.config.get("loss") or {}).get("terms")) or {}
    weights = {name: term.get("weight") for name, term in terms.items() if isinstance(term, Mapping)}
    if weights:
        found["loss"] = ", ".join(
            f"{weight:g} {name}" for name, weight in weights.items() if weight is not None
        )
    return found


def _indented(values: Mapping[str, Any]) -> list[str]:
    return [
        f"  {key + ' ' if key else '':22}{value}" if key else f"  {value}" for key, value in values.items()
    ]


def _yaml(config: Mapping[str, Any]) -> list[str]:
    return yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True, width=100).splitlines()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value
