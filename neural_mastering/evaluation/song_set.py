"""Which songs an evaluation is about, and their audio."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from neural_mastering.data import AudioCache, SongPair, default_demo_folder, find_pairs, make_demo_pairs
from neural_mastering.data.manifest import song_key
from neural_mastering.data.splits import SPLITS, split_songs
from neural_mastering.errors import InputError
from neural_mastering.evaluation.run_info import RunInfo
from neural_mastering.evaluation.shared_songs import named, shared_songs, training_root
from neural_mastering.shapes import Audio

DEMO = "demo"
CHOICES = (*SPLITS, "all")
_LISTED = 10


@dataclass(frozen=True)
class SongSet:
    """Songs of one split, and what the data hold for training.

    Attributes:
        root: data folder.
        split: "train", "validation", "test" or "all".
        songs: to be evaluated, sorted by name.
        training: the data's own training songs.
        split_source: where the division comes from, in words.
        grouped: whether a manifest names groups; otherwise each song is its own.
        trained_on: names of evaluated songs that a checkpoint was trained on.
        notes: sentences for the report.
    """

    root: Path
    split: str
    songs: tuple[SongPair, ...]
    training: tuple[SongPair, ...]
    split_source: str
    grouped: bool
    trained_on: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Name of the data folder, without what it lies in."""
        return self.root.resolve().name

    @property
    def groups(self) -> int:
        """Number of groups among the evaluated songs."""
        return len({song.group for song in self.songs})


@dataclass(frozen=True)
class LoadedSong:
    """Both sides of a song at one rate.

    Attributes:
        name, group: as in its pair.
        input, target: (1, channel, time), float32, equally long.
        sample_rate: in Hz.
    """

    name: str
    group: str
    input: Audio
    target: Audio
    sample_rate: int


def data_folder(data: str | Path) -> Path:
    """The folder that `--data` means; "demo" stands for the bundled pairs, written on first use."""
    if str(data) == DEMO:
        return make_demo_pairs(default_demo_folder())
    return Path(data).expanduser()


def choose_songs(
    data: str | Path, split: str, runs: Sequence[RunInfo] = (), songs: Sequence[str] = ()
) -> SongSet:
    """Find the pairs, divide them as the first run did, and check that no model has trained on its test.

    The division is that of the manifest where it names splits, else that stored with the first run, else the
    rule of `split_songs` with that run's seed and fractions (the defaults without a run). Bundles store nothing.

    Args:
        data: folder with unmastered/ and mastered/, or "demo".
        split: one of `CHOICES`.
        runs: of the models to come.
        songs: names to keep; all by default.

    Raises:
        InputError: an unknown or empty split, unknown songs, or songs of a test or validation split that a run was
            trained on. Whatever `find_pairs` finds wrong.
    """
    if split not in CHOICES:
        raise InputError(f"--split must be one of {', '.join(CHOICES)}; got '{split}'")
    root = data_folder(data)
    pairs = find_pairs(root)
    divided, source = _divide(pairs, next((run for run in runs if not run.is_bundle), None))
    chosen = [pair for pair in pairs if split == "all" or pair.name in divided[split]]
    if not chosen:
        there = ", ".join(f"{name} ({len(part)} songs)" for name, part in divided.items() if part)
        raise InputError(
            f"the {split} split of {root} is empty ({source}); there are: {there}. Choose with --split, or use "
            "--split all"
        )
    chosen = _named(chosen, songs, split)
    trained_on = shared_songs(chosen, root, runs)
    if trained_on and split in ("test", "validation"):
        raise InputError(
            f"the {split} split shares {len(trained_on)} of {len(chosen)} songs with the training of a checkpoint: "
            f"{named(trained_on)}. Scores on them say nothing about new songs. Leave them out of {root}, or "
            "ask for --split train or --split all, which mark them"
        )
    notes = []
    notes += [_bundle_note(run, chosen) for run in runs if run.is_bundle]
    unknown = [
        run.name for run in runs if run.songs is None and not run.is_bundle and not _same_data(run, root)
    ]
    if unknown:
        notes.append(
            f"{', '.join(unknown)} stored no list of training songs (splits.json): whether it was trained on "
            "these songs can't be checked."
        )
    if trained_on:
        notes.append(f"Trained on {len(trained_on)} of these songs: {named(trained_on)}.")
    return SongSet(
        root=root,
        split=split,
        songs=tuple(chosen),
        training=tuple(pair for pair in pairs if pair.name in divided["train"]),
        split_source=source,
        grouped=any(pair.group != pair.name for pair in chosen),
        trained_on=tuple(song.name for song in trained_on),
        notes=tuple(notes),
    )


