"""Models as two plain files, without pickle: NAME.safetensors holds the weights, NAME.json all the rest.

The JSON says how the model is built, which weights belong to it (by SHA-256), how far its moves are to be followed,
and where it comes from. Bundles that ship with the package lie in `neural_mastering/assets/models/`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from neural_mastering import __version__
from neural_mastering.atomic import write_bytes, write_text
from neural_mastering.errors import InputError
from neural_mastering.models.build import ConfigError, build
from neural_mastering.models.confidence import Confidence
from neural_mastering.models.mastering import MasteringModel

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
    """

    path: Path
    model: Mapping[str, Any]
    sha256: str
    confidence: Confidence = field(default_factory=Confidence)
    version: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

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
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{path} is incomplete ({error}): export the model again") from error


def load_bundle(path: str | Path, packages: tuple[str, ...] = ("neural_mastering",)) -> MasteringModel:
    """Rebuild the model of a bundle, in evaluation mode. No code from the files runs.

    Args:
        path: the JSON file, see `find_bundle`.
        packages: whose parts may be built.

    Raises:
        BundleError: files that are missing, damaged, or don't belong together.
    """
    from safetensors import SafetensorError  # only for bundles
    from safetensors.torch import load

    bundle = read_bundle(path)
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
    try:
        state = load(data)
        model = build(bundle.model, packages=packages)
        model.load_state_dict(state)
    except SafetensorError as error:
        raise BundleError(f"{bundle.weights} is not a safetensors file ({error})") from error
    except (ConfigError, RuntimeError) as error:
        raise BundleError(f"{bundle.path} does not fit this version of the package: {error}") from error
    if not isinstance(model, MasteringModel):
        raise BundleError(f"{bundle.path} describes a {type(model).__name__} and not a model")
    return model.eval()


def write_bundle(
    model: MasteringModel,
    config: Mapping[str, Any],
    path: str | Path,
    confidence: Confidence | None = None,
    about: Mapping[str, Any] | None = None,
) -> Bundle:
    """Write NAME.safetensors and NAME.json; the same model gives the same bytes.

    Args:
        model: whose weights are written.
        config: plain dictionaries that rebuild it (`nm-train` keeps them in every checkpoint).
        path: NAME.json, or NAME in its folder.
        confidence: how far its moves are to be followed; fully by default.
        about: anything that JSON can hold.
    """
    from safetensors.torch import save  # only for bundles

    path = Path(path).with_suffix(".json")
    data = save({name: tensor.detach().contiguous().cpu() for name, tensor in model.state_dict().items()})
    bundle = Bundle(
        path=path,
        model=config,
        sha256=hashlib.sha256(data).hexdigest(),
        confidence=confidence or Confidence(),
        version=__version__,
        about=about or {},
    )
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": bundle.name,
        "package_version": __version__,
        "weights_sha256": bundle.sha256,
        "confidence": asdict(bundle.confidence),
        "about": dict(bundle.about),
        "model": dict(config),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(bundle.weights, data)
    write_text(path, text)
    return bundle
