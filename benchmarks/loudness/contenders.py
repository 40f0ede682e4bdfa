"""Limiters behind one signature: (audio (channel, time), rate, ceiling in dB) → audio of the same shape."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly

from neural_mastering.dsp.limiter import LimiterSettings, limit
from neural_mastering.dsp.peak_clipper import clip_peaks
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.rendering.delivery.loop import DeliverySpec
from neural_mastering.rendering.options import MOST_CLIPPED_DB

Signal = NDArray[np.float64]
Limiter = Callable[[Signal, int, float], Signal]


def ours(density: float) -> Limiter:
    """The clipper of short peaks and the limiter, as `nm-master --density` delivers."""

    def limiter(audio: Signal, rate: int, ceiling_db: float) -> Signal:
        spec = DeliverySpec(None, ceiling_db, 24.0, clip_db=MOST_CLIPPED_DB * density)
        depth_db = spec.clip_depth_db(float(true_peak_db(torch.from_numpy(audio)[None], rate)))
        if depth_db > 0.0:
            audio = clip_peaks(audio, ceiling_db, depth_db, rate, spec.settings)
        return limit(audio, ceiling_db, rate, spec.settings)[0]

    return limiter


def exponential(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """The project's limiter with 5 ms of look-ahead and one release of 100 ms, as it was before."""
    return limit(audio, ceiling_db, rate, LimiterSettings(5.0, 100.0, recovery_ms=100.0))[0]


def clipper(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """A hard clipper at 8 times the rate."""
    ceiling = 10.0 ** (ceiling_db / 20.0)
    high = np.clip(resample_poly(audio, 8, 1, axis=1), -ceiling, ceiling)
    return resample_poly(high, 1, 8, axis=1)[:, : audio.shape[1]]


def ffmpeg(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """ffmpeg's alimiter at its defaults (5 ms, 50 ms), at 4 times the rate, with its delay taken out."""
    ceiling = 10.0 ** (ceiling_db / 20.0)
    count = audio.shape[0]
    raw = ["-f", "f64le", "-ar", str(rate), "-ac", str(count)]
    chain = f"aresample={4 * rate},alimiter=limit={ceiling:.9f}:level=0:latency=1,aresample={rate}"
    command = ["ffmpeg", "-v", "error", *raw, "-i", "-", "-af", chain, *raw, "-"]
    done = subprocess.run(command, input=audio.T.tobytes(), capture_output=True, check=True)
    out = np.frombuffer(done.stdout, np.float64).reshape(-1, count).T[:, : audio.shape[1]]
    return np.ascontiguousarray(np.pad(out, ((0, 0), (0, audio.shape[1] - out.shape[1]))))


class Peer:
    """A limiter of `peer_worker`, run by another Python."""

    def __init__(self, name: str, python: Path) -> None:
        self.name = name
        worker = Path(__file__).with_name("peer_worker.py")
        self._process = subprocess.Popen(
            [str(python), str(worker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._folder = tempfile.TemporaryDirectory()

    def __call__(self, audio: Signal, rate: int, ceiling_db: float) -> Signal:
        """Limit (channel, time)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        paths = [str(Path(self._folder.name) / f"{side}.npy") for side in ("input", "output")]
        np.save(paths[0], audio.T)
        request = {"name": self.name, "rate": rate, "threshold": 10.0 ** (ceiling_db / 20.0)}
        print(
            json.dumps(request | {"input": paths[0], "output": paths[1]}),
            file=self._process.stdin,
            flush=True,
        )
        if self._process.stdout.readline().strip() != "done":
            raise RuntimeError(f"{self.name} gave no answer")
        return np.ascontiguousarray(np.load(paths[1]).T)


OWN: dict[str, Limiter] = {
    "gentle": ours(0.0),
    "balanced": ours(0.5),
    "dense": ours(1.0),
    "exponential": exponential,
    "clipper": clipper,
    "ffmpeg": ffmpeg,
}
PEERS = ("matchering", "pedalboard")
