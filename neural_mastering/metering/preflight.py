"""Checks of a file before it is mastered."""

import math
from collections.abc import Iterator, Sequence

from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.metering.meter import BLOCK_MS, SHORT_TERM_MS, Readings
from neural_mastering.notes import Note
from neural_mastering.units import gain_to_db, power_to_db

DC_DB = -55.0
MASTERED_LUFS, MASTERED_PLR_DB = -12.0, 11.0
INVERTED_CORRELATION = -0.7
MISSING_DB = -60.0
QUIET_LUFS = -40.0


def preflight(reader: AudioReader, readings: Readings) -> list[Note]:
    """Warnings from a file's header and readings."""
    found = list(_length(reader, readings))
    if not any(readings.channel_power):
        return [*found, Note("silent", "the file is silent, so there is nothing to master")]
    found += _level(readings)
    found += _channels(readings)
    found += _source(reader, readings)
    return found


def dc_db(channel_mean: Sequence[float]) -> float:
    """The larger of the channels' offsets in dBFS."""
    return gain_to_db(max((abs(mean) for mean in channel_mean), default=0.0))


def has_dc(channel_mean: Sequence[float]) -> bool:
    """Whether an offset is worth removing."""
    return dc_db(channel_mean) > DC_DB


def _length(reader: AudioReader, readings: Readings) -> Iterator[Note]:
    if readings.frames < 0.999 * reader.frames:
        yield Note(
            "truncated",
            f"the file ends after {readings.frames / readings.sample_rate:.1f} s, but its header promises "
            f"{reader.duration_s:.1f} s; it may be damaged",
        )
    if readings.frames * 1000.0 < BLOCK_MS * readings.sample_rate:
        yield Note(
            "too_short_for_loudness",
            "shorter than 0.4 s: too short to measure loudness, so the level is unchanged",
        )
    elif readings.frames * 1000.0 < SHORT_TERM_MS * readings.sample_rate:
        yield Note(
            "too_short_for_range",
            "shorter than 3 s: too short to measure short-term loudness and loudness range",
        )


def _level(readings: Readings) -> Iterator[Note]:
    if not math.isfinite(readings.lufs) and readings.frames * 1000.0 >= BLOCK_MS * readings.sample_rate:
        yield Note(
            "below_gate",
            "the whole song is below −70 LUFS: its loudness can't be measured, so the level is unchanged",
        )
    elif math.isfinite(readings.lufs) and readings.lufs < QUIET_LUFS:
        yield Note("quiet", f"very quiet ({readings.lufs:.1f} LUFS): raising the level also raises the noise")
    if readings.clipped_samples:
        yield Note(
            "clipped",
            f"clipping: {readings.clipped_samples} samples in runs at full scale; a limiter can't repair them, so "
            "export the mix again with headroom",
        )
    if readings.sample_peak_db > 0.001:
        yield Note(
            "over_full_scale",
            f"peaks exceed full scale: {readings.sample_peak_db:+.1f} dBFS in a floating-point file",
        )
    if has_dc(readings.channel_mean):
        yield Note(
            "dc_offset",
            f"DC offset of −{-dc_db(readings.channel_mean):.0f} dBFS: it wastes headroom; a high-pass at 5 Hz "
            "removes it (unless you --skip dc_removal)",
        )


def _channels(readings: Readings) -> Iterator[Note]:
    if len(readings.channel_power) == 1:
        yield Note("mono", "the file is mono, and so is the master")
        return
    left, right = readings.channel_power
    if power_to_db(max(min(left, right), 1e-30) / max(left, right)) < MISSING_DB:
        side = "left" if left < right else "right"
        yield Note("channel_missing", f"the {side} channel is silent or nearly silent")
    elif readings.width_db == -math.inf and left == right:
        yield Note("dual_mono", "both channels are identical: this is a mono recording in a stereo file")
    elif readings.correlation < INVERTED_CORRELATION:
        yield Note(
            "inverted_channel",
            f"left and right are out of phase (correlation {readings.correlation:.2f}): one channel may be "
            "inverted, and the song would partly cancel in mono",
        )


def _source(reader: AudioReader, readings: Readings) -> Iterator[Note]:
    if readings.lufs >= MASTERED_LUFS and readings.plr_db <= MASTERED_PLR_DB:
        yield Note(
            "already_mastered",
            f"this song seems to be mastered already ({readings.lufs:.1f} LUFS, peaks only "
            f"{max(readings.plr_db, 0.0):.1f} dB above that); the mix before limiting would give a better result",
        )
    if not reader.is_lossless:
        yield Note(
            "lossy_source",
            f"{_codec_title(reader)} is a lossy format; use a lossless file (WAV or FLAC) if you have one",
        )
    if (reader.bits or 16) < 16:
        yield Note(
            "few_bits", f"only {reader.bits} bits per sample: the quantisation noise stays in the master"
        )


_TITLES = {
    "mpeg_layer_iii": "MP3",
    "mp3": "MP3",
    "vorbis": "Vorbis",
    "opus": "Opus",
    "ulaw": "µ-law",
    "alaw": "A-law",
    "pcm_mulaw": "µ-law",
    "pcm_alaw": "A-law",
    "wmav1": "WMA",
    "wmav2": "WMA",
}


def _codec_title(reader: AudioReader) -> str:
    """Of the codec, which the name of the file need not tell."""
    codec = reader.codec or reader.path.suffix.lower().lstrip(".")
    return _TITLES.get(codec, codec.upper().replace("_", " "))
