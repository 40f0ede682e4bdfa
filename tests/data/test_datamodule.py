"""From a folder to batches, and back into the middle of an epoch with a real trainer."""

import json
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import soundfile
import torch
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint, OnExceptionCheckpoint
from torch import Tensor

from neural_mastering.data.datamodule import PairedDataModule
from neural_mastering.data.errors import DataError

RATE = 8_000


@pytest.fixture
def root(tmp_path: Path, write_song) -> Path:
    for index, seconds in enumerate((4.0, 3.0, 5.0, 2.0, 3.5)):
        write_song(f"song {index}", seconds=seconds, seed=index)
    return tmp_path


def data(root: Path, **settings: Any) -> PairedDataModule:
    defaults: dict[str, Any] = {
        "sample_rate": RATE,
        "segment_s": 1.0,
        "batch_size": 2,
        "seed": 1,
        "validation_fraction": 0.2,
        "test_fraction": 0.2,
        "cache_dir": root / "cache",
    }
    return PairedDataModule(root, **{**defaults, **settings})


class Recorder(lightning.LightningModule):
    """A model of one parameter that notes what it was given; `fail_at` stops it within a step."""

    def __init__(self, fail_at: int | None = None) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[tuple[int, ...]] = []
        self.validated: list[int] = []
        self.fail_at = fail_at

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        if self.global_step == self.fail_at:
            raise RuntimeError("pulled the plug")
        self.seen.append(tuple(batch["seed"].tolist()))
        return (self.gain * batch["input"] - batch["target"]).square().mean()

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        self.validated += batch["seed"].tolist()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(
    model: Recorder, module: PairedDataModule, callbacks: list[Any], ckpt: Path | None = None, **settings: Any
) -> None:
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=False,
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        enable_checkpointing=any(isinstance(c, Checkpoint) for c in callbacks),
        **{"max_epochs": 3, **settings},
    )
    trainer.fit(model, datamodule=module, ckpt_path=None if ckpt is None else str(ckpt), weights_only=True)


def every_step(folder: Path) -> ModelCheckpoint:
    """Files step-1.ckpt, step-2.ckpt, …"""
    checkpoint = ModelCheckpoint(
        folder, "step-{step}", every_n_train_steps=1, save_top_k=-1, auto_insert_metric_name=False
    )
    return checkpoint


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_an_interrupted_run_goes_on_with_exactly_the_batches_to_come(root: Path, workers: int) -> None:
    whole = Recorder()
    fit(whole, data(root, num_workers=workers), [every_step(root / "whole")])
    steps = len(whole.seen)
    per_epoch = steps // 3
    assert per_epoch >= 4 and len(set(whole.seen)) == steps
    # after the first step, in the middle, at the end of an epoch, and after the first step of an epoch
    for stop in (1, per_epoch + 2, 2 * per_epoch, 2 * per_epoch + 1):
        resumed = Recorder()
        fit(resumed, data(root, num_workers=workers), [], root / "whole" / f"step-{stop}.ckpt")
        assert resumed.seen == whole.seen[stop:], stop
        assert torch.equal(resumed.gain, whole.gain)


@pytest.mark.filterwarnings("ignore")
def test_resume_where_steps_are_counted_and_validation_comes_within_epochs(root: Path) -> None:
    settings: dict[str, Any] = {"max_epochs": -1, "max_steps": 13, "val_check_interval": 2}
    whole = Recorder()
    fit(whole, data(root), [every_step(root / "whole")], **settings)
    assert len(whole.seen) == 13
    for stop in range(1, 13):
        resumed = Recorder()
        fit(resumed, data(root), [], root / "whole" / f"step-{stop}.ckpt", **settings)
        assert resumed.seen == whole.seen[stop:], stop


@pytest.mark.filterwarnings("ignore")
def test_resume_from_a_checkpoint_written_after_validation(root: Path) -> None:
    whole = Recorder()
    last = ModelCheckpoint(root / "whole", "epoch-{epoch}", save_top_k=-1, auto_insert_metric_name=False)
    fit(whole, data(root), [last])
    per_epoch = len(whole.seen) // 3
    resumed = Recorder()
    fit(resumed, data(root), [], root / "whole" / "epoch-1.ckpt")
    assert resumed.seen == whole.seen[2 * per_epoch :]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("workers", [0, 2])
def test_a_state_saved_within_a_step_does_not_count_it(root: Path, workers: int) -> None:
    whole, failing, resumed = Recorder(), Recorder(fail_at=3), Recorder()
    fit(whole, data(root), [])
    with pytest.raises(RuntimeError, match="pulled the plug"):
        fit(failing, data(root, num_workers=workers), [OnExceptionCheckpoint(root, "exception")])
    fit(resumed, data(root, num_workers=workers), [], root / "exception.ckpt")
    assert len(failing.seen) == 3
    assert failing.seen + resumed.seen == whole.seen


