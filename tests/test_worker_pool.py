"""Several processes give the same results as one, in the same order, and a process that dies is reported."""

import os

import pytest

from neural_mastering.errors import InputError
from neural_mastering.worker_pool import default_jobs, run_jobs

MARK = "NEURAL_MASTERING_TEST_MARK"


def _mark() -> None:
    os.environ[MARK] = "started"


def _square(number: int) -> tuple[int, int, str]:
    return number**2, os.getpid(), os.environ.get(MARK, "")


def _die(number: int) -> int:
    if number == 1:
        os._exit(3)
    return number


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    said: list[int] = []
    found = run_jobs(_square, range(5), jobs, lambda result: said.append(result[0]), _mark)
    assert [square for square, _, _ in found] == [0, 1, 4, 9, 16]
    assert sorted(said) == [0, 1, 4, 9, 16]
    here = os.getpid()
    if jobs == 1:  # in this process, whose environment stays as it is
        assert {(process, mark) for _, process, mark in found} == {(here, "")}
    else:
        assert here not in {process for _, process, _ in found}
        assert {mark for _, _, mark in found} == {"started"}


def test_a_process_that_dies_is_named_as_such() -> None:
    with pytest.raises(InputError, match="--jobs 1"):
        run_jobs(_die, range(3), 2)


def test_default_is_one_process_a_usable_core() -> None:
    assert 1 <= default_jobs() <= (os.cpu_count() or 1)