def load_song(pair: SongPair, cache: AudioCache) -> LoadedSong:
    """Both sides at the cache's rate, cut to the shorter one."""
    sides = [cache.fetch(side) for side in (pair.unmastered, pair.mastered)]
    frames = min(side.frames for side in sides)
    before, after = (torch.from_numpy(np.ascontiguousarray(side.read(0, frames)))[None] for side in sides)
    return LoadedSong(pair.name, pair.group, before, after, cache.sample_rate)


def _divide(pairs: list[SongPair], run: RunInfo | None) -> tuple[dict[str, set[str]], str]:
    if pairs and all(pair.split for pair in pairs):
        divided = {name: {pair.name for pair in pairs if pair.split == name} for name in SPLITS}
        return divided, "as manifest.csv names them"
    if run is not None and run.songs is not None:
        keys = {split: {song_key(name) for name in part} for split, part in run.songs.items()}
        known = set().union(*keys.values())
        if all(song_key(pair.name) in known for pair in pairs):
            divided = {
                split: {pair.name for pair in pairs if song_key(pair.name) in part}
                for split, part in keys.items()
            }
            return divided, f"as stored with {run.name}"
    data = run.data if run is not None else {}
    seed = int(data.get("seed", 0))
    fractions = [float(data.get(f"{name}_fraction", value)) for name, value in _FRACTIONS]
    groups = len({pair.group for pair in pairs})
    if groups < 2:  # nothing to divide: the one group is there for --split all
        return {"train": set(), "validation": set(), "test": set()}, "one group can't be divided"
    splits = split_songs(pairs, seed, fractions[0], fractions[1])
    divided = {name: set(getattr(splits, name)) for name in SPLITS}
    source = f"divided by seed {seed}, fractions {fractions[0]:g} and {fractions[1]:g}"
    return divided, source + (f" of {run.name}" if run is not None and data else "")


_FRACTIONS = (("validation", 0.2), ("test", 0.1))


def _named(pairs: list[SongPair], names: Sequence[str], split: str) -> list[SongPair]:
    if not names:
        return pairs
    wanted = {song_key(name) for name in names}
    unknown = [name for name in names if song_key(name) not in {song_key(pair.name) for pair in pairs}]
    if unknown:
        raise InputError(f"no song of the {split} split is called {_names(unknown)}")
    return [pair for pair in pairs if song_key(pair.name) in wanted]


def _bundle_note(run: RunInfo, chosen: Sequence[SongPair]) -> str:
    """A bundle names no songs; of its groups it may say how many songs each gave."""
    note = (
        f"{run.name} is a bundle, which carries no list of its training songs: whether it was trained on these "
        "can't be known here."
    )
    learned = {song_key(group): count for group, count in run.learned_groups.items()}
    same = sorted({pair.group for pair in chosen if song_key(pair.group) in learned})
    if same:
        counted = ", ".join(f"'{group}' ({learned[song_key(group)]} songs)" for group in same[:_LISTED])
        note += (
            f" It says that it learned from groups of the same name: {counted}. Expect better numbers there."
        )
    elif learned and any(pair.group != pair.name for pair in chosen):
        note += (
            f" It says that it learned from {sum(learned.values())} songs of {len(learned)} groups; no group here "
            "has the name of one of these."
        )
    return note


def _same_data(run: RunInfo, root: Path) -> bool:
    own = training_root(run)
    return own is not None and own.resolve() == root.resolve()


def _names(names: Sequence[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names[:_LISTED])
    return listed + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
