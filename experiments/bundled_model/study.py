"""What can be learned: a search over settings, learning curves, windows, degradations. Each run is a line of JSON.

python experiments/bundled_model/study.py search OUT
"""

import argparse
import itertools
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from material import Material
from pretrain import Settings, save, train
from rendered import listen_to
from simulation import Filters, Windows
from torch import Tensor

BASE = Settings()


def search() -> Iterable[tuple[str, float, Settings]]:
    """Around the base: how much of a song's tone is drawn anew, weight decay, dropout."""
    for tone, dropout, lr in itertools.product((0.1, 0.3, 0.6), (0.1, 0.4), (1e-3,)):
        yield (
            "mix",
            5.0,
            replace(BASE, other_tone=tone, lr=lr, overrides=(f"model.eq_head.dropout={dropout}",)),
        )
    yield "mix", 5.0, replace(BASE, lr=3e-4)
    yield "mix", 5.0, replace(BASE, weight_decay=1.0)
    yield "mix", 5.0, replace(BASE, overrides=("model.eq_head.eq.bands=5",))
    yield "mix", 5.0, replace(BASE, overrides=("z_size=32", "model.eq_head.hidden_size=32"))


def finalists() -> Iterable[tuple[str, float, Settings]]:
    """The base with three seeds."""
    for seed in range(3):
        yield "mix", 5.0, replace(BASE, seed=seed)


def songs() -> Iterable[tuple[str, float, Settings]]:
    """Learning curve: so many songs, drawn anew with each seed."""
    for count, seed in itertools.product((12, 25, 50, 100), range(2)):
        yield "mix", 5.0, replace(BASE, songs=count, seed=seed)


def windows() -> Iterable[tuple[str, float, Settings]]:
    """Length of what is heard at once."""
    for window_s in (20.0, 60.0):
        yield "mix", window_s, BASE


def degradations() -> Iterable[tuple[str, float, Settings]]:
    """The presets of nm-data degrade: trained and scored on each."""
    for preset in ("light", "medium", "heavy"):
        yield preset, 5.0, BASE


def run(name: str, jobs: Iterable[tuple[str, float, Settings]], out: Path) -> None:
    """Train each job and append what was measured to OUT/study/NAME.jsonl; jobs in the file are not done again."""
    path = out / "study" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    seen = {(row["preset"], json.dumps(row["settings"])) for row in done}
    heard = {}
    for preset, window_s, settings in jobs:
        settings = replace(settings, window_s=window_s)
        if (preset, json.dumps(asdict(settings))) in seen:
            continue
        material = Material.of(out, preset, window_s)
        if preset not in heard:
            heard[preset] = listen_to(out, "validation", 6, preset)
        model, config, measured = train(material, settings, heard[preset])
        measured["preset"] = preset
        if name == "finalists":
            save(model, config, measured, out / "runs" / f"pretrained_{settings.seed}")
        with path.open("a") as handle:
            handle.write(json.dumps(measured) + "\n")
        print(
            preset,
            window_s,
            settings.songs,
            settings.seed,
            settings.other_tone,
            settings.weight_decay,
            settings.overrides,
            [
                (round(h["skill"], 3), round(h["rendered_skill"], 3), round(h["rendered_skill_half"], 3))
                for h in measured["history"][1::2]
            ],
            measured["seconds"],
            flush=True,
        )


def controls(out: Path) -> None:
    """What can be heard of width and dynamics: a ridge regression on the same features, scored on other games."""
    material = Material.of(out)
    filters, checks = material.filters, material.checks
    found = {}
    generator = torch.Generator().manual_seed(0)

    def rows(windows: Windows, drawn: Filters) -> Tensor:
        draws = torch.randint(drawn.curve_db.shape[0], (len(windows),), generator=generator)
        return material.simulator.filtered(windows.features, windows.k_levels, drawn.bands_db[draws])

    x, y = rows(material.training, filters), material.training.others
    mean, scale, middle = x.mean(dim=0), x.std(dim=0) + 1e-3, y.mean(dim=0)
    z = (x - mean) / scale
    other, wanted = (rows(material.validation, checks) - mean) / scale, material.validation.others
    for strength in (10.0, 100.0, 1000.0, 10_000.0):
        weights = torch.linalg.solve(z.T @ z + strength * torch.eye(z.shape[1]), z.T @ (y - middle))
        error = (other @ weights + middle - wanted).square().mean(dim=0)
        nothing = (middle - wanted).square().mean(dim=0)
        names = ("width in dB", "upward ratio", "downward ratio")
        found[strength] = {
            n: float(1.0 - (e / v).sqrt()) for n, e, v in zip(names, error, nothing, strict=True)
        }
        print(strength, {name: round(value, 3) for name, value in found[strength].items()})
    (out / "study").mkdir(exist_ok=True)
    (out / "study" / "controls.json").write_text(json.dumps(found, indent=1) + "\n")


STUDIES = {
    "search": search,
    "finalists": finalists,
    "songs": songs,
    "windows": windows,
    "degradations": degradations,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=[*STUDIES, "controls"])
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.what == "controls":
        controls(arguments.out)
    else:
        run(arguments.what, STUDIES[arguments.what](), arguments.out)
