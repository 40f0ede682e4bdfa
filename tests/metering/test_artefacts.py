"""Artefacts planted at known levels and frequencies are found there, and not in plain music-like noise."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, firwin, lfilter, sosfilt

from neural_mastering.controls.controls_file import from_text
from neural_mastering.metering.artefacts import Artefacts
from neural_mastering.metering.inspection import SongInspector
from neural_mastering.metering.inspection_notes import inspection_notes

RATE = 44_100
RNG = np.random.default_rng(5)


def filtered(order: int, low_pass_hz: float, audio: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(sosfilt(butter(order, low_pass_hz, fs=RATE, output="sos"), audio))


def music(seconds: float = 20.0) -> NDArray[np.float64]:
    """Pink-like noise with a beat."""
    noise = RNG.standard_normal((2, round(seconds * RATE)))
    pink = 0.2 * filtered(1, 300, noise) + 0.01 * noise
    time = np.arange(noise.shape[1]) / RATE
    return pink * (0.4 + np.exp(-6 * (time % 0.5)))


def artefacts(audio: NDArray[np.float64]) -> Artefacts:
    inspector = SongInspector(RATE, len(audio), audio.shape[1])
    for start in range(0, audio.shape[1], 10_000):
        inspector.push(np.ascontiguousarray(audio[:, start : start + 10_000]))
    return inspector.finish().artefacts


def test_plain_music_has_none() -> None:
    assert artefacts(music()) == Artefacts()


@pytest.mark.parametrize("edge_hz", [12_000, 16_000])
def test_a_hard_edge_is_found_where_it_is(edge_hz: float) -> None:
    audio = np.asarray(lfilter(firwin(1_001, edge_hz, fs=RATE, window="blackmanharris"), 1.0, music()))
    found = artefacts(audio).edge_hz
    assert found == pytest.approx(edge_hz, abs=250)


def test_a_gentle_low_pass_is_no_edge() -> None:
    assert artefacts(filtered(2, 12_000, music())).edge_hz is None


LINES_HZ = (10_400.0, 11_025.0, 12_350.0, 13_600.0)


def with_lines(level: float, audio: NDArray[np.float64]) -> NDArray[np.float64]:
    time = np.arange(audio.shape[1]) / RATE
    return audio + level * sum(np.sin(2 * np.pi * hz * time) for hz in LINES_HZ)


def test_steady_lines_are_found_at_their_frequencies() -> None:
    found = artefacts(with_lines(2e-3, music())).lines
    assert found is not None and len(found.frequencies_hz) == len(LINES_HZ)
    assert np.allclose(found.frequencies_hz, LINES_HZ, atol=3.0)
    assert found.highest_db > 12
    # the mean square of the band: the lines and what they stand in
    audio = with_lines(2e-3, music())
    inside = sosfilt(butter(12, [10_000, 14_000], "bandpass", fs=RATE, output="sos"), audio)
    assert found.band_db == pytest.approx(10 * np.log10(np.square(inside).mean()), abs=0.7)


def test_lines_that_come_and_go_are_music() -> None:
    """Notes: each sounds for a third of the time."""
    audio = music()
    time = np.arange(audio.shape[1]) / RATE
    for i, hz in enumerate(LINES_HZ[:3]):
        audio += 5e-3 * np.sin(2 * np.pi * hz * time) * (time * 2 % 3 // 1 == i)
    assert artefacts(audio).lines is None


@pytest.mark.parametrize("bits", [16, 24])
def test_what_rounding_leaves_of_a_tone_is_no_line(bits: int) -> None:
    """Without dither, rounding errors are harmonics that fold back: dozens of steady lines, far below hearing."""
    tone = 0.5 * np.sin(2 * np.pi * 1_000.0 * np.arange(20 * RATE) / RATE)
    step = 2.0 ** (1 - bits)
    rounded = np.tile(np.round(tone / step) * step, (2, 1))
    error = np.abs(np.fft.rfft(rounded[0, : 10 * RATE] - tone[: 10 * RATE]))[100_000:140_000]
    assert error.max() > 30.0 * np.median(error)  # they are there
    assert artefacts(rounded).lines is None


def test_weak_lines_are_left_out() -> None:
    assert artefacts(with_lines(2e-5, music())).lines is None


def test_the_remedy_is_a_file_of_controls() -> None:
    """What the note offers can be read, and the stage turns the lines down."""
    inspector = SongInspector(RATE, 2, 20 * RATE)
    inspector.push(with_lines(2e-3, music()))
    (note,) = inspection_notes(inspector.finish(), -20.0, True)
    assert note.kind == "steady_lines"
    snippet = note.text.split("--controls: ")[1]
    controls = from_text(f"design_rate_hz: 44100\n{snippet}\n", "the note")
    stage = controls.stages["dynamic_eq"]
    assert 10_400 < stage["frequency_hz"][0] < 13_600 and stage["range_db"][0] < 0  # type: ignore[index]
    from neural_mastering.rendering.stages.base import run_stages
    from neural_mastering.rendering.stages.build import build_stages

    audio = with_lines(2e-3, music(6.0))
    out = np.concatenate(list(run_stages(build_stages(controls, RATE, 2), [audio])), axis=1)
    at = [round(hz * 4) for hz in (LINES_HZ[1], LINES_HZ[2])]
    spectra = [np.abs(np.fft.rfft(x[0, RATE : 5 * RATE] * np.hanning(4 * RATE))) for x in (audio, out)]
    change_db = [20 * np.log10(spectra[1][k] / spectra[0][k]) for k in at]
    assert max(change_db) < -1.0 and np.mean(change_db) < -1.5


@pytest.mark.parametrize("level_db", [-75, -65, -55])
def test_hiss_at_the_end_is_measured(level_db: float) -> None:
    """Music fades into noise of a known level."""
    audio = 10.0 * music(10.0)  # −16 dBFS: the noise lies 30 dB below it and more
    fade = np.clip((6.0 - np.arange(audio.shape[1]) / RATE) / 2.0, 0, 1) ** 3
    hiss = 10 ** (level_db / 20) * RNG.standard_normal(audio.shape)
    found = artefacts(audio * fade + hiss).hiss
    assert found is not None
    assert found.level_db == pytest.approx(level_db, abs=0.5)
    assert found.seconds == pytest.approx(4.5, abs=0.8)


def test_a_fade_a_hum_and_silence_are_no_hiss() -> None:
    audio = 10.0 * music(10.0)
    time = np.arange(audio.shape[1]) / RATE
    long_fade = 10 ** (-8 * np.clip(time - 4, 0, None) / 20)
    assert artefacts(audio * long_fade).hiss is None
    gone = audio * (time < 6)
    assert artefacts(gone).hiss is None
    hum = 1e-3 * np.sin(2 * np.pi * 50 * time)
    assert artefacts(gone + hum).hiss is None
