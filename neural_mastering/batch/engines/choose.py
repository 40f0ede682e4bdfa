"""The engine that was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from neural_mastering.batch.engines.engine import Engine
from neural_mastering.batch.engines.local import LocalEngine
from neural_mastering.batch.request import BatchRequest
from neural_mastering.errors import InputError
from neural_mastering.worker_pool import default_jobs

ENGINES = ("local", "slurm", "ray")


@dataclass(frozen=True)
class EngineOptions:
    """How an engine is set up.

    Attributes:
        name: one of `ENGINES`.
        jobs: processes on this machine, or in each Slurm job; 0 for one a core. Ray has one for each of its cores.
        memory_bytes: limit of a song's process.
        ray_address: of a cluster that runs already.
        slurm_jobs: in the array.
        slurm_parameters: NAME=VALUE for submitit.
        slurm_cluster: of submitit; None takes what it finds.
    """

    name: str = "local"
    jobs: int = 0
    memory_bytes: int = 0
    ray_address: str | None = None
    slurm_jobs: int = 8
    slurm_parameters: tuple[str, ...] = ()
    slurm_cluster: str | None = None


def choose_engine(options: EngineOptions, request: BatchRequest) -> Engine:
    """Build an engine.

    Raises:
        InputError: an unknown name, or an engine whose library is not installed.
    """
    jobs = options.jobs or default_jobs()
    if options.name == "local":
        return LocalEngine(jobs, options.memory_bytes)
    if options.name == "ray":
        if options.jobs:
            raise InputError("--jobs: Ray works on one song for each core of the cluster; leave --jobs out")
        from neural_mastering.batch.engines.ray_cluster import RayEngine  # an extra

        return RayEngine(options.ray_address, options.memory_bytes)
    if options.name == "slurm":
        from neural_mastering.batch.engines.slurm import SlurmEngine  # an extra

        return SlurmEngine(
            request.out,
            options.slurm_jobs,
            jobs,
            options.memory_bytes,
            options.slurm_parameters,
            options.slurm_cluster,
        )
    raise InputError(f"--engine {options.name}: expected {', '.join(ENGINES)}")
