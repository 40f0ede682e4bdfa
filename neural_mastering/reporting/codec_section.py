"""A master after encoders, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from neural_mastering.reporting.html_table import plain_table
from neural_mastering.reporting.markup import Html, number
from neural_mastering.reporting.report_data import Table


@dataclass(frozen=True)
class CodecRow:
    """What a decoder gives back.

    Attributes:
        name: such as "MP3 320 kbit/s".
        sample_rate_hz: of the encoded file.
        lufs, true_peak_db: of the decoded samples, LUFS and dBTP.
        over_ceiling_db: how far the true peak passes the ceiling, negative below it; −inf without a ceiling.
        clipped_samples: beyond full scale.
        promised: the ceiling was lowered until it held here.
        file: that was written; empty for a check alone.
    """

    name: str
    sample_rate_hz: int
    lufs: float
    true_peak_db: float
    over_ceiling_db: float
    clipped_samples: int
    promised: bool = False
    file: str = ""


def codec_section(rows: Sequence[CodecRow], ceiling_db: float | None) -> Html:
    """One row an encoder."""
    columns = (
        "Encoder",
        "Sample rate (Hz)",
        "Loudness (LUFS)",
        "True peak (dBTP)",
        "Over the ceiling (dB)",
        "Samples over full scale",
        "Ceiling kept",
        "File",
    )
    table = [
        [
            row.name,
            row.sample_rate_hz,
            row.lufs,
            row.true_peak_db,
            None if ceiling_db is None else row.over_ceiling_db,
            row.clipped_samples,
            _kept(row, ceiling_db),
            row.file or "checked only",
        ]
        for row in rows
    ]
    limit = "off" if ceiling_db is None else f"{number(ceiling_db)} dBTP"
    caption = (
        f"The master was encoded, decoded and measured (ceiling: {limit}). Encoders move peaks; where decoded "
        "samples pass full scale, players that decode to integers clip them."
    )
    digits = (0, 0, 2, 2, 2, 0, 0, 0)
    return plain_table(Table("", columns, table, caption, digits=digits))


def _kept(row: CodecRow, ceiling_db: float | None) -> str:
    if ceiling_db is None:
        return "no ceiling"
    if row.over_ceiling_db > 0.0:
        return "no, although asked for" if row.promised else "no"
    return "yes, as asked for" if row.promised else "yes"
