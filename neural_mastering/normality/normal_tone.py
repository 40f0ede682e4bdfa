"""The learned sense of what is normal: from content features to the spectrum and the kind of a finished song.

Two plain files: NAME.safetensors holds the numbers, NAME.json says what they are, whose songs they come from, and
on which terms.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_mastering.atomic import write_bytes, write_text
from neural_mastering.dsp.gaussian import Gaussian, updated
from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.errors import InputError
from neural_mastering.metering.content import Content
from neural_mastering.normality.kernel_ridge import KernelRidge, inverse_of
from neural_mastering.normality.kinds import KindModel
from neural_mastering.normality.linear_ridge import LinearRidge

Float64s = NDArray[np.float64]

FORMAT, FORMAT_VERSION = "neural_mastering normal tone", 2
DEFAULT_NAME = "normal-tone-1"

WIDEST = 0.98
"""Largest variance of a prediction in any direction, as part of that of all songs, where it sharpens a style."""

SMALLEST = 0.2
"""A song's covariance is never taken for less than this part of the mean one."""


@dataclass(frozen=True)
class NormalTone:
    """What finished songs like this one measure.

    Attributes:
        names: of the content features it reads, in order.
        regression: from features to the shape of the spectrum, third octaves less their mean over broad tone.
        covariance: (third, third) of the regression's errors on songs of unknown origin, at its mean novelty.
        spread: (floor, slope): the covariance of a song is `covariance` · (floor + slope · novelty) …
        largest: … but at most this multiple of it: far from all known songs a prediction is no worse than none.
        general: mean and covariance of all its songs, what is normal without a look at the content.
        typical_size: mean multiple of `covariance` on songs of unknown origin.
        kind_model: probabilities of kinds of music.
        about: data, measures, terms.
    """

    names: tuple[str, ...]
    regression: KernelRidge
    covariance: Float64s
    spread: tuple[float, float]
    largest: float
    general: Gaussian
    typical_size: float = 1.0
    kind_model: KindModel | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def predict(self, content: Content) -> Gaussian:
        """Mean and covariance of the spectrum of a finished song with this content, in dB.

        The shape alone, with a mean of 0 dB from 50 Hz to 12.5 kHz: the level is not predicted. Far from all songs
        it knows, the mean tends to that of all songs and the covariance grows.
        """
        features = self._features(content)
        size = self.spread[0] + self.spread[1] * float(self.regression.novelty(features)[0])
        size = min(max(size, SMALLEST), self.largest)
        mean = self.regression.predict(features)[0]
        return Gaussian.of(mean - mean[BROAD].mean(), size * self.covariance)

    def sharpen(self, prior: Gaussian, content: Content) -> Gaussian:
        """What a style says about the spectrum, together with what the content adds.

            p(t | style, content) ∝ p(t | style) · p(t | content) / p(t)

        with `predict` as p(t | content), made no wider than `general` = p(t) in any direction: else the quotient is
        no Gaussian. So `sharpen(general, content)` is `predict(content)` wherever that is the narrower.

        Args:
            prior: of the style; of any common level, which is taken out.
            content: of the song.
        """
        used = prior.known & BROAD
        level = prior.mean[used].mean() if used.any() else 0.0
        predicted = self.predict(content)
        bounded = Gaussian.of(predicted.mean, _no_wider(predicted.covariance, self.general.covariance))
        return updated(replace(prior, mean=prior.mean - level), bounded, self.general)

    def kinds(self, content: Content) -> dict[str, float]:
        """Probabilities of kinds of music, with "unsure" for what the content does not decide; they sum to 1."""
        if self.kind_model is None:
            return {"unsure": 1.0}
        return self.kind_model.probabilities(self.regression.standardised(self._features(content))[0])

    def novelty(self, content: Content) -> float:
        """How unlike all known songs this one is, near 0 to 1."""
        return float(self.regression.novelty(self._features(content))[0])

    def _features(self, content: Content) -> Float64s:
        if content.names != self.names:
            raise InputError(
                f"the features of this song ({len(content.names)}) are not those that the learned normal tone "
                f"reads ({len(self.names)}): it was made by another version of the package; learn it again"
            )
        return content.values[None]


