"""Alternating timing of several ways to do one piece of work, in one process."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

Row = dict[str, str]


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    Attributes:
        forward: returns a fresh result that depends on the leaves.
        leaves: tensors whose gradients the backward pass computes.
    """

    forward: Callable[[], Tensor]
    leaves: Sequence[Tensor] = ()


@dataclass
class Measurement:
    """Milliseconds of each round, and the peak memory on a GPU in MiB (0 on a CPU)."""

    forward_ms: list[float] = field(default_factory=list)
    backward_ms: list[float] = field(default_factory=list)
    peak_mib: float = 0.0

    @property
    def forward(self) -> float:
        return statistics.median(self.forward_ms)

    @property
    def backward(self) -> float:
        return statistics.median(self.backward_ms)

    @property
    def both(self) -> float:
        return statistics.median(self._sums())

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles of forward and backward together."""
        sums = self._sums()
        if len(sums) < 2:
            return 0.0
        low, _, high = statistics.quantiles(sums, n=4)
        return 0.5 * (high - low)

    def _sums(self) -> list[float]:
        return [f + b for f, b in zip(self.forward_ms, self.backward_ms, strict=True)]


class TimedElsewhere(Protocol):
    """A contender that another process times."""

    def once(self) -> tuple[float, float]:
        """Milliseconds of one forward and one backward pass."""
        ...


def alternate(
    contenders: Mapping[str, Contender],
    device: torch.device,
    rounds: int = 9,
    warm_up: int = 2,
    elsewhere: Mapping[str, TimedElsewhere] | None = None,
) -> dict[str, Measurement]:
    """Time forward and backward of each contender in turn, `rounds` times.

    Turns make all of them see the same neighbours on a shared machine; compare medians.
    """
    elsewhere = elsewhere or {}
    measured = {name: Measurement() for name in (*contenders, *elsewhere)}
    for index in range(warm_up + rounds):
        for name, contender in contenders.items():
            forward_ms, backward_ms, peak_mib = _once(contender, device)
            if index >= warm_up:
                measured[name].forward_ms.append(forward_ms)
                measured[name].backward_ms.append(backward_ms)
                measured[name].peak_mib = max(measured[name].peak_mib, peak_mib)
        for name, peer in elsewhere.items():
            forward_ms, backward_ms = peer.once()
            if index >= warm_up:
                measured[name].forward_ms.append(forward_ms)
                measured[name].backward_ms.append(backward_ms)
    return measured


def _once(contender: Contender, device: torch.device) -> tuple[float, float, float]:
    for leaf in contender.leaves:
        leaf.grad = None
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    start = _now(device)
    result = contender.forward()
    middle = _now(device)
    if contender.leaves:
        upstream = torch.ones_like(result)
        middle_of_backward = _now(device)
        result.backward(upstream)
    else:
        middle_of_backward = middle
    end = _now(device)
    peak = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else 0.0
    return 1e3 * (middle - start), 1e3 * (end - middle_of_backward), peak


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def devices() -> list[torch.device]:
    """The CPU, and the first GPU where there is one."""
    return [torch.device("cpu"), *([torch.device("cuda")] if torch.cuda.is_available() else [])]


def timed_columns(
    name: str, measured: Mapping[str, Measurement], reference: str, floor: str | None = None
) -> Row:
    """Columns of one contender: medians, their spread, and how many times longer than `reference` it takes.

    "both ± ms" is half the distance of the quartiles; "× floor" compares with the contender `floor`, the
    work that cannot be left out.
    """
    own, base = measured[name], measured[reference]
    row = {
        "forward ms": _digits(own.forward),
        "backward ms": _digits(own.backward) if any(own.backward_ms) else "",
        "both ± ms": _digits(own.spread),
        "forward ×": f"{own.forward / base.forward:.1f}",
        "backward ×": f"{own.backward / base.backward:.1f}" if own.backward and base.backward else "",
        "both ×": f"{own.both / base.both:.1f}",
    }
    if floor is not None:
        row["× floor"] = f"{own.both / measured[floor].both:.1f}"
    if own.peak_mib:
        row["peak MiB"] = f"{own.peak_mib:.0f}"
    return row


def _digits(milliseconds: float) -> str:
    """Three digits at least where they mean something."""
    return f"{milliseconds:.0f}" if milliseconds >= 20.0 else f"{milliseconds:.1f}"


def as_table(rows: Sequence[Row]) -> str:
    """Rows as Markdown; columns in order of first appearance."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + "|".join("---" for _ in columns) + "|"]
    lines += ["| " + " | ".join(row.get(column, "") for column in columns) + " |" for row in rows]
    return "\n".join(lines)
