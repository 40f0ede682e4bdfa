"""Which version of everything that affects the sound is at work."""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import numpy
import scipy
import soundfile
import soxr

import neural_mastering

SOUND_PARTS = (
    "units.py",
    "assets",
    "audio_io",
    "controls",
    "dsp",
    "metering",
    "metrics",
    "models",
    "normality",
    "processors",
    "rendering",
    "styles",
    "words",
)
"""Code and data of this package that a master is made with; pages, tables and this package are not among them."""

_KINDS = (".py", ".yaml", ".json", ".safetensors", ".eel")


def versions() -> dict[str, str]:
    """Of this package and of the libraries that touch samples."""
    return {
        "neural_mastering": neural_mastering.__version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "numba": metadata.version("numba"),
        "soxr": soxr.__version__,
        "libsndfile": soundfile.__libsndfile_version__,
    }


@lru_cache(maxsize=1)
def sound_version() -> str:
    """16 hexadecimal digits of `versions` without Python's, and of the files in `SOUND_PARTS`."""
    digest = hashlib.blake2b(digest_size=8)
    for name, version in versions().items():
        if name != "python":
            digest.update(f"{name}={version}\n".encode())
    root = Path(neural_mastering.__file__).parent
    for part in SOUND_PARTS:
        place = root / part
        files = [place] if place.is_file() else sorted(f for f in place.rglob("*") if f.suffix in _KINDS)
        for file in files:
            content = file.read_bytes()
            digest.update(f"{file.relative_to(root).as_posix()}:{len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()
