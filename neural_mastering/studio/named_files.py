"""What names in settings mean: songs of the project, bundled styles and models, shared files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from neural_mastering.errors import InputError
from neural_mastering.rendering.options import parse_references
from neural_mastering.rendering.settings import References, Settings
from neural_mastering.studio.catalogue import model_names, style_names
from neural_mastering.studio.project import Project
from neural_mastering.studio.shared_folder import SharedFolder


class NamedFiles:
    """Files by the names that a page may use.

    Args:
        project: whose songs may be references.
        shared: whose styles and models may be used beside the bundled ones.
    """

    def __init__(self, project: Project, shared: SharedFolder) -> None:
        self._project, self._shared = project, shared

    def references(self, settings: Settings) -> References:
        """The files of references, which are named by id, or as ID=WEIGHT.

        Raises:
            InputError: an id that is no song of the project, or a weight that is none.
        """
        found: list[str] = []
        for value in settings.references:
            name, _, weight = value.partition("=")
            song = self._project.song(name)
            if song is None:
                raise InputError(f"there is no song {name[:40]} to use as a reference: add it first")
            path = self._project.source_of(song)
            found.append(f"{path}={weight}" if weight else str(path))
        return parse_references(found)

    def resolved(self, settings: Settings) -> Settings:
        """Settings whose style and model are bundled ones, or files of the shared folder.

        Raises:
            InputError: any other name, such as a path.
        """
        style, model = settings.style, settings.model
        if style is not None and style not in style_names():
            style = self._find("style", style, style_names())
        if model is not None and model not in model_names():
            model = self._find("model", model, model_names())
        return replace(settings, style=style, model=model)

    def check(self, settings: Settings) -> None:
        """Refuse settings that can't be used, and everything that would open a file.

        Raises:
            InputError: in words that name the command line's option.
        """
        self.resolved(settings).options(self.references(settings))

    def _find(self, kind: str, name: str, known: Sequence[str]) -> str:
        path = self._shared.find(name, kind)
        if path is None:
            raise InputError(f"--{kind} {name[:80]}: expected {', '.join(known)}")
        return str(path)
