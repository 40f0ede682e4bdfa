"""Songs of a second or two, files of them, and a small model away from its initialisation."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.models import CHECKPOINT_KEY, Analysis, MasteringModel, build
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.tone.from_model import pooled

RATE = 44_100
DEMO_SONGS = sorted((Path(__file__).parents[2] / "neural_mastering" / "assets" / "demo").glob("*.ogg"))
"""The bundled songs."""
PARTS = "neural_mastering.models"
CONFIG: dict[str, Any] = {
    "_target_": f"{PARTS}.MasteringModel",
    "encoder": {"_target_": f"{PARTS}.encoders.LogMel", "z_size": 16, "sample_rate": RATE},
    "eq_head": {
        "_target_": f"{PARTS}.eq_heads.FixedBands",
        "z_size": 16,
        "hidden_size": 16,
        "eq": {
            "_target_": "neural_mastering.processors.ParametricEQ",
            "bands": 5,
            "engine": {"_target_": "neural_mastering.dsp.biquad.equalize", "_partial_": True},
        },
        "gain": {"_target_": "neural_mastering.processors.Gain"},
    },
    "residual_head": {"_target_": f"{PARTS}.residual_heads.WaveUNet", "z_size": 16, "channels": [4, 8, 8]},
}
DEVICES = "neural_mastering.processors"
CHAIN_CONFIG: dict[str, Any] = CONFIG | {
    "chain_head": {
        "_target_": f"{PARTS}.chain_heads.GreyBoxChain",
        "z_size": 16,
        "hidden_size": 8,
        "chain": {
            "_target_": f"{DEVICES}.Chain",
            "stages": {
                "compressor": {"_target_": f"{DEVICES}.Compressor", "sidechain_hz": 80.0},
                "saturation": {"_target_": f"{DEVICES}.Saturation"},
                "stereo": {"_target_": f"{DEVICES}.StereoWidth"},
                "limiter": {"_target_": f"{DEVICES}.Limiter"},
            },
            "order": ["compressor", "saturation", "stereo", "limiter"],
            "after_residual": ["limiter"],
        },
    },
}
"""A model of phase 2 with all stages."""

Audio = NDArray[np.float64]


def music(seconds: float, rate: int = RATE, seed: int = 0, channels: int = 2) -> Audio:
    """A beat of noise with tones, about −20 LUFS, peaks 15 dB above, (channel, time)."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    beat = np.exp(-8.0 * (time % 0.5))
    tones = sum(0.05 * np.sin(2 * np.pi * f * time + f) for f in (82.0, 330.0, 1234.5))
    noise = 0.12 * beat * rng.standard_normal((channels, time.size))
    return noise + tones * np.linspace(1.0, 0.8, channels)[:, None]


def cut(audio: Audio, seed: int = 0, most: int = 30_000) -> list[Audio]:
    """The audio in pieces of irregular length, some of a single sample."""
    rng, pieces, start = np.random.default_rng(seed), [], 0
    while start < audio.shape[1]:
        size = int(rng.integers(1, most)) if rng.random() < 0.8 else 1
        pieces.append(np.ascontiguousarray(audio[:, start : start + size]))
        start += size
    return pieces


def raw(**settings: Any) -> Options:
    """Only the chain: level kept as it comes, no ceiling, floating point."""
    return Options(target="keep", ceiling="off", bits="32f", **settings)


def level_matched(a: Audio, b: Audio) -> float:
    """Largest difference after the best common gain, relative to the peak of b."""
    gain = float((a * b).sum() / (a * a).sum())
    return float(np.abs(gain * a - b).max() / np.abs(b).max())


def analysed_in_memory(model: MasteringModel, audio: Audio, window_s: float = 5.0) -> Analysis:
    """What a model makes of a song (channel, time): the windows of `listen`, cut from the whole at once."""
    tensor = torch.from_numpy(audio.astype(np.float32))[None]
    window, time = min(round(window_s * RATE), audio.shape[1]), audio.shape[1]
    starts = [*range(0, time - window + 1, window)]
    starts += [time - window] if starts[-1] + window < time else []
    with torch.inference_mode():
        lufs = integrated_loudness(tensor, RATE, floor_lufs=model.silence_lufs)
        parts = [model.analyse(tensor[..., start : start + window], lufs=lufs) for start in starts]
    audible = [part for part in parts if part.lufs > model.silence_lufs] or parts
    return pooled(audible, float(lufs), model.silence_lufs)


def rendered_in_memory(model: MasteringModel, audio: Audio) -> tuple[Audio, Analysis]:
    """A song (channel, time) by the path of training, all at once, and the analysis that it was rendered with."""
    analysis = analysed_in_memory(model, audio)
    with torch.inference_mode():
        output = model.render(torch.from_numpy(audio.astype(np.float32))[None], analysis)
    return output.audio[0].double().numpy(), analysis


@pytest.fixture
def write_song(tmp_path: Path) -> Callable[..., Path]:
    """Write audio (channel, time) to a file in a temporary folder."""

    def write(
        audio: Audio,
        name: str = "song.wav",
        rate: int = RATE,
        subtype: str | None = "PCM_24",
        **settings: Any,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio.T, rate, subtype=subtype, **settings)
        return path

    return write


@pytest.fixture(scope="session")
def shaken_model() -> MasteringModel:
    """A model that does something at every stage."""
    torch.manual_seed(0)
    model = build(CONFIG)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(scope="session")
def checkpoint(shaken_model: MasteringModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as a checkpoint file."""
    path = tmp_path_factory.mktemp("model") / "shaken.ckpt"
    weights = {f"model.{name}": tensor for name, tensor in shaken_model.state_dict().items()}
    torch.save({CHECKPOINT_KEY: {"model": copy.deepcopy(CONFIG)}, "state_dict": weights}, path)
    return path


@pytest.fixture(scope="session")
def chain_model() -> MasteringModel:
    """A model of phase 2 whose every stage works: amounts near a half, wide side, bass to the middle."""
    torch.manual_seed(1)
    model = build(CHAIN_CONFIG)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for name, processor in model.chain_head.chain.processors.items():
            bias = model.chain_head.heads[name].out.bias
            for i, key in enumerate(processor.specs):
                # the map of an amount is straight over 10 logits and runs four times as fast
                bias[i] += {"mix": 1.0, "amount": 1.5, "bass_amount": 1.0, "width": 0.5, "drive_db": 1.0}.get(
                    key, 0.0
                )
    return model.eval()


@pytest.fixture(scope="session")
def chain_checkpoint(chain_model: MasteringModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That model as a checkpoint file."""
    path = tmp_path_factory.mktemp("model") / "chain.ckpt"
    weights = {f"model.{name}": tensor for name, tensor in chain_model.state_dict().items()}
    torch.save({CHECKPOINT_KEY: {"model": copy.deepcopy(CHAIN_CONFIG)}, "state_dict": weights}, path)
    return path
