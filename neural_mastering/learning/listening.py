"""Three songs to hear: the mix, the engineer's master, and what the model makes of it without having known it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_mastering.controls import ChainControls, save_controls
from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.errors import InputError
from neural_mastering.learning.cross_validation import MODEL, HeldOut
from neural_mastering.learning.pairs import AuditedPair
from neural_mastering.rendering import Options, master
from neural_mastering.rendering.reference.follow import fit_within
from neural_mastering.rendering.tone.from_engineer import engineer_target
from neural_mastering.rendering.tone.from_style import ENGINEER_LARGEST_DB
from neural_mastering.reporting.audio_clip import LONGEST_S, clip_from_file
from neural_mastering.reporting.report_data import Clip


@dataclass(frozen=True)
class ListeningSong:
    """One song of the page.

    Attributes:
        name: of the song.
        error_db: of the predicted tone on it.
        clips: mix, engineer, model.
    """

    name: str
    error_db: float
    clips: tuple[Clip, ...]


def chosen_songs(songs: Sequence[HeldOut], count: int) -> list[int]:
    """Places of songs from well to badly predicted, evenly spread."""
    errors = [_error_db(song) for song in songs]
    order = np.argsort(errors)
    return [int(order[round(q * (len(order) - 1))]) for q in (np.arange(count) + 0.5) / max(count, 1)]


def listening_song(pair: AuditedPair, held: HeldOut) -> ListeningSong | None:
    """Master a mix as predicted from other songs, and cut the same part from all three; None where this fails."""
    if pair.files.before is None or pair.files.after is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "model.wav"
        controls = Path(folder) / "controls.yaml"
        features = pair.files.name, held.pair.features
        rate = ChainControls().design_rate_hz
        curve = np.clip(held.prediction.curve_db, -ENGINEER_LARGEST_DB, ENGINEER_LARGEST_DB)
        save_controls(
            ChainControls(eq=fit_within(curve, features[1].filled, ENGINEER_LARGEST_DB, rate)), controls
        )
        target = engineer_target("the engineer", held.prediction, features[1])
        options = Options(
            controls=controls, target=f"{target.lufs:g}", ceiling=target.ceiling_db, density=1.0, bits="24"
        )
        try:
            master(pair.files.before, made, options)
        except InputError:
            return None
        start_s = max(held.pair.features.seconds / 2.0 - LONGEST_S / 2.0, 0.0)
        mix_s, master_s = pair.starts_s
        return ListeningSong(
            pair.files.name,
            _error_db(held),
            (
                clip_from_file(pair.files.before, "mix", "before", start_s + mix_s),
                clip_from_file(pair.files.after, "engineer", "target", start_s + master_s),
                clip_from_file(made, MODEL, "result", start_s + mix_s),
            ),
        )


def _error_db(song: HeldOut) -> float:
    error = (song.curves[MODEL] - song.pair.move.curve_db)[BROAD]
    return float(np.sqrt(np.mean(error**2)))
