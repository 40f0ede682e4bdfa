"""The studies of styles: each package is held out in turn, and large packages don't outweigh the others."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.styles.measured_songs import held_out_in_turn


def test_each_package_is_held_out_and_counts_as_the_root_of_its_songs() -> None:
    works = cast(Any, [SimpleNamespace(package=package) for package in "aaaabbbbbbbbbc"])
    held = {each.package: each for each in held_out_in_turn(works)}
    assert {name: (len(each.own), len(each.others)) for name, each in held.items()} == {
        "a": (4, 10),
        "b": (9, 5),
        "c": (1, 13),
    }
    for name, each in held.items():
        assert {work.package for work in each.own} == {name}
        sums = {package: 0.0 for package in "abc" if package != name}
        for work, share in zip(each.others, each.shares, strict=True):
            sums[work.package] += share
        assert sums == pytest.approx({p: {"a": 2.0, "b": 3.0, "c": 1.0}[p] for p in sums})
