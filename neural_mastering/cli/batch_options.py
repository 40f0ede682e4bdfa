"""The options that the commands of nm-batch share."""

from pathlib import Path
from typing import Annotated

import typer

Manifest = Annotated[
    Path,
    typer.Argument(
        help="CSV or Parquet file with a row for each song: path (or URL), and optionally target, style, "
        "reference, album, isrc, title.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "-o", "--output", help="Folder for results.parquet, masters and summary.html.", metavar="FOLDER"
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        help="Number of songs to process in parallel, here or in each Slurm job; 0 uses one process per core.",
        min=0,
    ),
]
EngineName = Annotated[
    str,
    typer.Option(
        "--engine",
        help="Where to work: processes of this machine, Slurm jobs, or a Ray cluster.",
        metavar="local|slurm|ray",
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(help="Do the I-th of N parts, for job arrays; all parts share one folder.", metavar="I/N"),
]
Retry = Annotated[
    str | None,
    typer.Option(
        help="Try all failed songs again: failed. Default: only failures that may pass.", metavar="failed"
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done and how long it takes, and exit.")
]
TimeLimit = Annotated[
    float, typer.Option(help="Give a song up after this many seconds.", min=0.001, metavar="S")
]
MemoryLimit = Annotated[
    float,
    typer.Option(
        "--memory-limit-gb", help="Memory that a song may take, in GB; 0 for any.", min=0.0, metavar="GB"
    ),
]
MaxDownload = Annotated[
    float, typer.Option("--max-download-gb", help="Largest source to download, in GB.", min=0.0, metavar="GB")
]
Scratch = Annotated[
    Path | None,
    typer.Option(
        help="Folder for temporary files, such as a fast local disk. Default: one in the output folder."
    ),
]
AnyVersion = Annotated[
    bool,
    typer.Option("--any-version", help="Keep what another version has done. Default: do it again."),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print only failures and the last line.")]
RayAddress = Annotated[
    str | None,
    typer.Option(
        help="Address of the Ray cluster. Default: RAY_ADDRESS, else a cluster of this machine alone."
    ),
]
SlurmJobs = Annotated[int, typer.Option(help="Number of Slurm jobs in the array.", min=1)]
SlurmOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Parameter of submitit, such as slurm_partition=cpu. Repeatable.", metavar="NAME=VALUE"
    ),
]
SlurmCluster = Annotated[
    str | None,
    typer.Option(
        help="Cluster of submitit: slurm, or local to try it on this machine. Default: what it finds."
    ),
]
