"""The table of encoders says what was measured, and what was promised."""

import math
import re

import pytest

from neural_mastering.reporting.codec_section import CodecRow, codec_section

ROWS = [
    CodecRow("MP3 128 kbit/s", 44_100, -13.98, -0.412, 0.588, 37),
    CodecRow("Opus 160 kbit/s", 48_000, -14.01, -1.06, -0.06, 0, promised=True, file="a <b>.opus"),
    CodecRow("AAC 96 kbit/s", 44_100, -math.inf, -0.9, 0.1, 0, promised=True),
]


def cells(html: str) -> list[list[str]]:
    """Text by row and column."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)[1:]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_each_encoder_has_its_row() -> None:
    first, second, third = cells(codec_section(ROWS, -1.0))
    assert first == ["MP3 128 kbit/s", "44100", "−13.98", "−0.41", "0.59", "37", "no", "checked only"]
    assert second[6:] == ["yes, as asked for", "a &lt;b&gt;.opus"]
    assert third[2] == "−∞" and third[6] == "no, although asked for"


@pytest.mark.parametrize(("ceiling_db", "said"), [(-1.0, "−1.0 dBTP"), (None, "off")])
def test_the_ceiling_is_named(ceiling_db: float | None, said: str) -> None:
    html = codec_section(ROWS, ceiling_db)
    assert f"ceiling: {said}" in html
    assert ("no ceiling" in html) == (ceiling_db is None)
