"""A learned engineer decides on a song: tone, loudness and width, as the engineer's masters have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.controls import ChainControls
from neural_mastering.controls.catalogue import Values
from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.engineer.bundle import read_engineer
from neural_mastering.engineer.features import NARROWEST_DB, SongFeatures, features_of
from neural_mastering.engineer.learned import LearnedEngineer, Prediction
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
from neural_mastering.units import db_to_gain

LOWEST_CEILING_DB = -6.0
SMALLEST_WIDTH_DB, LARGEST_WIDTH_DB = 0.2, 6.0


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
    width = engineer_width(engineer, found, features)
    return Tone(
        ChainControls(
            eq=fit_within(
                move.curve_db, features.filled, ENGINEER_LARGEST_DB, ChainControls().design_rate_hz
            ),
            stages={"stereo": width} if width else {},
        ),
        origin,
        tuple(_sentences(found, features, bool(width))),
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


def engineer_width(engineer: LearnedEngineer, found: Prediction, features: SongFeatures) -> Values:
    """Settings of the stereo stage that change side over mid as the engineer would; empty where nothing is done.

        width = 10^(Δ/20), Δ the predicted less the mix's own side over mid in dB, ±6 dB at the most

    Only an engineer whose width was borne out by songs held out changes it, and only where there is a side.
    """
    change_db = found.width_db - features.width_db
    if "width_db" not in engineer.imposed or features.width_db <= NARROWEST_DB + 1.0:
        return {}
    if abs(change_db) < SMALLEST_WIDTH_DB:
        return {}
    width = float(db_to_gain(np.clip(change_db, -LARGEST_WIDTH_DB, LARGEST_WIDTH_DB)))
    return {"width": round(width, 3), "bass_frequency_hz": 100.0, "bass_amount": 0.0}


def _move(found: Prediction, features: SongFeatures) -> Move:
    levels: Float64s = features.levels_db - features.levels_db[features.filled].mean()
    return Move(
        curve_db=np.clip(found.curve_db, -ENGINEER_LARGEST_DB, ENGINEER_LARGEST_DB),
        sigma_db=found.curve_sigma_db,
        parts=(MovePart("engineer", found.curve_db),),
        song_db=levels,
        known=features.filled,
    )


def _sentences(found: Prediction, features: SongFeatures, widens: bool) -> list[Note]:
    sigma = {name: estimate.sigma for name, estimate in found.numbers.items()}
    width = Note(
        "engineer_width",
        f"the engineer would change side against mid by {number(found.width_db - features.width_db, signed=True)} "
        f"dB (± {sigma['width_db']:.1f} dB)",
    )
    return [
        *([width] if widens else []),
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
