"""The model around its parts: level, pooling, rendering of whole songs, checkpoints."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neural_mastering.audio_io.block import blocks_of, joined
from neural_mastering.models import (
    CHECKPOINT_KEY,
    CheckpointError,
    ConfigError,
    MasteringModel,
    build,
    find_checkpoint,
    load_model,
    warm_start,
)
from neural_mastering.models.eq_heads import FixedBands
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.processors import Gain, ParametricEQ
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.stages.residual import ResidualSource
from neural_mastering.rendering.tone.from_model import decoded_controls

RATE = 44_100
PARTS = "neural_mastering.models"
CONFIG: dict[str, Any] = {
    "_target_": f"{PARTS}.MasteringModel",
    "encoder": {"_target_": f"{PARTS}.encoders.LogMel", "z_size": 16, "sample_rate": RATE},
    "eq_head": {
        "_target_": f"{PARTS}.eq_heads.AdaptiveBands",
        "z_size": 16,
        "hidden_size": 16,
        "max_bands": 6,
        "min_bands": 3,
        "eq": {
            "_target_": "neural_mastering.processors.ParametricEQ",
            "bands": 6,
            "engine": {"_target_": "neural_mastering.dsp.biquad.equalize", "_partial_": True},
        },
        "gain": {"_target_": "neural_mastering.processors.Gain"},
    },
    "residual_head": {"_target_": f"{PARTS}.residual_heads.WaveUNet", "z_size": 16},
}


def _shaken(config: dict[str, Any] = CONFIG) -> MasteringModel:
    """A model away from its initialisation, in evaluation mode."""
    model = build(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def _music(seconds: float) -> Tensor:
    time = torch.arange(round(seconds * RATE)) / RATE
    beat = 0.2 + (torch.sin(2 * torch.pi * 1.5 * time) > 0).float()
    tone = torch.sin(2 * torch.pi * 110 * time)
    return (0.05 * beat * (torch.randn(2, time.numel()) + tone))[None]


def test_a_quiet_and_a_loud_copy_get_the_same_equaliser_but_not_the_same_gain() -> None:
    model, audio = _shaken(), _music(3)
    loud, quiet = (model.analyse(audio * g) for g in (1.0, 0.1))
    torch.testing.assert_close(loud.z, quiet.z, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(loud.logits.eq, quiet.logits.eq, atol=1e-4, rtol=1e-3)
    assert float(loud.lufs - quiet.lufs) == pytest.approx(20.0, abs=0.01)
    assert abs(float((loud.logits.gain - quiet.logits.gain).detach())) > 1e-3


def test_the_gain_head_can_level_songs() -> None:
    """The measured LUFS is enough to bring songs of any level to one loudness: plant it and recover it."""

    head = FixedBands(4, ParametricEQ(3), Gain(), hidden_size=16)
    levels = torch.linspace(-35.0, -10.0, 16)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(400):
        optimizer.zero_grad()
        gain_db = head.decode(head(torch.ones(16, 4), levels)).gain["gain_db"]
        (gain_db - (-14.0 - levels)).square().mean().backward()
        optimizer.step()
    gain_db = head.decode(head(torch.ones(16, 4), levels)).gain["gain_db"]
    assert float((levels + gain_db + 14.0).abs().max().detach()) < 1.0


def test_silence_comes_out_silent_and_finite() -> None:
    model = _shaken({**CONFIG, "residual_head": {"_target_": f"{PARTS}.residual_heads.NoResidual"}})
    output = model(torch.zeros(1, 2, RATE))
    assert torch.equal(output.audio, torch.zeros(1, 2, RATE))
    assert all(torch.isfinite(v).all() for v in output.controls["eq"].values())


def test_rows_of_a_batch_are_independent() -> None:
    model, audio = _shaken(), torch.cat([_music(1.5), 3 * _music(1.5), torch.zeros(1, 2, round(1.5 * RATE))])
    with torch.no_grad():
        together, alone = model(audio).audio, torch.cat([model(row[None]).audio for row in audio])
    torch.testing.assert_close(together, alone, atol=2e-5, rtol=0)


def test_mono_is_rendered_as_the_mean_of_two_equal_channels() -> None:
    model, mono = _shaken().eval(), _music(1)[:, :1]
    analysis = model.analyse(mono)
    own, both = model.render(mono, analysis), model.render(mono.expand(-1, 2, -1), analysis)
    assert own.audio.shape == (1, 1, RATE)
    assert float((own.audio - mono).abs().max()) > 1e-3  # the shaken model does something
    torch.testing.assert_close(own.stages["gain"], both.stages["gain"][:, :1])
    torch.testing.assert_close(own.audio, both.audio.mean(dim=1, keepdim=True))


def test_stages_lead_to_the_output() -> None:
    output = _shaken()(_music(1))
    assert list(output.stages) == ["eq", "gain", "residual"]
    assert output.residual is not None
    torch.testing.assert_close(output.stages["gain"] + output.residual, output.audio)


def test_controls_alone_reproduce_the_dsp_stages() -> None:
    model, audio = _shaken(), _music(1)
    output = model(audio)
    eq = model.eq_head.eq(audio, **output.controls["eq"])
    torch.testing.assert_close(model.eq_head.gain(eq, **output.controls["gain"]), output.stages["gain"])


def test_parts_must_agree_on_the_rate() -> None:
    model = _shaken()
    other = FixedBands(16, ParametricEQ(5, sample_rate=48_000), Gain())
    with pytest.raises(ValueError, match="44100 Hz but the equaliser 48000 Hz"):
        MasteringModel(model.encoder, other, NoResidual())


def test_pooling_weighs_by_loudness() -> None:
    """Of a loud and a quiet window the loud one decides."""
    model = _shaken()
    loud, quiet = _music(5), 0.001 * torch.randn(1, 2, 5 * RATE)
    with torch.no_grad():
        pooled = model.analyse(torch.cat([loud, quiet])).pooled()
        only_loud, only_quiet = model.analyse(loud), model.analyse(quiet)
    torch.testing.assert_close(pooled.z, only_loud.z, atol=0.01, rtol=0.01)
    assert float((only_quiet.z - only_loud.z).abs().max()) > 0.05, "the windows differ"


def test_a_song_rendered_in_chunks_equals_one_shot() -> None:
    model, audio = _shaken(), _music(7.3)
    with torch.inference_mode():
        analysis = model.analyse(audio)
        whole = model.render(audio, analysis).audio
    source = ResidualSource(model.residual_head, RATE, analysis.z)
    stages = build_stages(decoded_controls(model, analysis, "shaken"), RATE, 2, source)
    blocks = blocks_of(audio[0].numpy(), round(1.7 * RATE))
    chunked = torch.from_numpy(joined(run_stages(stages, blocks), 2)).float()[None]
    torch.testing.assert_close(chunked, whole, atol=1e-5, rtol=0)


def _checkpoint(path: Path, config: dict[str, Any], model: nn.Module) -> Path:
    state = {f"model.{k}": v for k, v in model.state_dict().items()}
    torch.save({"state_dict": state, CHECKPOINT_KEY: {"model": config, "version": "0"}}, path)
    return path


def test_a_checkpoint_rebuilds_its_model(tmp_path: Path) -> None:
    model, audio = _shaken(), _music(1)
    (tmp_path / "checkpoints").mkdir()
    _checkpoint(tmp_path / "checkpoints" / "best.ckpt", CONFIG, model)
    again = load_model(tmp_path)
    with torch.no_grad():
        assert torch.equal(again(audio).audio, model(audio).audio)
    assert not again.training


def test_broken_checkpoints_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        find_checkpoint(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        load_model(tmp_path)
    (tmp_path / "junk.ckpt").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match="could not be read"):
        load_model(tmp_path / "junk.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="was not written by nm-train"):
        load_model(tmp_path / "other.ckpt")
    model = _shaken()
    bad = _checkpoint(tmp_path / "bad.ckpt", {**CONFIG, "encoder": {"_target_": "os.system"}}, model)
    with pytest.raises(CheckpointError, match="outside neural_mastering"):
        load_model(bad)


def test_the_builder_explains() -> None:
    with pytest.raises(ConfigError, match=r"model\.x: there is no"):
        build(
            {
                "_target_": "neural_mastering.models.MasteringModel",
                "x": {"_target_": "neural_mastering.dsp.Nope"},
            }
        )
    with pytest.raises(ConfigError, match="unexpected keyword argument 'banns'"):
        build({"_target_": "neural_mastering.processors.ParametricEQ", "banns": 3})
    part = build({"_target_": "neural_mastering.units.db_to_gain", "_partial_": True, "level_db": 20.0})
    assert part() == pytest.approx(10.0)


def test_warm_start_takes_what_fits_by_name_and_shape() -> None:
    source, model = (
        nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4)),
        nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 5)),
    )
    model.append(nn.Linear(5, 1))
    report = warm_start(model, {**source.state_dict(), "extra": torch.zeros(1)})
    assert report.taken == ["0.weight", "0.bias"] and list(report.reshaped) == ["1.weight", "1.bias"]
    assert report.missing == ["2.weight", "2.bias"] and report.unused == ["extra"]
    assert torch.equal(model.state_dict()["0.weight"], source.state_dict()["0.weight"])
    assert "its shape is (4, 3) there and (5, 3) here" in str(report)
    with pytest.raises(ValueError, match="nothing in the source fits"):
        warm_start(nn.Linear(9, 9), source.state_dict())
