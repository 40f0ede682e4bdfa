"""A whole song: analysis, rendering as a stream, loudness and ceiling, writing.

`master` masters a file. Names are imported on first use, so that what needs no network starts without torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neural_mastering.rendering.mastering import MasterResult, master
    from neural_mastering.rendering.options import Options

__all__ = ["MasterResult", "Options", "master"]


def __getattr__(name: str) -> Any:
    if name == "Options":
        from neural_mastering.rendering.options import Options

        return Options
    if name in ("MasterResult", "master"):
        import importlib

        return getattr(importlib.import_module("neural_mastering.rendering.mastering"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
