"""A whole song, told in verbs: measure → choose the tone → render → deliver → write what was asked for.

`master` masters a file, `suggest` says what it would do to one. Names are imported on first use,
so that `import neural_mastering.rendering` stays quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neural_mastering.rendering.options import Options
    from neural_mastering.rendering.pipeline import master
    from neural_mastering.rendering.result import MasterResult
    from neural_mastering.rendering.suggestion import Suggestion, suggest

__all__ = ["MasterResult", "Options", "Suggestion", "master", "suggest"]

_HOMES = {
    "MasterResult": "result",
    "Options": "options",
    "Suggestion": "suggestion",
    "master": "pipeline",
    "suggest": "suggestion",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"neural_mastering.rendering.{_HOMES[name]}"), name)
