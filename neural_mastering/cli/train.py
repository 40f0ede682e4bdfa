"""nm-train: train a model and compare it with the baselines."""

import os
import sys
from collections.abc import Sequence

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from neural_mastering.cli import train_arguments
from neural_mastering.cli.console import prepare_streams
from neural_mastering.config.compose import with_phase_names
from neural_mastering.errors import InputError


class JobMistakeExit(SystemExit):
    """Carries a user's mistake out of Hydra, which would print a line and a traceback for an Exception."""

    def __init__(self, error: Exception) -> None:
        super().__init__(2)
        self.error = error


@hydra.main(version_base="1.3", config_path="pkg://neural_mastering.conf", config_name="train")
def train(config: DictConfig) -> float:
    """One job: build, fit, compare. Returns the metric for sweepers."""
    # torch and Lightning take seconds to import; --help should not wait for them.
    from neural_mastering.cli.train_job import run_job

    try:
        return run_job(config)
    except Exception as error:
        if HydraConfig.get().mode == RunMode.RUN and _message(error, sys.argv[1:]) is not None:
            raise JobMistakeExit(error) from error
        raise  # a sweep decides for itself what a failed job means


def _message(error: Exception, arguments: Sequence[str]) -> str | None:
    """What a user needs to know, or None if it is no mistake of theirs."""
    return str(error) if isinstance(error, InputError) else train_arguments.explain(error, arguments)


def main() -> None:
    """Entry point: explains mistakes in one line instead of a traceback (HYDRA_FULL_ERROR=1 shows it)."""
    prepare_streams()
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR", "0") == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"  # lets exceptions through to here
    arguments = sys.argv[1:]
    try:
        sys.argv[1:] = with_phase_names(train_arguments.prepare(arguments))
        train()
    except KeyboardInterrupt:
        sys.exit(130)
    except (Exception, JobMistakeExit) as stop:
        error = stop.error if isinstance(stop, JobMistakeExit) else stop
        message = _message(error, arguments)
        if wants_traceback or message is None:
            raise error from None
        print(f"nm-train: {message}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
