"""What is worth saying about a file before it is mastered."""

import math

from neural_mastering.dsp.decibel import level_of
from neural_mastering.rendering.audio_reader import AudioReader
from neural_mastering.rendering.meter import BLOCK_MS, SHORT_TERM_MS, Readings

DC_DB = -55.0
MASTERED_LUFS, MASTERED_PLR_DB = -12.0, 11.0
INVERTED_CORRELATION = -0.7
MISSING_DB = -60.0
QUIET_LUFS = -40.0


def preflight(reader: AudioReader, readings: Readings) -> list[str]:
    """Warnings, one sentence each, from a file's header and readings."""
    power, means = readings.channel_power, readings.channel_mean
    silent = not any(power)
    found: list[str] = []
    if readings.frames < 0.999 * reader.frames:
        found.append(
            f"the file ends after {readings.frames / readings.sample_rate:.1f} s although its header says "
            f"{reader.duration_s:.1f} s: it may be damaged"
        )
    if readings.frames * 1000.0 < BLOCK_MS * readings.sample_rate:
        found.append("shorter than 0.4 s: loudness can't be measured, the level was left alone")
    elif readings.frames * 1000.0 < SHORT_TERM_MS * readings.sample_rate:
        found.append("shorter than 3 s: short-term loudness and loudness range can't be measured")
    if silent:
        found.append("the file is silent: nothing to master")
        return found
    if not math.isfinite(readings.lufs) and readings.frames * 1000.0 >= BLOCK_MS * readings.sample_rate:
        found.append("everything is below −70 LUFS: loudness can't be measured, the level was left alone")
    elif readings.lufs < QUIET_LUFS:
        found.append(f"very quiet ({readings.lufs:.1f} LUFS): noise comes up with the music")
    if readings.clipped_samples:
        found.append(
            f"clipped: {readings.clipped_samples} samples lie in runs at full scale; limiting can't mend them, a "
            "mix with headroom can"
        )
    if readings.sample_peak_db > 0.001:
        found.append(f"samples reach {readings.sample_peak_db:+.1f} dBFS (floating point over full scale)")
    worst = max((abs(mean) for mean in means), default=0.0)
    if level_of(worst) > DC_DB:
        found.append(f"direct current of {level_of(worst):.0f} dBFS: remove it in the mix, it costs headroom")
    found += _channels(readings)
    if readings.lufs >= MASTERED_LUFS and readings.plr_db <= MASTERED_PLR_DB:
        found.append(
            f"looks mastered already ({readings.lufs:.1f} LUFS, peaks only {readings.plr_db:.1f} dB above): the "
            "unlimited mix would give a better result"
        )
    if not reader.is_lossless:
        kind = reader.path.suffix.lower().lstrip(".")
        found.append(f"{kind} is a lossy format: master from WAV or FLAC if you can")
    if (reader.bits or 16) < 16:
        found.append(f"only {reader.bits} bits a sample: the noise of that stays")
    return found


def _channels(readings: Readings) -> list[str]:
    if len(readings.channel_power) == 1:
        return ["the file is mono: it stays mono"]
    left, right = readings.channel_power
    quieter = 10.0 * math.log10(max(min(left, right), 1e-30) / max(left, right))
    if quieter < MISSING_DB:
        side = "left" if left < right else "right"
        return [f"the {side} channel is missing (silent beside the other)"]
    if readings.width_db == -math.inf and left == right:
        return ["both channels are the same: this is mono in a stereo file"]
    if readings.correlation < INVERTED_CORRELATION:
        return [
            f"left and right are opposed (correlation {readings.correlation:.2f}): one channel may be inverted, "
            "and mono playback would cancel it"
        ]
    return []
