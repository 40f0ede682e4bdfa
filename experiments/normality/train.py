"""The learned normal tone from the songs whose licence allows it, as the package ships it.

    python -m experiments.normality.train MUSIC OUT [--to neural_mastering/assets/normality/normal-tone-1]

Songs of the test's packages, songs bundled as demos, and works that the test's packages also hold are left out.
Spectra are learned from full-band songs alone; kinds from all.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common.command_line import parser_of
from experiments.common.normal_tone.calibration import coverage
from experiments.common.normal_tone.measured_songs import Songs, full_band
from experiments.common.normal_tone.prediction import Learned, learn
from experiments.common.normal_tone.regression import r_squared
from experiments.common.paths import ROOT
from experiments.normality.kinds import calibrated, labels
from experiments.normality.songs import load, terms
from neural_mastering.normality import NormalTone, write_normal_tone

NAME = "normal-tone-1"
TO = ROOT / "neural_mastering" / "assets" / "normality" / NAME

TWICE = (("supertuxkart-data", "beneath_the_rabbit_hole"), ("flare-game", "battle_theme"))
"""Works that a package of the test holds as well: found by their features, which agree to 0.1 of their spread."""


def training_songs(songs: Songs) -> Songs:
    """All songs that may be learned from in a study."""
    twice = np.array([(str(p), str(n)) in TWICE for p, n in zip(songs.package, songs.name, strict=True)])
    return songs.of(~songs.is_test & ~twice)


def make(songs: Songs, works: list[dict[str, str]]) -> NormalTone:
    """The record from songs that may go into weights."""
    full = songs.of(full_band(songs))
    learned = learn(full)
    kind = labels(songs)
    labelled = kind != ""
    standardised = learned.regression.standardised(songs.features)
    kind_model, temperature, accuracy, loss = calibrated(
        standardised[labelled], kind[labelled], songs.package[labelled]
    )
    calibration = learned.calibration
    about = {
        "terms": "CC BY-SA 4.0",
        "recipe": "experiments/normality",
        "listened": "nobody listened to the songs; kinds come from titles and packages",
        "measured": {
            "r_squared": _rounded(r_squared(learned.predicted, learned.plain, learned.shape)),
            "how": "each package predicted by the others; third octaves from 50 Hz to 12.5 kHz less their mean",
            "calibration": {k: _rounded(v) for k, v in _coverage(learned).items()},
            "kinds": {
                "songs": {name: int((kind == name).sum()) for name in kind_model.names},
                "temperature": _rounded(temperature),
                "balanced_accuracy": _rounded(accuracy),
                "log_loss": _rounded(loss),
                "log_loss_of_chance": _rounded(float(np.log(len(kind_model.names)))),
            },
        },
        "songs": len(songs),
        "full_band": "spectra are learned from the songs that reach 16 kHz and are louder than −20 LUFS",
        "full_band_songs": len(full),
        "packages": {str(p): int((songs.package == p).sum()) for p in np.unique(songs.package)},
        "works": works,
    }
    return NormalTone(
        names=songs.names,
        regression=learned.regression,
        covariance=calibration.covariance,
        spread=(calibration.floor, calibration.slope),
        largest=calibration.largest,
        general=learned.general,
        typical_size=float(calibration.size(learned.novelty).mean()),
        kind_model=kind_model,
        about=about,
    )


def _coverage(learned: Learned) -> dict[str, float]:
    residual: NDArray[np.float64] = learned.shape - learned.predicted
    return coverage(residual, learned.calibration.gaussians(learned.predicted, learned.novelty))


def _rounded(value: float) -> float:
    return round(float(value), 3)


def main() -> None:
    """Train and write."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--to", type=Path, default=TO)
    arguments = parser.parse_args()
    songs = training_songs(load(arguments.music, arguments.out))
    songs = songs.of(songs.is_simple)
    tone = make(songs, terms(arguments.music, songs))
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    write_normal_tone(tone, arguments.to)
    measured: Any = tone.about["measured"]
    sys.stdout.write(f"{len(songs)} songs of {len(tone.about['packages'])} packages: {measured}\n")


if __name__ == "__main__":
    main()
