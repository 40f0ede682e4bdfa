"""Which files a master writes, checked before the work begins."""

import os
from pathlib import Path

from neural_mastering.audio_io.file_format import check_available
from neural_mastering.audio_io.writer import output_format
from neural_mastering.errors import InputError
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.outputs.export import export_paths


def check_paths(source: Path, output: Path, options: Options) -> None:
    """Refuse what would fail at the end, before the work begins.

    Raises:
        InputError: an output that exists, is the input, or has an unknown suffix.
    """
    form = output_format(output, options.bits, None, False, options.deliverables.encoding)
    check_available((form.encoding,), "-o" if options.deliverables.encoding is None else "--format")
    named = [output, *(path for path in (options.json, options.save_controls) if path is not None)]
    named += [path for path, _ in options.deliverables.copies(output)]
    named += export_paths(output, options.export, options.preset_name)
    if options.report is not None:
        if options.report.exists() and not options.report.is_dir():
            raise InputError(f"--report {options.report} is a file: give a folder")
        named.append(options.report / "report.html")
    for path in named:
        try:
            check_place(path, source, options.overwrite)
        except OSError as error:  # a name that is too long, a folder that can't be looked into
            raise InputError(f"{_shown(path)} can't be written: {error.strerror}") from error
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {output.parent} can't be made ({error.strerror})") from error


def check_place(path: Path, source: Path, overwrite: bool) -> None:
    """Refuse a file that can't be written.

    Raises:
        InputError: it is a link, a folder, the source, exists, or lies where nothing can be written.
        OSError: its name is too long, or its folder can't be looked into.
    """
    if path.is_symlink():  # the link would be replaced, and its target left alone
        raise InputError(
            f"{path} is a symbolic link (to {path.readlink()}): name the file itself, or remove the link"
        )
    if path.exists() and source.exists() and source.samefile(path):
        raise InputError(f"{path} is the input itself: choose another name")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file name")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists: add --overwrite to replace it, or choose another name")
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        raise InputError(
            f"{folder} can't be written to (read-only, or no permission): choose another place with -o"
        )


def _shown(path: Path) -> str:
    """A name that fits on a line."""
    return str(path) if len(str(path)) <= 120 else f"{str(path)[:60]}…{str(path)[-40:]}"
