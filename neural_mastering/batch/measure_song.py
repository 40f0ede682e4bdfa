"""Measuring a song of a batch: loudness, peaks, tonal balance, and what is wrong with the file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from neural_mastering.batch.work import Work
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.measure import measure
from neural_mastering.metering.profile import Spectrum
from neural_mastering.rendering.outputs.numbers import finite


def measure_songs(work: Work, sources: Sequence[Path], scratch: Path) -> list[dict[str, Any]]:
    """Readings, findings and warnings of each song, as `nm-master` takes them before it begins, and its spectrum.

    `tone.level_db` holds the level of each third octave less the integrated loudness; empty bands are null.
    """
    return [_measured(source, scratch) for source in sources]


def _measured(source: Path, scratch: Path) -> dict[str, Any]:
    with ExitStack() as resources:
        song = measure(source, scratch, resources)
        reader, readings = song.reader, song.readings
        spectrum = Spectrum(song.sample_rate, song.channels)
        for block in song.blocks():
            spectrum.push(block)
        profile = spectrum.profile(readings.lufs, readings.frames / song.sample_rate)
        levels_db = [
            float(v) if ok else None for v, ok in zip(profile.levels_db, profile.filled, strict=True)
        ]
        return finite(
            {
                "input": readings.summary()
                | {
                    "sample_rate_hz": song.sample_rate,
                    "channels": song.channels,
                    "bits": reader.bits,
                    "codec": reader.codec,
                    "clipped_samples": readings.clipped_samples,
                },
                "inspection": song.inspection.as_dict(),
                "tone": {
                    f"{_name(at_hz)}_db": level for at_hz, level in zip(CENTRES_HZ, levels_db, strict=True)
                },
                "warnings": [vars(note) for note in song.warnings],
            }
        )


def _name(at_hz: float) -> str:
    """Of a band: "1000_hz"."""
    return f"{at_hz:.5g}_hz"
