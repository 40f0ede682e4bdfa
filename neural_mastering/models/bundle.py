"""Bundles in torch: rebuild their model, write them; `numeric.bundle_file` says what they are."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neural_mastering import __version__
from neural_mastering.atomic import write_bytes, write_text
from neural_mastering.models.build import ConfigError, build
from neural_mastering.models.describe import describe
from neural_mastering.models.mastering import MasteringModel
from neural_mastering.numeric.bundle_file import (
    DEFAULT_MODEL,
    FORMAT,
    FORMAT_VERSION,
    Bundle,
    BundleError,
    bundled_models,
    default_model,
    find_bundle,
    read_bundle,
    read_weights_file,
)
from neural_mastering.numeric.confidence import Confidence

__all__ = [
    "DEFAULT_MODEL",
    "Bundle",
    "BundleError",
    "bundled_models",
    "default_model",
    "find_bundle",
    "load_bundle",
    "read_bundle",
    "write_bundle",
]


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
    data = read_weights_file(bundle)
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
        operations=describe(model),
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
        "operations": bundle.operations,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(bundle.weights, data)
    write_text(path, text)
    return bundle
