"""Which files a master writes, checked before the work begins."""

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
    if output.exists() and source.exists() and source.samefile(output):
        raise InputError(f"{output} is the input itself: choose another name")
    named = [output, *(path for path in (options.json, options.save_controls) if path is not None)]
    named += [path for path, _ in options.deliverables.copies(output)]
    named += export_paths(output, options.export)
    if options.report is not None:
        if options.report.exists() and not options.report.is_dir():
            raise InputError(f"--report {options.report} is a file: give a folder")
        named.append(options.report / "report.html")
    for path in named:
        if path.is_dir():
            raise InputError(f"{path} is a folder: give a file name")
        if path.exists() and not options.overwrite:
            raise InputError(f"{path} exists: add --overwrite to replace it, or choose another name")
    if source.exists():
        for path in named[1:]:
            if path.exists() and source.samefile(path):
                raise InputError(f"{path} is the input itself: choose another name")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {output.parent} can't be made ({error.strerror})") from error
