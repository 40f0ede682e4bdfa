"""Studies of several runs: one package a question, run by `python -m experiments.NAME` from the repository root."""
