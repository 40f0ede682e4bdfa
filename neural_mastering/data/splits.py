"""Training, validation and test songs: whole groups, chosen before anything is cut into segments.

A group's place is u = hash(seed, group) in [0, 1): validation where u < validation_fraction, test where
u ≥ 1 − test_fraction, training between. It depends on nothing else, so a group that is added moves no other.
Only where a split would be empty does it borrow: training, then validation, then test (from three groups on)
take the group whose u is nearest to their range, from a split that has more than one; one or two groups have
no test range. Such a borrowed group goes back when the collection grows; a stored split (`write_splits`)
keeps every song where it was.
"""

import json
import logging
import pickle
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from neural_mastering.atomic import write_text
from neural_mastering.chance import seed_of
from neural_mastering.data.errors import DataError
from neural_mastering.data.pairing import SongPair

SPLITS = ("train", "validation", "test")

CHECKPOINT_KEY = "PairedDataModule"
"""Where a checkpoint keeps what the data module says of itself (`PairedDataModule.state_dict`)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Splits:
    """Names of the songs of each split, sorted; `test` may be empty.

    With `validation_fraction` 0 validation holds the training songs themselves: for overfitting on purpose.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def split_songs(
    pairs: Sequence[SongPair],
    seed: int,
    validation_fraction: float = 0.2,
    test_fraction: float = 0.1,
    stored: Mapping[str, str] | None = None,
) -> Splits:
    """Divide songs by group, see `split_groups`. Splits that the manifest names are taken as they are.

    Raises:
        DataError: fractions out of range, or too few songs or groups for a validation split.
    """
    if pairs and all(pair.split for pair in pairs):
        return _named_splits(pairs, validation_fraction)
    groups = Counter(pair.group for pair in pairs)
    check_fractions(validation_fraction, test_fraction)
    if len(groups) < 2 and validation_fraction > 0.0:
        what = f"{len(pairs)} song" if len(pairs) < 2 else f"{len(pairs)} songs in one group"
        raise DataError(
            f"{what} cannot be divided: validation needs a song (group) of its own. Add songs, or set "
            "validation_fraction=0 and test_fraction=0 to validate on the training songs, for overfitting on "
            "purpose"
        )
    places = split_groups(groups, seed, validation_fraction, test_fraction, stored)
    names = {
        split: tuple(sorted(pair.name for pair in pairs if places[pair.group] == split)) for split in SPLITS
    }
    if not names["train"] or not (names["validation"] or validation_fraction == 0.0):
        raise DataError(
            f"the stored split leaves {len(names['train'])} training and {len(names['validation'])} validation "
            "songs: each needs one. Add songs, or split anew"
        )
    _warn_of_odd_shares(names, {"validation": validation_fraction, "test": test_fraction})
    return Splits(names["train"], names["validation"] or names["train"], names["test"])


def check_fractions(validation_fraction: float, test_fraction: float) -> None:
    """Raise a DataError unless both are ≥ 0 and leave something for training."""
    if not (
        validation_fraction >= 0.0 and test_fraction >= 0.0 and validation_fraction + test_fraction < 1.0
    ):
        raise DataError(
            "validation_fraction and test_fraction must not be negative and must leave songs for training; "
            f"got {validation_fraction:g} and {test_fraction:g}"
        )


def split_groups(
    groups: Iterable[str],
    seed: int,
    validation_fraction: float,
    test_fraction: float,
    stored: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The split of each group by the rule above.

    Args:
        groups: their names.
        seed: of the hash.
        validation_fraction, test_fraction: of the groups, on average; 0 for none.
        stored: group → split of an earlier division; these groups keep their places.
    """
    stored = stored or {}
    groups = set(groups)
    if len(groups) < 3:
        test_fraction = 0.0
    place = {group: seed_of(seed, group) / float(1 << 63) for group in sorted(groups)}
    splits = {
        group: stored.get(group)
        or ("validation" if u < validation_fraction else "test" if u >= 1.0 - test_fraction else "train")
        for group, u in place.items()
    }
    ranges = {
        "train": (validation_fraction, 1.0 - test_fraction),
        "validation": (0.0, validation_fraction),
        "test": (1.0 - test_fraction, 1.0),
    }
    for split, (low, high) in ranges.items():
        count = Counter(splits.values())
        needed = split == "train" or (high > low and len(place) > 1)
        lenders = [group for group in place if count[splits[group]] > 1 and group not in stored]
        if needed and not count[split] and lenders:
            nearest = min(lenders, key=lambda group: max(low - place[group], place[group] - high))
            splits[nearest] = split
    return splits


def write_splits(folder: str | Path, summary: Mapping[str, Any]) -> Path:
    """Write `splits.json`: `SongLibrary.summary()`, with the name and group of every song of each split."""
    path = Path(folder) / "splits.json"
    write_text(path, json.dumps(summary, indent=1, ensure_ascii=False) + "\n", error=DataError)
    return path


def read_splits(path: str | Path) -> dict[str, dict[str, str]]:
    """Song → group of each split, as stored by a run: from its folder, its `splits.json` or a checkpoint.

    With `validation_fraction` 0 a song may be in two of them.

    Raises:
        DataError: no such file, or none that a run wrote.
    """
    path = Path(path).expanduser()
    path = path / "splits.json" if path.is_dir() else path
    try:
        if path.suffix == ".ckpt":
            content = torch.load(path, map_location="cpu", weights_only=True)[CHECKPOINT_KEY]
        else:
            content = json.loads(path.read_text(encoding="utf-8"))
        return {
            split: {str(song["name"]): str(song["group"]) for song in content["splits"][split]}
            for split in SPLITS
        }
    except FileNotFoundError as error:
        raise DataError(f"there is no {path}: expected the splits.json or a checkpoint of a run") from error
    except (OSError, ValueError, KeyError, TypeError, pickle.UnpicklingError, RuntimeError) as error:
        raise DataError(f"{path} does not hold the splits of a run ({error!r})") from error


def stored_groups(path: str | Path) -> dict[str, str]:
    """Group → split from `read_splits`; of a run that validated on its training songs, training."""
    splits = read_splits(path)
    return {group: split for split in reversed(SPLITS) for group in splits[split].values()}


def _warn_of_odd_shares(names: Mapping[str, Sequence[str]], fractions: Mapping[str, float]) -> None:
    songs = sum(len(part) for part in names.values())
    for split, fraction in fractions.items():
        share = len(names[split]) / songs
        if songs >= 5 and fraction > 0.0 and share > max(2.0 * fraction, fraction + 0.1):
            _log.warning(
                "%s holds %d of %d songs, since groups stay together and their places come from a hash: "
                "another seed, or a split column in manifest.csv, changes that",
                split,
                len(names[split]),
                songs,
            )


def _named_splits(pairs: Sequence[SongPair], validation_fraction: float) -> Splits:
    train, validation, test = (
        tuple(sorted(pair.name for pair in pairs if pair.split == split)) for split in SPLITS
    )
    if not train or not (validation or validation_fraction == 0.0):
        raise DataError(
            f"manifest.csv names {len(train)} training and {len(validation)} validation songs: each needs one"
        )
    return Splits(train, validation or train, test)
