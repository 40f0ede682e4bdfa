"""Where the work of a batch runs: processes of this machine, Slurm jobs, a Ray cluster."""
