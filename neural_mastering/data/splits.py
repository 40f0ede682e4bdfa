"""Training, validation and test songs: whole songs, chosen before anything is cut into segments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from neural_mastering.chance import seed_of
from neural_mastering.data.errors import DataError
from neural_mastering.data.pairing import SongPair


@dataclass(frozen=True)
class Splits:
    """Names of the songs of each split, sorted; `test` may be empty.

    With `validation_fraction` 0 validation holds the training songs themselves: for overfitting on purpose.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def split_songs(
    pairs: Sequence[SongPair], seed: int, validation_fraction: float = 0.2, test_fraction: float = 0.1
) -> Splits:
    """Divide songs by group, in the order of hash(seed, group).

    Validation takes groups from the low end of that order and test from the high end, up to
    max(1, round(fraction · songs)) songs each; a group that would exceed this is passed over, and where none
    fits the smallest is taken. So a new song moves few of the others, and no group is ever on two sides. At
    least one group stays for training; with two groups there is no test split. Splits that the manifest
    names are taken as they are.

    Raises:
        DataError: fractions out of range, or too few songs or groups for a validation split.
    """
    if pairs and all(pair.split for pair in pairs):
        return _named_splits(pairs, validation_fraction)
    if not (
        validation_fraction >= 0.0 and test_fraction >= 0.0 and validation_fraction + test_fraction < 1.0
    ):
        raise DataError(
            "validation_fraction and test_fraction must not be negative and must leave songs for training; "
            f"got {validation_fraction:g} and {test_fraction:g}"
        )
    groups: dict[str, list[str]] = {}
    for pair in pairs:
        groups.setdefault(pair.group, []).append(pair.name)
    if len(groups) < 2 and validation_fraction > 0.0:
        what = f"{len(pairs)} song" if len(pairs) < 2 else f"{len(pairs)} songs in one group"
        raise DataError(
            f"{what} cannot be divided: validation needs a song (group) of its own. Add songs, or set "
            "validation_fraction=0 and test_fraction=0 to validate on the training songs, for overfitting on "
            "purpose"
        )
    order = sorted(groups, key=lambda group: seed_of(seed, group))
    validation = _take(order, groups, validation_fraction, len(pairs), keep=1)
    rest = [group for group in reversed(order) if group not in validation]
    test = _take(rest, groups, test_fraction, len(pairs), keep=1)
    train = _names(groups, set(order) - validation - test)
    return Splits(train, _names(groups, validation) or train, _names(groups, test))


def _take(
    order: Sequence[str], groups: dict[str, list[str]], fraction: float, songs: int, keep: int
) -> set[str]:
    """Groups in the given order with about `fraction` of the songs, leaving at least `keep` groups."""
    if fraction == 0.0 or len(order) <= keep:
        return set()
    wanted = max(1, round(fraction * songs))
    taken: set[str] = set()
    count = 0
    for group in order:
        if count + len(groups[group]) <= wanted and len(order) - len(taken) > keep:
            taken.add(group)
            count += len(groups[group])
    return taken or {min(order, key=lambda group: len(groups[group]))}


def _names(groups: dict[str, list[str]], chosen: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for group in chosen for name in groups[group]))


def _named_splits(pairs: Sequence[SongPair], validation_fraction: float) -> Splits:
    train, validation, test = (
        tuple(sorted(pair.name for pair in pairs if pair.split == split))
        for split in ("train", "validation", "test")
    )
    if not train or not (validation or validation_fraction == 0.0):
        raise DataError(
            f"manifest.csv names {len(train)} training and {len(validation)} validation songs: each needs one"
        )
    return Splits(train, validation or train, test)
