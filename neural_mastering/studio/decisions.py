"""What a song needs, decided by its settings: controls, the curve behind them, the target, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neural_mastering.rendering.delivery.reference_peaks import chosen_plr
from neural_mastering.rendering.delivery.targets import Target
from neural_mastering.rendering.options import Options, chosen_target
from neural_mastering.rendering.outputs.numbers import finite
from neural_mastering.rendering.outputs.tone import tone_json, tone_notes
from neural_mastering.rendering.settings import References, Settings
from neural_mastering.rendering.tone.choose import choose_tone
from neural_mastering.rendering.tone.tone import Tone
from neural_mastering.studio.decision_files import Decision, keep_decision
from neural_mastering.studio.measured_songs import AnalysedSong


def decide(
    song: AnalysedSong,
    settings: Settings,
    references: References,
    folder: Path,
    progress: Callable[[str], None],
) -> Decision:
    """The decision for a song, as plain data; it is kept in the song's folder.

    Raises:
        InputError: settings that can't be used.
    """
    options = settings.options(references)
    tone = choose_tone(song.measured, options, progress, lambda _: song.analysis)
    decision = finite(_as_dict(song, tone, options))
    keep_decision(decision, settings, references, folder)
    return decision


def _as_dict(song: AnalysedSong, tone: Tone, options: Options) -> Decision:
    target = chosen_target(options, tone.suggested_target)
    plr = chosen_plr(options.plr, None if tone.reference is None else tone.reference.decision)
    notes = [tone.origin, *tone.actions, *tone_notes(tone), *tone.warnings]
    move = tone_json(tone)
    return {
        "controls": tone.controls.as_dict(),
        "curve": None
        if move is None
        else {
            "hz": move["frequency_hz"],
            "db": move["curve_db"],
            "sigma_db": move["curve_sigma_db"],
            "applied_db": move["applied_db"],
            "parts": move["parts"],
        },
        "tone": move,
        "notes": [vars(note) for note in notes] + _word_notes(tone),
        "kinds": dict(tone.kinds),
        "words": None if tone.words is None else tone.words.as_dict(),
        "target": asdict(target),
        "plr": None if plr is None else asdict(plr),
        "forecast": _forecast(song, tone, target, options),
    }


def _word_notes(tone: Tone) -> list[Mapping[str, str]]:
    return [] if tone.words is None else [{"kind": "words", "text": text} for text in tone.words.sentences]


def _forecast(song: AnalysedSong, tone: Tone, target: Target, options: Options) -> dict[str, Any]:
    """What the delivery will need, before the chain is rendered: of the song as it is, so about."""
    readings = song.measured.readings
    lufs = readings.lufs if target.lufs is None else target.lufs
    if not math.isfinite(readings.lufs):  # silent, or too short to be measured
        return {"gain_db": None, "lufs": None, "peak_over_ceiling_db": None}
    gain_db = lufs - readings.lufs
    return {
        "gain_db": gain_db,
        "lufs": song.measured.forecast.limited_lufs(
            gain_db, target.ceiling_db, options.limiter, options.clip_db
        ),
        "peak_over_ceiling_db": None
        if target.ceiling_db is None
        else readings.true_peak_db + gain_db - target.ceiling_db,
    }
