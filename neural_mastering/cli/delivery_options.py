"""The options about the loudness and the files that are delivered."""

from typing import Annotated

import typer

Target = Annotated[
    str | None,
    typer.Option(
        help="Loudness target: a destination of nm-master --list-targets, a number in LUFS, or keep. "
        "Default: spotify."
    ),
]
Ceiling = Annotated[
    str | None, typer.Option(help="True-peak ceiling in dBTP, or off. Default: the target's own.")
]
Density = Annotated[
    str,
    typer.Option(
        help="How much dynamics may be given up for loudness: gentle, balanced, dense, or 0 to 1. "
        "It bounds what limiting costs in LU, and short peaks are cut by up to 6 dB times this.",
        metavar="gentle|balanced|dense|S",
    ),
]
MaxReduction = Annotated[
    float, typer.Option(help="Maximum gain reduction of the limiter in dB.", metavar="DB")
]
Plr = Annotated[
    str | None,
    typer.Option(
        help="Bring peaks down to this many dB above the loudness (PLR) where they lie more than 1 dB higher, or a "
        "share of the way, such as 9:0.6; off leaves them. Default: what references ask for.",
        metavar="DB[:SHARE]|off",
    ),
]
Bits = Annotated[
    str | None,
    typer.Option(
        help="Bit depth; 32f is 32-bit float. Default: that of the input, but at least 24.",
        metavar="16|24|32f",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="File format, with a bit rate if it is lossy: wav, flac, aiff, mp3, vorbis, opus, aac, alac. "
        "Default: that of the name.",
        metavar="FORMAT[:KBPS]",
    ),
]
Also = Annotated[
    list[str] | None,
    typer.Option(help="Write further formats of the same master next to it.", metavar="FORMAT[:KBPS],…"),
]
CodecCheck = Annotated[
    list[str] | None,
    typer.Option(
        help="Measure peaks and loudness after these encoders: mp3, vorbis, opus, aac.",
        metavar="CODEC[:KBPS],…",
    ),
]
CodecSafe = Annotated[
    list[str] | None,
    typer.Option(
        help="Keep the ceiling after these encoders, too: lower it as far as needed.",
        metavar="CODEC[:KBPS],…",
    ),
]
ReplayGain = Annotated[
    bool,
    typer.Option("--replaygain", help="Write loudness tags (ReplayGain 2, R128 for Opus, bext in WAV)."),
]
SampleRate = Annotated[
    int | None,
    typer.Option(help="Sample rate of the master in Hz. Default: that of the song.", metavar="HZ"),
]
