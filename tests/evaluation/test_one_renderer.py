"""One renderer: what nm-eval measures is what nm-master writes, before delivery, sample by sample."""

import copy
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from omegaconf import OmegaConf

from neural_mastering.config.compose import compose
from neural_mastering.data import AudioCache, SongPair
from neural_mastering.data.audio_file import probe
from neural_mastering.evaluation.song_set import load_song
from neural_mastering.evaluation.trained_model import TrainedModel
from neural_mastering.models import (
    CHECKPOINT_KEY,
    build,
    default_model,
    find_bundle,
    load_model,
    read_bundle,
)
from neural_mastering.numeric.model import load_numeric
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import prepare

DEMO = Path(__file__).parents[2] / "neural_mastering" / "assets" / "demo"
SONGS = ("s3_rock", "s4_orchestral")
SECONDS, RATE = 7, 44_100
BUNDLE = "bundle"
PHASES = ("1a", "1b", "1c", "2")


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("songs")
    found = []
    for name in SONGS:
        audio, rate = soundfile.read(DEMO / f"{name}.ogg", frames=SECONDS * RATE, start=RATE)
        assert rate == RATE
        path = folder / f"{name}.wav"
        offset = 0.02 if name == SONGS[0] else 0.0  # which both must remove
        soundfile.write(path, 0.5 * audio + offset, rate, subtype="PCM_24")
        found.append(path)
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """A model of a phase, away from its initialisation at every stage, as a checkpoint; or the bundled model."""
    folder = tmp_path_factory.mktemp("models")

    def make(phase: str) -> str:
        if phase == BUNDLE:
            name = default_model()
            assert name is not None
            return name
        config: Any = OmegaConf.to_container(compose([f"+phase='{phase}'"]).model, resolve=True)
        torch.manual_seed(4)
        model = build(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
            for head in getattr(model.chain_head, "heads", {}).values():
                head.out.bias.add_(0.6)
        path = folder / f"{phase}.ckpt"
        weights = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        torch.save({CHECKPOINT_KEY: {"model": copy.deepcopy(config)}, "state_dict": weights}, path)
        return str(path)

    return make


@pytest.mark.parametrize("phase", (*PHASES, BUNDLE))
def test_what_is_evaluated_is_what_is_mastered(
    phase: str, songs: list[Path], trained: Callable[[str], str], tmp_path: Path
) -> None:
    name = trained(phase)
    model = load_model(name)
    bundle = find_bundle(name)
    confidence = None if bundle is None else read_bundle(bundle).confidence
    numbers = None if bundle is None else load_numeric(read_bundle(bundle))
    system = TrainedModel("model", "model", model, confidence=confidence, numbers=numbers)
    for path in songs:
        file = probe(path)
        song = load_song(SongPair(path.stem, file, file, path.stem), AudioCache(tmp_path / "cache", RATE))
        evaluated = system.render(song).audio[0].numpy()
        with ExitStack() as resources:
            prepared = prepare(path, Options(model=name), tmp_path, resources)
            mastered = np.concatenate(list(prepared.rendered.blocks()), axis=1)
        assert evaluated.shape == mastered.shape
        assert np.linalg.norm(mastered - song.input[0].numpy()) > 1e-3
        assert np.array_equal(evaluated, mastered.astype(np.float32))
