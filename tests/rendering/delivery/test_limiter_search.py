"""The settings that are found for a song."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfiltfilt

from neural_mastering.dsp.limiter import DRIVEN, LimiterSettings, limit
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.metering.forecast import LimiterForecast, forecast
from neural_mastering.rendering.delivery.limiter_search import (
    CANDIDATES,
    LOUDER,
    MOST_PASSAGES,
    PASSAGE_S,
    _in_bands,
    find_limiter,
    loudest_passages,
)
from neural_mastering.rendering.delivery.spec import CLEAN_DB, DeliverySpec
from tests.rendering.conftest import RATE, music


def _blocks(audio: np.ndarray) -> Callable[[], Iterator[np.ndarray]]:
    return lambda: (np.ascontiguousarray(audio[:, i : i + 7000]) for i in range(0, audio.shape[1], 7000))


def _survey(audio: np.ndarray) -> LimiterForecast:
    return forecast(_blocks(audio)(), RATE, len(audio))


def _drum() -> np.ndarray:
    since = np.arange(4 * RATE) / RATE % 0.45
    beats = np.sin(2 * np.pi * 60.0 * since) * np.exp(-since / 0.12) * np.minimum(since / 0.003, 1.0)
    return np.tile(0.5 * beats, (2, 1))


def _spec(audio: np.ndarray, over_db: float, clip_db: float = 1.5) -> DeliverySpec:
    """A target for which the highest peak has about `over_db` too much."""
    readings = _survey(audio).readings
    lufs = readings.lufs + over_db - 1.0 - readings.true_peak_db
    return DeliverySpec(lufs, -1.0, 24.0, clip_db=clip_db)


def _above_300_hz_db(audio: np.ndarray) -> float:
    high = sosfiltfilt(np.asarray(butter(6, 300.0, "highpass", fs=RATE, output="sos")), audio)
    return 10.0 * float(np.log10((high**2).sum() / (audio**2).sum()))


def test_a_bass_drum_keeps_its_wave_and_a_mix_gets_a_fast_recovery() -> None:
    drum = _drum()
    choice = find_limiter(_blocks(drum), _survey(drum), _spec(drum, 6.0))
    assert choice is not None and choice.cost <= choice.default_cost
    out = limit(drum / np.abs(drum).max() * 10.0 ** (5.0 / 20.0), -1.0, RATE, choice.settings)[0]
    assert _above_300_hz_db(out) < _above_300_hz_db(drum) + 1.0
    mix = music(4.0)
    choice = find_limiter(_blocks(mix), _survey(mix), _spec(mix, 6.0))
    assert choice is not None and choice.cost <= choice.default_cost
    assert choice.settings.recovery_widths == 0.0 and choice.settings.lookahead_ms <= 2.0


def test_nothing_is_sought_where_little_must_go() -> None:
    audio = music(4.0)
    assert find_limiter(_blocks(audio), _survey(audio), _spec(audio, 0.9 * CLEAN_DB)) is None
    assert find_limiter(_blocks(audio), _survey(audio), replace(_spec(audio, 6.0), ceiling_db=None)) is None
    assert (
        find_limiter(_blocks(audio), _survey(audio), replace(_spec(audio, 6.0), max_reduction_db=0.0)) is None
    )


def test_one_song_always_gets_the_same_settings_whatever_its_blocks() -> None:
    audio = music(4.0)
    spec, survey = _spec(audio, 6.0), _survey(audio)
    first = find_limiter(_blocks(audio), survey, spec)
    assert first == find_limiter(lambda: iter([audio]), survey, spec)
    assert first is not None and first.settings in CANDIDATES and first.clip_db in (0.0, 1.5)
    assert CANDIDATES[0] == DRIVEN


def test_the_clipper_is_never_deeper_than_allowed() -> None:
    audio = music(4.0)
    survey = _survey(audio)
    found = []
    for allowed_db in (0.0, 0.4, 3.0):
        choice = find_limiter(_blocks(audio), survey, _spec(audio, 6.0, clip_db=allowed_db))
        assert choice is not None and 0.0 <= choice.clip_db <= allowed_db
        found.append(choice.clip_db)
    assert found[-1] > 0.4  # the bounds below it held something back


def test_the_loud_settings_are_for_the_full_density_and_only_where_needed() -> None:
    audio = music(4.0)
    survey = _survey(audio)
    far = DeliverySpec(survey.readings.lufs + 30.0, -1.0, 24.0, clip_db=3.0)
    near = _spec(audio, 6.0)
    chosen = [
        find_limiter(_blocks(audio), survey, spec) for spec in (far, near, replace(far, max_loss_lu=2.0))
    ]
    settings = [choice.settings for choice in chosen if choice is not None]
    assert settings[0] == LOUDER[-1]
    assert all(each in CANDIDATES for each in settings[1:])


def test_the_loud_settings_are_ordered_by_loudness() -> None:
    audio = 10.0 * music(4.0)
    levels_lufs = [
        float(integrated_loudness(torch.from_numpy(limit(audio, -1.0, RATE, each)[0])[None], RATE))
        for each in (CANDIDATES[0], *LOUDER)
    ]
    assert levels_lufs == sorted(levels_lufs)


def _bass(hiss: float) -> np.ndarray:
    """Beats of a bass with an overtone, and noise of that level."""
    time = np.arange(4 * RATE) / RATE
    bass = np.sin(2 * np.pi * 55.0 * time) + 0.3 * np.sin(2 * np.pi * 110.0 * time + 0.7)
    noise = hiss * np.random.default_rng(3).standard_normal((2, time.size))
    return 0.3 * bass * (0.3 + 0.7 * np.exp(-2.0 * (time % 1.0))) + noise


def _splatter_db(settings: LimiterSettings) -> float:
    """Power above 300 Hz over all power, in dB, of the bass alone behind a limiter, driven 6 dB."""
    audio = _bass(0.0)
    return _above_300_hz_db(
        limit(audio / np.abs(audio).max() * 10.0 ** (5.0 / 20.0), -1.0, RATE, settings)[0]
    )


def test_bass_under_quiet_treble_gets_a_limiter_that_leaves_the_treble_alone() -> None:
    audio = _bass(0.005)
    choice = find_limiter(_blocks(audio), _survey(audio), replace(_spec(audio, 6.0), max_loss_lu=9.0))
    assert choice is not None
    assert _splatter_db(choice.settings) < _splatter_db(replace(DRIVEN, recovery_ms=0.5)) - 3.0


@pytest.mark.parametrize("minutes", [0.5, 6.0])
def test_the_loudest_passages_are_heard(minutes: float) -> None:
    """Bursts in a quiet song; they are found where they are, and no more than a few seconds are taken."""
    rate = 8_000
    size = round(60 * minutes * rate)
    quiet = 0.01 * np.random.default_rng(0).standard_normal((1, size))
    places = [0.2, 0.5, 0.9]
    for place in places:
        start = round(place * size)
        quiet[:, start : start + round(PASSAGE_S * rate)] *= 30.0
    blocks = _blocks(quiet)
    readings = forecast(blocks(), rate, 1).readings
    found = loudest_passages(blocks(), readings)
    wanted = round(PASSAGE_S * rate) * (MOST_PASSAGES if minutes >= 6 else 1)
    assert found.shape == (1, wanted)
    assert np.sqrt((found**2).mean()) > 0.9 * 0.3


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.3, 0.6])
def test_songs_too_short_to_compare_get_no_settings(seconds: float) -> None:
    audio = music(1.0)[:, : round(seconds * RATE)]
    find_limiter(_blocks(audio), _survey(audio), DeliverySpec(-5.0, -1.0, 24.0))
    silent = np.zeros((2, RATE))
    assert find_limiter(_blocks(silent), _survey(silent), DeliverySpec(-5.0, -1.0, 24.0)) is None


@pytest.mark.parametrize("level_db", [-50.0, -20.0])
def test_what_changes_where_the_song_is_quiet_counts_by_its_power(level_db: float) -> None:
    """Two bands of four bins; the second, at `level_db`, comes out 10 % lower. It is quiet below −30 dB."""
    quiet = 10.0 ** (level_db / 20.0)
    reference = np.repeat(np.array([[1.0, quiet, 0.0]]), 4, axis=1).repeat(3, axis=0).astype(np.complex64)
    output = reference.copy()
    output[:, 4:8] *= 0.9
    floor = 1e-5 * 4.0
    ratio = (4.0 * (0.9 * quiet) ** 2 + floor) / (4.0 * quiet**2 + floor)
    left = 25.0 * np.sqrt((0.1 * quiet) ** 2 / (1.0 + quiet**2)) if level_db < -30.0 else 0.0
    cost = _in_bands(output, reference, np.array([0, 4, 8]))
    assert cost == pytest.approx(0.5 * abs(np.log(ratio)) / 2.0 + left, rel=1e-3)
