"""Comparing a song with a style, or with what its content predicts: where each region and each number lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.metering.band_crest import OCTAVES_HZ
from neural_mastering.normality import NormalTone, load_normal_tone
from neural_mastering.notes import Note
from neural_mastering.styles.equal_loudness import at_equal_loudness, tone_at_equal_loudness
from neural_mastering.styles.expectations import ALL_MUSIC, SONGS_LIKE_THIS, is_auto, normal_for
from neural_mastering.styles.library import find_style
from neural_mastering.styles.profile import AUTO, Spread, StyleProfile
from neural_mastering.styles.regions import REGIONS, bands_text
from neural_mastering.styles.song import LEAST_BANDS, SHORT_SECONDS, SongTone, measure_song_tone
from neural_mastering.styles.standing import Standing, standing_of
from neural_mastering.units import third_octave_hz

LEAST_SD_DB = 0.1

_SIDE_BANDS = (CENTRES_HZ > 140.0) & (CENTRES_HZ < 9_000.0)
_CREST_GROUPS = (("bass crest", "45–180 Hz", slice(1, 3)), ("mid crest", "180 Hz–2.8 kHz", slice(3, 7)),
                 ("treble crest", "2.8–11 kHz", slice(7, 9)))  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """A song beside a style.

    Attributes:
        song: what it measures.
        style: the style.
        levels_db: (third,) of the song at equal loudness; NaN where the song or the style says nothing.
        tone: of the style at equal loudness, over the same bands.
        regions: of the spectrum, low to high; regions without a common band are missing.
        numbers: width, crest, peak-to-loudness ratio, loudness range, loudness; where the style has them.
        notes: what limits the comparison.
        kinds: probability of each kind of music by content; empty where a style was named.
    """

    song: SongTone
    style: StyleProfile
    levels_db: Float64s
    tone: Gaussian
    regions: tuple[Standing, ...]
    numbers: tuple[Standing, ...]
    notes: tuple[Note, ...]
    kinds: Mapping[str, float] = field(default_factory=dict)

    @property
    def among(self) -> str:
        """What the song is compared with, as a noun."""
        name = self.style.name
        return name if name in (SONGS_LIKE_THIS, ALL_MUSIC) else f"songs of the style {name}"

    def corridor_db(self, sigma: float) -> Float64s:
        """(third,) mean plus `sigma` standard deviations; NaN where nothing is known."""
        return np.where(self.tone.known, self.tone.mean + sigma * self.tone.sigma, np.nan)

    def to_dict(self) -> dict[str, Any]:
        """All numbers as plain data; what was not measured is null."""
        bands = [
            {
                "hz": round(float(hz), 1),
                "level_db": _rounded(level),
                "usual_db": _rounded(usual),
                "sd_db": _rounded(sd),
            }
            for hz, level, usual, sd in zip(
                CENTRES_HZ, self.levels_db, self.corridor_db(0.0), self.tone.sigma, strict=True
            )
        ]
        return {
            "schema_version": 1,
            "song": {
                "name": self.song.name,
                "lufs": _rounded(self.song.lufs),
                "seconds": round(self.song.seconds, 1),
            },
            "style": {"name": self.style.name, "songs": self.style.songs},
            "kinds": {name: round(share, 3) for name, share in self.kinds.items()},
            "regions": [_standing_dict(each) for each in self.regions],
            "numbers": [_standing_dict(each) for each in self.numbers],
            "bands": bands,
            "notes": [{"kind": note.kind, "text": note.text} for note in self.notes],
        }


def compare_file(path: str | Path, style: str) -> Comparison:
    """Measure a song and compare it with a style, given by name or file, or with `auto`.

    Raises:
        InputError: an unknown style, a file that can't be read, or a song that can't be compared.
    """
    if is_auto(style):
        return compare_with_songs_like_it(measure_song_tone(path, with_content=True), load_normal_tone())
    profile = find_style(style)  # before any audio is read
    return compare(measure_song_tone(path), profile)


def compare_with_songs_like_it(song: SongTone, model: NormalTone) -> Comparison:
    """Where a song lies among finished songs with its content, as the style `auto` has it: levels alone.

    The levels there are N(μ, Σ) as `model` predicts them from the content; a song whose content says too little is
    compared with all music.

    Args:
        song: measured with its content.
        model: predicts the spectrum, and the probability of kinds of music.

    Raises:
        InputError: a song that is silent, too short, or has sound in too few bands.
    """
    normal = normal_for(AUTO, song.content, model)
    (expected,) = normal.expectations
    found = compare(song, StyleProfile(expected.name, expected.tone, len(model.regression.songs)))
    notes = found.notes
    if song.content is None:
        text = "the song is too short, or its sample rate too low, to tell which songs are like it"
        notes = (*notes, Note("content_unknown", f"{text}: it is compared with all music"))
    return replace(found, notes=notes, kinds=normal.kinds)


def compare(song: SongTone, style: StyleProfile) -> Comparison:
    """Where a song lies among the songs of a style.

    Levels are compared at equal loudness: less the integrated loudness where the style knows it, else less the
    K-weighted sum of the bands. A region is the mean m of its bands; with the style's levels there being
    N(μ, Σ), its difference is m·(x − μ), its variance m·Σ·mᵀ·(1 + 1/n): the mean of n songs is uncertain itself.

    Raises:
        InputError: a song that is silent, too short, or shares too few bands with the style.
    """
    if song.fault:
        raise InputError(f"{song.name} can't be compared with a style: it is {song.fault}")
    known = song.filled & style.tone.known
    if int(known.sum()) < LEAST_BANDS:
        raise InputError(
            f"{song.name} and the style {style.name!r} share only {int(known.sum())} third octaves with sound; "
            f"expected {LEAST_BANDS} or more"
        )
    if style.is_absolute:
        tone, levels_db = style.next_song, song.levels_db
    else:
        tone = tone_at_equal_loudness(style.next_song, known)
        levels_db = at_equal_loudness(song.levels_db, known)
    tone = Gaussian(tone.mean, tone.covariance, known)
    levels_db = np.where(known, levels_db, np.nan)
    regions = []
    for region in REGIONS:
        used = region.bands & known
        if used.any():
            mean = used / used.sum()
            sd = max(float(np.sqrt(mean @ tone.covariance @ mean)), LEAST_SD_DB)
            value = float(levels_db[used].mean())
            regions.append(Standing(region.name, region.span, "dB", value, float(tone.mean[used].mean()), sd))
    return Comparison(
        song,
        style,
        levels_db,
        tone,
        tuple(regions),
        tuple(_numbers(song, style)),
        tuple(_notes(song, known)),
    )


def _numbers(song: SongTone, style: StyleProfile) -> list[Standing]:
    found: list[Standing | None] = []
    if style.side_db is not None and style.side_sd_db is not None:
        found.append(
            _group("width", "140 Hz–9 kHz", song.side_db, style.side_db, style.side_sd_db, _SIDE_BANDS)
        )
    if style.crest_db is not None and style.crest_sd_db is not None:
        for name, span, part in _CREST_GROUPS:
            used = np.zeros(len(OCTAVES_HZ), dtype=bool)
            used[part] = True
            found.append(_group(name, span, song.crest_db, style.crest_db, style.crest_sd_db, used))
    found.append(standing_of("peak to loudness", "", "dB", song.plr_db, style.plr_db))
    found.append(standing_of("loudness range", "", "LU", song.lra_lu, style.lra_lu))
    found.append(standing_of("loudness", "", "LU", song.lufs, style.lufs, ("louder than", "quieter than")))
    return [each for each in found if each is not None]


def _group(
    name: str, span: str, values: Float64s, usual: Float64s, sd: Float64s, used: NDArray[np.bool_]
) -> Standing | None:
    """Mean over the bands that both have; their spread as if they moved together, as width and density do."""
    both = used & np.isfinite(values) & np.isfinite(usual) & np.isfinite(sd)
    if not both.any():
        return None
    spread = Spread(float(usual[both].mean()), max(float(sd[both].mean()), LEAST_SD_DB))
    words = ("wider than", "narrower than") if name == "width" else ("above", "below")
    return standing_of(name, span, "dB", float(values[both].mean()), spread, words)


def _notes(song: SongTone, known: NDArray[np.bool_]) -> list[Note]:
    notes = []
    if song.edge_hz is not None and song.edge_hz < CENTRES_HZ[-1] * third_octave_hz(0.5):
        text = f"a lossy codec has cut the song off at {song.edge_hz / 1000:.1f} kHz; nothing is said above"
        notes.append(Note("lossy", text))
    if song.channels == 1:
        notes.append(
            Note(
                "mono", "the song is mono: its loudness counts as on two speakers, its width is not compared"
            )
        )
    if song.seconds < SHORT_SECONDS:
        notes.append(
            Note("short", f"the song is only {song.seconds:.0f} s long, so its levels are uncertain")
        )
    if not known.all():
        missing = bands_text(~known)
        notes.append(
            Note("unknown_bands", f"nothing is said at {missing}, where the song or the style has no sound")
        )
    return notes


def _standing_dict(standing: Standing) -> dict[str, Any]:
    return {
        "name": standing.name,
        "span": standing.span,
        "unit": standing.unit,
        "value": _rounded(standing.value),
        "usual": _rounded(standing.usual),
        "sd": _rounded(standing.sd),
        "difference": _rounded(standing.difference),
        "sigma": _rounded(standing.sigma),
        "percentile": round(standing.percentile, 1),
        "one_in": standing.rarity,
        "text": standing.words(),
    }


def _rounded(value: float) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None
