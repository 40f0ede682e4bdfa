"""The renderer's options for a unit of work."""

from __future__ import annotations

from pathlib import Path

from neural_mastering.batch.storage import fetch, is_url
from neural_mastering.batch.work import Work
from neural_mastering.rendering.options import Options, parse_references
from neural_mastering.rendering.settings import References, settings_of


def options_of(work: Work, scratch: Path) -> Options:
    """What the renderer takes; a reference that lies elsewhere is downloaded into `scratch`.

    Raises:
        InputError: anything in the settings that can't be used.
    """
    own = dict(work.settings)
    controls, export = own.pop("controls", None), own.pop("export", ())
    settings = settings_of(own)
    reference = work.songs[0].reference
    references: References = ()
    if reference is not None:
        references = ((_local(reference, work, scratch), 1.0),)
    elif settings.references:
        references = parse_references(settings.references)
    return settings.options(
        references, controls=None if controls is None else Path(str(controls)), export=tuple(export)
    )


def _local(location: str, work: Work, scratch: Path) -> Path:
    if not is_url(location):
        return Path(location)
    folder = scratch / "reference"
    folder.mkdir()
    return fetch(location, folder, work.places.most_download_bytes).path
