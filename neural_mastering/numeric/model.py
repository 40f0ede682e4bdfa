"""A model that numpy runs: windows of a song → logits → controls in physical units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from neural_mastering.controls import Bands
from neural_mastering.dsp.rbj import Float64s
from neural_mastering.metering.meter import Meter
from neural_mastering.numeric.bundle_file import Bundle, BundleError, read_weights_file
from neural_mastering.numeric.confidence import (
    HIGH_HZ,
    LOW_HZ,
    POINTS,
    Confidence,
    ConfidenceEstimate,
    move_and_spread_db,
)
from neural_mastering.numeric.description import Description, description_of
from neural_mastering.numeric.log_mel import features_of, log_mel_powers
from neural_mastering.numeric.operations import Tensors, run_operations
from neural_mastering.units import db_to_power

_OPEN_BELOW = (
    2.0 / 3.0 * math.log(0.1 / 1.1)
)  # P(open) ≥ ½ from this ln α on; see `models.blocks.hard_concrete`


@dataclass(frozen=True)
class AnalysedWindow:
    """What is kept of one window of a song.

    Attributes:
        lufs: its loudness, `silence_lufs` at the least.
        long_term: (feature,) features of the whole window.
        frames: (feature, frame); empty where the model reads none.
    """

    lufs: float
    long_term: Float64s
    frames: Float64s


@dataclass(frozen=True)
class Logits:
    """Network numbers, a row for each window or one for the song: (row, eq), (row, 1), (row, band)."""

    eq: Float64s
    gain: Float64s
    gates: Float64s


@dataclass(frozen=True)
class NumericModel:
    """A description and its weights.

    Attributes:
        description: what to compute.
        tensors: weights by name.
    """

    description: Description
    tensors: Tensors = field(repr=False)

    @property
    def sample_rate(self) -> float:
        """The rate in Hz at which the model listens and its controls are meant."""
        return self.description.features.sample_rate

    def analyse_window(self, audio: NDArray[np.floating]) -> AnalysedWindow:
        """Measure one window (channel, time) and take its features at the loudness of the analysis."""
        d = self.description
        meter = Meter(round(self.sample_rate), len(audio), with_true_peak=False)
        meter.push(np.ascontiguousarray(audio, np.float64))
        lufs = max(meter.finish().lufs, d.silence_lufs)
        gain_db = d.analysis_lufs - lufs if lufs > d.silence_lufs else 0.0
        frames, long_term = features_of(d.features, log_mel_powers(d.features, audio), gain_db)
        # a view would keep all of the frames
        return AnalysedWindow(lufs, long_term, frames if d.reads_frames else frames[:, :0].copy())

    def logits(self, windows: Sequence[AnalysedWindow], lufs: float) -> Logits:
        """What each window asks for, in a song of so many LUFS."""
        d, rows = self.description, len(windows)
        told = (max(lufs, d.silence_lufs) - d.level[0]) / d.level[1]
        inputs = {
            "long_term": np.stack([window.long_term for window in windows]),
            "level": np.full((rows, 1), told),
        }
        if d.reads_frames:
            parts = [
                self._run({**self._row(inputs, i), "frames": w.frames[None]}) for i, w in enumerate(windows)
            ]
            return Logits(
                np.concatenate([part.eq for part in parts]),
                np.concatenate([part.gain for part in parts]),
                np.concatenate([part.gates for part in parts]),
            )
        return self._run(inputs)

    def pooled(self, windows: Sequence[AnalysedWindow], logits: Logits) -> Logits:
        """One row for the song: the mean of its windows, weighted by their power."""
        share = self._power(windows)
        share = (share / share.sum())[None]
        return Logits(share @ logits.eq, share @ logits.gain, share @ logits.gates)

    def bands(self, logits: Logits, row: int = 0) -> Bands:
        """The equaliser that a row asks for; bands that are switched off have exactly 0 dB."""
        values, start = {}, 0
        for control in self.description.eq:
            stop = start + len(control.low)
            values[control.key] = control.of(logits.eq[row, start:stop])
            start = stop
        gain_db = values["gain_db"] * self._gates(logits.gates[row])
        return Bands(self.description.kinds, values["frequency_hz"], gain_db, values["q"])

    def gain_db(self, logits: Logits) -> float:
        """The broadband gain of the first row."""
        return float(self.description.gain.of(logits.gain[0])[0])

    def estimate(
        self, confidence: Confidence, windows: Sequence[AnalysedWindow], logits: Logits
    ) -> ConfidenceEstimate:
        """How far the windows of a song are followed."""
        at_hz = np.geomspace(LOW_HZ, HIGH_HZ, POINTS)
        curves = np.stack(
            [self.bands(logits, i).level_db(at_hz, self.sample_rate) for i in range(len(windows))]
        )
        curves -= curves.mean(axis=1, keepdims=True)
        move_db, spread_db = move_and_spread_db(curves, self._power(windows))
        return ConfidenceEstimate(confidence.of(move_db, spread_db), move_db, spread_db, len(windows))

    def _run(self, inputs: dict[str, Float64s]) -> Logits:
        outputs = self.description.outputs
        values = run_operations(self.description.steps, inputs, self.tensors)
        rows = len(inputs["level"])
        gates = (
            values[outputs["gates"]] if "gates" in outputs else np.zeros((rows, len(self.description.kinds)))
        )
        return Logits(values[outputs["eq"]], values[outputs["gain"]], gates)

    @staticmethod
    def _row(inputs: dict[str, Float64s], index: int) -> dict[str, Float64s]:
        return {name: value[index : index + 1] for name, value in inputs.items()}

    @staticmethod
    def _power(windows: Sequence[AnalysedWindow]) -> Float64s:
        return db_to_power(np.array([window.lufs for window in windows]))

    def _gates(self, logits: Float64s) -> Float64s:
        """1 for a band that takes part, 0 for one that is switched off."""
        rule = self.description.gates
        if rule is None:
            return np.ones(logits.size)
        bound = np.array(rule.bound)
        log_alpha = np.clip(logits, -bound, bound)
        is_open = log_alpha >= _OPEN_BELOW
        is_open[np.argsort(-log_alpha, kind="stable")[: rule.min_bands]] = True
        return is_open.astype(np.float64)


def load_numeric(bundle: Bundle) -> NumericModel | None:
    """The model of a bundle as numbers; None where it has parts that only torch runs.

    Raises:
        BundleError: files that are missing, damaged, or don't belong together.
    """
    if bundle.operations is None:
        return None
    data = read_weights_file(bundle)
    try:
        description = description_of(bundle.operations)
        return None if description is None else NumericModel(description, load(data))
    except SafetensorError as error:
        raise BundleError(f"{bundle.weights} is not a safetensors file ({error})") from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BundleError(
            f"the operations in {bundle.path} are incomplete ({error}): export it again"
        ) from error
