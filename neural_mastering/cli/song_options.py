"""The options of nm-master about the ends of a song, its channels, and albums."""

from pathlib import Path
from typing import Annotated

import typer

BassMono = Annotated[
    float | None,
    typer.Option("--bass-mono", help="Make the bass mono below this frequency, 20 to 300 Hz.", metavar="HZ"),
]
DualMono = Annotated[
    bool,
    typer.Option(
        "--dual-mono", help="Count a mono song as played by two loudspeakers: 3 LU louder than it measures."
    ),
]
LowerOnly = Annotated[
    bool, typer.Option("--lower-only", help="Never make a song louder than it is: only turn down.")
]
Trim = Annotated[
    bool, typer.Option("--trim", help="Cut silence, and clicks apart from the music, off both ends.")
]
FadeIn = Annotated[
    str | None,
    typer.Option(help="Fade in; curves: linear, cosine (default), exponential.", metavar="S[:CURVE]"),
]
FadeOut = Annotated[str | None, typer.Option(help="Fade out, likewise.", metavar="S[:CURVE]")]
Album = Annotated[
    bool,
    typer.Option(
        "--album",
        help="Master the songs as an album: the same gain for all, so their relative levels stay. Writes a CUE "
        "sheet and a playlist.",
    ),
]
AlbumGap = Annotated[
    float | None,
    typer.Option(
        help="Seconds of silence between the songs of an album; songs that join stay joined.", metavar="S"
    ),
]
AlbumInfo = Annotated[
    Path | None,
    typer.Option(
        help="CSV file with a row for each song of the album, in order: file, title, artist, isrc, upc, …",
        metavar="CSV",
    ),
]
