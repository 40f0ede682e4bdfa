"""Edges against signals whose silence, clicks and steps are known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from neural_mastering.metering.edges import EdgeMeter, Edges

RATE = 44_100
RNG = np.random.default_rng(3)


def music(seconds: float) -> NDArray[np.float64]:
    """Noise that swells and fades within 50 ms."""
    audio = 0.2 * RNG.standard_normal((2, round(seconds * RATE)))
    ramp = np.clip(np.arange(audio.shape[1]) / (0.05 * RATE), 0, 1)
    return audio * ramp * ramp[::-1]


def silence(seconds: float, level: float = 0.0) -> NDArray[np.float64]:
    return level * RNG.uniform(-1, 1, (2, round(seconds * RATE)))


def edges(audio: NDArray[np.float64], block: int = 4_000) -> Edges:
    meter = EdgeMeter(RATE)
    for start in range(0, audio.shape[1], block):
        meter.push(np.ascontiguousarray(audio[:, start : start + block]))
    return meter.finish()


@pytest.mark.parametrize("before_s", [0.0, 0.1, 1.234])
@pytest.mark.parametrize("behind_s", [0.0, 0.5, 3.21])
@pytest.mark.parametrize("level", [0.0, 2e-5])
def test_silence_is_measured_to_a_millisecond(before_s: float, behind_s: float, level: float) -> None:
    sound = music(1.0)
    audible = np.flatnonzero(np.abs(sound).max(axis=0) > np.abs(sound).max() * 1e-4)
    found = edges(np.concatenate([silence(before_s, level), sound, silence(behind_s, level)], axis=1))
    first = round(before_s * RATE) + audible[0]
    last = round(before_s * RATE) + audible[-1] + 1
    assert first - 45 < found.start <= first
    assert last <= found.end < last + 45
    assert found.clicks == ()


@pytest.mark.parametrize("block", [1, 333, 65_536])
def test_blocks_of_any_length_give_the_same(block: int) -> None:
    audio = np.concatenate([silence(0.02), music(0.06), silence(0.03)], axis=1)
    assert edges(audio, block) == edges(audio)


@pytest.mark.parametrize(("at_s", "is_before"), [(0.05, True), (2.6, False)])
@pytest.mark.parametrize("level", [0.5, 0.01])
def test_a_click_apart_from_the_music_is_found(at_s: float, is_before: bool, level: float) -> None:
    audio = np.concatenate([silence(0.5), music(1.5), silence(1.0)], axis=1)
    clean = edges(audio)
    place = round(at_s * RATE)
    audio[0, place : place + 30] = level * np.exp(-np.arange(30) / 6)
    found = edges(audio)
    assert (found.start, found.end) == (clean.start, clean.end)
    (click,) = found.clicks
    assert click.is_before == is_before and click.time_s == pytest.approx(at_s, abs=0.0011)
    assert click.level_db == pytest.approx(20 * math.log10(level), abs=0.01)


def test_a_drum_that_rings_is_no_click() -> None:
    drum = 0.5 * np.exp(-np.arange(RATE // 2) / (0.02 * RATE)) * RNG.standard_normal(RATE // 2)
    audio = np.concatenate([np.stack([drum, drum]), silence(0.5), music(1.0)], axis=1)
    assert edges(audio).clicks == () and edges(audio).start == 0


def test_a_file_of_one_click_keeps_it() -> None:
    audio = silence(0.5)
    audio[:, 1000] = 0.5
    found = edges(audio)
    assert found.clicks == () and found.start <= 1000 < found.end


def test_digital_silence_has_no_edges() -> None:
    assert edges(silence(0.5)) == Edges(RATE, 22_050, 0, 22_050)


@pytest.mark.parametrize("height", [0.01, 0.3])
def test_a_wave_that_starts_or_ends_on_a_step(height: float) -> None:
    time = np.arange(RATE) / RATE
    tone = height * np.cos(2 * np.pi * 100 * time) * np.ones((2, 1))  # starts at its top
    found = edges(tone)
    assert found.start_step_db == pytest.approx(20 * math.log10(height), abs=0.01)
    fade = np.clip(np.arange(RATE) / 500, 0, 1)
    found = edges(tone * fade * fade[::-1])
    assert found.start_step_db == found.end_step_db == -math.inf


def test_noise_that_starts_at_full_level_is_no_step() -> None:
    """Its own steps from sample to sample are as high."""
    assert edges(0.3 * RNG.uniform(-1, 1, (2, RATE))).start_step_db == -math.inf
