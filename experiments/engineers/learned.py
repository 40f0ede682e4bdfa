"""The library's learner (`neural_mastering.learning`) as a system of the study."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from experiments.engineers.cache import Mix, stereo_middle
from experiments.engineers.pairs import Pair
from experiments.engineers.systems import Guess, Learned, System
from neural_mastering.atomic import write_text
from neural_mastering.chance import seed_of
from neural_mastering.engineer.measurement_file import VERSION
from neural_mastering.learning import MasterMove, PairMeasurement, SongFeatures, measure_features
from neural_mastering.learning.validated_fit import fit_validated
from neural_mastering.metering.content import Content
from neural_mastering.metering.texture import Texture

NAME = "learned engineer"
_VECTORS = ("levels_db", "filled", "side_db", "crest_db")
_NUMBERS = ("loudness_lufs", "plr_db", "lra_lu", "width_db", "correlation", "true_peak_db", "seconds")


def features_of(mix: Mix, out: Path, crop_s: float | None = None) -> SongFeatures:
    """Read OUT/features_VERSION/PACKAGE/NAME.json, or measure and write it.

    Args:
        mix: the song.
        out: where features are kept.
        crop_s: measure so many seconds alone, at a place that the song's name decides.
    """
    folder = f"features_{VERSION}" + ("" if crop_s is None else f"_{crop_s:g}s")
    file = out / folder / f"{mix.song.key}.json"
    if not file.exists():
        audio, rate = stereo_middle(mix.song.path)
        if crop_s is not None:
            length = round(crop_s * rate)
            start = seed_of("crop", mix.song.package, mix.song.name) % max(len(audio) - length, 1)
            audio = audio[start : start + length]
        write_features(file, measure_features((np.ascontiguousarray(audio.T), rate), mix.song.name))
    held = json.loads(file.read_text("utf-8"))
    levels_db, filled, side_db, crest_db = (np.array(held[name], dtype=np.float64) for name in _VECTORS)
    return SongFeatures(
        content=Content(tuple(held["content"]), np.array([*held["content"].values()]), held["seconds"]),
        texture=Texture(np.array(held["density"]), np.array(held["fluctuation_db"])),
        levels_db=levels_db,
        filled=filled > 0.5,
        side_db=side_db,
        crest_db=crest_db,
        **{name: held[name] for name in _NUMBERS},
    )


def write_features(file: Path, song: SongFeatures) -> None:
    """Keep what was measured; an unknown number is null."""
    plain: dict[str, object] = {
        "content": dict(zip(song.content.names, song.content.values.tolist(), strict=True))
    }
    for name in _VECTORS:
        values = getattr(song, name).astype(float)
        plain[name] = [float(v) if np.isfinite(v) else None for v in values]
    plain |= {name: float(getattr(song, name)) for name in _NUMBERS}
    plain |= {
        "density": song.texture.density.tolist(),
        "fluctuation_db": song.texture.fluctuation_db.tolist(),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(plain) + "\n")


def measurement_of(pair: Pair, out: Path) -> PairMeasurement:
    """A pair as the learner gets it: its own features of the mix, and the move of the study."""
    features, level = features_of(pair.mix, out), pair.level
    move = MasterMove(
        curve_db=pair.given_db,
        known=features.filled,
        loudness_lufs=level.loudness_lufs,
        plr_db=level.plr_db,
        lra_lu=level.lra_lu,
        width_db=features.width_db + pair.side_db,
        true_peak_db=level.loudness_lufs + level.plr_db,
    )
    return PairMeasurement(pair.mix.song.key, features, move)


Changed = Callable[[Pair, PairMeasurement], PairMeasurement]


def learner(
    out: Path,
    changed: Changed = lambda _, measured: measured,
    heard: Callable[[SongFeatures], SongFeatures] = lambda features: features,
) -> System:
    """What `nm-learn` does: `neural_mastering.learning.validated_fit`, and `predict`.

    Args:
        out: where features are kept.
        changed: what an ablation makes of each pair …
        heard: … and of the features of a song to be guessed.
    """

    def learn(pairs: Sequence[Pair]) -> Learned:
        measured = [changed(pair, measurement_of(pair, out)) for pair in pairs]
        engineer = fit_validated(measured, [pair.mix.song.package for pair in pairs]).engineer

        def guess(mix: Mix) -> Guess:
            features = features_of(mix, out)
            found = engineer.predict(heard(features))
            return Guess(
                found.curve_db,
                found.loudness_lufs,
                found.plr_db,
                found.lra_lu,
                found.width_db - features.width_db,
            )

        return guess

    return learn
