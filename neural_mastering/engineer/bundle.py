"""A learned engineer as one JSON file: numbers and words only, with a hash of its content, read without torch.

    {"format": "neural_mastering engineer", "format_version": 1, "sha256": …, "engineer": {…}, "about": {…}}

`engineer` holds the fields of `LearnedEngineer`, arrays as nested lists with seven significant digits. The same
engineer gives the same bytes, and what was read is written back as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neural_mastering.atomic import write_text
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.engineer.learned import KnownSongs, LearnedEngineer, Output
from neural_mastering.engineer.score import Mixture, ScoreModel
from neural_mastering.engineer.traits import TRAITS
from neural_mastering.errors import InputError

FORMAT, FORMAT_VERSION = "neural_mastering engineer", 2
FILE_NAME = "model.json"
DIGITS = 7


class EngineerError(InputError):
    """A file that is no learned engineer, or is damaged; the message says what was found."""


def write_engineer(engineer: LearnedEngineer, path: str | Path) -> Path:
    """Write an engineer to a JSON file; it appears whole or not at all."""
    path = Path(path)
    body = _rounded({"engineer": _as_dict(engineer), "about": dict(engineer.about)})
    content = {"format": FORMAT, "format_version": FORMAT_VERSION, "sha256": _hash(body), **body}
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def read_engineer(path: str | Path) -> LearnedEngineer:
    """Read an engineer.

    Raises:
        EngineerError: no such file, not an engineer, of another version, or damaged.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise EngineerError(f"{path} can't be read as a learned engineer ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise EngineerError(f"{path} does not describe a learned engineer: its format is not '{FORMAT}'")
    if content.get("format_version") != FORMAT_VERSION:
        raise EngineerError(
            f"{path} has format version {content.get('format_version')}, but this version of the package reads "
            f"{FORMAT_VERSION}: update the package, or learn it again with nm-learn"
        )
    body: dict[str, Any] = {"engineer": content.get("engineer"), "about": content.get("about")}
    if _hash(body) != content.get("sha256"):
        raise EngineerError(f"{path} is damaged or was edited: its SHA-256 is another; learn it again")
    try:
        return _from_dict(body["engineer"], body["about"])
    except (KeyError, TypeError, ValueError) as error:
        raise EngineerError(f"{path} is incomplete ({error}): learn it again with nm-learn") from error


def find_engineer(path: str | Path) -> Path | None:
    """The engineer's file that a folder or a file means; None where it is something else."""
    path = Path(path).expanduser()
    file = path / FILE_NAME if path.is_dir() else path
    if file.suffix != ".json" or not file.is_file():
        return None
    try:
        with file.open("rb") as handle:
            head = handle.read(200)
    except OSError:
        return None
    return file if FORMAT.encode() in head else None


def _hash(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _rounded(value.tolist())
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, bool | str | int) or value is None:
        return value
    number = float(f"{float(value):.{DIGITS}g}")
    return number if np.isfinite(number) else None


def _as_dict(engineer: LearnedEngineer) -> dict[str, Any]:
    known = engineer.known
    return {
        "bands_hz": [round(hz, 2) for hz in CENTRES_HZ.tolist()],
        "mean_db": engineer.mean_db,
        "coupling": engineer.coupling,
        "smoothing": engineer.smoothing,
        "mean_levels_db": engineer.mean_levels_db,
        "basis": engineer.basis,
        "rest_db": engineer.rest_db,
        "imposed": list(engineer.imposed),
        "spread_factor": dict(engineer.spread_factor),
        "scores": [_output_dict(output) for output in engineer.scores],
        "numbers": {name: _output_dict(output) for name, output in engineer.numbers.items()},
        "songs": {
            "names": list(known.names),
            "trait_names": [trait.name for trait in TRAITS],
            "traits": known.traits,
            "trait_centre": known.trait_centre,
            "trait_scale": known.trait_scale,
            "content_names": list(known.content_names),
            "content_centre": known.content_centre,
            "content_scale": known.content_scale,
            "content": known.content,
            "levels_db": known.levels_db,
        },
    }


def _output_dict(output: Output) -> dict[str, Any]:
    model = output.model
    return {
        "values": model.values,
        "kernels": [[list(m.indices), list(m.shares)] for m in model.mixtures],
        "noise": model.noise,
        "weight": model.weight,
        "size": model.size,
        "allowed": output.allowed,
        "own_curve": output.own_curve,
        "own_centre": output.own_centre,
        "own_scale": output.own_scale,
        "trust": output.trust,
    }


def _array(value: Any, *shape: int) -> Float64s:
    array = np.array(value, dtype=np.float64).reshape(*shape)
    if not np.isfinite(array).all():
        raise ValueError("a number that is not finite")
    return array


def _from_dict(plain: Mapping[str, Any], about: Mapping[str, Any]) -> LearnedEngineer:
    songs, bands = plain["songs"], len(CENTRES_HZ)
    count, features = len(songs["names"]), len(songs["content_names"])
    if songs["trait_names"] != [trait.name for trait in TRAITS]:
        raise ValueError("its traits are not those of this version")
    known = KnownSongs(
        names=tuple(songs["names"]),
        traits=_array(songs["traits"], count, len(TRAITS)),
        trait_centre=_array(songs["trait_centre"], len(TRAITS)),
        trait_scale=_array(songs["trait_scale"], len(TRAITS)),
        content=_array(songs["content"], count, features),
        content_names=tuple(songs["content_names"]),
        content_centre=_array(songs["content_centre"], features),
        content_scale=_array(songs["content_scale"], features),
        levels_db=_array(songs["levels_db"], count, bands),
    )
    return LearnedEngineer(
        known=known,
        mean_db=_array(plain["mean_db"], bands),
        coupling=float(plain["coupling"]),
        smoothing=int(plain["smoothing"]),
        mean_levels_db=_array(plain["mean_levels_db"], bands),
        basis=_array(plain["basis"], -1, bands) if plain["basis"] else np.zeros((0, bands)),
        scores=tuple(_output(each, count) for each in plain["scores"]),
        rest_db=_array(plain["rest_db"], bands),
        numbers={name: _output(each, count) for name, each in plain["numbers"].items()},
        imposed=tuple(map(str, plain.get("imposed", ()))),  # older files impose nothing
        spread_factor={name: float(value) for name, value in plain["spread_factor"].items()},
        about=dict(about),
    )


def _output(plain: Mapping[str, Any], count: int) -> Output:
    mixtures = tuple(Mixture(tuple(indices), tuple(shares)) for indices, shares in plain["kernels"])
    model = ScoreModel(
        mixtures=mixtures,
        noise=_array(plain["noise"], len(mixtures)),
        weight=_array(plain["weight"], len(mixtures)),
        values=_array(plain["values"], count),
        size=_array(plain["size"], len(mixtures)),
    )
    return Output(
        model,
        _array(plain["allowed"], len(TRAITS)),
        _array(plain["own_curve"], len(CENTRES_HZ)),
        float(plain["own_centre"]),
        float(plain["own_scale"]),
        float(plain["trust"]),
    )
