"""A style as a JSON file: versioned, rounded to what was measured, with a hash of its content.

    {"format": "neural_mastering style", "schema_version": 1, "content_sha256": "…", "style": {…}}

What was not measured is absent. The hash is that of `style` as JSON with sorted keys and no spaces, so it survives
a change of line breaks but no change of a number.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neural_mastering.atomic import write_text
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.metering.band_crest import OCTAVES_HZ
from neural_mastering.styles.profile import Spread, StyleProfile

FORMAT, SCHEMA_VERSION = "neural_mastering style", 1
LARGEST_BYTES = 1 << 20

_SPREADS = ("lufs", "plr_db", "lra_lu")
_BY_BAND = ("side_db", "crest_db")
_UNKNOWN_VARIANCE = 1e4


def save_style(profile: StyleProfile, path: str | Path) -> None:
    """Write a style, whole or not at all; levels are rounded to 0.01 dB, covariances to 0.001 dB².

    Raises:
        InputError: the file can't be written.
    """
    write_text(path, style_text(profile))


def style_text(profile: StyleProfile) -> str:
    """The content of a style's file."""
    style = _to_plain(profile)
    head = {"format": FORMAT, "schema_version": SCHEMA_VERSION, "content_sha256": content_hash(style)}
    lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in style.items())
    start = json.dumps(head)[:-1]
    return f'{start}, "style": {{\n{lines}\n}}}}\n'


def load_style(path: str | Path) -> StyleProfile:
    """Read a style.

    Raises:
        InputError: no such file, another kind of file, a newer version, content that does not fit its hash, or
            numbers that can't be a style.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path} is too large for a style: expected a JSON file made by nm-style learn")
        content = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise InputError(
            f"style {path} can't be read ({reason}): expected a file made by nm-style learn"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path} is not a style: expected a JSON file made by nm-style learn")
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(
            f"style {path} has schema version {version!r}, this program reads {SCHEMA_VERSION}: update it, "
            "or learn the style again"
        )
    style = content.get("style")
    if not isinstance(style, dict) or content.get("content_sha256") != content_hash(style):
        raise InputError(
            f"style {path} has changed since it was written (its content does not fit its hash): take the original "
            "file, or learn the style again"
        )
    try:
        return _from_plain(style)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"style {path} holds numbers that can't be used ({error}): learn it again"
        ) from error


def content_hash(style: Mapping[str, Any]) -> str:
    """SHA-256 in hex of the content of a style."""
    text = json.dumps(style, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _to_plain(profile: StyleProfile) -> dict[str, Any]:
    known = np.flatnonzero(profile.tone.known)
    levels = np.where(profile.tone.known, profile.tone.mean, np.nan)
    covariance = profile.tone.covariance
    style: dict[str, Any] = {
        "name": profile.name,
        "about": profile.about,
        "songs": profile.songs,
        "sources": list(profile.sources),
        "licence": profile.licence,
        "levels": "less_integrated_loudness" if profile.is_absolute else "any_offset",
        "third_octaves_hz": [float(f"{hz:.4g}") for hz in CENTRES_HZ],
        "level_db": _rounded(levels),
        # row by row up to the diagonal, over the bands that are known
        "level_covariance_db2": [
            [round(float(covariance[i, j]), 3) for j in known[: row + 1]] for row, i in enumerate(known)
        ],
    }
    if profile.crest_db is not None:
        style["octaves_hz"] = [float(f"{hz:.4g}") for hz in OCTAVES_HZ]
    for name in _BY_BAND:
        values, sd = getattr(profile, name), getattr(profile, name.replace("_db", "_sd_db"))
        if values is not None and sd is not None:
            style[name], style[name.replace("_db", "_sd_db")] = _rounded(values), _rounded(sd)
    for name in _SPREADS:
        spread: Spread | None = getattr(profile, name)
        if spread is not None:
            style[name] = {"mean": round(spread.mean, 2), "sd": round(spread.sd, 2)}
    return style


def _from_plain(style: Mapping[str, Any]) -> StyleProfile:
    grid = _band_values(style["third_octaves_hz"], CENTRES_HZ.size)
    if not np.allclose(grid, CENTRES_HZ, rtol=1e-3):
        raise ValueError("its bands are not the third octaves from 25 Hz to 16 kHz")
    levels = _band_values(style["level_db"], CENTRES_HZ.size)
    known = np.isfinite(levels)
    covariance = _full_covariance(style["level_covariance_db2"], known)
    songs = int(style["songs"])
    if songs < 1:
        raise ValueError("songs must be 1 or more")
    return StyleProfile(
        name=str(style["name"]),
        tone=Gaussian(np.where(known, levels, 0.0), covariance, known),
        songs=songs,
        sources=tuple(str(source) for source in style.get("sources", ())),
        licence=str(style.get("licence", "")),
        is_absolute=style.get("levels") == "less_integrated_loudness",
        about=str(style.get("about", "")),
        side_db=_optional_bands(style, "side_db"),
        side_sd_db=_optional_bands(style, "side_sd_db"),
        crest_db=_optional_bands(style, "crest_db"),
        crest_sd_db=_optional_bands(style, "crest_sd_db"),
        lufs=_spread(style, "lufs"),
        plr_db=_spread(style, "plr_db"),
        lra_lu=_spread(style, "lra_lu"),
    )


def _full_covariance(rows: Any, known: np.ndarray) -> Float64s:
    """The matrix (third, third) of rows up to the diagonal; unknown bands get a large variance of their own."""
    kept = np.flatnonzero(known)
    if len(rows) != kept.size or kept.size < 6:
        raise ValueError(f"expected a covariance of {kept.size} bands and 6 bands or more, got {len(rows)}")
    covariance = np.eye(known.size) * _UNKNOWN_VARIANCE
    for row, i in enumerate(kept):
        values = np.asarray(rows[row], dtype=np.float64)
        if values.shape != (row + 1,) or not np.isfinite(values).all():
            raise ValueError("the covariance is not a triangle of finite numbers")
        covariance[i, kept[: row + 1]] = covariance[kept[: row + 1], i] = values
    if np.linalg.eigvalsh(covariance[np.ix_(kept, kept)]).min() <= 0.0:
        raise ValueError("the covariance is not positive definite")
    return covariance


def _rounded(values: Float64s) -> list[float | None]:
    return [round(float(v), 2) if math.isfinite(v) else None for v in values]


def _band_values(values: Any, size: int) -> Float64s:
    """Numbers by band; null becomes NaN."""
    numbers = np.array([np.nan if v is None else float(v) for v in values])
    if numbers.shape != (size,) or np.isinf(numbers).any():
        raise ValueError(f"expected {size} numbers, one a band")
    return numbers


def _optional_bands(style: Mapping[str, Any], name: str) -> Float64s | None:
    """Numbers by band, None where they are absent; spreads are above 0."""
    if name not in style:
        return None
    values = _band_values(style[name], CENTRES_HZ.size if name.startswith("side") else OCTAVES_HZ.size)
    if "_sd_" in name and not np.nanmin(values, initial=1.0) > 0.0:
        raise ValueError(f"{name} must be above 0")
    return values


def _spread(style: Mapping[str, Any], name: str) -> Spread | None:
    if name not in style:
        return None
    mean, sd = float(style[name]["mean"]), float(style[name]["sd"])
    if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0.0):
        raise ValueError(f"{name} needs a finite mean and a spread above 0")
    return Spread(mean, sd)
