"""From what was typed at nm-studio to a workspace: songs, or a project file with the songs it names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from neural_mastering.errors import InputError
from neural_mastering.studio.project import Project, content_hash, read_document
from neural_mastering.studio.shared_folder import SharedFolder
from neural_mastering.studio.uploads import Limits
from neural_mastering.studio.workspace import Workspace

SUFFIX = ".nmstudio"


def open_workspace(
    folder: Path, files: Sequence[Path], limits: Limits, shared: Path | None = None
) -> Workspace:
    """The workspace of a project folder, with the files in it.

    Args:
        folder: of the project; made where it is missing.
        files: songs, in the order of the album, or project files, whose songs are looked up where they were.
        limits: for uploads.
        shared: folder whose files the page may name.

    Raises:
        InputError: a file that can't be read.
    """
    opened = SharedFolder(shared)
    workspace = Workspace(Project(folder), limits, opened)
    try:
        for file in files:
            if file.suffix.lower() == SUFFIX:
                _open_project(workspace, file)
            else:
                workspace.add_file(file)
    except BaseException:
        workspace.project.close()
        raise
    return workspace


def _open_project(workspace: Workspace, file: Path) -> None:
    document = read_document(file)
    for song in document.songs:
        path = None if song.path is None else Path(song.path)
        if workspace.project.song(song.id) is not None:
            continue
        if path is None or not path.is_file():
            print(f"nm-studio: {song.name} is not here: add it again on the page", file=sys.stderr)
        elif content_hash(path) != song.sha256:
            raise InputError(
                f"{path} is not the file that {file.name} was made with: move it, or save it again"
            )
        else:
            workspace.add_file(path, song.role)
    workspace.project.save(document, None)
