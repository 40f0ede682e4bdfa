"""Loudness as tags that players read: ReplayGain 2, and R128 gain for Opus."""

import math
from collections.abc import Mapping
from typing import Literal

from neural_mastering.units import db_to_gain

REPLAYGAIN_LUFS = -18.0
"""To which ReplayGain 2 brings a song."""

R128_LUFS = -23.0
"""To which R128_TRACK_GAIN brings a song (RFC 7845, section 5.2.1)."""


def gain_tags(
    readings: Mapping[str, float], container: str, of: Literal["TRACK", "ALBUM"] = "TRACK"
) -> dict[str, str]:
    """Text by name of tag: gain = reference − LUFS, and the true peak as a factor.

    Opus has R128_TRACK_GAIN, the gain in 1/256 dB, and no peak: RFC 7845 leaves no place for REPLAYGAIN_ tags.

    Args:
        readings: `lufs` and `true_peak_db` of the song or of the album.
        container: "OPUS", or another one.
        of: what was measured.

    Returns:
        Nothing for music without a loudness: silence, or less than 0.4 s.
    """
    lufs, peak_db = readings["lufs"], readings["true_peak_db"]
    if not math.isfinite(lufs):
        return {}
    if container == "OPUS":
        return {f"R128_{of}_GAIN": str(max(min(round(256.0 * (R128_LUFS - lufs)), 32_767), -32_768))}
    return {
        f"REPLAYGAIN_{of}_GAIN": f"{REPLAYGAIN_LUFS - lufs:+.2f} dB",
        f"REPLAYGAIN_{of}_PEAK": f"{db_to_gain(peak_db):.6f}",
        "REPLAYGAIN_REFERENCE_LOUDNESS": f"{REPLAYGAIN_LUFS:.2f} LUFS",
    }
