"""The high-pass that removes an offset: by scipy, in blocks, without a step at the beginning, and by request."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

from neural_mastering import notes
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.stages.dc_removal import CORNER_HZ, DcRemovalStage
from tests.rendering.conftest import RATE, music


def test_a_constant_gives_silence_from_the_first_sample_on() -> None:
    stage = DcRemovalStage((0.25, -0.5), RATE)
    out = stage.process(np.tile(np.array([[0.25], [-0.5]]), RATE))
    assert np.abs(out).max() < 1e-12


def test_its_curve_is_a_first_order_high_pass_at_5_hz() -> None:
    impulse = np.zeros((1, 20 * RATE))
    impulse[0, 0] = 1.0
    stage = DcRemovalStage((0.0,), RATE)
    cuts = (0, 7, 1000, 50_000, impulse.shape[1])
    out = np.concatenate([stage.process(impulse[:, a:b]) for a, b in pairwise(cuts)], axis=1)
    at_hz = np.array([2.0, 5.0, 20.0, 1000.0])
    at_time = np.exp(-2j * np.pi * at_hz[:, None] * np.arange(out.shape[1]) / RATE)
    response = np.abs(at_time @ out[0])
    np.testing.assert_allclose(response, at_hz / np.hypot(at_hz, 5.0), rtol=2e-3)


def test_a_planted_offset_is_removed_and_said(write_song: Callable[..., Path], tmp_path: Path) -> None:
    song = music(4.0) * 0.3
    source = write_song(song + np.array([[0.05], [-0.02]]))
    result = master(source, tmp_path / "out.wav", Options(model="none", target="keep"))
    means = soundfile.read(tmp_path / "out.wav", always_2d=True)[0].mean(axis=0)
    assert np.abs(means).max() < 10 ** (-70 / 20)
    assert notes.has(result.warnings, "dc_offset")
    assert result.stages[0].name == "dc_removal"
    kept = master(source, tmp_path / "kept.wav", Options(model="none", target="keep", skip=("dc_removal",)))
    means = soundfile.read(tmp_path / "kept.wav", always_2d=True)[0].mean(axis=0)
    assert abs(means[0] - 0.05) < 1e-3 and kept.delivery.gain_db == 0.0


def test_it_is_the_filter_of_scipy_to_the_bit_whatever_the_blocks() -> None:
    rate, offset = 44_100, (0.01, -0.02)
    audio = np.random.default_rng(0).standard_normal((2, 5_000)) + np.array(offset)[:, None]
    stage = DcRemovalStage(offset, rate)
    found = np.concatenate([stage.process(audio[:, :1_234]), stage.process(audio[:, 1_234:])], axis=1)
    pole = np.exp(-2.0 * np.pi * CORNER_HZ / rate)
    scale = 0.5 * (1.0 + pole)
    start = -scale * np.array(offset)[:, None]
    expected, _ = scipy.signal.lfilter((scale, -scale), (1.0, -pole), audio, axis=1, zi=start)
    np.testing.assert_array_equal(found, expected)
