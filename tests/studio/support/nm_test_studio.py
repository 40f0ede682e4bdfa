"""nm-studio as a process of its own, talked to as a program or a browser would."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import numpy as np
import soundfile

START_S = 90.0
JOB_S = 600.0
RATE = 44_100


def write_mix(
    path: Path, seconds: float = 6.0, seed: int = 0, subtype: str = "PCM_24", rate: int = RATE
) -> Path:
    """A dull mix: noise that falls by 6 dB an octave, with a beat, and a tone."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    noise = np.cumsum(rng.standard_normal((2, time.size)), axis=1)
    noise -= np.convolve(noise.mean(axis=0), np.ones(2001) / 2001, mode="same")
    noise *= (0.3 + 0.7 * (np.sin(2 * np.pi * 2 * time) > 0)) / np.abs(noise).max()
    tone = 0.1 * np.sin(2 * np.pi * (220 + 30 * seed) * time)
    soundfile.write(path, (0.3 * noise + tone).T, rate, subtype=subtype)
    return path


class Studio:
    """A running server with a client that holds its cookie.

    Args:
        project: folder of the project.
        arguments: further ones of nm-studio.

    Attributes:
        job: the last one that `done` has waited for.
    """

    job = ""

    def __init__(self, project: Path, *arguments: str) -> None:
        command = [
            sys.executable,
            "-m",
            "neural_mastering.cli.studio",
            "--no-browser",
            "--project",
            str(project),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.log = project.parent / f"{project.name}.log"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, *arguments], stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.log.read_text()
        self.base, _, self.token = self.url.partition("/?token=")
        self.client = httpx.Client(base_url=self.base, timeout=START_S)
        assert self.client.get(self.url).status_code == 303

    def __enter__(self) -> "Studio":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> str:
        """End it politely; gives what else it printed."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=30)
        log = self.log.read_text()
        assert "Traceback" not in log, log
        return rest

    def kill(self) -> None:
        """End it without a chance to save anything."""
        self.process.kill()
        self.process.communicate(timeout=30)
        self.client.close()

    def clear(self) -> "Studio":
        """Forget all songs, and what was said of the album."""
        for song in self.get("/songs"):
            self.client.delete(f"/songs/{song['id']}").raise_for_status()
        project = self.get("/project")
        self.put("/project", {**project, "album": {}, "view": {}}).raise_for_status()
        return self

    def get(self, path: str) -> Any:
        """JSON of a GET that must succeed."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        """JSON of a POST that must succeed."""
        answer = self.client.post(path, json=body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def put(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """The answer to a PUT."""
        return self.client.put(path, json=body, headers=headers)

    def wait(self, job: str, most_s: float = JOB_S) -> Mapping[str, Any]:
        """A job once it is over."""
        end, state = time.monotonic() + most_s, {}
        while time.monotonic() < end:
            state = self.get(f"/jobs/{job}")
            if state["state"] not in ("waiting", "running"):
                return state
            time.sleep(0.05)
        raise AssertionError(f"job {job} is not over after {most_s:g} s: {state}")

    def done(self, path: str, body: Any) -> Any:
        """Result of a job that must succeed."""
        self.job = self.post(path, body)["id"]
        state = self.wait(self.job)
        assert state["state"] == "done", state
        return state["result"]

    def upload(self, path: Path, name: str | None = None, role: str = "song") -> str:
        """Add a file as a page would; gives its id once it is measured."""
        query = {"name": path.name if name is None else name, "role": role}
        answer = self.client.post("/songs", params=query, content=path.read_bytes())
        assert answer.status_code == 202, answer.text
        added = answer.json()
        if added["job"] is not None:
            state = self.wait(added["job"])
            assert state["state"] == "done", state
        return added["id"]
