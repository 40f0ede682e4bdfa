"""nm-data pack: write a library in chunks that can be streamed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from neural_mastering.cli.progress import progress


def pack(
    data: Annotated[
        Path, typer.Argument(help="Folder of pairs (unmastered/, mastered/), or of released music.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the library; it must not exist.")],
    released: Annotated[
        bool,
        typer.Option("--released", help="DATA is released music; inputs are made while training (preset)."),
    ] = False,
    sample_rate: Annotated[int, typer.Option(help="Of the model that will be trained, in Hz.")] = 44_100,
    window_s: Annotated[
        float, typer.Option(help="Length of a window; crops are drawn within it.", min=0.1)
    ] = 12.0,
    chunk_mb: Annotated[
        int, typer.Option(help="Size of a chunk, the unit of a download, in MB.", min=1)
    ] = 64,
    seed: Annotated[int, typer.Option(help="Of the splits.")] = 0,
    validation_fraction: Annotated[float, typer.Option(help="Fraction of groups used for validation.")] = 0.2,
    test_fraction: Annotated[float, typer.Option(help="Fraction of groups used for testing.")] = 0.1,
    cache_dir: Annotated[
        Path | None, typer.Option(help="For resampled files. Default: your cache folder.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors.")] = False,
) -> None:
    """Write a library in chunks that can be streamed from a disk or an object store.

    Training with data=streamed data.root=OUT then reads only what it needs. Copy OUT to a store as it is, and give
    its URL as data.root.
    """
    from neural_mastering.data.cache import AudioCache  # --help stays quick: loads torch
    from neural_mastering.data.errors import DataError  # --help stays quick: loads torch
    from neural_mastering.data.library import open_library  # --help stays quick: loads torch
    from neural_mastering.data.streamed_folder import (  # --help stays quick: loads torch
        pack_songs,
        require_litdata,
    )

    if out.exists():
        raise DataError(f"{out} exists: name a new folder")
    require_litdata()
    library = open_library(
        data,
        AudioCache(cache_dir, sample_rate),
        round(window_s * sample_rate),
        seed,
        validation_fraction,
        test_fraction,
        short_songs="skip",
        released=released,
    )
    for split, songs in library.splits.items():
        if not songs:
            continue
        with progress(split, len(songs), quiet) as done:
            items = pack_songs(songs, out / split, sample_rate, window_s, chunk_mb, done=done)
        if not quiet:
            print(f"{split}: {items} windows of {window_s:g} s from {len(songs)} songs", file=sys.stderr)
