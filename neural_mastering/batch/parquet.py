"""Where pyarrow comes in: an extra, so its absence is explained."""

from __future__ import annotations

from typing import Any

from neural_mastering.errors import InputError


def pyarrow_parquet() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet.

    Raises:
        InputError: it is not installed.
    """
    try:
        # an extra; loads in 0.1 s
        import pyarrow
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise InputError(
            "nm-batch needs pyarrow: install it with pip install 'neural-mastering[batch]'"
        ) from error
    return pyarrow, parquet
