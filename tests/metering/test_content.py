"""Content features: what an equaliser, a level and the sample rate leave, and what they tell apart."""

import numpy as np
import pytest
import scipy.signal

from neural_mastering.audio_io.block import Block, blocks_of
from neural_mastering.metering.content import Content, ContentMeter

RATE = 44_100


def content_of(audio: Block, rate: int = RATE, block_samples: int = 1 << 16) -> Content | None:
    meter = ContentMeter(rate, len(audio))
    for block in blocks_of(audio, block_samples):
        meter.push(block)
    return meter.finish()


def measured(audio: Block, rate: int = RATE) -> Content:
    found = content_of(audio, rate)
    assert found is not None
    return found


def piece(seed: int, seconds: float = 7.0, rate: int = RATE) -> Block:
    """Decaying notes and bursts of high partials on beats, in stereo: the same at every rate."""
    rng = np.random.default_rng(seed)
    audio = np.zeros((2, round(seconds * rate)))
    length_s, beat_s = 0.8, rng.uniform(0.3, 0.6)
    for start_s in np.arange(0.0, seconds - length_s, beat_s):
        start = int(np.ceil(start_s * rate))
        since = np.arange(start, start + round(0.79 * rate)) / rate - start_s
        part = audio[:, start : start + since.size]
        for _ in range(2):
            pitch_hz = 55.0 * 2.0 ** (rng.integers(0, 48) / 12.0)
            decay_s, pan = rng.uniform(0.1, 0.4), rng.uniform(0.2, 0.8)
            tone = sum(np.sin(2 * np.pi * pitch_hz * k * since) / k for k in (1, 2, 3, 4))
            part += np.array([[pan], [1.0 - pan]]) * tone * np.exp(-since / decay_s)
        at_hz, phase = np.exp(rng.uniform(np.log(300), np.log(12e3), 12)), rng.uniform(0, 2 * np.pi, 12)
        burst = np.sin(2 * np.pi * at_hz[:, None] * since + phase[:, None]).sum(axis=0)
        part += 0.1 * burst * np.exp(-since / 0.05)
    return 0.1 * audio


