"""What a model makes of a song, from a stream, and the controls in physical units that it asks for."""

import copy

import numpy as np
import pytest
import soxr
import torch

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.models import MasteringModel, build
from neural_mastering.models.confidence import ConfidenceEstimate
from neural_mastering.rendering.tone.from_model import (
    analyse_windows,
    decoded_controls,
    follow,
    listen,
    pooled,
)
from tests.rendering.conftest import CHAIN_CONFIG, RATE, analysed_in_memory, cut, music


@pytest.mark.parametrize("seconds", [0.3, 4.0, 5.0, 12.3])
def test_listening_to_a_stream_is_listening_to_the_song(shaken_model: MasteringModel, seconds: float) -> None:
    audio = music(seconds) * np.linspace(0.2, 1.0, round(seconds * RATE))
    expected = analysed_in_memory(shaken_model, audio)
    lufs = integrated_loudness(torch.from_numpy(audio)[None], RATE).item()
    tone = listen(shaken_model, "shaken", iter(cut(audio)), RATE, lufs)
    got = tone.analysis
    torch.testing.assert_close(got.z, expected.z, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got.logits.eq, expected.logits.eq, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got.logits.gain, expected.logits.gain, atol=1e-4, rtol=1e-4)
    assert tone.controls == decoded_controls(shaken_model, got, "shaken") and tone.confidence is None


def test_windows_are_pooled_by_their_power(shaken_model: MasteringModel) -> None:
    """The mean written out, of the windows at 0, 5 and 7.5 s; a silent one in between does not count."""
    audio = music(12.5)
    audio[:, 5 * RATE : 10 * RATE] = 0.0
    audio[:, 10 * RATE :] *= 3.0
    windows = analyse_windows(shaken_model, iter(cut(audio)), RATE, -20.0)
    assert len(windows) == 2
    tensor = torch.from_numpy(audio.astype(np.float32))[None]
    with torch.inference_mode():
        parts = [shaken_model.analyse(tensor[..., s : s + 5 * RATE]) for s in (0, round(7.5 * RATE))]
    power = 10.0 ** (torch.cat([part.lufs for part in parts]).double() / 10.0)
    share = (power / power.sum()).float()
    found = pooled(windows, -20.0, shaken_model.silence_lufs)
    torch.testing.assert_close(found.z, share[0] * parts[0].z + share[1] * parts[1].z, atol=1e-5, rtol=1e-5)
    assert float(found.lufs) == -20.0 and 0.05 < float(share[0]) < 0.95


def test_listening_at_another_rate_hears_the_same(shaken_model: MasteringModel) -> None:
    audio = music(6.0)
    twice = soxr.resample(audio.T, RATE, 2 * RATE, quality="VHQ").T
    at_rate, above = (
        listen(shaken_model, "m", iter(cut(a)), r, -20.0).analysis
        for a, r in ((audio, RATE), (twice, 2 * RATE))
    )
    torch.testing.assert_close(above.logits.eq, at_rate.logits.eq, atol=2e-3, rtol=1e-2)


def test_what_a_model_asks_for(shaken_model: MasteringModel) -> None:
    """The file's curve and gain are those that the model renders with."""
    analysis = analysed_in_memory(shaken_model, music(3.0))
    controls = decoded_controls(shaken_model, analysis, residual="small")
    at_hz = np.geomspace(20.0, 20_000.0, 80)
    with torch.inference_mode():
        decoded = shaken_model.eq_head.decode(analysis.logits)
        theirs = shaken_model.eq_head.eq.response_db(torch.from_numpy(at_hz), **decoded.eq)[0].numpy()
    assert len(controls.eq), "the model of this test is away from the identity"
    ours = controls.eq.level_db(at_hz, controls.design_rate_hz)
    assert np.abs(ours - theirs).max() < 1e-4
    assert controls.gain_db == pytest.approx(float(decoded.gain["gain_db"][0]))
    assert controls.design_rate_hz == shaken_model.sample_rate and controls.residual == "small"
    assert decoded_controls(shaken_model, analysis).residual is None


def test_closed_bands_are_left_out(shaken_model: MasteringModel) -> None:
    model = copy.deepcopy(shaken_model)
    analysis = analysed_in_memory(model, music(1.0, channels=1))
    decode = model.eq_head.decode

    def closed(logits, seeds=None):
        decoded = decode(logits, seeds)
        decoded.eq["gain_db"][0, 1] = 0.0
        return decoded

    every = decoded_controls(model, analysis).eq
    model.eq_head.decode = closed  # pyright: ignore[reportAttributeAccessIssue]
    assert decoded_controls(model, analysis).eq == every.only([0, 2, 3, 4])


def test_stages_at_rest_are_left_out(chain_model: MasteringModel) -> None:
    """A model of phase 2 as it is built does nothing, so it asks for nothing; one that moved, for every stage."""
    audio = music(2.0)
    new = build(CHAIN_CONFIG).eval()
    assert isinstance(new, MasteringModel)
    assert decoded_controls(new, analysed_in_memory(new, audio)).stages == {}
    controls = decoded_controls(chain_model, analysis := analysed_in_memory(chain_model, audio))
    assert list(controls.stages) == ["compressor", "saturation", "stereo", "chain_limiter"]
    heard = float(analysis.lufs) + controls.gain_db
    assert controls.stages["compressor"]["input_lufs"] == pytest.approx(heard)
    assert controls.stages["compressor"]["sidechain_hz"] == 80.0


def test_a_model_is_followed_as_far_as_its_confidence(
    shaken_model: MasteringModel, chain_model: MasteringModel
) -> None:
    """The bands get that share of their gain; the broadband gain stays where a residual or a chain needs it."""
    half = ConfidenceEstimate(0.5, 1.0, 1.0, 3)
    for model in (shaken_model, chain_model):
        analysis = analysed_in_memory(model, music(2.0))
        fully, weaker = (follow(model, "m", analysis, c).controls for c in (None, half))
        np.testing.assert_allclose(weaker.eq.gain_db, 0.5 * fully.eq.gain_db)
        assert weaker.gain_db == fully.gain_db != 0.0 and weaker.stages == fully.stages
