"""Demo pairs from the bundled music: finished excerpts, and what `degrade` makes of them."""

import csv
import dataclasses
import hashlib
import io
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
import soundfile
import torch

from neural_mastering.atomic import replacing
from neural_mastering.chance import seed_of
from neural_mastering.data.cache import default_cache_folder
from neural_mastering.data.degrade import DegradationRule, degrade
from neural_mastering.data.errors import DataError
from neural_mastering.units import db_to_gain

TARGET_LUFS = -17.0
"""Integrated loudness of every demo master: what all eight reach without clipping or limiting."""

VALIDATION_SONGS = ("s1_electronic", "s3_rock")
"""One bass-heavy and one lean song, each between training songs, so that an average EQ is wrong for both."""

_DEGRADATION_SEED = 0
_VERSION = 1
_COLUMNS: tuple[str, ...] = (
    "file",
    "split",
    "title",
    "artist",
    "licence",
    "target_gain_db",
    "balance_db",
    "level_db",
    "low_shelf_hz",
    "low_shelf_db",
    "high_shelf_hz",
    "high_shelf_db",
    "shelf_q",
    "recipe",
)


def demo_assets() -> Traversable:
    """The folder with the bundled music, its manifest.csv and CREDITS.md."""
    return files("neural_mastering.assets.demo")


def default_demo_folder() -> Path:
    """Where the pairs are written unless another folder is named: below `default_cache_folder`."""
    return default_cache_folder() / f"demo_{recipe()}"


def recipe() -> str:
    """A short name of everything the pairs are made from: the music's manifest, the rule and its seed."""
    rule = dataclasses.astuple(DegradationRule())
    text = f"{_VERSION}|{_DEGRADATION_SEED}|{TARGET_LUFS}|{VALIDATION_SONGS}|{rule}|"
    manifest = (demo_assets() / "manifest.csv").read_bytes()
    return hashlib.blake2b(text.encode() + manifest, digest_size=6).hexdigest()


def make_demo_pairs(folder: str | Path) -> Path:
    """Write unmastered/*.flac, mastered/*.flac (24 bit, 44.1 kHz, stereo) and manifest.csv into `folder`.

    The master is the excerpt brought to −17 LUFS by a gain; the unmastered side is what `degrade` makes of
    it. manifest.csv holds the true parameters and the split. The same machine writes the same bytes each
    time. A folder that holds these pairs already is left as it is; the pairs appear whole or not at all.

    Raises:
        DataError: the folder holds something else, or cannot be written.
    """
    folder = Path(folder).expanduser()
    if _is_complete(folder):
        return folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            f"{folder} holds something else than the present demo pairs: name an empty or new folder"
        )
    try:
        with replacing(folder, error=DataError) as draft:
            for side in ("unmastered", "mastered"):
                (draft / side).mkdir(parents=True)
            rows = [_write_pair(draft, row) for row in _asset_rows()]
            with (draft / "manifest.csv").open("w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    except DataError:
        if not _is_complete(folder):  # otherwise another process was faster
            raise
    return folder


def _is_complete(folder: Path) -> bool:
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        return False
    with manifest.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    sides = [folder / side / row.get("file", "") for row in rows for side in ("unmastered", "mastered")]
    return (
        bool(rows) and all(row.get("recipe") == recipe() for row in rows) and all(s.is_file() for s in sides)
    )


def _asset_rows() -> list[dict[str, str]]:
    text = (demo_assets() / "manifest.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def _write_pair(folder: Path, row: dict[str, str]) -> dict[str, str]:
    """Write both sides of one excerpt and return its row of the manifest."""
    name = Path(row["file"]).stem
    with (demo_assets() / row["file"]).open("rb") as handle:
        samples, sample_rate = soundfile.read(io.BytesIO(handle.read()), dtype="float64", always_2d=True)
    gain_db = TARGET_LUFS - float(row["lufs"])
    target = torch.from_numpy(samples.T[None] * db_to_gain(gain_db))
    rule = DegradationRule()
    made = degrade(target, sample_rate, torch.tensor([seed_of(_DEGRADATION_SEED, name)]), rule)
    for side, audio in (("unmastered", made.audio), ("mastered", target)):
        peak = float(audio.abs().max())
        if peak >= 1.0:
            raise DataError(f"the {side} side of {name} would clip (peak {peak:.3f}): lower TARGET_LUFS")
        interleaved = np.ascontiguousarray(audio[0].T.numpy())
        soundfile.write(folder / side / f"{name}.flac", interleaved, sample_rate, subtype="PCM_24")
    low_db, high_db = made.shelf_gain_db[0].tolist()
    return {
        "file": f"{name}.flac",
        "split": "validation" if name in VALIDATION_SONGS else "train",
        "title": row["title"],
        "artist": row["artist"],
        "licence": row["licence"],
        "target_gain_db": f"{gain_db:.4f}",
        "balance_db": f"{float(made.balance_db[0]):.4f}",
        "level_db": f"{rule.level_db:g}",
        "low_shelf_hz": f"{rule.low_shelf_hz:g}",
        "low_shelf_db": f"{low_db:.4f}",
        "high_shelf_hz": f"{rule.high_shelf_hz:g}",
        "high_shelf_db": f"{high_db:.4f}",
        "shelf_q": f"{rule.q:g}",
        "recipe": recipe(),
    }
