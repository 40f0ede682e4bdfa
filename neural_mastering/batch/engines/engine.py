"""What an engine is: works in, rows out, in any order, as many at once as there is room for."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Protocol

from neural_mastering.batch.work import Row, Work


class Engine(Protocol):
    """Somewhere that work is done.

    Attributes:
        keeps_rows: the rows that it gives lie in the parts of the table already.
    """

    keeps_rows: bool

    def run(self, works: Iterable[Work]) -> Generator[list[Row], None, None]:
        """Do the works and give the rows of each as it ends.

        Works are taken from the iterable only when there is room, so it may be long. Work that is lost with its
        process or its machine is done again; each work gives its rows once.
        """
        ...
