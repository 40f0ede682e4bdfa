"""Excerpts inside a page: which part, how long, how loud, how large."""

import base64
import io
import math
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from numpy.typing import NDArray

from neural_mastering.errors import InputError
from neural_mastering.reporting.audio_clip import (
    LONGEST_S,
    SHORTEST_S,
    ClipPlan,
    EncodedClip,
    clip_from_file,
    encode_clips,
    loudest_start_s,
    plan,
    shortest_bytes,
)
from neural_mastering.reporting.player import matched_gains_db, true_gains_db
from neural_mastering.reporting.report_data import Clip

Song = tuple[NDArray[np.float32], int]


def decoded(clip: EncodedClip) -> tuple[NDArray[np.float64], int]:
    audio, rate = soundfile.read(io.BytesIO(base64.b64decode(clip.data)), always_2d=True)
    return np.asarray(audio, dtype=np.float64).T, rate


@pytest.mark.parametrize("lossless", [True, False])
def test_a_clip_sounds_like_its_source(song: Song, lossless: bool) -> None:
    audio, rate = song
    (clip,) = encode_clips([Clip("after", audio, rate)], ClipPlan(24.0, lossless))
    heard, heard_rate = decoded(clip)
    assert heard_rate == rate and heard.shape == audio.shape
    error_db = 10 * np.log10(np.mean((heard - audio) ** 2) / np.mean(audio**2))
    assert error_db < (-70 if lossless else -15)
    assert clip.mime == ("audio/flac" if lossless else "audio/ogg")
    assert clip.seconds == pytest.approx(4.0) and clip.stored_gain_db == 0.0
    assert clip.lufs == pytest.approx(pyloudnorm.Meter(rate).integrated_loudness(audio.T), abs=0.1)


@pytest.mark.parametrize("lossless", [True, False])
def test_matched_clips_are_equally_loud_and_none_is_amplified(song: Song, lossless: bool) -> None:
    """Judged on the decoded files with pyloudnorm."""
    audio, rate = song
    gains = {"before": -12.0, "after": 0.0, "over full scale": 9.0}
    clips = [Clip(name, audio * np.float32(10 ** (g / 20)), rate) for name, g in gains.items()]
    encoded = encode_clips(clips, ClipPlan(24.0, lossless))
    common, matched = matched_gains_db(encoded)
    assert max(matched) == 0.0
    meter = pyloudnorm.Meter(rate)
    loudness = [
        meter.integrated_loudness(decoded(clip)[0].T * 10 ** (gain / 20))
        for clip, gain in zip(encoded, matched, strict=True)
    ]
    assert loudness == pytest.approx([common] * 3, abs=0.05)


def test_peaks_over_full_scale_are_turned_down_and_not_clipped(song: Song) -> None:
    audio, rate = song
    loud = audio / np.abs(audio).max() * np.float32(2.0)
    clips = encode_clips(
        [Clip("quiet", loud * np.float32(0.25), rate), Clip("loud", loud, rate)], ClipPlan(24.0, True)
    )
    assert clips[1].stored_gain_db == pytest.approx(20 * math.log10(0.999 / 2.0), abs=1e-3)
    heard, _ = decoded(clips[1])
    np.testing.assert_allclose(heard, loud * 0.4995, atol=2e-4)
    true = true_gains_db(clips)
    assert true[1] == 0.0 and true[0] - true[1] == pytest.approx(clips[1].stored_gain_db, abs=1e-6)


def test_the_loudest_part_is_taken_from_all_sources_alike() -> None:
    rate, chance = 8_000, np.random.default_rng(0)
    noise = chance.standard_normal((1, 40 * rate)) * 0.02
    noise[:, 21 * rate : 27 * rate] *= 10.0
    mark = np.zeros_like(noise)
    mark[:, 22 * rate] = 0.5
    first, second = encode_clips(
        [Clip("before", noise, rate, start_s=100.0), Clip("after", mark, rate, start_s=100.0)],
        ClipPlan(6.0, True),
    )
    assert first.start_s == second.start_s == 121.0 and first.seconds == second.seconds == 6.0
    heard, _ = decoded(second)
    assert heard.shape == (1, 6 * rate) and int(np.abs(heard[0]).argmax()) == rate


