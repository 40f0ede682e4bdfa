"""A packed library: the same items in the same order, however many processes read it and wherever it lies."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("litdata", reason="the extra streamed is not installed")

from neural_mastering.data.cached_audio import CachedAudio, block_frames
from neural_mastering.data.errors import DataError
from neural_mastering.data.loader import ResumableLoader
from neural_mastering.data.song import CachedSong
from neural_mastering.data.streamed import MIXED_CHUNKS, StreamedBatches, StreamedCrops
from neural_mastering.data.streamed_folder import StreamedFolder, pack_songs

RATE, WINDOW_S, SEGMENT = 8000, 0.5, 1600


def song(folder: Path, number: int, frames: int, released: bool = False) -> CachedSong:
    """Samples that say where they are: song + position / 2^20, the input negated."""
    sides = []
    for side, sign in (("in", -1.0), ("out", 1.0)):
        audio = sign * (number + np.arange(frames) / 2**20)[:, None].repeat(2, axis=1)
        path = folder / f"{number}{side}.f32"
        audio.astype("<f4").tofile(path)
        energy = np.ones(-(-frames // block_frames(RATE)), np.float32) * block_frames(RATE)
        sides.append(CachedAudio(path, frames, 2, RATE, energy, -14.0))
    return CachedSong(f"s{number}", f"g{number}", sides[1] if released else sides[0], sides[1])


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 items in chunks of one or two."""
    folder = tmp_path_factory.mktemp("library")
    songs = [song(folder, number, RATE * 2 + 700 * number) for number in range(1, 13)]
    pack_songs(songs, folder / "train", RATE, WINDOW_S, 1)
    return folder / "train"


def opened(packed: Path, cache: Path, most_bytes: int = 10**9) -> StreamedFolder:
    return StreamedFolder(str(packed), cache, most_bytes)


def batches(
    folder: StreamedFolder, size: int, rank: int = 0, world: int = 1, workers: int = 0, epoch: int = 3
) -> Iterator[dict[str, torch.Tensor]]:
    crops = StreamedCrops(folder, SEGMENT, 5)
    loader = ResumableLoader(crops, StreamedBatches(folder.chunk_ends, size, 5, rank, world), workers)
    loader.sampler.set_epoch(epoch)
    try:
        yield from loader
    finally:
        loader.close()


def test_an_item_is_the_song_at_its_place(packed: Path, tmp_path: Path) -> None:
    folder = opened(packed, tmp_path)
    crops = StreamedCrops(folder, SEGMENT, 5)
    starts = set()
    for index in range(len(crops)):
        item = crops[1, index]
        assert torch.equal(item["input"], -item["target"])
        expected = (item["song"] + 1 + (item["start"] + np.arange(SEGMENT)) / 2**20).astype(np.float32)
        assert np.array_equal(item["target"][1].numpy(), expected)
        starts.add((item["song"], item["start"]))
    assert len(starts) > 0.9 * len(crops)
    other = [(item["song"], item["start"]) for item in (crops[2, index] for index in range(len(crops)))]
    assert len(starts & set(other)) < 0.1 * len(crops)  # another epoch, other crops
    assert [s.name for s in folder.songs] == [f"s{n}" for n in range(1, 13)]


def test_windows_cover_every_sample_of_a_song(packed: Path, tmp_path: Path) -> None:
    folder = opened(packed, tmp_path)
    covered = {n: np.zeros(s.frames, bool) for n, s in enumerate(folder.songs)}
    for number in range(len(folder)):
        item = folder[number]
        covered[item["song"]][item["start"] : item["start"] + folder.window] = True
    assert all(c.all() for c in covered.values())


