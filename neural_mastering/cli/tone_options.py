"""The options of nm-master about the tone."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    str | None,
    typer.Option(help="Model that sets the tone: a bundled model, a run folder, a checkpoint, or none."),
]
Style = Annotated[
    str | None,
    typer.Option(
        help="Style to move towards: a bundled style, a file by nm-style, or auto (see nm-style list). "
        "Default: auto, unless --model, --controls or --reference set the tone.",
    ),
]
Intensity = Annotated[
    str,
    typer.Option(
        help="How far from normal the mix may be by mistake: gentle, balanced, strong, or a number of dB.",
        metavar="gentle|balanced|strong|DB",
    ),
]
Controls = Annotated[
    Path | None,
    typer.Option(
        help="Use the controls in this YAML file (see --save-controls). A folder has NAME.yaml for each song."
    ),
]
Reference = Annotated[
    list[str] | None,
    typer.Option(help="Match the sound of this song. Repeatable; FILE=WEIGHT sets a weight."),
]
Match = Annotated[
    list[str] | None,
    typer.Option(
        help="How far to follow the references, 0 to 1 (default 0.6), or each: tone=, width=, dynamics=, "
        "loudness= (default 1).",
        metavar="S|RESPECT=S,…",
    ),
]
Word = Annotated[
    list[str] | None,
    typer.Option(
        help="Describe the sound: warm, bright, … from -1 to 1 (default 0.5). Repeatable; see --list-words.",
        metavar="WORD[=S]",
    ),
]
Strength = Annotated[
    list[str] | None,
    typer.Option(
        help="Strength from 0 to 1 of the whole chain, or of one stage (STAGE=S). Repeatable.",
        metavar="[STAGE=]S",
    ),
]
Skip = Annotated[list[str] | None, typer.Option(help="Bypass this stage. Repeatable.", metavar="STAGE")]
Only = Annotated[list[str] | None, typer.Option(help="Bypass all stages except these.", metavar="STAGE,…")]
