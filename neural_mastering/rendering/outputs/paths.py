"""Which files a master writes, checked before the work begins."""

import os
from collections.abc import Iterator, Sequence
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
    if options.report is not None and options.report.exists() and not options.report.is_dir():
        raise InputError(f"--report {options.report} is a file: give a folder")
    named = output_files(output, options)
    for option, path in named:
        if path.parts[:1] == ("-",):
            raise InputError(
                f"{option} -: audio and files don't go to standard output; give a name (--json - alone prints)"
            )
    check_distinct(named)
    for _, path in named:
        try:
            check_place(path, source, options.overwrite)
        except OSError as error:  # a name that is too long, a folder that can't be looked into
            raise InputError(f"{_shown(path)} can't be written: {error.strerror}") from error
    check_inputs(named, options)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {output.parent} can't be made ({error.strerror})") from error


def output_files(output: Path, options: Options) -> list[tuple[str, Path]]:
    """Every file that a master writes, each with the option that asks for it."""
    found = [("-o", output)]
    found += [("--also", path) for path, _ in options.deliverables.copies(output)]
    found += [("--export", path) for path in export_paths(output, options.export, options.preset_name)]
    found += [
        (option, path)
        for option, path in (("--json", options.json), ("--save-controls", options.save_controls))
        if path is not None
    ]
    if options.report is not None:
        found += [("--report", options.report / name) for name in ("report.html", "report.json")]
    return found


def check_distinct(files: Sequence[tuple[str, Path]]) -> None:
    """Refuse files that would replace each other, or lie in one another. Capital letters make no difference.

    Args:
        files: option and path of each.

    Raises:
        InputError: two are the same file, or one is the folder of another.
    """
    taken: dict[Path, tuple[str, Path]] = {}
    for option, path in files:
        key = _same_for_all(path)
        if key in taken:
            raise InputError(
                f"{taken[key][0]} and {option} would both write {path}: give each file a name of its own"
            )
        taken[key] = option, path
    for option, path in files:
        for folder in _same_for_all(path).parents:
            if folder in taken:
                other, file = taken[folder]
                raise InputError(
                    f"{option} would write {path}, but {other} makes {file} a file: choose another name"
                )


def check_inputs(files: Sequence[tuple[str, Path]], options: Options, songs: Sequence[Path] = ()) -> None:
    """Refuse to replace what the masters are made from, even with `overwrite`; edited controls may be saved again.

    Args:
        files: option and path of each file that will be written.
        options: of the master.
        songs: sources that no output may replace.

    Raises:
        InputError: a reference, the controls or a source would be replaced.
    """
    inputs = {_same_for_all(path): what for what, path in _inputs(options)}
    inputs |= {_same_for_all(song): "one of the songs" for song in songs}
    for option, path in files:
        what = inputs.get(_same_for_all(path))
        if what is not None and (option, what) != ("--save-controls", "the file of --controls"):
            raise InputError(f"{option} would replace {path}, which is {what}: choose another name")


def _inputs(options: Options) -> Iterator[tuple[str, Path]]:
    for path, _ in options.references:
        yield "a reference", path
    if options.controls is not None:
        yield "the file of --controls", options.controls


def _same_for_all(path: Path) -> Path:
    """One name for all ways to write it; systems differ in whether case counts."""
    return Path(str(path.resolve()).casefold())


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