@pytest.mark.parametrize("world", [1, 2, 4])
def test_any_number_of_processes_reads_the_same_batches(packed: Path, tmp_path: Path, world: int) -> None:
    folder = opened(packed, tmp_path)
    whole = list(batches(folder, 8))
    shares = [list(batches(folder, 8 // world, rank, world)) for rank in range(world)]
    for step, batch in enumerate(whole):
        joined = torch.cat([share[step]["target"] for share in shares])
        assert torch.equal(joined, batch["target"])
        assert torch.equal(torch.cat([share[step]["seed"] for share in shares]), batch["seed"])


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_change_nothing(packed: Path, tmp_path: Path, workers: int) -> None:
    url = StreamedFolder(f"file://{packed}", tmp_path / "cache", 4_000_000)
    for own, other in zip(batches(url, 4), batches(url, 4, workers=workers), strict=True):
        assert torch.equal(own["target"], other["target"]) and torch.equal(own["seed"], other["seed"])


def test_resuming_in_the_middle_of_an_epoch_is_as_not_stopping(packed: Path, tmp_path: Path) -> None:
    folder = opened(packed, tmp_path)

    def loader(rank: int) -> ResumableLoader:
        found = ResumableLoader(
            StreamedCrops(folder, SEGMENT, 5), StreamedBatches(folder.chunk_ends, 4, 5, rank, 2)
        )
        found.sampler.set_epoch(2)
        return found

    for rank in range(2):
        whole = [batch["target"] for batch in loader(rank)]
        first = loader(rank)
        begun = [batch["target"] for batch, _ in zip(first, range(3), strict=False)]
        second = loader(rank)
        second.load_state_dict(first.state_dict())
        rest = [batch["target"] for batch in second]
        done = first.state_dict()["batch"]
        assert 3 <= done <= 4 and len(begun) == 3
        assert all(torch.equal(a, b) for a, b in zip(whole[done:], rest, strict=True))


def test_an_order_takes_every_item_once_and_few_chunks_at_a_time() -> None:
    ends = np.cumsum(np.full(64, 10))
    order = [key[1] for batch in StreamedBatches(ends, 8, 1) for key in batch]
    assert sorted(order) == list(range(640))
    chunks = np.array(order) // 10
    span = MIXED_CHUNKS * 10
    assert all(len(set(chunks[i : i + span])) == MIXED_CHUNKS for i in range(0, 640, span))
    assert [key[1] for batch in StreamedBatches(ends, 8, 2) for key in batch] != order


def test_a_cache_that_is_smaller_than_the_library_stays_small_and_right(packed: Path, tmp_path: Path) -> None:
    cache, most = tmp_path / "cache", 3_000_000
    folder = StreamedFolder(f"file://{packed}", cache, most)
    total = sum(f.stat().st_size for f in packed.glob("*.bin"))
    largest = 0
    for batch, here in zip(batches(folder, 4), batches(opened(packed, tmp_path), 4), strict=True):
        assert torch.equal(batch["target"], here["target"])
        largest = max(largest, sum(f.stat().st_size for f in cache.glob("*.bin")))
    assert most < total and largest <= most


def test_released_music_is_packed_once_and_needs_no_second_side(tmp_path: Path) -> None:
    pack_songs([song(tmp_path, 1, RATE * 2, released=True)], tmp_path / "train", RATE, WINDOW_S, 1)
    folder = opened(tmp_path / "train", tmp_path)
    assert "input" not in folder[0]
    item = StreamedCrops(folder, SEGMENT, 0)[0, 0]
    assert torch.equal(item["input"], item["target"])


def test_what_is_no_library_is_said(tmp_path: Path, packed: Path) -> None:
    with pytest.raises(DataError, match="nm-data pack"):
        StreamedFolder(str(tmp_path), tmp_path, 0)
    with pytest.raises(DataError, match="has no index"):
        StreamedFolder(f"file://{tmp_path}/none", tmp_path / "c", 0)
    with pytest.raises(DataError, match="longer than the windows"):
        StreamedCrops(opened(packed, tmp_path), RATE, 0)
    with pytest.raises(DataError, match="nothing to pack"):
        pack_songs([song(tmp_path, 1, 100)], tmp_path / "x", RATE, WINDOW_S, 1)
    assert not (tmp_path / "x").exists()
    assert not list(tmp_path.glob(".*.part"))
    shutil.copytree(packed, tmp_path / "old")
    about = (tmp_path / "old" / "about.json").read_text()
    (tmp_path / "old" / "about.json").write_text(about.replace('"format": 1', '"format": 0'))
    with pytest.raises(DataError, match="another version"):
        opened(tmp_path / "old", tmp_path)
