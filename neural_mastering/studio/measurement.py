"""What the page shows of a song before anything is decided: numbers, loudness over time, spectrum, waveform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_mastering.atomic import write_bytes, write_text
from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.metering.meter import Readings
from neural_mastering.rendering.outputs.numbers import finite
from neural_mastering.studio.loudness_lines import loudness_over_time
from neural_mastering.studio.measured_songs import AnalysedSong, MeasuredSongs
from neural_mastering.studio.pcm import keep_blocks
from neural_mastering.studio.song_files import DECODED, SPECTRUM, SUMMARY, WAVEFORM
from neural_mastering.studio.waveform import pyramid
from neural_mastering.units import power_to_db

FINE_PER_OCTAVE = 12
_LOWEST_HZ, _HIGHEST_HZ = 20.0, 22_000.0


def measure_song(songs: MeasuredSongs, source: Path, folder: Path) -> dict[str, Any]:
    """Measure a song and write what the page asks for into its folder; gives the summary.

    Raises:
        InputError: a file that can't be read as audio.
    """
    picture: list[bytes] = []

    def draw(blocks: Iterator[Block], reader: AudioReader) -> None:
        if not reader.is_lossless:
            blocks = keep_blocks(blocks, folder / DECODED, reader.sample_rate, reader.channels, reader.frames)
        picture.append(pyramid(blocks, reader.channels))

    song = songs.get(source, folder, draw)
    write_bytes(folder / WAVEFORM, picture[0])
    write_text(folder / SPECTRUM, json.dumps(finite(_spectrum(song))))
    summary = finite(_summary(song))
    write_text(folder / SUMMARY, json.dumps(summary))
    return summary


def _summary(song: AnalysedSong) -> dict[str, Any]:
    reader, readings = song.measured.reader, song.measured.readings
    return {
        "seconds": readings.frames / readings.sample_rate,
        "frames": readings.frames,
        "sample_rate": readings.sample_rate,
        "channels": song.measured.channels,
        "bits": reader.bits,
        "modified_ns": reader.path.stat().st_mtime_ns,
        "is_lossless": reader.is_lossless,
        "readings": {
            **readings.summary(),
            "mono_drop_db": _mono_drop_db(readings),
            "clipped_samples": readings.clipped_samples,
        },
        "warnings": [vars(note) for note in song.measured.warnings],
        "loudness": loudness_over_time(readings),
    }


def _mono_drop_db(readings: Readings) -> float:
    """By how much the level falls when the channels are added up to mono; 0 dB where they are equal."""
    if len(readings.channel_power) == 1 or not any(readings.channel_power):
        return 0.0
    power = 0.5 * sum(readings.channel_power)
    mid = 0.5 * (power + readings.cross_power)
    return power_to_db(power) - power_to_db(max(mid, 1e-13 * power))


def _side_share(readings: Readings) -> float:
    """Part of the power that is the side's, 0 to 1; 0 for mono and silence."""
    power = sum(readings.channel_power)
    if len(readings.channel_power) == 1 or power <= 0.0:
        return 0.0
    return min(max(0.5 - readings.cross_power / power, 0.0), 1.0)


def _spectrum(song: AnalysedSong) -> dict[str, Any]:
    """Third octaves, loudness subtracted, and 1/12 octaves of the same level."""
    profile = song.analysis.profile
    at_hz, power = song.spectrum.bins()
    step = 2.0 ** (1.0 / FINE_PER_OCTAVE)
    count = int(np.log(_HIGHEST_HZ / _LOWEST_HZ) / np.log(step)) + 1
    centres = _LOWEST_HZ * step ** np.arange(count)
    centres = centres[centres * step < at_hz[-1]]
    total = np.concatenate([[0.0], np.cumsum(power)])
    edges = np.concatenate([centres / step**0.5, centres[-1:] * step**0.5])
    sums = np.diff(np.interp(edges, np.concatenate([[0.0], at_hz]), total))
    levels_db = power_to_db(np.asarray(sums + 1e-30, dtype=np.float64))
    # a 1/12 octave holds a quarter of a third octave's power: shown at the third octaves' level
    offset_db = float(
        np.median(profile.levels_db - np.interp(np.log(CENTRES_HZ), np.log(centres), levels_db))
    )
    known = profile.filled & any(song.measured.readings.channel_power)
    filled = np.interp(np.log(centres), np.log(CENTRES_HZ), known.astype(float)) > 0.5
    return {
        "hz": CENTRES_HZ.tolist(),
        "level_db": _rounded(np.where(known, profile.levels_db, np.nan)),
        "fine": {
            "hz": _rounded(centres),
            "level_db": _rounded(np.where(filled, levels_db + offset_db, np.nan)),
        },
        "side_share": _side_share(song.measured.readings),
    }


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 2) for value in values]
