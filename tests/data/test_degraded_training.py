"""Released music as training data: degraded while it is read."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from neural_mastering.data import degraded_data
from neural_mastering.data.datamodule import PairedDataModule
from neural_mastering.data.degradation import DegradationChain, load_preset
from neural_mastering.data.degradation.segment import SegmentDegrader
from neural_mastering.data.degradation.song import song_seed
from neural_mastering.data.errors import DataError
from neural_mastering.dsp.loudness import integrated_loudness

RATE = 8_000


@pytest.fixture
def music(tmp_path: Path) -> Path:
    root = tmp_path / "music"
    for number in range(6):
        folder = root / f"album {number // 2}"
        folder.mkdir(parents=True, exist_ok=True)
        time = np.arange(4 * RATE) / RATE
        audio = 0.2 * np.random.default_rng(number).standard_normal((len(time), 2))
        audio *= (0.2 + (np.sin(2 * np.pi * 2.0 * time) > 0))[:, None]
        soundfile.write(folder / f"song {number}.flac", audio.clip(-0.99, 0.99), RATE, subtype="PCM_24")
    return root


def data(music: Path, **settings: Any) -> PairedDataModule:
    defaults: dict[str, Any] = {
        "sample_rate": RATE,
        "segment_s": 1.0,
        "batch_size": 2,
        "seed": 1,
        "preset": "heavy",
        "cache_dir": music.parent / "cache",
    }
    return degraded_data(music, **{**defaults, **settings})


def test_the_target_is_the_track_and_the_input_follows_from_seed_epoch_and_index(music: Path) -> None:
    crops = data(music).train_dataset()
    for key in ((0, 0), (0, 5), (3, 5)):
        item = crops[key]
        song = crops.songs[item["song"]]
        track, _ = soundfile.read(next(music.rglob(f"{song.name.split('__')[1]}.flac")), dtype="float32")
        np.testing.assert_array_equal(item["target"].numpy(), track[item["start"] : item["start"] + RATE].T)
        again = data(music).train_dataset()[key]
        assert torch.equal(item["input"], again["input"])
        assert float((item["input"] - item["target"]).abs().max()) > 1e-3
    one, two = (crops[epoch, 5] for epoch in (0, 3))
    assert one["song"] == two["song"] and one["seed"] != two["seed"]


def test_a_fixed_segment_has_the_draw_that_a_made_file_has(music: Path) -> None:
    segments = data(music).evaluation_dataset("validation")
    by_song: dict[str, set[float]] = {}
    for item in segments.spread(len(segments)):
        song = segments.songs[item["song"]]
        drawn = load_preset("heavy").draw(song_seed(1, song.name)).at_rate(RATE, 2)
        applied = dataclasses.replace(drawn, reference_lufs=song.target.lufs)
        made = torch.from_numpy(DegradationChain(applied, 2)(item["target"].double().numpy()))
        ratio = (item["input"].double() * made).sum() / made.square().sum()  # the last gain
        torch.testing.assert_close(item["input"].double(), made * ratio, atol=1e-5, rtol=1e-4)
        by_song.setdefault(song.name, set()).add(round(drawn.level_lufs, 6))
    assert all(len(levels) == 1 for levels in by_song.values())


def test_the_level_is_the_drawn_one_for_a_segment_as_loud_as_its_track() -> None:
    """Without an expander the loudness of such a segment is the draw's, whatever the equaliser does."""
    preset = load_preset("heavy")
    still = {
        name: {**settings, "probability": (0.0, 0.0)}
        for name, settings in preset.operations.items()
        if name.endswith("expansion")
    }
    degrader = SegmentDegrader(
        dataclasses.replace(preset, operations={**preset.operations, **still}), seed=0, sample_rate=44_100
    )
    audio = 0.05 * torch.randn(2, 2 * 44_100)
    lufs = float(integrated_loudness(audio[None], 44_100))
    for seed in range(8):
        made = degrader.of_track(audio, lufs, f"song {seed}")
        level = degrader.preset.draw(song_seed(0, f"song {seed}")).level_lufs
        # the chain starts at rest, which the gated blocks see and the whole segment's power too
        assert float(integrated_loudness(made[None], 44_100)) == pytest.approx(level, abs=0.1)
        assert float(made.abs().max()) <= 10 ** (-0.1 / 20) + 1e-6


def test_silence_and_mono_are_fine_and_no_loudness_is_not(music: Path) -> None:
    degrader = SegmentDegrader(load_preset("heavy"), 0, 44_100)
    assert torch.equal(degrader.of_item(torch.zeros(2, 4_410), -14.0, 3), torch.zeros(2, 4_410))
    mono = 0.1 * torch.randn(1, 44_100).expand(2, -1)
    made = degrader.of_item(mono, -20.0, 5)
    assert torch.equal(made[0], made[1]) and bool(made.isfinite().all())
    with pytest.raises(DataError, match="without loudness"):
        degrader.of_item(torch.zeros(2, 100), float("-inf"), 0)


def test_readers_in_other_processes_give_the_same_batches(music: Path) -> None:
    here = list(data(music).train_dataloader())
    module = data(music, num_workers=2)
    there = list(module.train_dataloader())
    for a, b in zip(here, there, strict=True):
        assert torch.equal(a["input"], b["input"]) and torch.equal(a["target"], b["target"])
    module.teardown()


def test_a_run_with_another_preset_does_not_go_on(music: Path) -> None:
    state = data(music).train_dataloader().state_dict()
    data(music).train_dataloader().load_state_dict(state)
    with pytest.raises(DataError, match="other training songs"):
        data(music, preset="light").train_dataloader().load_state_dict(state)


def test_albums_stay_together_and_both_sides_are_cached_once(music: Path) -> None:
    module = data(music)
    groups = [{song.group for song in songs} for songs in module.library.splits.values()]
    assert all(groups) and not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    assert len(list((music.parent / "cache").glob("*.f32"))) == 6
    assert module.summary()["preset"] == "heavy"
