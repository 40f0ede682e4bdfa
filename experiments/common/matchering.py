"""Matchering 2.0.6, run by an interpreter that has it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.common.peers import run_peer

CODE = """
import sys, matchering as m
for line in sys.stdin:
    target, reference, output = line.rstrip("\\n").split("\\t")
    m.process(target=target, reference=reference, results=[m.pcm24(output)])
"""


class Job(NamedTuple):
    """A file to master, the one to master it after, and where the master goes (24 bit)."""

    target: Path
    reference: Path
    output: Path


def match(python: Path, jobs: Sequence[Job]) -> None:
    """Master each target after its reference; SystemExit with Matchering's message where it fails."""
    run_peer("Matchering", python, CODE, jobs)
