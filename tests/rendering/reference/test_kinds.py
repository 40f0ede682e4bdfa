"""A reference of another kind of music is named where both kinds are fairly certain."""

import pytest

from neural_mastering.rendering.reference.checks import other_kinds


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (
            {"rock": 0.6, "classical": 0.1, "unsure": 0.3},
            {"rock": 0.1, "classical": 0.7, "unsure": 0.2},
            True,
        ),
        (
            {"rock": 0.6, "classical": 0.1, "unsure": 0.3},
            {"rock": 0.7, "classical": 0.1, "unsure": 0.2},
            False,
        ),
        (
            {"rock": 0.6, "classical": 0.1, "unsure": 0.3},
            {"rock": 0.0, "classical": 0.3, "unsure": 0.7},
            False,
        ),
        ({"unsure": 1.0}, {"rock": 0.0, "classical": 0.9, "unsure": 0.1}, False),
    ],
)
def test_only_certain_kinds_that_differ(
    ours: dict[str, float], theirs: dict[str, float], found: bool
) -> None:
    assert other_kinds(ours, theirs) == (("rock", "classical") if found else None)
