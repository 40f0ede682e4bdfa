"""Threads change nothing: a master with each step in a thread of its own is the one of a single thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from neural_mastering.audio_io import prefetch as threads
from neural_mastering.audio_io.block import Block, BlockReader
from neural_mastering.controls import ChainControls, save_controls
from neural_mastering.metering import measure
from neural_mastering.rendering import Options, master, pipeline
from neural_mastering.rendering.delivery import limiter_search, loop
from neural_mastering.rendering.stages import base
from tests.rendering.conftest import RATE, music

SATURATION = {"drive_db": 8.0, "shape": 0.4, "bias": 0.1, "mix": 0.5, "input_lufs": -16.0}
STEREO = {"width": 1.2, "bass_frequency_hz": 90.0, "bass_amount": 0.5}


def one_after_another(blocks: Iterator[Block]) -> Iterator[Block]:
    """`prefetch` without its thread."""
    yield from blocks


def read_in_turn(blocks: Iterator[Block], readers: Sequence[BlockReader]) -> Iterator[Block]:
    """`read_beside` without its threads."""
    for block in blocks:
        for reader in readers:
            reader.push(block)
        yield block


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    soundfile.write(path, 0.9 * music(12.0, seed=4).T, RATE, subtype="PCM_16")
    return path


def serially(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (threads, measure, pipeline, loop, base):
        for name, plain in (("prefetch", one_after_another), ("read_beside", read_in_turn)):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, plain)
    monkeypatch.setattr(limiter_search, "_THREADS", 1)


@pytest.mark.parametrize("kind", ["untouched", "style", "model", "chain"])
def test_threads_and_one_thread_write_one_file(
    kind: str, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    controls = tmp_path / "chain.yaml"
    save_controls(ChainControls(gain_db=1.0, stages={"saturation": SATURATION, "stereo": STEREO}), controls)
    options = {
        "untouched": Options(target="-9", model="none", bits="16"),
        "style": Options(target="-9"),
        "model": Options(target="-9", model="modest-eq-2"),
        "chain": Options(target="-9", controls=controls),
    }[kind]
    master(song, tmp_path / "threads.wav", options)
    serially(monkeypatch)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        master(song, tmp_path / "serial.wav", options)
    finally:
        torch.set_num_threads(before)
    assert (tmp_path / "threads.wav").read_bytes() == (tmp_path / "serial.wav").read_bytes()


@pytest.mark.parametrize("channels", [1, 2])
def test_stages_side_by_side_give_the_samples_of_stages_in_turn(channels: int) -> None:
    class Late(base.StreamStage):
        """Holds ten samples back and adds to them."""

        name = "late"

        def __init__(self) -> None:
            self._kept = np.zeros((channels, 0))

        def process(self, block: Block) -> Block:
            known = np.concatenate([self._kept, block], axis=1)
            ready = max(known.shape[1] - 10, 0)
            self._kept = known[:, ready:]
            return known[:, :ready] * 1.5 + 0.1

        def flush(self) -> Block | None:
            return self._kept * 1.5 + 0.1

    audio = music(0.5, channels=channels)
    pieces = [audio[:, at : at + 77] for at in range(0, audio.shape[1], 77)]
    together = np.concatenate(list(base.run_stages([Late(), Late()], pieces)), axis=1)
    beside = np.concatenate(list(base.run_beside([Late(), Late()], iter(pieces))), axis=1)
    assert np.array_equal(together, beside) and together.shape == audio.shape
