"""Time-domain filters of other packages, in this Python or in another one.

`PYTHON benchmarks/eq_peers.py` answers requests: a JSON object a line on stdin, one on stdout. The file imports
nothing of neural_mastering, so that it runs where only the peers and their torch are installed.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor


def by_torchlpc(audio: Tensor, sections: Tensor) -> Tensor:
    """Direct form II transposed band after band; audio (batch, channel, time), sections (batch, band, 6)."""
    from torchlpc import sample_wise_lpc  # optional package

    batch, channels, samples = audio.shape
    rows: Any = audio.reshape(batch * channels, samples)
    for band in range(sections.shape[1]):
        b0, b1, b2, _, a1, a2 = sections[:, band].repeat_interleave(channels, dim=0).unbind(dim=-1)
        before = torch.nn.functional.pad(rows, (2, 0))
        numerator = b0[:, None] * rows + b1[:, None] * before[:, 1:-1] + b2[:, None] * before[:, :-2]
        feedback = torch.stack((a1, a2), dim=-1)[:, None].expand(-1, samples, -1)
        rows = sample_wise_lpc(numerator, feedback)
    return rows.reshape(audio.shape)


def by_philtorch(audio: Tensor, sections: Tensor) -> Tensor:
    """Its time-invariant filter, band after band."""
    from philtorch.lti import lfilter  # optional package  # pyright: ignore[reportMissingImports]

    batch, channels, samples = audio.shape
    rows: Any = audio.reshape(batch * channels, samples)
    for band in range(sections.shape[1]):
        own = sections[:, band].repeat_interleave(channels, dim=0)
        rows = lfilter(own[:, :3].contiguous(), own[:, 4:].contiguous(), rows)
    return rows.reshape(audio.shape)


def by_torchfx(audio: Tensor, sections: Tensor) -> Tensor:
    """Its compiled cascade, item by item: it has no gradient for the sections."""
    from torchfx._ops import parallel_iir_forward  # optional package  # pyright: ignore[reportMissingImports]

    with torch.no_grad():
        rows = [parallel_iir_forward(x, sos, None, None)[0] for x, sos in zip(audio, sections, strict=True)]
        return torch.stack(rows)


ENGINES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "philtorch": by_philtorch,
    "torchlpc": by_torchlpc,
    "torchfx": by_torchfx,
}


class Elsewhere:
    """One engine of another Python, timed there."""

    def __init__(self, ask: Callable[..., dict[str, Any]], name: str, folder: Path) -> None:
        self._ask, self._name, self._folder = ask, name, folder

    def once(self) -> tuple[float, float]:
        """Milliseconds of one forward and one backward pass."""
        answer = self._ask(op="once", engine=self._name)
        return answer["forward_ms"], answer["backward_ms"]

    @property
    def result(self) -> Tensor:
        """What the engine makes of the audio."""
        self._ask(op="result", engine=self._name, file=str(self._folder / "result.npy"))
        return torch.from_numpy(np.load(self._folder / "result.npy"))


class Worker:
    """The other Python, if one is named; a context."""

    def __init__(self, python: str) -> None:
        self._python, self._process = python, None
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> "Worker":
        if self._python:
            self._process = subprocess.Popen(
                [self._python, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(timeout=60)
        self._folder.cleanup()

    def contenders(self, audio: Tensor, sections: Tensor) -> dict[str, Elsewhere]:
        """The engines there, given this audio and these sections; empty without another Python."""
        if self._process is None:
            return {}
        folder = Path(self._folder.name)
        file = folder / "given.npz"
        np.savez(file, audio=audio.detach().numpy(), sections=sections.detach().numpy())
        names = self._ask(op="load", file=str(file), threads=torch.get_num_threads())["engines"]
        return {f"{name} (its own Python)": Elsewhere(self._ask, name, folder) for name in names}

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert (
            self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        )
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._python} ended: run it with {__file__} to see why")
        return json.loads(answer)


def _serve() -> None:
    """Answer requests until stdin ends."""
    leaves: list[Tensor] = []
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        if request["op"] == "load":
            torch.set_num_threads(request["threads"])
            given = np.load(request["file"])
            leaves = [torch.from_numpy(given[name]).requires_grad_() for name in ("audio", "sections")]
            answer["engines"] = _working()
        elif request["op"] == "once":
            answer["forward_ms"], answer["backward_ms"] = _once(ENGINES[request["engine"]], leaves)
        else:
            np.save(request["file"], ENGINES[request["engine"]](*leaves).detach().numpy())
        print(json.dumps(answer), flush=True)


def _working() -> list[str]:
    """Engines that filter a short signal here."""
    found = []
    for name, engine in ENGINES.items():
        try:
            engine(torch.zeros(1, 1, 64), torch.tensor([[[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]]]))
        except Exception as error:  # whatever a package that does not fit raises
            print(f"{name} is left out: {error!r}", file=sys.stderr)
        else:
            found.append(name)
    return found


def _once(engine: Callable[[Tensor, Tensor], Tensor], leaves: Sequence[Tensor]) -> tuple[float, float]:
    for leaf in leaves:
        leaf.grad = None
    start = time.perf_counter()
    result = engine(*leaves)
    middle = time.perf_counter()
    if not result.requires_grad:
        return 1e3 * (middle - start), 0.0
    upstream = torch.ones_like(result)
    there = time.perf_counter()
    result.backward(upstream)
    return 1e3 * (middle - start), 1e3 * (time.perf_counter() - there)


if __name__ == "__main__":
    _serve()