def test_silence_and_tiny_clips_play_too() -> None:
    silent = Clip("silence", np.zeros((2, 4_410)), 44_100)
    tiny = Clip("tiny", np.full((2, 441), 0.1) * np.array([[1], [-1]]), 44_100)
    clips = encode_clips([silent, tiny], ClipPlan(24.0, True))
    common, gains = matched_gains_db(clips)
    assert clips[0].lufs == -math.inf and gains == [0.0, 0.0] and common == clips[1].lufs
    assert clips[0].seconds == clips[1].seconds == pytest.approx(0.01)
    assert matched_gains_db(clips[:1]) == (-math.inf, [0.0])
    assert (
        encode_clips([Clip("nan", np.full(44_100, np.nan), 44_100)], ClipPlan(24.0, True))[0].lufs
        == -math.inf
    )


@pytest.mark.parametrize(
    "rate, kept",
    [
        (8_000, 8_000),
        (48_000, 48_000),
        (88_200, 44_100),
        (96_000, 48_000),
        (192_000, 48_000),
        (5_512, 48_000),
    ],
)
def test_rates_that_browsers_and_meters_share(rate: int, kept: int) -> None:
    tone = 0.25 * np.sin(2 * np.pi * 997.0 * np.arange(2 * rate) / rate)
    (clip,) = encode_clips([Clip("tone", tone, rate)], ClipPlan(24.0, True))
    heard, heard_rate = decoded(clip)
    assert heard_rate == kept and clip.seconds == pytest.approx(2.0, abs=1e-3)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.25 / math.sqrt(2), rel=0.01)


@pytest.mark.parametrize("shape", [(3, 100), (2, 0)])
def test_wrong_shapes_are_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="'five': expected"):
        encode_clips([Clip("five", np.zeros(shape), 44_100)], ClipPlan(24.0, True))


def test_the_plan_keeps_to_its_budget() -> None:
    assert plan(2, 20e6) == ClipPlan(LONGEST_S, lossless=True)
    many = plan(6, 60e6 / 50)
    assert many is not None and not many.lossless and SHORTEST_S <= many.seconds < LONGEST_S
    assert plan(6, 10_000.0) is None
    assert plan(6, shortest_bytes(6)) == ClipPlan(SHORTEST_S, lossless=False)
    assert plan(6, 0.99 * shortest_bytes(6)) is None


@pytest.mark.parametrize("budget", [20e6, 1.5e6, 0.4e6])
def test_noise_the_hardest_case_stays_near_the_budget(budget: float) -> None:
    """White noise at full level takes more than any music; music stays below."""
    noise = np.random.default_rng(0).uniform(-1, 1, (2, 26 * 44_100))
    chosen = plan(2, budget)
    assert chosen is not None
    size = sum(len(clip.data) for clip in encode_clips([Clip("a", noise, 44_100)] * 2, chosen))
    assert size < 1.35 * budget


def test_the_loudest_place_from_short_term_loudness() -> None:
    time_s = 3.0 + 0.1 * np.arange(1_771)  # of 180 s
    loudness = np.full(time_s.size, -20.0)
    loudness[(time_s >= 100.0) & (time_s <= 118.0)] = -12.0
    start = loudest_start_s(time_s, loudness, 180.0, 20.0)
    assert 95.0 <= start <= 98.0
    loudness[:] = -math.inf
    assert loudest_start_s(time_s, loudness, 180.0, 20.0) == 0.0
    assert loudest_start_s(time_s, loudness, 12.0, 20.0) == 0.0
    loudness[-1] = -5.0  # the end of the song: the excerpt ends with it
    assert loudest_start_s(time_s, loudness, 180.0, 20.0) == pytest.approx(160.0)


def test_an_excerpt_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "söng = 1.wav"
    ramp = np.linspace(-0.5, 0.5, 80_000)
    soundfile.write(file, np.stack([ramp, -ramp], axis=1), 8_000, subtype="FLOAT")
    clip = clip_from_file(file, "before", "before", start_s=2.0, seconds=1.5)
    np.testing.assert_allclose(clip.audio, np.stack([ramp, -ramp])[:, 16_000:28_000], atol=1e-7)
    assert clip.start_s == 2.0 and clip.sample_rate_hz == 8_000
    assert clip_from_file(file, "before", "before", start_s=9.0).audio.shape == (2, 8_000)
    with pytest.raises(InputError, match="can't be read as audio"):
        clip_from_file(tmp_path / "none.wav", "before", "before")
    (tmp_path / "zero.wav").write_bytes(b"")
    with pytest.raises(InputError, match="can't be read as audio"):
        clip_from_file(tmp_path / "zero.wav", "before", "before")
