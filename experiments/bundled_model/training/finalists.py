"""The chosen settings with three seeds: OUT/runs/pretrained_SEED.

python -m experiments.bundled_model.training.finalists OUT
"""

from pathlib import Path

import torch

from experiments.bundled_model.training.pretrain import save
from experiments.bundled_model.training.runs import Job, run_jobs, with_seeds
from experiments.bundled_model.training.settings import CHOSEN
from experiments.common.command_line import parser_of

SEEDS = 3


def main() -> None:
    """Train the finalists that are not there yet."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    torch.set_num_threads(1)
    run_jobs(
        "finalists",
        [Job("mix", settings) for settings in with_seeds(CHOSEN, SEEDS)],
        out,
        keep=lambda model, config, measured, settings: save(
            model, config, measured, out / "runs" / f"pretrained_{settings.seed}"
        ),
    )


if __name__ == "__main__":
    main()
