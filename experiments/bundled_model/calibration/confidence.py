"""How near a song comes to its master at each strength of a model's equaliser, and which confidence follows.

    python -m experiments.bundled_model.calibration.confidence OUT [--models NAME …] [--presets NAME …]

Each excerpt is judged by the model of `finetune --folds` that knows no song of its game. Of 30 s that the model
analyses, 8 s in the middle are rendered at each strength and compared with what they were, at its loudness: the
MR-STFT of nm-eval. The confidence with the least mean is taken among those at which nine songs of ten come out at
most 5 % worse than untouched, by mix.yaml; of the models, the one with the lower mean is chosen. What that does to
excerpts degraded by other presets stands beside it, and so does what is safe by all of them. Results:
OUT/strengths_PRESET.json, OUT/confidence.json.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.bundled_model.features.analysis import AnalysedExcerpt, analysed_excerpts
from experiments.bundled_model.features.degraded_excerpts import DegradedExcerpt, degraded_excerpts
from experiments.bundled_model.features.material import Material, preset_of
from experiments.bundled_model.features.mel_powers import RATE
from experiments.bundled_model.training.folds import games_by_fold
from experiments.bundled_model.training.skill import predict, predicted_curves
from experiments.common.command_line import parser_of
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.metrics.multi_resolution_stft import multi_resolution_stft
from neural_mastering.models import Confidence, MasteringModel, load_model
from neural_mastering.units import db_to_gain

STRENGTHS = (0.0, 0.1, 0.2, 0.35, 0.55, 0.75, 1.0)
SECONDS = 8.0
WORSE, QUANTILE = 1.05, 0.9
SCALES = tuple(round(0.05 * i, 2) for i in range(1, 21))
DOUBTS_DB = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
DRAWS = 3


@dataclass(frozen=True)
class Row:
    """One pair and model: what the model makes of it, and MR-STFT at each of STRENGTHS."""

    model: str
    group: str
    song: str
    draw: int
    move_db: float
    spread_db: float
    mr_stft: list[float]


@torch.no_grad()
def at_strengths(
    model: MasteringModel, excerpt: DegradedExcerpt, analysed: AnalysedExcerpt
) -> tuple[float, float, list[float]]:
    """The move, the spread, and MR-STFT at the target's loudness at each strength."""
    ((_, move_db, spread_db),) = predicted_curves(model, [analysed])
    level = torch.full((len(analysed.power),), analysed.lufs)
    eq = model.eq_head.decode(predict(model, analysed.features, level).mean(analysed.power)).eq
    count = min(round(SECONDS * RATE), excerpt.audio.shape[-1])
    start = (excerpt.audio.shape[-1] - count) // 2
    target, own = (audio[None, :, start : start + count] for audio in (excerpt.target, excerpt.audio))
    lufs = float(integrated_loudness(target, RATE))
    found = []
    for strength in STRENGTHS:
        made = model.eq_head.eq(own, **{**eq, "gain_db": strength * eq["gain_db"]})
        reached = float(integrated_loudness(made, RATE))
        found.append(float(multi_resolution_stft(made * db_to_gain(lufs - reached), target)))
    return move_db, spread_db, found


def measure(out: Path, preset: str, names: list[str]) -> list[Row]:
    """Rows of all pairs by the models of their folds; rows in the file are not measured again."""
    path = out / f"strengths_{preset}.json"
    rows = [Row(**row) for row in json.loads(path.read_text())] if path.is_file() else []
    names = [name for name in names if all(row.model != name for row in rows)]
    if not names:
        return rows
    fold_of = {game: i for i, games in enumerate(games_by_fold(Material.of(out))) for game in games}
    count = 1 + max(fold_of.values())
    models = {
        name: [load_model(out / "folds" / f"{fold}" / name).eval() for fold in range(count)] for name in names
    }
    for split in ("train", "validation"):
        analysed = analysed_excerpts(out, split, DRAWS, preset)
        excerpts = degraded_excerpts(out, split, DRAWS, preset_of(preset))
        for excerpt, found in zip(excerpts, analysed, strict=True):
            for name in names:
                measured = at_strengths(models[name][fold_of[found.group]], excerpt, found)
                rows.append(Row(name, found.group, found.song, excerpt.draw, *measured))
    path.write_text(json.dumps([asdict(row) for row in rows]) + "\n")
    return rows


def followed(rows: list[Row], confidence: Confidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """MR-STFT of each row with the confidence (straight lines between strengths), of doing nothing; strengths."""
    strength = np.array([confidence.of(row.move_db, row.spread_db) for row in rows])
    own = np.array([np.interp(s, STRENGTHS, row.mr_stft) for s, row in zip(strength, rows, strict=True)])
    return own, np.array([row.mr_stft[0] for row in rows]), strength


def fit(by_preset: dict[str, list[Row]], safe_by: Sequence[str] = ("mix",)) -> dict[str, Any]:
    """The confidence with the least mean by the first preset, of those safe by all presets of `safe_by`."""
    table = []
    for doubt_db in DOUBTS_DB:
        for scale in SCALES:
            found: dict[str, Any] = {"scale": scale, "doubt_db": doubt_db}
            for preset, rows in by_preset.items():
                own, nothing, strength = followed(rows, Confidence(scale, doubt_db))
                ratio = own / nothing
                found[preset] = {
                    "change": float(own.mean() / nothing.mean() - 1.0),
                    "median": float(np.median(ratio)),
                    "worse_90": float(np.quantile(ratio, QUANTILE)),
                    "worst": float(ratio.max()),
                    "used": float(strength.mean()),
                }
            table.append(found)
    safe = [row for row in table if all(row[preset]["worse_90"] <= WORSE for preset in safe_by)]
    first = next(iter(by_preset))
    return min(safe, key=lambda row: row[first]["change"])


def main() -> None:
    """Measure all pairs at all strengths, fit the confidence of each model, choose the model."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--models", nargs="+", default=["pretrained", "tuned"])
    parser.add_argument("--presets", nargs="+", default=["mix", "medium"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    by_model: dict[str, dict[str, list[Row]]] = defaultdict(dict)
    for preset in arguments.presets:
        for row in measure(arguments.out, preset, arguments.models):
            by_model[row.model].setdefault(preset, []).append(row)
    fitted = {name: fit(rows) for name, rows in by_model.items()}
    safest = {name: fit(rows, tuple(rows)) for name, rows in by_model.items()}
    seen = [row for rows in by_model.values() for row in rows[arguments.presets[0]]]
    result = {
        "chosen": min(fitted, key=lambda name: fitted[name][arguments.presets[0]]["change"]),
        "models": fitted,
        "safe_by_all_presets": safest,
        "pairs": len(seen) // len(by_model),
        "games": len({row.group for row in seen}),
    }
    (arguments.out / "confidence.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
