"""Ratios of true peak to loudness as they are typed."""

import pytest

from neural_mastering.errors import InputError
from neural_mastering.rendering.delivery.plr import LEFT_ALONE, PlrTarget, parse_plr
from neural_mastering.rendering.options import Options


@pytest.mark.parametrize(
    "target", [PlrTarget(8.0), PlrTarget(0.1 + 0.2, 1.0 / 3.0), PlrTarget(-1.5), LEFT_ALONE]
)
def test_text_and_back(target: PlrTarget) -> None:
    assert parse_plr(str(target)) == target


def test_what_is_typed() -> None:
    assert parse_plr(None) is None
    assert parse_plr(9) == parse_plr("9") == parse_plr(" 9.0:1 ") == PlrTarget(9.0, 1.0)
    assert parse_plr("9:0.6") == PlrTarget(9.0, 0.6)
    assert parse_plr("OFF") == LEFT_ALONE
    assert Options(plr=parse_plr("9")).plr == PlrTarget(9.0)


@pytest.mark.parametrize(
    "text", ["", "nine", "9:", "9:2", "9:-0.1", "nan", "inf", "9:nan", "1e9", ":0.5", "9:0.5:1"]
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--plr .*expected off, or the dB"):
        parse_plr(text)
