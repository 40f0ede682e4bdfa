"""Compressors tried on pieces of a song: what they do to its levels over time, and to its tone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.controls.catalogue import Values
from neural_mastering.dsp import compressor_kernels, stream_kernels
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.movement import FRAME_MS, level_quantiles_db
from neural_mastering.metering.profile import Spectrum
from neural_mastering.units import NEPERS_PER_DB, db_to_power, power_to_db

Float64s = NDArray[np.float64]

Setting = tuple[float, float, float, float]
"""Threshold in dB, slope 1 − 1/ratio, attack and release in ms."""

KNEE_DB = 6.0


class CompressorTrial:
    """The song's pieces behind the equaliser, and the levels that a compressor makes of them."""

    def __init__(
        self,
        pieces: Sequence[Block],
        sample_rate: int,
        lufs: float,
        sections: Float64s | None,
        most_reduction_db: float,
    ) -> None:
        self._most_reduction_db = most_reduction_db
        self._rate, self._frame = sample_rate, max(round(FRAME_MS * sample_rate / 1000.0), 1)
        self._powers: list[Float64s] = []
        self._levels: list[Float64s] = []
        for piece in pieces:
            power = np.square(equalised(piece, sections)).mean(axis=0)
            power = power[: power.size // self._frame * self._frame]
            if power.size:
                self._powers.append(power)
                audible: Float64s = np.maximum(power, 1e-12)
                self._levels.append(power_to_db(audible) - lufs)

    def better(
        self, setting: Setting, wanted_db: Float64s, best: Setting | None, least: float
    ) -> tuple[Setting | None, float]:
        """The better one of a setting and the best so far; a steeper curve has to earn its place."""
        error = self.error_db(setting, wanted_db) + 0.05 * setting[1]
        return (setting, error) if error < least else (best, least)

    def error_db(self, setting: Setting | None, wanted_db: Float64s) -> float:
        """RMS distance of the quantiles of levels from those wanted; infinite where too much is taken off."""
        gains = self._gains(setting)
        if not gains:
            return float("nan")
        if setting is not None and self._takes_too_much(gains):
            return math.inf
        frames = [
            (power * gain).reshape(-1, self._frame).mean(axis=1)
            for power, gain in zip(self._powers, gains, strict=True)
        ]
        return float(np.sqrt(np.mean((level_quantiles_db(np.concatenate(frames)) - wanted_db) ** 2)))

    def _takes_too_much(self, gains: Sequence[Float64s | float]) -> bool:
        if math.isinf(self._most_reduction_db):
            return False
        coarse = np.concatenate([np.atleast_1d(gain)[:: self._frame // 4 + 1] for gain in gains])
        return float(np.quantile(coarse, 0.05)) < db_to_power(-self._most_reduction_db)

    def _gains(self, setting: Setting | None) -> list[Float64s | float]:
        """Power gains of every sample."""
        if setting is None:
            return [1.0] * len(self._powers)
        return [power_gains(level_db, self._rate, setting) for level_db in self._levels]


def equalised(piece: Block, sections: Float64s | None) -> Float64s:
    """A piece (channel, time) behind second-order sections, where there are some."""
    audio: Float64s = np.asarray(piece, dtype=np.float64, order="C")
    if sections is None or not len(sections):
        return audio
    out = np.empty_like(audio)
    state = np.zeros((len(audio), len(sections), 2))
    stream_kernels.cascade(audio, np.ascontiguousarray(sections), state, out)
    return out


def power_gains(level_db: Float64s, sample_rate: int, setting: Setting) -> Float64s:
    """(sample,) power gains of a compressor for levels relative to its reference."""
    threshold_db, slope, attack_ms, release_ms = setting
    rise, fall = (-np.expm1(-1000.0 / (np.array([t]) * sample_rate)) for t in (attack_ms, release_ms))
    curve = (np.array([threshold_db]), np.array([slope]), np.array([KNEE_DB]))
    reduction_db: Float64s = np.empty((1, level_db.size))
    compressor_kernels.reduce(level_db[None], *curve, rise, fall, np.zeros(1), reduction_db)
    return np.exp(reduction_db[0] * (-2.0 * NEPERS_PER_DB))


def compressed_tone_db(
    pieces: Sequence[Block], sample_rate: int, values: Values, sections: Float64s | None = None
) -> Float64s:
    """What a compressor does to a song's level in each third octave, (third,) in dB.

    One gain for all bands still changes the tone: bands that sound while it is turned down lose more than others.
    0 where a band is empty.

    Args:
        pieces: of the song, (channel, time) each.
        sample_rate: of the song in Hz.
        values: of the compressor, as `find_compressor` gives them.
        sections: of the equaliser before the compressor, (section, 6).
    """
    threshold_db, ratio, attack_ms, release_ms, mix, lufs = (
        float(np.asarray(values[key]))
        for key in ("threshold_db", "ratio", "attack_ms", "release_ms", "mix", "input_lufs")
    )
    setting = (threshold_db, 1.0 - 1.0 / ratio, attack_ms, release_ms)
    total = np.zeros((2, len(CENTRES_HZ)))
    for piece in pieces:
        audio = equalised(piece, sections)
        level_db = np.asarray(power_to_db(np.maximum(np.square(audio).mean(axis=0), 1e-12)) - lufs)
        gain = 1.0 - mix + mix * np.sqrt(power_gains(level_db, sample_rate, setting))
        for row, heard in zip(total, (audio, audio * gain), strict=True):
            spectrum = Spectrum(sample_rate, len(heard))
            spectrum.push(heard)
            row += spectrum.finish()
    before, after = total
    heard = before > 1e-15
    return np.where(
        heard, power_to_db(np.maximum(after, 1e-30)) - power_to_db(np.maximum(before, 1e-30)), 0.0
    )