def _no_wider(covariance: Float64s, bound: Float64s) -> Float64s:
    """C with all eigenvalues λ of C·u = λ·B·u cut to just below 1, so that C⁻¹ − B⁻¹ is positive definite."""
    import scipy.linalg  # a quarter of a second, for learning and styles only

    values, vectors = scipy.linalg.eigh(covariance, bound)
    basis = bound @ vectors
    return (basis * np.minimum(values, WIDEST)) @ basis.T


def load_normal_tone(path: str | Path | None = None) -> NormalTone:
    """Read NAME.json and the numbers beside it; by default what ships with the package.

    Raises:
        InputError: files that are missing, damaged, or of another format.
    """
    from safetensors import SafetensorError  # only where it is used
    from safetensors.numpy import load

    json_path = Path(path).with_suffix(".json") if path is not None else _bundled(DEFAULT_NAME)
    try:
        content = json.loads(json_path.read_text("utf-8"))
        data = json_path.with_suffix(".safetensors").read_bytes()
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{json_path} and its .safetensors can't be read ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{json_path} does not describe a normal tone: its format is not '{FORMAT}'")
    if content.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"{json_path} has format version {content.get('format_version')}, but this version of the package "
            f"reads {FORMAT_VERSION}: update the package, or learn it again"
        )
    if hashlib.sha256(data).hexdigest() != content.get("sha256"):
        raise InputError(
            f"{json_path.with_suffix('.safetensors')} is damaged or belongs to another {json_path.name}"
        )
    try:
        arrays = {name: value.astype(np.float64) for name, value in load(data).items()}
        return _from_arrays(arrays, content)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{json_path} is incomplete ({error}): learn it again") from error


def write_normal_tone(tone: NormalTone, path: str | Path) -> None:
    """Write NAME.json and NAME.safetensors; the same record gives the same bytes."""
    from safetensors.numpy import save  # only where it is used

    path = Path(path).with_suffix(".json")
    regression = tone.regression
    arrays = {
        "centre": regression.centre,
        "scale": regression.scale,
        "songs": regression.songs,
        "weights": regression.weights,
        "hint_weights": regression.hint.weights,
        "hint_mean": regression.hint.mean,
        "mean": regression.mean,
        "covariance": tone.covariance,
        "general_mean": tone.general.mean,
        "general_covariance": tone.general.covariance,
    }
    if tone.kind_model is not None:
        arrays |= {"kind_weights": tone.kind_model.weights, "kind_bias": tone.kind_model.bias}
    data = save({name: np.ascontiguousarray(value, dtype=np.float32) for name, value in arrays.items()})
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": path.stem,
        "sha256": hashlib.sha256(data).hexdigest(),
        "width": regression.width,
        "ridge": regression.ridge,
        "spread": list(tone.spread),
        "largest": tone.largest,
        "typical_size": tone.typical_size,
        "kinds": list(tone.kind_model.names) if tone.kind_model is not None else [],
        "about": dict(tone.about),
        "names": list(tone.names),
    }
    write_bytes(path.with_suffix(".safetensors"), data)
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _from_arrays(arrays: Mapping[str, Float64s], content: Mapping[str, Any]) -> NormalTone:
    width, ridge = float(content["width"]), float(content["ridge"])
    regression = KernelRidge(
        centre=arrays["centre"],
        scale=arrays["scale"],
        hint=LinearRidge(arrays["hint_weights"], arrays["hint_mean"]),
        songs=arrays["songs"],
        weights=arrays["weights"],
        inverse=inverse_of(arrays["songs"], width, len(arrays["centre"]), ridge),
        mean=arrays["mean"],
        width=width,
        ridge=ridge,
    )
    kinds = tuple(content["kinds"])
    floor, slope = content["spread"]
    return NormalTone(
        names=tuple(content["names"]),
        regression=regression,
        covariance=arrays["covariance"],
        spread=(float(floor), float(slope)),
        largest=float(content["largest"]),
        typical_size=float(content["typical_size"]),
        general=Gaussian.of(arrays["general_mean"], arrays["general_covariance"]),
        kind_model=KindModel(kinds, arrays["kind_weights"], arrays["kind_bias"]) if kinds else None,
        about=content["about"],
    )


def _bundled(name: str) -> Path:
    return Path(str(files("neural_mastering.assets").joinpath("normality", f"{name}.json")))
