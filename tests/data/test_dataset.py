"""Items: the right samples of both sides, and draws that depend on (seed, epoch, index) alone."""

import numpy as np
import pytest
import torch

from neural_mastering.data.augment import PairedAugment
from neural_mastering.data.dataset import FixedSegments, TrainingCrops

RATE = 8_000
SEGMENT = RATE


def ramp(seconds: float, channels: int = 2, offset: float = 0.0) -> np.ndarray:
    """Each sample's value names its place, so that an item shows where it was read."""
    frames = round(seconds * RATE)
    values = offset + np.arange(1, frames + 1)[:, None] / 2**20 * np.array([1.0, -1.0])[:channels]
    return values.astype(np.float32)


def test_both_sides_are_read_at_one_place(make_song) -> None:
    audio = ramp(6.0)
    crops = TrainingCrops([make_song("a", audio)], SEGMENT, seed=3)
    for index in range(50):
        item = crops[2, index]
        expected = torch.from_numpy(audio[item["start"] : item["start"] + SEGMENT].T.copy())
        assert torch.equal(item["input"], expected)
        assert torch.equal(item["target"], 2.0 * expected)


def test_an_item_depends_on_seed_epoch_and_index_alone(make_song) -> None:
    songs = [make_song("a", ramp(6.0)), make_song("b", ramp(3.0))]
    one, two = TrainingCrops(songs, SEGMENT, seed=3), TrainingCrops(songs, SEGMENT, seed=3)
    _ = [one[0, index] for index in range(9)]  # what was drawn before does not matter
    torch.manual_seed(99)
    for key in ((0, 4), (7, 4), (7, 8), (7, 4 + len(one))):
        assert one[key]["start"] == two[key]["start"] and one[key]["seed"] == two[key]["seed"]
    variants = [(3, 0, 4), (3, 1, 4), (3, 0, 4 + len(one)), (4, 0, 4)]
    drawn = [TrainingCrops(songs, SEGMENT, seed=seed)[epoch, index] for seed, epoch, index in variants]
    assert len({item["start"] for item in drawn}) == len({item["seed"] for item in drawn}) == 4
    assert {item["song"] for item in drawn} == {0}


def test_songs_are_drawn_in_proportion_to_their_length(make_song) -> None:
    crops = TrainingCrops(
        [make_song("a", ramp(6.0)), make_song("b", ramp(2.6)), make_song("c", ramp(1.0))], SEGMENT, 0
    )
    owners = [crops[0, index]["song"] for index in range(len(crops))]
    assert [owners.count(song) for song in range(3)] == [6, 3, 1]


def test_starts_are_uniform_over_the_song_and_reach_both_ends(make_song) -> None:
    crops = TrainingCrops([make_song("a", ramp(2.0))], SEGMENT, seed=1)
    starts = np.array([crops[epoch, 0]["start"] for epoch in range(4_000)])
    assert starts.min() >= 0 and starts.max() <= RATE
    # The last block holds one start only, the very last: it is drawn as often as any other block.
    assert starts.max() == RATE and starts.min() < 50
    counts, _ = np.histogram(starts[starts < RATE], bins=10, range=(0, RATE))
    assert np.abs(counts / 4_000 - 1 / 11).max() < 0.02
    within, _ = np.histogram(starts[starts < RATE] % (RATE // 10), bins=8, range=(0, RATE // 10))
    assert np.abs(within / within.sum() - 1 / 8).max() < 0.02


def test_silent_stretches_are_not_drawn(make_song) -> None:
    audio = ramp(8.0)
    audio[3 * RATE : 6 * RATE] = 0.0
    crops = TrainingCrops([make_song("a", audio)], SEGMENT, seed=1)
    for epoch in range(300):
        assert crops[epoch, 0]["input"].square().mean() > 1e-7


def test_mono_becomes_two_equal_channels_that_share_no_memory(make_song) -> None:
    item = TrainingCrops([make_song("a", ramp(2.0, channels=1))], SEGMENT, seed=1)[0, 0]
    assert item["input"].shape == (2, SEGMENT)
    assert torch.equal(item["input"][0], item["input"][1])
    item["input"][0] += 1.0
    assert not torch.equal(item["input"][0], item["input"][1])


def test_fixed_segments_are_fixed(make_song) -> None:
    songs = [make_song("a", ramp(2.5)), make_song("b", ramp(1.0))]
    segments = FixedSegments(songs, SEGMENT, seed=1)
    assert segments.places == [(0, 0), (0, RATE), (0, round(1.5 * RATE)), (1, 0)]
    again = FixedSegments(songs, SEGMENT, seed=1)
    for index in range(4):
        assert torch.equal(segments[index]["input"], again[index]["input"])
        assert segments[index]["seed"] == again[index]["seed"]
    assert len({segments[index]["seed"] for index in range(4)}) == 4


def test_augmentation_treats_both_sides_alike(make_song) -> None:
    song = make_song("a", ramp(3.0, offset=0.01))
    plain = TrainingCrops([song], SEGMENT, seed=1)
    changed = TrainingCrops([song], SEGMENT, seed=1, augment=PairedAugment(gain_db=3.0))
    gains, swaps = [], 0
    for epoch in range(200):
        before, after = plain[epoch, 0], changed[epoch, 0]
        assert torch.allclose(after["target"], 2.0 * after["input"], atol=1e-7)
        straight = (after["input"][0] / before["input"][0]).mean()
        swapped = bool((after["input"][0] - straight * before["input"][0]).abs().max() > 1e-5)
        swaps += swapped
        gains.append(float((after["input"][0] / before["input"][int(swapped)]).mean()))
    levels = 20.0 * np.log10(np.abs(gains))
    assert 2.7 < levels.max() <= 3.001 and -3.001 <= levels.min() < -2.7
    assert 70 < sum(gain < 0 for gain in gains) < 130 and 70 < swaps < 130


def test_augmentation_can_be_switched_off_part_by_part() -> None:
    audio = torch.randn(2, 100)
    same = PairedAugment(gain_db=0.0, polarity=0.0, channel_swap=0.0)(audio.clone(), 2 * audio, seed=5)
    assert torch.equal(same[0], audio) and torch.equal(same[1], 2 * audio)
    turned = PairedAugment(gain_db=0.0, polarity=1.0, channel_swap=1.0)(audio, 2 * audio, seed=5)
    assert torch.equal(turned[0], -audio.flip(0)) and torch.equal(turned[1], -2 * audio.flip(0))
    with pytest.raises(ValueError, match="probabilities"):
        PairedAugment(polarity=1.5)
