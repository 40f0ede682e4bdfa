"""Ray's tasks against Ray Data under the same songs: a table, in four minutes.

    python -m experiments.ray_data

Needs Ray and pandas: pip install '.[ray]' pandas.
"""

import sys
from importlib.util import find_spec

from experiments.common.command_line import parser_of


def main() -> None:
    """Compare the engines; without Ray or pandas, say how to install them."""
    parser_of(__doc__).parse_args()
    missing = [name for name in ("ray", "pandas") if find_spec(name) is None]
    if missing:
        sys.exit(f"{' and '.join(missing)} not found: install with pip install '.[ray]' pandas")
    from experiments.ray_data.comparison import compare  # imports Ray, an extra

    compare()


if __name__ == "__main__":
    main()
