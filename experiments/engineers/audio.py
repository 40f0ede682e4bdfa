"""What a guess sounds like, and how far that is from the master."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.engineers.cache import Sound
from experiments.engineers.hearing import BROAD, Float64s, centred
from experiments.engineers.mastering import master
from experiments.engineers.moves import Settings
from experiments.engineers.systems import Guess


@dataclass(frozen=True)
class Distance:
    """Of a rendered master from the engineer's.

    Attributes:
        mr_stft, mel_db: at the engineer's loudness.
        tone_db: RMS of the difference of the third octaves less its mean, 50 Hz to 12.5 kHz.
        loudness_lu, plr_db, lra_lu, side_db: absolute errors.
    """

    mr_stft: float
    mel_db: float
    tone_db: float
    loudness_lu: float
    plr_db: float
    lra_lu: float
    side_db: float


def sounding(guess: Guess, audio: Float64s, rate: int) -> Float64s:
    """A guess as audio: its curve by a linear-phase filter, its width, its loudness by a gain alone."""
    settings = Settings(curve_db=guess.curve_db, side_db=guess.side_db, loudness_lufs=guess.loudness_lufs)
    return master(audio, rate, settings)


def distance(rendered: Float64s, wanted: Float64s, rate: int) -> Distance:
    """Compare audio (time, 2) of one length."""
    import torch  # only where audio is compared

    from neural_mastering.metrics.signal import Signal  # reads torch
    from neural_mastering.metrics.suite import measure  # reads torch

    one, other = (
        Signal(torch.from_numpy(np.ascontiguousarray(a.T, dtype=np.float32))[None], rate)
        for a in (rendered, wanted)
    )
    found, mine, theirs = measure(one, other), Sound.of(rendered, rate), Sound.of(wanted, rate)
    error = centred(mine.levels_db - theirs.levels_db)[BROAD]
    return Distance(
        found["mr_stft_matched"],
        found["mel_distance_matched"],
        float(np.sqrt((error**2).mean())),
        abs(mine.level.loudness_lufs - theirs.level.loudness_lufs),
        abs(mine.level.plr_db - theirs.level.plr_db),
        abs(mine.level.lra_lu - theirs.level.lra_lu),
        abs(mine.side_db - theirs.side_db),
    )
