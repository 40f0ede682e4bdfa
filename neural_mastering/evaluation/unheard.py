"""What a training run is worth on songs that its model did not learn from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from neural_mastering.data import FixedSegments, PairedDataModule
from neural_mastering.evaluation.comparison import Row
from neural_mastering.evaluation.statistics import SongStatistic, estimate


@dataclass(frozen=True)
class HeldOutSongs:
    """Songs to judge a model by.

    Attributes:
        split: where they come from: songs that nothing was chosen by, those that the checkpoint was chosen by, or
            (without any others) those that the model learned from.
        segments: of these songs.
    """

    split: Literal["test", "validation", "train"]
    segments: FixedSegments

    @property
    def title(self) -> str:
        """Of a table."""
        return {
            "test": "test (not heard, nothing chosen by them)",
            "validation": "validation (not heard, but the checkpoint was chosen by them)",
            "train": "training songs",
        }[self.split]

    @property
    def groups(self) -> dict[str, str]:
        """Song → group."""
        return {song.name: song.group for song in self.segments.songs}


def unheard_songs(data: PairedDataModule) -> HeldOutSongs:
    """The test songs; without any, those of validation, which may be the training songs themselves."""
    if data.test_songs:
        return HeldOutSongs("test", data.evaluation_dataset("test"))
    heard, segments = {song.name for song in data.train_songs}, data.evaluation_dataset("validation")
    return HeldOutSongs("train" if any(s.name in heard for s in segments.songs) else "validation", segments)


def error_removed(model: Row, reference: Row, groups: dict[str, str]) -> SongStatistic:
    """1 − model/reference by song: the part of the reference's error that the model removes, below 0 if it adds."""
    songs = sorted(model.per_song)
    shares = [
        1.0 - model.per_song[song] / reference.per_song[song] if reference.per_song[song] > 0.0 else math.nan
        for song in songs
    ]
    return estimate(shares, [groups[song] for song in songs])


def verdict(rows: Sequence[Row], held_out: HeldOutSongs) -> list[str]:
    """Sentences for the last row against the first (doing nothing) and the one before it (the average)."""
    identity, average, model = rows[0], rows[-2], rows[-1]
    if held_out.split == "train":
        return ["No song was held out, so nothing is known about songs that the model has not heard."]
    sentences = [
        _sentence(model, "doing nothing", error_removed(model, identity, held_out.groups)),
        _sentence(model, "the average EQ", error_removed(model, average, held_out.groups)),
    ]
    if held_out.split == "validation":
        sentences.append(
            "The checkpoint was chosen by these songs: expect less on others (data.test_fraction keeps some apart)."
        )
    return sentences


def _sentence(model: Row, reference: str, removed: SongStatistic) -> str:
    share, worse = 100.0 * removed.mean, removed.mean < 0.0
    interval = (
        f" [{100.0 * removed.low:.0f}, {100.0 * removed.high:.0f}]" if math.isfinite(removed.low) else ""
    )
    if math.isnan(share):
        return f"{model.system} can't be compared with {reference}: there is no error to remove."
    if worse:
        return (
            f"Warning: {model.system} is worse than {reference} on {removed.songs} songs of {removed.groups} "
            f"groups that it did not learn from: its error is {-share:.0f} % larger{interval}."
        )
    sure = math.isfinite(removed.low) and removed.low > 0.0
    return (
        f"{model.system} removes {share:.0f} %{interval} of the error of {reference} on {removed.songs} songs of "
        f"{removed.groups} groups that it did not learn from{'' if sure else ', which may be chance'}."
    )
