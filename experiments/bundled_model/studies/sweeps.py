"""What can be learned: a search over settings, learning curves, windows, degradations. Each run is a line of JSON.

python -m experiments.bundled_model.studies.sweeps search OUT
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import torch

from experiments.bundled_model.training.runs import Job, run_jobs, with_seeds
from experiments.bundled_model.training.settings import CHOSEN
from experiments.common.command_line import parser_of


def search() -> Iterable[Job]:
    """Around the base: how much of a song's tone is drawn anew, weight decay, dropout."""
    for tone, dropout in itertools.product((0.1, 0.3, 0.6), (0.1, 0.4)):
        overrides = (f"model.eq_head.dropout={dropout}",)
        yield Job("mix", replace(CHOSEN, other_tone=tone, overrides=overrides))
    yield Job("mix", replace(CHOSEN, lr=3e-4))
    yield Job("mix", replace(CHOSEN, weight_decay=1.0))
    yield Job("mix", replace(CHOSEN, overrides=("model.eq_head.eq.bands=5",)))
    yield Job("mix", replace(CHOSEN, overrides=("z_size=32", "model.eq_head.hidden_size=32")))


def songs() -> Iterable[Job]:
    """Learning curve: so many songs, drawn anew with each seed."""
    for count in (12, 25, 50, 100):
        for settings in with_seeds(replace(CHOSEN, songs=count), 2):
            yield Job("mix", settings)


def windows() -> Iterable[Job]:
    """Length of what is analysed at once."""
    for window_s in (20.0, 60.0):
        yield Job("mix", replace(CHOSEN, window_s=window_s))


def degradations() -> Iterable[Job]:
    """The presets of nm-data degrade: trained and scored on each."""
    for preset in ("light", "medium", "heavy"):
        yield Job(preset, CHOSEN)


SWEEPS: dict[str, Callable[[], Iterable[Job]]] = {
    "search": search,
    "songs": songs,
    "windows": windows,
    "degradations": degradations,
}


def main() -> None:
    """Run one of the sweeps."""
    parser = parser_of(__doc__)
    parser.add_argument("what", choices=list(SWEEPS))
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    run_jobs(arguments.what, SWEEPS[arguments.what](), arguments.out)


if __name__ == "__main__":
    main()
