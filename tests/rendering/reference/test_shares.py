"""What --match takes, and the limits that go with it."""

import pytest

from neural_mastering.errors import InputError
from neural_mastering.rendering.reference.shares import MatchShares, limit_db, parse_match


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["0.3"], MatchShares(0.3, 0.3, 0.3, 1.0)),
        (["1"], MatchShares(1.0, 1.0, 1.0, 1.0)),
        (["tone=0.8,width=0"], MatchShares(0.8, 0.0, 0.6, 1.0)),
        (["Loudness=0.5", " dynamics = 0 "], MatchShares(0.6, 0.6, 0.0, 0.5)),
        (["width=1,0.2"], MatchShares(0.2, 1.0, 0.2, 1.0)),
    ],
)
def test_shares_are_parsed(given: list[str], expected: MatchShares) -> None:
    assert parse_match(given) == expected


def test_nothing_given_is_nothing_asked() -> None:
    assert parse_match([]) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("tone=2", "expected 0 to 1"),
        ("-0.1", "expected 0 to 1"),
        ("nan", "expected 0 to 1"),
        ("volume=1", "expected tone, width, dynamics, loudness"),
        ("much", "expected a number"),
        ("tone=", "expected a number"),
        (",", "expected a number"),
        ("tone=0.5,tone=0.6", "tone was given twice"),
        ("0.5,0.6", "a number alone was given twice"),
    ],
)
def test_mistakes_are_named(given: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_match([given])


def test_a_record_refuses_what_is_no_share() -> None:
    with pytest.raises(InputError, match=r"--match width=1\.5"):
        MatchShares(width=1.5)


def test_limits_rise_from_the_default_to_the_whole() -> None:
    assert [limit_db(share) for share in (0.0, 0.3, 0.6, 0.8, 1.0)] == pytest.approx(
        [6.0, 6.0, 6.0, 9.0, 12.0]
    )