@pytest.fixture(scope="module")
def pieces() -> list[Block]:
    return [piece(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def spread(pieces: list[Block]) -> np.ndarray:
    """Standard deviation of each feature between pieces: small for such similar ones, so a strict unit."""
    return np.stack([measured(p).values for p in pieces]).std(axis=0) + 0.05


def test_level_moves_nothing(pieces: list[Block]) -> None:
    one, other = measured(pieces[0]), measured(pieces[0] * 0.03)
    np.testing.assert_allclose(other.values, one.values, atol=1e-4)


def test_cutting_into_blocks_moves_nothing(pieces: list[Block]) -> None:
    whole = measured(pieces[1])
    for size in (777, 1 << 20):
        cut = content_of(pieces[1], block_samples=size)
        assert cut is not None
        np.testing.assert_allclose(cut.values, whole.values, atol=1e-5)


def test_a_broad_equaliser_moves_little(pieces: list[Block], spread: np.ndarray) -> None:
    numerator, denominator = scipy.signal.bilinear(*_shelf(400.0, 6.0), fs=RATE)  # 6 dB: some 2.5 dB RMS
    moved = []
    for audio in pieces:
        filtered = np.asarray(scipy.signal.lfilter(numerator, denominator, audio, axis=1))
        moved.append(np.abs(measured(filtered).values - measured(audio).values) / spread)
    assert np.mean(moved) < 0.08
    foreign = np.abs(measured(pieces[0]).values - measured(pieces[1]).values) / spread
    assert foreign.mean() > 10.0 * np.mean(moved)


@pytest.mark.parametrize("rate", [48_000, 96_000])
def test_sample_rates_agree(rate: int, spread: np.ndarray) -> None:
    one, other = measured(piece(0)), measured(piece(0, rate=rate), rate)
    assert one.names == other.names
    assert np.mean(np.abs(one.values - other.values) / spread) < 0.25


def test_modulation_of_a_tremolo_lies_in_its_range() -> None:
    time = np.arange(16 * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal((1, time.size))
    plain, tremolo = measured(noise), measured(noise * (1.0 + 0.8 * np.sin(2 * np.pi * 3.0 * time)))
    gained = {
        n: tremolo[n] - plain[n] for n in plain.names if n.startswith("modulation") and n.endswith("_1000")
    }
    assert max(gained, key=lambda name: gained[name]) == "modulation_2_1000"
    # of the level of 1 + 0.8·sin, the part at 3 Hz
    level_db = 20.0 * np.log10(1.0 + 0.8 * np.sin(2 * np.pi * np.arange(1000) / 1000))
    first = 2.0 * np.abs(np.fft.rfft(level_db)[1] / 1000) ** 2
    # window (46 ms) and noise blur it by some tenths
    assert tremolo["modulation_2_1000"] == pytest.approx(10.0 * np.log10(first), abs=1.0)


def test_tones_are_less_flat_than_noise() -> None:
    time = np.arange(8 * RATE) / RATE
    chord = np.sum([np.sin(2 * np.pi * f * time) for f in (440.0, 554.4, 659.3, 880.0)], axis=0)[None]
    noise = np.random.default_rng(0).standard_normal((1, time.size))
    tonal, flat = measured(chord), measured(noise)
    assert tonal["flat_500"] < flat["flat_500"] - 2.0
    # the mean of the logarithm of an exponentially distributed power: −γ
    assert flat["flat_4000"] == pytest.approx(-np.euler_gamma, abs=0.05)


def test_width_is_that_of_side_over_mid() -> None:
    rng = np.random.default_rng(1)
    mid, side = rng.standard_normal((2, 8 * RATE))
    low = scipy.signal.butter(4, 500.0, output="sos", fs=RATE)
    side = scipy.signal.sosfilt(low, side)  # wide below 500 Hz alone
    found = measured(np.stack([mid + side, mid - side]))
    assert found["width_125"] - found["width_4000"] > 30.0
    mono = measured(np.stack([mid, mid]))
    assert mono["is_wide"] == -25.0
    assert [mono[f"width_{f}"] for f in (63, 8000)] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("audio", "rate"),
    [
        (np.zeros((2, 10 * RATE)), RATE),
        (0.1 * np.ones((2, round(0.3 * RATE))), RATE),
        (0.1 * np.random.default_rng(0).standard_normal((1, 10 * 8_000)), 8_000),
        (np.zeros((2, 0)), RATE),
    ],
    ids=["silence", "0.3 s", "8 kHz", "empty"],
)
def test_too_little_says_nothing(audio: Block, rate: int) -> None:
    assert content_of(audio, rate) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_broken_samples_say_nothing(pieces: list[Block], bad: float) -> None:
    broken = pieces[0].copy()
    broken[0, 3 * RATE] = bad
    with np.errstate(all="ignore"):
        found = content_of(broken)
    assert found is None or np.isfinite(found.values).all()


def test_gaps_mono_and_a_lone_click_stay_finite(pieces: list[Block]) -> None:
    gap = pieces[0].copy()
    gap[:, 2 * RATE : 5 * RATE] = 0.0
    steady = 0.5 * np.sin(2 * np.pi * 50.0 * np.arange(6 * RATE) / RATE)[None]
    for audio in (gap, pieces[0][:1], steady):
        assert np.isfinite(measured(audio).values).all()


def _shelf(at_hz: float, gain_db: float) -> tuple[list[float], list[float]]:
    """A first-order low shelf, analogue."""
    gain = 10.0 ** (gain_db / 20.0)
    w = 2.0 * np.pi * at_hz
    return [1.0, w * gain], [1.0, w]
