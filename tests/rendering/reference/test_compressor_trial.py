"""What a compressor does to the tone, against the rendered stage."""

import numpy as np
import pytest
import soundfile

from neural_mastering.controls import Bands, ChainControls
from neural_mastering.controls.bands import EqBand
from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.metering.profile import profile_of
from neural_mastering.rendering.reference.compressor_trial import compressed_tone_db
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from tests.rendering.conftest import DEMO_SONGS, RATE

VALUES = {
    "threshold_db": -8.0, "ratio": 3.0, "attack_ms": 5.0, "release_ms": 120.0, "knee_db": 6.0, "makeup_db": 0.0,
    "mix": 0.6, "sidechain_hz": 0.0, "link_max": 0.0, "input_lufs": -16.0,
}  # fmt: skip


@pytest.mark.parametrize("song", [0, 3])
def test_the_change_is_that_of_the_rendered_stage(song: int) -> None:
    audio = soundfile.read(DEMO_SONGS[song], frames=5 * RATE, always_2d=True)[0].T.astype(np.float64)
    eq = ChainControls(eq=Bands.of([EqBand("low_shelf", 150.0, 5.0, 0.7)]))
    both = ChainControls(eq=eq.eq, stages={"compressor": VALUES})
    profiles = []
    for controls in (eq, both):
        out = np.concatenate(list(run_stages(build_stages(controls, RATE, 2), [audio])), axis=1)
        profiles.append(profile_of([out], RATE))
    before, after = (found.levels_db + found.lufs for found in profiles)
    change_db = compressed_tone_db([audio], RATE, VALUES, eq.eq_sections(RATE))
    used = BROAD & profiles[0].filled
    assert np.abs(change_db).max() > 0.5
    np.testing.assert_allclose(change_db[used], (after - before)[used], atol=0.02)
    # pieces count by their power; no mix and no audio change nothing
    thrice = compressed_tone_db([audio, audio, audio], RATE, VALUES, eq.eq_sections(RATE))
    np.testing.assert_allclose(thrice, change_db, atol=1e-9)
    assert np.array_equal(compressed_tone_db([audio], RATE, {**VALUES, "mix": 0.0}), np.zeros(29))
    assert np.array_equal(compressed_tone_db([0.0 * audio], RATE, VALUES), np.zeros(29))
