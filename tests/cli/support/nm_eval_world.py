"""A small world to evaluate in: six songs of three groups, made worse by a known equaliser, and a run folder."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import yaml

from neural_mastering.dsp.biquad import equalize
from neural_mastering.models import build

RATE = 44_100
SECONDS = 4
SPLITS = ("train", "train", "validation", "validation", "test", "test")
NAMES = tuple(f"söng {i}" for i in range(6))


def make_pairs(root: Path, splits: bool = True) -> Path:
    """Pairs whose master has less bass and 3 dB more level; groups "a", "b", "c"."""
    rng = np.random.default_rng(0)
    time = np.arange(SECONDS * RATE) / RATE
    for side in ("unmastered", "mastered"):
        (root / side).mkdir(parents=True)
    for i, name in enumerate(NAMES):
        beat = 0.3 + 0.7 * (np.sin(2 * np.pi * (1.5 + 0.2 * i) * time) > 0)
        noise = 0.04 * (rng.standard_normal((2, time.size)) + rng.standard_normal(time.size)) * beat
        song = torch.from_numpy(noise + 0.05 * np.sin(2 * np.pi * (80 + 30 * i) * time))[None].float()
        settings = (torch.tensor([[v]]) for v in (150.0, -6.0, 0.7))
        frequency, gain, q = settings
        master = 1.41 * equalize(song, frequency, gain, q, RATE, ("low_shelf",))
        for side, audio in (("unmastered", song), ("mastered", master)):
            soundfile.write(root / side / f"{name}.wav", audio[0].T.numpy(), RATE, subtype="PCM_24")
    with (root / "manifest.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", "group", "split"] if splits else ["file", "group"])
        for i, (name, split) in enumerate(zip(NAMES, SPLITS, strict=True)):
            writer.writerow([f"{name}.wav", "abc"[i // 2], *([split] if splits else [])])
    return root


def model_config(phase: str = "1c", sample_rate: int = RATE) -> dict[str, Any]:
    """A small model of a phase, in plain dictionaries."""
    parts = "neural_mastering.models"
    gates = {"max_bands": 6, "min_bands": 2} if phase == "1c" else {}
    residual = (
        {"_target_": f"{parts}.residual_heads.NoResidual"}
        if phase == "1a"
        else {"_target_": f"{parts}.residual_heads.WaveUNet", "z_size": 16, "channels": [4, 4, 8]}
    )
    return {
        "_target_": f"{parts}.MasteringModel",
        "encoder": {"_target_": f"{parts}.encoders.LogMel", "z_size": 16, "sample_rate": sample_rate},
        "eq_head": {
            "_target_": f"{parts}.eq_heads." + ("AdaptiveBands" if phase == "1c" else "FixedBands"),
            "z_size": 16,
            "hidden_size": 16,
            "eq": {
                "_target_": "neural_mastering.processors.ParametricEQ",
                "bands": 6 if phase == "1c" else 5,
                "sample_rate": sample_rate,
            },
            "gain": {"_target_": "neural_mastering.processors.Gain"},
            **gates,
        },
        "residual_head": residual,
        **({"chain_head": _chain()} if phase == "2" else {}),
    }


def _chain() -> dict[str, Any]:
    stages = {
        "compressor": {"_target_": "neural_mastering.processors.Compressor", "sample_rate": RATE},
        "stereo": {"_target_": "neural_mastering.processors.StereoWidth", "sample_rate": RATE},
    }
    chain = {"_target_": "neural_mastering.processors.Chain", "stages": stages}
    return {"_target_": "neural_mastering.models.chain_heads.GreyBoxChain", "z_size": 16, "chain": chain}


def make_run(
    folder: Path, phase: str = "1c", trained_on: tuple[str, ...] = NAMES[:2], sample_rate: int = RATE
) -> Path:
    """A run folder with random weights, as nm-train leaves it."""
    torch.manual_seed(1)
    config = model_config(phase, sample_rate)
    model = build(config)
    for parameter in model.parameters():
        if not parameter.abs().sum():  # last layers begin at 0: give them something to say
            torch.nn.init.normal_(parameter, std=0.1)
    (folder / "checkpoints").mkdir(parents=True)
    state = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    contents = {
        "neural_mastering": {"model": config, "version": "0.1.0"},
        "state_dict": state,
        "epoch": 3,
        "global_step": 40,
    }
    torch.save(contents, folder / "checkpoints" / "best.ckpt")
    settings = {"phase_name": phase, "seed": 0, "data": {"root": "/nowhere", "seed": 0, "segment_s": 1.0}}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    splits: dict[str, list[dict[str, Any]]] = {"train": [], "validation": [], "test": []}
    splits["train"] = [{"name": name, "group": "g", "duration_s": 4.0} for name in trained_on]
    (folder / "splits.json").write_text(json.dumps({"splits": splits}))
    return folder
