"""An engine on Ray Data, as thin as it can be: the works are a dataset, and doing them is a map."""

import logging
import pickle
from collections.abc import Generator, Iterable
from typing import Any

import ray  # pyright: ignore[reportMissingImports]  # an extra
import ray.data  # pyright: ignore[reportMissingImports]

from neural_mastering.batch.engines.ray_cluster import do_work
from neural_mastering.batch.work import Row, Work


class RayDataEngine:
    """Songs as rows of a Ray dataset; Ray must be connected.

    Args:
        songs_a_block: rows of a block, the unit that Ray Data hands on and does again; None leaves it to Ray.
        memory_bytes: limit of a song's process; 0 for none.
    """

    keeps_rows = False

    def __init__(self, songs_a_block: int | None = None, memory_bytes: int = 0) -> None:
        self._songs_a_block, self._memory_bytes = songs_a_block, memory_bytes

    def run(self, works: Iterable[Work]) -> Generator[list[Row], None, None]:
        """As in `Engine`."""
        memory_bytes = self._memory_bytes

        def song(item: dict[str, Any]) -> dict[str, Any]:
            # rows of different songs have different columns, which a block can't have
            return {"rows": pickle.dumps(do_work(pickle.loads(item["work"]), memory_bytes))}

        items = [{"work": pickle.dumps(work)} for work in works]  # all at once: a dataset has a length
        blocks = None if self._songs_a_block is None else -(-len(items) // self._songs_a_block)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context.execution_options.preserve_order = False
        done = ray.data.from_items(items, override_num_blocks=blocks).map(song, num_cpus=1, max_retries=3)
        for row in done.iter_rows():
            yield pickle.loads(row["rows"])
