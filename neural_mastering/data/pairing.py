"""Pairs of an unmastered and a mastered version of the same song."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.data.audio_file import AudioFile, left_out, list_audio, name_some, probe
from neural_mastering.data.errors import DataError
from neural_mastering.data.manifest import read_manifest, song_key

LENGTH_TOLERANCE_S = 0.010
"""Pairs whose lengths differ by no more are cut to the shorter side; others are refused as not aligned."""


@dataclass(frozen=True)
class SongPair:
    """Two files of one song.

    Attributes:
        name: stem of the unmastered file.
        unmastered, mastered: the two sides, equally long to 10 ms and with equal channel counts.
        group: songs of one group go to the same split; the song's own name where no manifest names a group.
        split: the split that the manifest demands, or "".
    """

    name: str
    unmastered: AudioFile
    mastered: AudioFile
    group: str
    split: str = ""


def find_pairs(root: str | Path, probe: Callable[[Path], AudioFile] = probe) -> list[SongPair]:
    """The pairs `root/unmastered/NAME.*` and `root/mastered/NAME.*`, sorted by name.

    WAV, FLAC, AIFF, OGG and MP3; the same stem makes a pair (compared without regard to case and to how
    accents are encoded). A `root/manifest.csv` may name groups and splits, see `read_manifest`. `probe` reads
    the files' headers.

    Raises:
        DataError: a folder is missing or empty, a song has one side only, two files share a stem, a file
            cannot be read, or the sides differ in length by more than 10 ms or in channels.
    """
    root = Path(root).expanduser()
    if not root.is_dir():
        raise DataError(f"there is no data folder {root}: it must hold the folders unmastered/ and mastered/")
    sides = [_by_stem(root / side) for side in ("unmastered", "mastered")]
    for here, there, side in ((*sides, "mastered"), (*reversed(sides), "unmastered")):
        missing = [here[key].name for key in here if key not in there]
        if missing:
            raise DataError(
                f"no file of the same name in {root / side} for {name_some(missing)}: "
                "add the missing side, or remove these files"
            )
    below = left_out(root / "unmastered")
    if below:
        warnings.warn(f"subfolders are not searched: {name_some(below)} left out", stacklevel=2)
    manifest = read_manifest(root / "manifest.csv")
    pairs = []
    for key, unmastered in sides[0].items():
        entry = manifest.get(key)
        name = unmastered.stem
        group, split = (entry.group or name, entry.split) if entry else (name, "")
        pairs.append(_checked(SongPair(name, probe(unmastered), probe(sides[1][key]), group, split)))
    undecided = [pair.name for pair in pairs if not pair.split]
    if undecided and len(undecided) < len(pairs):
        raise DataError(
            f"{root / 'manifest.csv'} names no split for {name_some(undecided)}: name all or none"
        )
    return pairs


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in list_audio(folder):
        other = found.setdefault(song_key(path.stem), path)
        if other is not path:
            raise DataError(f"{folder} holds two files of one song, '{other.name}', '{path.name}': keep one")
    return found


def _checked(pair: SongPair) -> SongPair:
    before, after = pair.unmastered, pair.mastered
    if abs(before.duration_s - after.duration_s) > LENGTH_TOLERANCE_S:
        raise DataError(
            f"the two sides of '{pair.name}' differ in length: unmastered {before.duration_s:.3f} s, "
            f"mastered {after.duration_s:.3f} s. They must be aligned sample by sample: "
            "export both over the same range, or run nm-data align on the folder"
        )
    if before.channels != after.channels:
        raise DataError(
            f"the two sides of '{pair.name}' differ in channels: unmastered {before.channels}, mastered "
            f"{after.channels}. Export both as stereo, or both as mono"
        )
    if before.sample_rate != after.sample_rate:
        warnings.warn(
            f"the two sides of '{pair.name}' have different sample rates ({before.sample_rate} and "
            f"{after.sample_rate} Hz); both are resampled to the model's rate",
            stacklevel=3,
        )
    return pair
