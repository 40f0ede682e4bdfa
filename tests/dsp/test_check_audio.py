"""Audio of a wrong kind is refused in words, by every function that people call by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from neural_mastering import losses, metrics
from neural_mastering.dsp import biquad, crossover, loudness, ltas, ltas_error, rbj, stereo, true_peak
from neural_mastering.dsp.a_weighted import a_weighted_distance
from neural_mastering.models import MasteringModel
from neural_mastering.models.encoders import TCN
from neural_mastering.models.eq_heads import FixedBands
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.output import MasteringOutput
from neural_mastering.processors import Gain, ParametricEQ

RATE = 44_100
BAND = (torch.tensor([[1_000.0]]), torch.tensor([[6.0]]), torch.tensor([[1.0]]))


def model() -> MasteringModel:
    head = FixedBands(z_size=16, eq=ParametricEQ(sample_rate=RATE, bands=3), gain=Gain())
    return MasteringModel(TCN(z_size=16), head, NoResidual()).eval()


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "equalize": lambda audio: biquad.equalize(audio, *BAND, RATE),
    "integrated_loudness": lambda audio: loudness.integrated_loudness(audio, RATE),
    "momentary_loudness": lambda audio: loudness.momentary_loudness(audio, RATE),
    "short_term_loudness": lambda audio: loudness.short_term_loudness(audio, RATE),
    "loudness_range": lambda audio: loudness.loudness_range(audio, RATE),
    "true_peak_db": lambda audio: true_peak.true_peak_db(audio, RATE),
    "third_octave_levels_db": lambda audio: ltas.third_octave_levels_db(audio, RATE),
    "channel_levels_db": lambda audio: ltas_error.channel_levels_db(audio, RATE),
    "mid_side": stereo.mid_side,
    "stereo_width_db": stereo.stereo_width_db,
    "stereo_correlation": stereo.stereo_correlation,
    "split": lambda audio: crossover.split(audio, (1_000.0,), RATE),
    "a_weighted_distance": lambda audio: a_weighted_distance(audio, audio, RATE),
    "MasteringModel": lambda audio: model()(audio),
}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_audio_of_another_kind_is_refused_with_what_to_do(name: str) -> None:
    function = FUNCTIONS[name]
    good = 0.1 * torch.randn(1, 2, RATE)
    function(good)
    for wrong, expected in (
        (good[0], r"got shape \(2, 44100\) \(audio\[None\]"),
        (good[0, 0], r"got shape \(44100,\)"),
        ((32_767 * good).to(torch.int32), r"got torch.int32 \(divide"),
        (good.numpy(), "got ndarray"),
    ):
        with pytest.raises(ValueError, match=expected):
            function(wrong)


@pytest.mark.usefixtures("unchecked")
def test_a_model_names_the_precision_it_takes() -> None:
    with pytest.raises(
        ValueError, match=r"model's torch.float32; got torch.float64: use audio.to\(torch.float32\)"
    ):
        model()(torch.zeros(1, 2, RATE, dtype=torch.float64))
    assert model().double()(torch.zeros(1, 2, RATE, dtype=torch.float64)).audio.dtype == torch.float64


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("q", [0.0, -1.0, float("nan"), float("inf")])
def test_a_quality_factor_must_be_above_0(q: float) -> None:
    audio = torch.zeros(1, 2, RATE)
    with pytest.raises(ValueError, match="q must be finite and above 0"):
        biquad.equalize(audio, BAND[0], BAND[1], torch.tensor([[q]]), RATE)
    with pytest.raises(ValueError, match="Qs must be finite and above 0"):
        rbj.pole_radius(["peak"], [1_000.0], [6.0], [q], RATE)
    with pytest.raises(ValueError, match="gain_db finite"):
        biquad.equalize(audio, BAND[0], torch.tensor([[float("nan")]]), BAND[2], RATE)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("term", [losses.Lufs(RATE), losses.ThirdOctaves(RATE)])
def test_a_target_of_another_length_is_refused(term: losses.LossTerm) -> None:
    audio = 0.1 * torch.randn(1, 2, RATE)
    output = MasteringOutput(audio, {}, {}, None, torch.zeros_like(audio))
    assert term(output, audio).item() == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(ValueError, match=r"share one shape .* got \(1, 2, 44100\) and \(1, 2, 44000\)"):
        term(output, audio[..., :44_000])


def test_clips_without_a_loudness_have_no_loudness_error_either() -> None:
    noise = 0.1 * torch.randn(1, 2, RATE)
    for metric in (metrics.LufsError(RATE), metrics.PeakToLoudnessError(RATE)):
        metric.update(0.5 * noise[..., :8_000], noise[..., :8_000])
        assert np.isnan(metric.compute().item())
        metric.update(0.5 * noise, noise)
        assert np.isfinite(metric.compute().item())
    silence = torch.zeros(1, 2, RATE)
    assert metrics.lufs_error(silence, silence, RATE).item() == 0.0
