"""Each step of a master by itself: CPU seconds for four minutes of stereo, its floor, and the distance to it."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft

from benchmarks._timing import Row, as_table
from benchmarks.bench_master import RATE, write_song
from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.audio_io.windows import StreamWindows
from neural_mastering.audio_io.writer import AtomicWriter, output_format
from neural_mastering.dsp.limiter import DRIVEN
from neural_mastering.metering.content import ContentMeter
from neural_mastering.metering.inspection import SongInspector
from neural_mastering.metering.meter import Meter
from neural_mastering.metering.profile import Spectrum
from neural_mastering.metering.wide_peak import WidePeakMeter
from neural_mastering.numeric.bundle_file import bundled_models, read_bundle
from neural_mastering.numeric.model import load_numeric
from neural_mastering.rendering.stages.build import EqStage
from neural_mastering.rendering.stages.limiter import LimiterStage
from neural_mastering.rendering.stages.peak_control import PeakControlStage

TITLE = "Steps of a master, CPU seconds of one thread for 4 minutes of stereo at 44.1 kHz"

MINUTES, MEASURED = 4, 1
CEILING_DB, GAIN = -1.0, 3.0
SECTIONS = 9


def run(rounds: int = 5) -> list[Row]:
    """A row for each step: the best of `rounds`.

    The floor is the larger of bytes over this machine's copying speed and of the time that pocketfft needs for the
    same transforms; what has no transforms, such as a recursion, is compared with its bytes alone.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = folder / "song.wav"
        write_song(song, MEASURED, gain=0.4)
        reader = AudioReader(song)
        blocks = list(reader.blocks())
        rows = []
        bandwidth = _copying_bytes_per_s()
        frames = reader.frames
        scale = MINUTES / MEASURED
        for label, work, bytes_per_frame, transforms in _steps(reader, blocks, folder):
            seconds = _best(work, rounds) * scale
            floor = bytes_per_frame * frames * scale / bandwidth
            if transforms is not None:
                size, count, kind = transforms
                floor = max(floor, count * scale * _transform_s(size, kind))
            rows.append(
                {
                    "step": label,
                    "seconds": f"{seconds:.3f}",
                    "bytes a frame": str(bytes_per_frame),
                    "FFTs": "" if transforms is None else f"{transforms[1] * scale:.0f} of {transforms[0]}",
                    "floor": f"{floor:.3f}",
                    "× floor": f"{seconds / floor:.0f}",
                }
            )
    return rows


Transforms = tuple[int, int, Any] | None


def _steps(
    reader: AudioReader, blocks: list[Block], folder: Path
) -> Iterator[tuple[str, Callable[[], object], int, Transforms]]:
    """Name, work, bytes read and written for each frame of stereo, and transforms (size, count, type)."""
    frames, loud = reader.frames, [block * GAIN for block in blocks]
    model = load_numeric(read_bundle(bundled_models()["modest-eq-2"]))
    assert model is not None
    window = round(5.0 * RATE)

    def heard() -> None:
        windows = StreamWindows(RATE, RATE, window)
        for block in blocks:
            for piece in windows.push(block):
                model.analyse_window(piece)

    def kept() -> None:
        with DiskBuffer(folder, 2) as buffer:
            for _ in buffer.keep(iter(blocks)):
                pass
            for _ in buffer.blocks():
                pass

    def written() -> None:
        form = output_format(folder / "out.wav", "24", 16, False)
        writer = AtomicWriter(folder / "out.wav", form, RATE, 2, frames)
        for block in blocks:
            writer.write(block)
        writer.close()
        writer.abandon()

    sections = np.tile(np.array([[1.0, 0.1, 0.05, 1.0, 0.1, 0.05]]), (SECTIONS, 1))
    f64, f32 = np.float64, np.float32
    yield "decode WAV, 16 bit", lambda: [None for _ in reader.blocks()], 4 + 16, None
    yield (
        "inspect",
        _each(lambda: SongInspector(RATE, 2, frames), blocks),
        16,
        (16384, frames // 16384, f64),
    )
    yield "meter", _each(lambda: Meter(RATE, 2), blocks), 16, None
    yield "hear (log-mel features)", heard, 16, (4096, 2 * (frames // 1024), f32)
    yield "spectrum (style)", _each(lambda: Spectrum(RATE, 2), blocks), 16, (16384, 2 * (frames // 8192), f64)
    yield "content (style)", _each(lambda: ContentMeter(RATE, 2), blocks), 16, (2048, 2 * frames // 1024, f32)
    yield f"equaliser, {SECTIONS} sections", _each(lambda: EqStage(sections, 2), blocks, "process"), 32, None
    yield "disk buffer, write and read", kept, 2 * (16 + 8), None
    yield "clip", _each(lambda: _clipper(), loud, "process"), 32, None
    yield "limit", _each(lambda: LimiterStage(CEILING_DB, RATE, 2, DRIVEN), loud, "process"), 32, None
    yield "quantise and write, 24 bit", written, 16 + 6, None
    yield "second look at peaks", _each(lambda: WidePeakMeter(RATE, 2, CEILING_DB), loud), 16, None


def _clipper() -> PeakControlStage:
    return PeakControlStage(CEILING_DB, 1.5, RATE, 2)


def _each(make: Callable[[], Any], blocks: list[Block], method: str = "push") -> Callable[[], object]:
    def work() -> None:
        take = getattr(make(), method)
        for block in blocks:
            take(block)

    return work


def _best(work: Callable[[], object], rounds: int) -> float:
    work()
    best = float("inf")
    for _ in range(rounds):
        started = time.thread_time()
        work()
        best = min(best, time.thread_time() - started)
    return best


def _copying_bytes_per_s() -> float:
    """Bytes read and written each second by a copy that fits no cache of one core."""
    source = np.ones(1 << 23)
    target = np.empty_like(source)
    return 2 * source.nbytes / _best(lambda: np.copyto(target, source), 5)


def _transform_s(size: int, kind: Any) -> float:
    many = np.ones((64, size), kind)
    return _best(lambda: scipy.fft.rfft(many, axis=-1), 5) / len(many)


if __name__ == "__main__":
    print(as_table(run()))
