"""Delivery targets: sources, dates, numbers of one's own."""

import re

import pytest

from neural_mastering.errors import InputError
from neural_mastering.rendering.delivery.targets import find_target, known_targets

EXPECTED = {
    "spotify": (-14, -1),
    "spotify-loud": (-11, -2),
    "apple": (-16, -1),
    "youtube": (-14, -1),
    "tidal": (-14, -1),
    "amazon": (-14, -2),
    "deezer": (-15, -1),
    "podcast": (-16, -1),
    "ebu-r128": (-23, -1),
    "atsc-a85": (-24, -2),
}


def test_every_target_has_its_numbers_a_source_and_a_date() -> None:
    targets = known_targets()
    assert {name: (t.lufs, t.ceiling_db) for name, t in targets.items()} == EXPECTED
    for name, target in targets.items():
        assert target.source.startswith("https://"), name
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", target.checked), name


@pytest.mark.parametrize(
    ("name", "lufs", "ceiling_db"),
    [("-12", -12.0, -1.0), ("-12.5 LUFS", -12.5, -1.0), ("KEEP", None, -1.0), ("Amazon", -14.0, -2.0)],
)
def test_names_numbers_and_keep(name: str, lufs: float | None, ceiling_db: float) -> None:
    target = find_target(name)
    assert (target.lufs, target.ceiling_db) == (lufs, ceiling_db)


def test_a_ceiling_of_ones_own() -> None:
    assert find_target("spotify", "-0.3 dBTP").ceiling_db == -0.3
    assert find_target("spotify", -2.0).ceiling_db == -2.0
    assert find_target("spotify", "OFF").ceiling_db is None


@pytest.mark.parametrize(
    ("name", "ceiling"), [("-2", None), ("inf", None), ("", None), ("keep", "0.1"), ("keep", "nan")]
)
def test_nonsense_is_refused(name: str, ceiling: str | None) -> None:
    with pytest.raises(InputError, match="expected"):
        find_target(name, ceiling)
