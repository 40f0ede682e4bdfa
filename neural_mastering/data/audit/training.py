"""The part of the audit that training insists on, done once a pair, on the cached audio."""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from neural_mastering.atomic import write_text
from neural_mastering.data.audit.problems import (
    LEAST_LENGTH_S,
    TRAINING_DELAY_TOLERANCE_S,
    relation_problems,
    verdict,
)
from neural_mastering.data.audit.relation import relate
from neural_mastering.data.errors import DataError
from neural_mastering.data.song import CachedSong
from neural_mastering.errors import InputError

_FORMAT = 1
_SAVE_EVERY = 50
_QUIET = 1e-6  # −60 dBFS: nothing to compare

_log = logging.getLogger(__name__)


def require_sound_pairs(root: Path, songs: Sequence[CachedSong], keys: Sequence[str], folder: Path) -> None:
    """Refuse pairs whose sides are not the same music at the same time, the same way round.

    A delay of up to a sample (at 44.1 kHz) passes, and so does whatever else `nm-data check` looks at. Verdicts are
    kept in `folder` under `keys`, which change with the files, so that a pair is measured once.

    Args:
        root: the data folder, for the message.
        songs: the pairs, at the model's rate.
        keys: a text for each song that names the content of both sides.
        folder: of the cache.

    Raises:
        DataError: pairs that are shifted, drifting, inverted, swapped or unrelated; names what mends them.
    """
    digest = hashlib.blake2b(
        str(root.expanduser().resolve()).encode("utf-8", "surrogateescape"), digest_size=8
    )
    file = folder / f"checks_{_FORMAT}_{digest.hexdigest()}.json"
    known = _load(file)
    new = [i for i, key in enumerate(keys) if key not in known]
    if new:
        _log.info("comparing the two sides of %d pairs, once", len(new))
        # FFTs and file reads run outside the interpreter's lock
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            for count, (i, found) in enumerate(
                zip(new, pool.map(lambda i: _verdict(songs[i]), new), strict=True), 1
            ):
                known[keys[i]] = found
                if count % _SAVE_EVERY == 0:
                    _save(file, known)
        _save(file, {key: known[key] for key in keys})
    faulty = [i for i, key in enumerate(keys) if known[key] != "ok"]
    if faulty:
        raise DataError(
            _message(root, [songs[i].name for i in faulty], [known[keys[i]] for i in faulty], len(keys))
        )


def _verdict(song: CachedSong) -> str:
    """The verdict on one pair; `ok` for what is too short or too quiet to judge, which others look at."""
    if song.duration_s < LEAST_LENGTH_S or song.is_released:
        return "ok"
    for side in (song.input, song.target):
        if float(side.block_energy.sum()) < _QUIET * side.frames:
            return "ok"
    relation = relate(song.input, song.target)
    return verdict(relation_problems(relation, song.target.sample_rate, TRAINING_DELAY_TOLERANCE_S))


def _message(root: Path, names: list[str], verdicts: list[str], total: int) -> str:
    fixable = [
        f"'{n}' ({v.partition(': ')[2]})" for n, v in zip(names, verdicts, strict=True) if v.startswith("fix")
    ]
    broken = [
        f"'{n}' ({v.partition(': ')[2]})" for n, v in zip(names, verdicts, strict=True) if v.startswith("bro")
    ]
    text = f"{len(names)} of {total} pairs in {root} are not fit to learn from."
    align = f"nm-data align '{root}' --out NEW_FOLDER"
    if fixable:
        text += f" Out of place: {_some(fixable)}. Mend with: {align}, then data.root=NEW_FOLDER."
    if broken:
        remedy = "it leaves them out" if fixable else f"remove them, or let {align} leave them out"
        text += f" Not the same music: {_some(broken)}; {remedy}."
    return f"{text} nm-data check '{root}' shows everything; data.check=false trains on them all the same"


def _some(items: list[str], most: int = 5) -> str:
    """Up to `most` items and how many more."""
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def _load(file: Path) -> dict[str, str]:
    try:
        stored = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _save(file: Path, verdicts: dict[str, str]) -> None:
    """Write the verdicts whole; without them the next start measures again, so failing is no error."""
    try:
        write_text(file, json.dumps(verdicts))
    except InputError:
        _log.warning("the verdicts on the pairs could not be kept in %s", file.parent)
