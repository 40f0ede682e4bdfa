"""How loud a limiter would leave a song, foretold from its peaks and powers."""

import numpy as np
import pytest
import soundfile
import torch

from neural_mastering.dsp.limiter import LimiterSettings, limit
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.metering.forecast import forecast
from tests.rendering.conftest import DEMO_SONGS, RATE, cut, music


def test_prediction_of_the_limited_loudness() -> None:
    path = next(song for song in DEMO_SONGS if song.stem == "s8_folk")
    audio = np.array(soundfile.read(path, frames=5 * RATE)[0].T, dtype=np.float64, order="C")
    before = forecast(iter([audio]), RATE, 2)
    for gain_db in (-6.0, 2.0, 6.0):
        limited = limit(audio * 10 ** (gain_db / 20), -1.0, RATE)[0]
        real = integrated_loudness(torch.from_numpy(limited)[None], RATE).item()
        assert before.limited_lufs(gain_db, -1.0, LimiterSettings()) == pytest.approx(real, abs=0.4)


def test_it_keeps_the_largest_sample_of_each_cell() -> None:
    audio = music(1.3)
    found = forecast(iter(cut(audio, most=500)), RATE, 2)
    size = found.cell_samples
    padded = np.pad(np.abs(audio).max(axis=0), (0, -audio.shape[1] % size)).reshape(-1, size).max(axis=1)
    np.testing.assert_allclose(found.cell_peaks, padded, rtol=1e-6)
