"""Styles from published statistics: their levels and spreads, with measured correlations between bands."""

from pathlib import Path

import numpy as np

from experiments.common.csv_files import read_rows
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.styles.profile import StyleProfile

SONGS = 144
"""effetune names this as the least number of songs a style; it does not give each one's."""

SOURCES = (
    "effetune 0.15.0 (MIT), tables of levels by style learned from clips of the Free Music Archive, converted from "
    "41 ERB bands to third octaves: levels and standard deviations",
    "A. Elowsson and A. Friberg, Long-term average spectrum in popular music and its relation to the level of the "
    "percussion, AES 142 (2017), 12,345 songs: decides which low bands are believed",
    "correlations between bands: measured on the songs of the style general",
)
LICENCE = "MIT (levels and standard deviations), CC0-1.0 (correlations)"

NAMES = {"All": "all", "Pop": "pop", "Rock": "rock", "Electronic": "electronic", "Classical": "classical"}
_KINDS = {"All": "Music of all kinds", "Pop": "Pop", "Rock": "Rock", "Electronic": "Electronic music",
          "Classical": "Classical music"}  # fmt: skip


def published_styles(table: Path, general: StyleProfile) -> list[StyleProfile]:
    """One style for each column of the table."""
    rows = read_rows(table)
    at_hz = np.array([float(row["hz"]) for row in rows])
    places = np.array([int(np.argmin(np.abs(np.log(CENTRES_HZ / hz)))) for hz in at_hz])
    sigma = general.tone.sigma
    correlation = general.tone.covariance / np.outer(sigma, sigma)
    other = _column(rows, "elowsson_friberg_2017")
    pop, pop_sd = _column(rows, "effetune_Pop"), _column(rows, "effetune_Pop_sd")
    believed = (np.abs(pop - other) < pop_sd) | (at_hz > 100.0)
    found = []
    for column, name in NAMES.items():
        mean, sd, known = np.zeros(CENTRES_HZ.size), np.ones(CENTRES_HZ.size), np.zeros(CENTRES_HZ.size, bool)
        mean[places], sd[places] = _column(rows, f"effetune_{column}"), _column(rows, f"effetune_{column}_sd")
        known[places[believed]] = True
        known &= general.tone.known
        left_out = f"{at_hz[~believed].max():g}"
        about = (
            f"{_KINDS[column]}, as published by effetune ({SONGS} songs or more). Only the shape of the spectrum "
            f"is known, no dynamics and no width. Nothing is said at {left_out} Hz and below: sources disagree."
        )
        tone = Gaussian(mean, np.where(np.outer(known, known), correlation, 0.0) * np.outer(sd, sd), known)
        found.append(StyleProfile(name, tone, SONGS, SOURCES, LICENCE, about=about))
    return found


def _column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])
