"""Learning a style: from the songs of a kind to their mean and their spread."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.notes import Note
from neural_mastering.styles.duplicates import duplicates
from neural_mastering.styles.measure_files import Measured, find_songs, measure_files
from neural_mastering.styles.profile import Spread, StyleProfile
from neural_mastering.styles.regions import bands_text
from neural_mastering.styles.robust import (
    LEAST_SHARE,
    PLAIN_SONGS,
    PRIOR_SONGS,
    plain_covariance,
    robust_fit,
    robust_spread,
    weighted_median,
)
from neural_mastering.styles.song import LEAST_BANDS, SHORT_SECONDS, SongTone
from neural_mastering.units import third_octave_hz
from neural_mastering.worker_pool import default_jobs

FEW_SONGS = 10
NARROW_RATE_HZ = 32_000

ODD_WEIGHT = 0.25
"""A song that was believed less than this is named as unlike the others."""

_PLAIN_SPREAD_DB = 4.0


@dataclass(frozen=True)
class LearnedStyle:
    """A style, and how it came about.

    Attributes:
        profile: the style.
        songs: names of the songs in it.
        weights: how far each was believed, 1 for an ordinary song.
        notes: what was left out and why, and what to know about the rest.
    """

    profile: StyleProfile
    songs: tuple[str, ...]
    weights: tuple[float, ...]
    notes: tuple[Note, ...]


def learn_from_files(
    places: Sequence[str | Path],
    name: str,
    general: StyleProfile | None = None,
    jobs: int = 0,
    done: Callable[[Measured], None] | None = None,
) -> LearnedStyle:
    """Learn a style from audio files: `find_songs`, `measured_songs`, `learn_style_from`.

    Args:
        places: folders, with the folders in them, and files.
        name: of the style.
        general: what music in general measures, see `learn_style`.
        jobs: processes; 0 for one a core.
        done: is called with each song, or note about a broken file, as it comes.

    Raises:
        InputError: no audio files, or none that a style can be learned from.
    """
    return learn_style_from(measured_songs(find_songs(places), jobs, done), name, general)


def measured_songs(
    paths: Sequence[Path], jobs: int = 0, done: Callable[[Measured], None] | None = None
) -> list[Measured]:
    """Measure files in `jobs` processes, 0 for one a core; a broken file gives a note."""
    return measure_files(paths, jobs or default_jobs(), done)


def learn_style_from(
    measured: Sequence[Measured], name: str, general: StyleProfile | None = None
) -> LearnedStyle:
    """Learn a style from what was measured; notes about broken files become notes of the style.

    Raises:
        InputError: no song that a style can be learned from.
    """
    broken = [each for each in measured if isinstance(each, Note)]
    songs = [each for each in measured if isinstance(each, SongTone)]
    if not songs:
        first = f"; the first: {broken[0].text}" if broken else ""
        raise InputError(f"none of {len(measured)} files can be read as audio{first}")
    learned = learn_style(name, songs, general)
    return replace(learned, notes=(*broken, *learned.notes))


def learn_style(
    name: str,
    songs: Sequence[SongTone],
    general: StyleProfile | None = None,
    share: Sequence[float] | None = None,
) -> LearnedStyle:
    """Learn a style from measured songs; their order changes nothing.

    Mean and covariance of the third octaves come from `robust_fit`: songs far out count little, and with few songs
    the covariance is near that of music in general. Copies of a song count once. Bands above the edge of a lossy
    codec, and bands without sound, are no evidence. A band is known if at least half of the songs have it.

    Args:
        name: of the style.
        songs: what they measure.
        general: what music in general measures; None for a plain smooth covariance of 6 dB.
        share: weight of each song in advance; None for equal ones.

    Raises:
        InputError: no song that a style can be learned from.
    """
    weights = np.ones(len(songs)) if share is None else np.asarray(share, dtype=np.float64)
    order = sorted(range(len(songs)), key=lambda i: (songs[i].name, songs[i].seconds, songs[i].lufs))
    songs, weights = [songs[i] for i in order], weights[order]
    kept, notes = _usable(songs)
    if not kept:
        reasons = "; ".join(note.text for note in notes[:3])
        raise InputError(f"there is no song to learn {name!r} from: {reasons or 'none was given'}")
    used, prior = [songs[i] for i in kept], weights[kept]
    values = np.stack([np.where(song.filled, song.levels_db, np.nan) for song in used])
    fit = robust_fit(
        values, _general_covariance(general), prior, PLAIN_SONGS if general is None else PRIOR_SONGS
    )
    if int(fit.known.sum()) < LEAST_BANDS:
        raise InputError(f"the songs of {name!r} share sound in only {int(fit.known.sum())} third octaves")
    side_db, side_sd_db = _band_spreads("side_db", used, prior, general)
    crest_db, crest_sd_db = _band_spreads("crest_db", used, prior, general)
    profile = StyleProfile(
        name=name,
        tone=Gaussian(np.where(fit.known, fit.mean, 0.0), fit.covariance, fit.known),
        songs=len(used),
        is_absolute=True,
        side_db=side_db,
        side_sd_db=side_sd_db,
        crest_db=crest_db,
        crest_sd_db=crest_sd_db,
        lufs=_number_spread("lufs", used, prior, general),
        plr_db=_number_spread("plr_db", used, prior, general),
        lra_lu=_number_spread("lra_lu", used, prior, general),
    )
    notes += _about_songs(used, fit.weights, fit.known)
    return LearnedStyle(profile, tuple(s.name for s in used), tuple(fit.weights.tolist()), tuple(notes))


def _usable(songs: Sequence[SongTone]) -> tuple[list[int], list[Note]]:
    """Songs to learn from, and notes about the others."""
    notes = [Note("unusable", f"{song.name} is left out: {song.fault}") for song in songs if song.fault]
    sound = [i for i, song in enumerate(songs) if not song.fault]
    copies = duplicates([songs[i] for i in sound])
    for copy, kept in copies.items():
        names = songs[sound[copy]].name, songs[sound[kept]].name
        notes.append(Note("duplicate", f"{names[0]} is left out: the same song as {names[1]}"))
    return [i for place, i in enumerate(sound) if place not in copies], notes


def _about_songs(songs: Sequence[SongTone], weights: Float64s, known: NDArray[np.bool_]) -> list[Note]:
    """What to know about the songs that were used."""
    notes = []
    for song, weight in zip(songs, weights.tolist(), strict=True):
        if weight < ODD_WEIGHT and len(songs) > 2:
            text = f"{song.name} is unlike the others; it counts {weight:.2f} of a song"
            notes.append(Note("odd", text))
    counts = Counter[str]()
    for song in songs:
        counts["short"] += song.seconds < SHORT_SECONDS
        counts["narrow"] += song.sample_rate < NARROW_RATE_HZ
        counts["lossy"] += song.edge_hz is not None and song.edge_hz < CENTRES_HZ[-1] * third_octave_hz(0.5)
        counts["mono"] += song.channels == 1
    texts = {
        "short": f"shorter than {SHORT_SECONDS:g} s, so their levels are less certain",
        "narrow": "a sample rate below 32 kHz, as speech often has; they say nothing about treble",
        "lossy": "cut off by a lossy codec; nothing above the cut is learned from them",
        "mono": "mono; they say nothing about width",
    }
    for kind, text in texts.items():
        if counts[kind]:
            notes.append(Note(kind, f"{counts[kind]} of {len(songs)} songs: {text}"))
    if len(songs) < FEW_SONGS:
        word = "song" if len(songs) == 1 else "songs"
        text = f"only {len(songs)} {word}: most of the spread is that of music in general"
        notes.append(Note("few", text))
    if not known.all():
        missing = bands_text(~known)
        notes.append(Note("unknown_bands", f"too few songs have sound at {missing}; nothing is said there"))
    return notes


def _general_covariance(general: StyleProfile | None) -> Float64s:
    """Of music in general; bands that it does not know are plain and go with no other."""
    covariance = plain_covariance()
    if general is not None:
        known = general.tone.known
        mixed = np.where(np.outer(known, known), general.tone.covariance, 0.0)
        unknown = np.outer(~known, ~known)
        covariance = mixed + np.where(unknown, covariance, 0.0)
    return covariance


def _band_spreads(
    field: str, songs: Sequence[SongTone], share: Float64s, general: StyleProfile | None
) -> tuple[Float64s | None, Float64s | None]:
    """Median and spread of a quantity by band; NaN where fewer than half of the songs that have it at all do."""
    values = np.stack([getattr(song, field) for song in songs])
    has = np.isfinite(values)
    any_band = has.any(axis=1)
    if not any_band.any():
        return None, None
    middle, spread = (np.full(values.shape[1], np.nan) for _ in range(2))
    general_sd = getattr(general, field.replace("_db", "_sd_db")) if general is not None else None
    for band in range(values.shape[1]):
        if share[has[:, band]].sum() < LEAST_SHARE * share[any_band].sum():
            continue
        sd = _PLAIN_SPREAD_DB if general_sd is None else float(general_sd[band])
        found = robust_spread(
            values[:, band], Spread(0.0, sd if math.isfinite(sd) else _PLAIN_SPREAD_DB), share
        )
        if found is not None:
            middle[band], spread[band] = found.mean, found.sd
    return (middle, spread) if np.isfinite(middle).any() else (None, None)


def _number_spread(
    field: str, songs: Sequence[SongTone], share: Float64s, general: StyleProfile | None
) -> Spread | None:
    values = np.array([getattr(song, field) for song in songs], dtype=np.float64)
    found = robust_spread(values, getattr(general, field) if general is not None else None, share)
    if found is None and np.isfinite(values).any():
        finite = np.isfinite(values)
        found = Spread(weighted_median(values[finite], share[finite]), _PLAIN_SPREAD_DB)
    return found
