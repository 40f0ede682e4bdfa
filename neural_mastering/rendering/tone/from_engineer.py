"""A learned engineer decides on a song: tone, loudness and width, as the engineer's masters have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.controls import ChainControls
from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.engineer.bundle import read_engineer
from neural_mastering.engineer.features import SongFeatures, features_of
from neural_mastering.engineer.learned import Prediction
from neural_mastering.errors import InputError
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.targets import (
    DEFAULT_CEILING_DB,
    LOUDEST_LUFS,
    QUIETEST_LUFS,
    Target,
)
from neural_mastering.rendering.reference.follow import fit_within
from neural_mastering.rendering.tone.from_style import ENGINEER_LARGEST_DB
from neural_mastering.rendering.tone.tone import EngineerTone, Tone
from neural_mastering.reporting.markup import number
from neural_mastering.styles.move import Move, MovePart

LOWEST_CEILING_DB = -6.0


def tone_from_engineer(path: Path, song: MeasuredSong) -> Tone:
    """What a learned engineer would do to a song.

    Args:
        path: of the engineer's file.
        song: to be mastered.

    Raises:
        InputError: a file that is none, or a song that is too short to measure.
    """
    engineer = read_engineer(path)
    label = path.parent.name if path.name == "model.json" else path.stem
    origin = Note(
        "engineer", f"controls as by the engineer of {label}, learned from {len(engineer.known)} pairs"
    )
    try:
        features = features_of(prefetch(song.blocks()), song.sample_rate, song.reader.path.name)
    except InputError as error:
        return Tone(ChainControls(), Note("nothing_audible", f"the engineer was not asked: {error}"))
    found = engineer.predict(features)
    move = _move(found, features)
    return Tone(
        ChainControls(
            eq=fit_within(move.curve_db, features.filled, ENGINEER_LARGEST_DB, ChainControls().design_rate_hz)
        ),
        origin,
        tuple(_sentences(found, features)),
        move=move,
        engineer=EngineerTone(label, found, engineer_target(label, found, features)),
    )


def engineer_target(label: str, found: Prediction, features: SongFeatures) -> Target:
    """The loudness that the engineer would give the song, and the ceiling that goes with the engineer's peaks.

    These lie the engineer's PLR above the loudness. A ceiling at this level takes the PLR as near to it as the
    limiter may; above −1 dBTP it stays there.
    """
    lufs = float(np.clip(found.loudness_lufs, QUIETEST_LUFS, LOUDEST_LUFS))
    ceiling = float(np.clip(lufs + found.plr_db, LOWEST_CEILING_DB, DEFAULT_CEILING_DB))
    return Target(f"loudness of {label}", round(lufs, 2), round(ceiling, 2))


def _move(found: Prediction, features: SongFeatures) -> Move:
    levels: Float64s = features.levels_db - features.levels_db[features.filled].mean()
    return Move(
        curve_db=np.clip(found.curve_db, -ENGINEER_LARGEST_DB, ENGINEER_LARGEST_DB),
        sigma_db=found.curve_sigma_db,
        parts=(MovePart("engineer", found.curve_db),),
        song_db=levels,
        known=features.filled,
    )


def _sentences(found: Prediction, features: SongFeatures) -> list[Note]:
    sigma = {name: estimate.sigma for name, estimate in found.numbers.items()}
    return [
        Note(
            "engineer_level",
            f"the engineer would bring this song to {number(found.loudness_lufs)} LUFS (± "
            f"{sigma['loudness_lufs']:.1f} LU) with a peak-to-loudness ratio of {found.plr_db:.1f} dB (± "
            f"{sigma['plr_db']:.1f} dB; the mix has {features.plr_db:.1f} dB)",
        ),
        Note(
            "engineer_tone",
            f"the engineer's move for it is {float(np.sqrt(np.mean(found.curve_db**2))):.1f} dB RMS, known to "
            f"± {max(float(np.median(found.curve_sigma_db)), 0.1):.1f} dB",
        ),
    ]
