"""Limiters behind one signature: (audio (channel, time), rate, ceiling in dB) → audio of the same shape."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from benchmarks.loudness.distances import oracle_peak
from neural_mastering.audio_io.block import BLOCK_SAMPLES
from neural_mastering.dsp.limiter import LimiterSettings, limit
from neural_mastering.dsp.peak_clipper import clip_peaks
from neural_mastering.metering.forecast import forecast
from neural_mastering.rendering.delivery.density import DENSITIES, most_loss_lu
from neural_mastering.rendering.delivery.limiter_search import find_limiter
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.options import MOST_CLIPPED_DB

_UNBOUNDED = 100.0

Signal = NDArray[np.float64]
Limiter = Callable[[Signal, int, float], Signal]


def ours(density: float) -> Limiter:
    """Clipper and limiter as `nm-master --density` delivers, with the settings found for what it is given."""

    def limiter(audio: Signal, rate: int, ceiling_db: float) -> Signal:
        spec = found(audio, rate, DeliverySpec(None, ceiling_db, 24.0, clip_db=MOST_CLIPPED_DB * density))
        return _limited(audio, rate, ceiling_db, spec)

    return limiter


def ours_for(density: float, song: Signal, rate: int, lufs: float, ceiling_db: float) -> Limiter:
    """The same with the settings found once, for a song and its target, as `nm-master` finds them.

    Below full density `nm-master` stops at a loss of loudness, so that not every target is reached; here only the
    last resort that belongs to the full density is left out.
    """
    loss_lu = _UNBOUNDED * most_loss_lu(density)
    bounds = DeliverySpec(lufs, ceiling_db, 24.0, clip_db=MOST_CLIPPED_DB * density, max_loss_lu=loss_lu)
    spec = found(song, rate, bounds)

    def limiter(audio: Signal, rate: int, ceiling_db: float) -> Signal:
        return _limited(audio, rate, ceiling_db, spec)

    return limiter


def found(audio: Signal, rate: int, spec: DeliverySpec) -> DeliverySpec:
    """The spec with the settings that the search finds, or as it is."""
    before = forecast(blocks_of(audio), rate, len(audio))
    choice = find_limiter(lambda: blocks_of(audio), before, spec)
    return spec if choice is None else replace(spec, driven=choice.settings, clip_db=choice.clip_db)


def untuned(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """As `balanced`, without looking for the song's settings."""
    return _limited(
        audio, rate, ceiling_db, DeliverySpec(None, ceiling_db, 24.0, clip_db=0.5 * MOST_CLIPPED_DB)
    )


def before(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """As `balanced` was before settings were found for each song: release 300 ms, 1.5 dB of clipping."""
    settings = LimiterSettings()
    spec = DeliverySpec(
        None, ceiling_db, 24.0, settings=settings, driven=settings, clip_db=0.5 * MOST_CLIPPED_DB
    )
    return _limited(audio, rate, ceiling_db, spec)


def _limited(audio: Signal, rate: int, ceiling_db: float, spec: DeliverySpec) -> Signal:
    peak_db = oracle_peak(audio)
    settings, depth_db = spec.limiter_settings(peak_db), spec.clip_depth_db(peak_db)
    if depth_db > 0.0:
        audio = clip_peaks(audio, ceiling_db, depth_db, rate)
    return limit(audio, ceiling_db, rate, settings)[0]


def blocks_of(audio: Signal) -> Iterator[Signal]:
    """A song (channel, time) as a stream."""
    for start in range(0, audio.shape[1], BLOCK_SAMPLES):
        yield np.ascontiguousarray(audio[:, start : start + BLOCK_SAMPLES])


def exponential(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """The project's limiter with 5 ms of look-ahead and one release of 100 ms, as it was before."""
    return limit(audio, ceiling_db, rate, LimiterSettings(5.0, 100.0, recovery_ms=100.0))[0]


def clipper(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """A hard clipper at 8 times the rate."""
    ceiling = 10.0 ** (ceiling_db / 20.0)
    high = np.clip(resample_poly(audio, 8, 1, axis=1), -ceiling, ceiling)
    return resample_poly(high, 1, 8, axis=1)[:, : audio.shape[1]]


def clipped(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """The hard clipper, and the exponential limiter for what still passes the ceiling."""
    return exponential(clipper(audio, rate, ceiling_db), rate, ceiling_db)


def ffmpeg(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """ffmpeg's alimiter at its defaults (5 ms, 50 ms), at 4 times the rate, with its delay taken out."""
    ceiling = 10.0 ** (ceiling_db / 20.0)
    chain = f"aresample={4 * rate},alimiter=limit={ceiling:.9f}:level=0:latency=1,aresample={rate}"
    return np.ascontiguousarray(_through_ffmpeg(audio, rate, chain)[:, : audio.shape[1]])


def x42(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """x42's digital peak limiter, true peaks on, otherwise at its defaults (Debian's x42-plugins)."""
    uri = "http\\\\://gareus.org/oss/lv2/dpl#stereo"
    controls = f"threshold={ceiling_db:.6f}|truepeak=1"
    return _aligned(_through_ffmpeg(audio, rate, f"lv2=p={uri}:c={controls}"), audio)


def lsp(audio: Signal, rate: int, ceiling_db: float) -> Signal:
    """LSP's limiter, 4 times oversampled, without level regulation and boost (Debian's lsp-plugins-lv2)."""
    uri = "http\\\\://lsp-plug.in/plugins/lv2/limiter_stereo"
    controls = f"th={10.0 ** (ceiling_db / 20.0):.9f}|alr=0|boost=0|ovs=8"
    return _aligned(_through_ffmpeg(audio, rate, f"lv2=p={uri}:c={controls}"), audio)


def _through_ffmpeg(audio: Signal, rate: int, chain: str) -> Signal:
    count = audio.shape[0]
    raw = ["-f", "f64le", "-ar", str(rate), "-ac", str(count)]
    chain = f"apad=pad_dur=0.1,{chain}"  # for what is late
    command = ["ffmpeg", "-v", "error", *raw, "-i", "-", "-af", chain, *raw, "-"]
    done = subprocess.run(command, input=audio.T.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.float64).reshape(-1, count).T


def _aligned(output: Signal, audio: Signal) -> Signal:
    """The output without its delay, which the correlation with the input finds."""
    size = 1 << (output.shape[1] + audio.shape[1]).bit_length()
    spectra = (np.fft.rfft(side[0], size) for side in (output, audio))
    late = int(
        np.fft.irfft(next(spectra) * np.conj(next(spectra)))[: output.shape[1] - audio.shape[1]].argmax()
    )
    return np.ascontiguousarray(output[:, late : late + audio.shape[1]])


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
    **{name: ours(density) for name, density in DENSITIES.items()},
    "untuned": untuned,
    "before": before,
    "exponential": exponential,
    "clipper": clipper,
    "clipped": clipped,
    "ffmpeg": ffmpeg,
    "x42": x42,
    "lsp": lsp,
}
PEERS = ("matchering", "pedalboard", "libsonare")
