"""Stages in blocks against one shot, at any cut and any rate."""

import numpy as np
import pytest
import soxr
import torch
from scipy.signal import sosfilt

from neural_mastering.controls import Bands, ChainControls, EqBand, scaled
from neural_mastering.dsp.biquad import equalize
from neural_mastering.dsp.limiter import limit
from neural_mastering.errors import InputError
from neural_mastering.models import MasteringModel
from neural_mastering.rendering.stages.base import StreamStage, run_stages
from neural_mastering.rendering.stages.build import EqStage, build_stages
from neural_mastering.rendering.stages.limiter import LimiterStage
from neural_mastering.rendering.stages.residual import ResidualSource, ResidualStage
from tests.rendering.conftest import RATE, cut, music

BANDS = Bands.of(
    (
        EqBand("low_shelf", 90.0, 4.0, 0.7),
        EqBand("peak", 400.0, -3.0, 1.4),
        EqBand("peak", 3000.0, 5.0, 3.0),
        EqBand("high_shelf", 9000.0, 2.0, 0.6),
    )
)


def stream(stages: list[StreamStage], audio: np.ndarray, seed: int = 0) -> np.ndarray:
    return np.concatenate(list(run_stages(stages, cut(audio, seed))), axis=1)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000])
def test_equaliser_in_blocks_is_scipys_filter(rate: int) -> None:
    audio = music(1.5, rate)
    controls = ChainControls(eq=BANDS)
    got = stream(build_stages(controls, rate, 2), audio)
    expected = np.asarray(sosfilt(controls.eq_sections(rate), audio, axis=1))
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_equaliser_at_the_training_rate_is_the_equaliser_that_was_trained() -> None:
    audio = music(2.0)
    got = stream(build_stages(ChainControls(eq=BANDS, gain_db=-2.5), RATE, 2), audio)
    frequency, gain, q = (
        torch.tensor([[getattr(b, key) for b in BANDS]]) for key in ("frequency_hz", "gain_db", "q")
    )
    trained = equalize(torch.from_numpy(audio)[None], frequency, gain, q, RATE, [b.kind for b in BANDS])
    np.testing.assert_allclose(got, trained[0].numpy() * 10 ** (-2.5 / 20), atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_limiter_in_blocks_is_one_shot(rate: int) -> None:
    audio = music(1.5, rate) * 3.0
    stage = LimiterStage(-1.0, rate, 2)
    got = stream([stage], audio)
    expected, gain = limit(audio, -1.0, rate)
    assert np.array_equal(got, expected) and gain.min() < 0.7
    points = -20 * np.log10(
        gain[: gain.size // (rate // 10) * (rate // 10)].reshape(-1, rate // 10).min(axis=1)
    )
    np.testing.assert_allclose(stage.reduction_db[: points.size], points, atol=1e-9)


@pytest.mark.parametrize("channels", [1, 2])
def test_residual_in_chunks_is_one_shot(shaken_model: MasteringModel, channels: int) -> None:
    audio = music(3.1, channels=channels)
    z = torch.randn(1, 16)
    with torch.inference_mode():
        heard = torch.from_numpy(audio.astype(np.float32))[None]
        expected = audio + 0.5 * shaken_model.residual_head(heard, z)[0].double().numpy()
    source = ResidualSource(shaken_model.residual_head, RATE, z)
    for chunk_s in (0.3, 1.0, 10.0):
        got = stream([ResidualStage(source, RATE, channels, amount=0.5, chunk_s=chunk_s)], audio)
        assert got.shape == audio.shape
        np.testing.assert_allclose(got, expected, atol=1e-5)
    assert np.abs(expected - audio).max() > 0.01


@pytest.mark.parametrize("rate", [8000, 32_000, 48_000, 96_000, 192_000])
def test_residual_at_another_rate_is_aligned_and_one_shot(shaken_model: MasteringModel, rate: int) -> None:
    audio, z = music(2.3, rate), torch.randn(1, 16)
    source = ResidualSource(shaken_model.residual_head, RATE, z)
    got = stream([ResidualStage(source, rate, 2, chunk_s=0.5)], audio) - audio
    down = soxr.resample(audio.T.astype(np.float32), rate, RATE, quality="VHQ")
    with torch.inference_mode():
        residual = shaken_model.residual_head(torch.from_numpy(down.T.copy())[None], z)[0].numpy()
    expected = soxr.resample(residual.T, RATE, rate, quality="VHQ").T
    size = min(expected.shape[1], got.shape[1])
    assert abs(expected.shape[1] - audio.shape[1]) <= 2
    np.testing.assert_allclose(got[:, :size], expected[:, :size], atol=1e-5)


class _Copy(torch.nn.Module):
    """A head whose residual is the signal itself: what comes out shows the alignment of the rates."""

    receptive_field_samples, stride_samples = 100, 16

    def forward(self, audio: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return audio


@pytest.mark.parametrize("rate", [32_000, 48_000, 88_200, 96_000])
def test_resampled_residual_is_not_shifted(rate: int) -> None:
    time = np.arange(2 * rate) / rate
    audio = np.sin(2 * np.pi * 700 * time)[None] * np.hanning(time.size)
    source = ResidualSource(_Copy(), RATE, torch.zeros(1, 4))  # pyright: ignore[reportArgumentType]
    got = stream([ResidualStage(source, rate, 1, chunk_s=0.4)], audio) - audio
    np.testing.assert_allclose(got, audio, atol=2e-6)  # a shift of a hundredth of a sample would give 1e-3


def test_whole_chain_in_blocks_is_one_block(shaken_model: MasteringModel) -> None:
    audio = music(2.0, 48_000)
    source = ResidualSource(shaken_model.residual_head, RATE, torch.randn(1, 16))
    controls = ChainControls(eq=BANDS, gain_db=3.0, residual="shaken")

    def stages() -> list[StreamStage]:
        return [*build_stages(controls, 48_000, 2, source), LimiterStage(-1.0, 48_000, 2)]

    whole = np.concatenate(list(run_stages(stages(), [audio])), axis=1)
    assert whole.shape == audio.shape
    for seed in (1, 2):
        np.testing.assert_allclose(stream(stages(), audio, seed), whole, atol=1e-6)


def test_strength_zero_leaves_no_stage_and_every_bit() -> None:
    controls = ChainControls(eq=BANDS, gain_db=3.0, residual="m")
    nothing = scaled(controls, dict.fromkeys(controls.stage_names, 0.0))
    assert build_stages(nothing, RATE, 2) == []
    audio = music(0.3)
    assert np.array_equal(stream([], audio), audio)
    only_gain = build_stages(scaled(controls, {"eq": 0.0, "residual": 0.0}), RATE, 2)
    assert [stage.name for stage in only_gain] == ["gain"]


def test_unknown_stages_and_missing_models_are_explained() -> None:
    with pytest.raises(InputError, match="stage 'flanger'"):
        build_stages(ChainControls(stages={"flanger": {"rate_hz": 1.0}}), RATE, 2)
    with pytest.raises(InputError, match=r"residual of 'm'.*--model"):
        build_stages(ChainControls(residual="m"), RATE, 2)


def test_eq_stage_keeps_denormals_out_of_long_silence() -> None:
    stage = EqStage(ChainControls(eq=BANDS).eq_sections(RATE), 1)
    stage.process(np.random.default_rng(0).standard_normal((1, 1000)))
    quiet = np.concatenate([stage.process(np.zeros((1, RATE))) for _ in range(10)], axis=1)
    assert np.abs(quiet[0, -1000:]).max() < 1e-20
