"""Every game held out once: settings are compared on answers for unknown games.

    python experiments/bundled_model/crossval.py OUT

Training and validation games together are dealt into five folds; a model of four of them answers for the fifth, on
rendered pairs. Results: OUT/crossval.json, a row a setting.
"""

import argparse
import json
import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from material import Material
from powers import SongPowers
from pretrain import Settings, train
from rendered import listen_to, observe
from simulation import Windows
from skill import Heard

from neural_mastering.chance import seed_of
from neural_mastering.evaluation.statistics import cluster_interval

FOLDS = 5
DRAWS = 6
BASE = Settings()
SETTINGS = {
    "tone as it is": BASE,
    "tone 0.3 drawn anew": replace(BASE, other_tone=0.3),
    "tone all drawn anew": replace(BASE, other_tone=1.0),
}
CHOSEN = "tone as it is"


def fold_of(groups: Sequence[str]) -> dict[str, int]:
    """Games in the order of their hashes, dealt out."""
    return {g: i % FOLDS for i, g in enumerate(sorted(set(groups), key=lambda g: seed_of(0, "fold", g)))}


def without(material: Material, games: Collection[str]) -> Material:
    """The material of training and validation together, trained on all but these games."""
    songs, windows = _together(material)
    own = [i for i, song in enumerate(songs) if song.group not in games]
    return material.replaced([songs[i] for i in own], _of_songs(windows, own))


def games_by_fold(material: Material) -> list[set[str]]:
    """What each fold's model knows nothing of."""
    folds = fold_of([song.group for song in (*material.songs, *material.validation_songs)])
    return [{game for game, fold in folds.items() if fold == number} for number in range(FOLDS)]


def answers_for_unknown(
    material: Material, heard: Sequence[Heard], settings: Settings
) -> list[dict[str, Any]]:
    """`observe` for each pair, by a model that knows no song of its game."""
    seen: list[dict[str, Any]] = []
    for games in games_by_fold(material):
        model, _, _ = train(without(material, games), settings)
        seen += observe(model, [pair for pair in heard if pair.group in games])
    return seen


def summary(seen: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Skill at several strengths, with an interval over games for half strength, and the tail."""
    curve, wanted = (np.array([row[key] for row in seen]) for key in ("curve_db", "wanted_db"))
    groups = [row["group"] for row in seen]
    nothing = np.square(wanted).mean(axis=1)
    found: dict[str, Any] = {
        "pairs": len(seen),
        "games": len(set(groups)),
        "nothing_rms_db": math.sqrt(nothing.mean()),
    }
    for strength in (0.25, 0.5, 1.0):
        error = np.square(strength * curve - wanted).mean(axis=1)
        low, high = cluster_interval(1.0 - error / nothing.mean(), groups)
        found[f"{strength:g}"] = {
            "skill": 1.0 - math.sqrt(error.mean() / nothing.mean()),
            "error_energy_saved": [float(1.0 - error.mean() / nothing.mean()), low, high],
            "worse_90": float(np.quantile(np.sqrt(error / nothing), 0.9)),
        }
    best = float((curve * wanted).sum() / np.square(curve).sum())
    found["best_strength"] = best
    return found


def _together(material: Material) -> tuple[list[SongPowers], Windows]:
    a, b = material.training, material.validation
    index = torch.cat((a.index, b.index + len(material.songs)))
    return material.songs + material.validation_songs, Windows(
        torch.cat((a.features, b.features)),
        torch.cat((a.k_levels, b.k_levels)),
        torch.cat((a.song_lufs, b.song_lufs)),
        index,
        torch.cat((a.others, b.others)),
    )


def _of_songs(windows: Windows, chosen: Sequence[int]) -> Windows:
    place = torch.full((int(windows.index.max()) + 1,), -1)
    place[list(chosen)] = torch.arange(len(chosen))
    index = place[windows.index]
    keep = index >= 0
    return Windows(
        windows.features[keep],
        windows.k_levels[keep],
        windows.song_lufs[keep],
        index[keep],
        windows.others[keep],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    material = Material.of(out)
    heard = [*listen_to(out, "train", DRAWS), *listen_to(out, "validation", DRAWS)]
    results = {}
    for name, settings in SETTINGS.items():
        seen = answers_for_unknown(material, heard, settings)
        results[name] = {"settings": asdict(settings), **summary(seen)}
        (out / "crossval.json").write_text(json.dumps(results, indent=1) + "\n")
        (out / f"seen_{settings.other_tone:g}.json").write_text(json.dumps(seen))
        short = {
            k: v if isinstance(v, float) else v["skill"]
            for k, v in results[name].items()
            if k in ("0.25", "0.5", "1", "best_strength")
        }
        print(
            name,
            {k: round(v, 3) for k, v in short.items()},
            round(results[name]["0.5"]["worse_90"], 2),
            flush=True,
        )
