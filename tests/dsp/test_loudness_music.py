"""Loudness of real music: the bundled demo songs against pyloudnorm."""

import io

import numpy as np
import pyloudnorm
import pytest
import soundfile
import torch

from neural_mastering.data.demo import demo_assets
from neural_mastering.dsp.loudness import integrated_loudness

SONGS = sorted(entry.name for entry in demo_assets().iterdir() if entry.name.endswith(".ogg"))


@pytest.mark.parametrize("song", SONGS)
def test_integrated_loudness_agrees_with_pyloudnorm(song: str) -> None:
    samples, rate = soundfile.read(
        io.BytesIO((demo_assets() / song).read_bytes()), dtype="float64", always_2d=True
    )
    ours = float(integrated_loudness(torch.from_numpy(samples.T.astype(np.float32))[None], rate)[0])
    assert ours == pytest.approx(
        pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(samples), abs=0.02
    )


def test_there_are_eight_songs() -> None:
    assert len(SONGS) == 8