@pytest.mark.filterwarnings("ignore")
def test_resume_within_an_epoch_refuses_other_data(root: Path) -> None:
    fit(Recorder(), data(root), [every_step(root / "whole")], max_epochs=1)
    with pytest.raises(DataError, match=r"other training songs, segment length, seed, or batch size"):
        fit(Recorder(), data(root, batch_size=1), [], root / "whole" / "step-1.ckpt")


@pytest.mark.filterwarnings("ignore")
def test_validation_sees_every_segment_once_an_epoch_and_the_same_ones_each_time(root: Path) -> None:
    model, module = Recorder(), data(root)
    fit(model, module, [], max_epochs=2)
    count = len(module.evaluation_dataset("validation"))
    assert len(model.validated) == 2 * count
    assert len(set(model.validated)) == count
    assert model.validated[:count] == model.validated[count:]


def test_splits_share_no_song_and_the_summary_says_what_is_used(root: Path) -> None:
    module = data(root)
    names = [
        [song.name for song in songs]
        for songs in (module.train_songs, module.validation_songs, module.test_songs)
    ]
    assert [len(part) for part in names] == [3, 1, 1]
    assert len({name for part in names for name in part}) == 5
    summary = json.loads(json.dumps(module.summary()))
    assert [song["name"] for song in summary["splits"]["train"]] == names[0]
    seconds = sum(song["duration_s"] for song in summary["splits"]["train"])
    assert summary["items"]["train"] == pytest.approx(seconds, abs=2)


def test_batches_hold_pairs_and_item_seeds(root: Path) -> None:
    batch = next(iter(data(root).train_dataloader()))
    torch.testing.assert_close(batch["target"], 2.0 * batch["input"])
    assert batch["input"].shape == (2, 2, RATE) and batch["input"].is_contiguous()
    assert batch["seed"].dtype == torch.int64 and len(set(batch["seed"].tolist())) == 2


@pytest.mark.parametrize("workers", [0, 1])
def test_loading_leaves_the_global_random_numbers_alone(root: Path, workers: int) -> None:
    loader = data(root, num_workers=workers).train_dataloader()
    before = torch.get_rng_state()
    list(loader)
    assert torch.equal(torch.get_rng_state(), before)


def test_persistent_workers_follow_the_epoch(root: Path) -> None:
    module, plain = data(root, num_workers=2), data(root)
    loader, reference = module.train_dataloader(), plain.train_dataloader()
    for epoch in (0, 1, 5):
        loader.sampler.set_epoch(epoch)
        reference.sampler.set_epoch(epoch)
        seeds = [batch["seed"].tolist() for batch in loader]
        assert seeds == [batch["seed"].tolist() for batch in reference]
    module.teardown()


def test_an_iterator_abandoned_in_the_middle_does_no_harm(root: Path) -> None:
    loader = data(root, num_workers=1).train_dataloader()
    whole = [batch["seed"].tolist() for batch in loader]
    next(iter(loader))
    assert [batch["seed"].tolist() for batch in loader] == whole


def test_short_songs_are_refused_or_left_out(root: Path) -> None:
    with pytest.raises(
        DataError, match=r"shorter than a segment of 2\.5 s: 'song 3' \(2\.00 s\).*at most 2\.00"
    ):
        data(root, segment_s=2.5).setup()
    module = data(root, segment_s=2.5, short_songs="skip")
    songs = [*module.train_songs, *module.validation_songs, *module.test_songs]
    assert sorted(song.name for song in songs) == ["song 0", "song 1", "song 2", "song 4"]
    with pytest.raises(DataError, match="every song is shorter"):
        data(root, segment_s=60.0, short_songs="skip").setup()


def test_no_test_songs(root: Path) -> None:
    with pytest.raises(DataError, match="no test songs: set test_fraction"):
        data(root, test_fraction=0.0).test_dataloader()


def test_one_song_validates_on_itself_only_when_told_to(tmp_path: Path, write_song) -> None:
    write_song("only")
    with pytest.raises(DataError, match="1 song cannot be divided"):
        data(tmp_path).setup()
    module = data(tmp_path, validation_fraction=0.0, test_fraction=0.0)
    assert module.train_songs == module.validation_songs


def test_files_at_other_rates_are_resampled(tmp_path: Path) -> None:
    tone = {rate: 0.1 * np.sin(2 * np.pi * 440 * np.arange(4 * rate) / rate) for rate in (RATE, 12_000)}
    for side in ("unmastered", "mastered"):
        (tmp_path / side).mkdir()
        for index, rate in enumerate(tone):
            soundfile.write(tmp_path / side / f"{index}.wav", tone[rate], rate, subtype="FLOAT")
    module = data(tmp_path, test_fraction=0.0)
    songs = {song.name: song for song in (*module.train_songs, *module.validation_songs)}
    assert songs["0"].frames == songs["1"].frames == 4 * RATE
    middle = [songs[name].input.read(RATE, RATE) for name in ("0", "1")]
    np.testing.assert_allclose(middle[0], middle[1], atol=1e-6)
