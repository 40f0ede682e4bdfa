"""Models as two plain files, without pickle: NAME.safetensors holds the weights, NAME.json all the rest.

The JSON says how the model is built, which weights belong to it (by SHA-256), how far its moves are to be followed,
where it comes from, and where possible how to compute it without torch. This module reads both files;
`models.bundle` writes them and rebuilds the model in torch. Bundles that ship with the package lie in
`neural_mastering/assets/models/`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from neural_mastering.errors import InputError
from neural_mastering.numeric.confidence import Confidence

FORMAT = "neural_mastering model"
FORMAT_VERSION = 1
DEFAULT_MODEL = "modest-eq-2"
"""What `nm-master` listens with where nothing else is asked for."""


class BundleError(InputError):
    """Files that are no bundle, or don't belong together; the message says what was found."""


@dataclass(frozen=True)
class Bundle:
    """What a bundle's JSON says.

    Attributes:
        path: of the JSON file.
        model: plain configuration that rebuilds the model.
        sha256: of the weights' file.
        confidence: how far its moves are to be followed.
        version: of the package that wrote it.
        about: data, recipe, measures, terms: for people and for the model card.
        operations: the same model as a list of operations on numbers (`numeric.description`); None where it has
            parts that only torch runs.
    """

    path: Path
    model: Mapping[str, Any]
    sha256: str
    confidence: Confidence = field(default_factory=Confidence)
    version: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    operations: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem

    @property
    def weights(self) -> Path:
        """The file of the weights."""
        return self.path.with_suffix(".safetensors")


def bundled_models() -> dict[str, Path]:
    """JSON files of the bundles that ship with the package, by name."""
    folder = Path(str(files("neural_mastering.assets").joinpath("models")))
    return {file.stem: file for file in sorted(folder.glob("*.json"))} if folder.is_dir() else {}


def default_model() -> str | None:
    """The name of the bundle that is used by default; None where it did not ship."""
    return DEFAULT_MODEL if DEFAULT_MODEL in bundled_models() else None


def find_bundle(path: str | Path) -> Path | None:
    """The JSON file that a path or a bundled name means; None where it means something else."""
    path = Path(path)
    if path.suffix in (".json", ".safetensors"):
        return path.with_suffix(".json")
    return None if path.exists() else bundled_models().get(str(path))


def read_bundle(path: str | Path) -> Bundle:
    """What the JSON file of a bundle says; the weights are not read.

    Raises:
        BundleError: no such file, not the JSON of a bundle, or one of a later version.

    Examples:
        >>> bundle = read_bundle(bundled_models()["modest-eq-2"])
        >>> bundle.name, bundle.weights.name
        ('modest-eq-2', 'modest-eq-2.safetensors')
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BundleError(f"there is no {path}: a bundle is NAME.json beside NAME.safetensors") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BundleError(f"{path} can't be read as JSON ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BundleError(f"{path} does not describe a model of this package: its format is not '{FORMAT}'")
    if content.get("format_version") != FORMAT_VERSION:
        raise BundleError(
            f"{path} has format version {content.get('format_version')}, but this version of the package reads "
            f"{FORMAT_VERSION}: update the package, or export the model again"
        )
    try:
        return Bundle(
            path=path,
            model=dict(content["model"]),
            sha256=str(content["weights_sha256"]),
            confidence=Confidence(**content["confidence"]),
            version=str(content["package_version"]),
            about=dict(content["about"]),
            operations=content.get("operations"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{path} is incomplete ({error}): export the model again") from error


def read_weights_file(bundle: Bundle) -> bytes:
    """The weights of a bundle as they lie in their file.

    Raises:
        BundleError: no such file, or one that is not the bundle's.
    """
    try:
        data = bundle.weights.read_bytes()
    except OSError as error:
        raise BundleError(f"the weights {bundle.weights} can't be read ({error.strerror})") from error
    found = hashlib.sha256(data).hexdigest()
    if found != bundle.sha256:
        raise BundleError(
            f"{bundle.weights} is not the file that {bundle.path.name} describes (SHA-256 {found[:12]}… instead of "
            f"{bundle.sha256[:12]}…): it is damaged or belongs to another model"
        )
    return data
