"""What one master reads, writes and transforms: counts, which are the same on every machine.

    python -m benchmarks.count_master [SONG] [nm-master options]

Without a song, four minutes are made of the demo's excerpts.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks._timing import as_table
from neural_mastering.audio_io.disk_buffer import DiskBuffer
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.audio_io.writer import AtomicWriter
from neural_mastering.dsp import real_fft
from neural_mastering.metering.forecast import LimiterForecast


@dataclass
class Traffic:
    """Of one place: how often it was gone through from its beginning, and bytes as they lie there."""

    passes: int = 0
    bytes_moved: int = 0


@dataclass
class Counts:
    """What happened while `counted` was open; FFTs by their size, predictions of a limiter's loudness."""

    source: Traffic = field(default_factory=Traffic)
    buffer_written: Traffic = field(default_factory=Traffic)
    buffer_read: Traffic = field(default_factory=Traffic)
    master: Traffic = field(default_factory=Traffic)
    ffts: dict[int, int] = field(default_factory=dict)
    forecasts: int = 0

    def add_fft(self, x: Any) -> None:
        """One call over many rows."""
        size = int(x.shape[-1])
        self.ffts[size] = self.ffts.get(size, 0) + int(np.prod(x.shape[:-1], dtype=int))


@contextmanager
def counted() -> Iterator[Counts]:
    """Count the traffic of masters made meanwhile in this process."""
    counts = Counts()
    read, kept, append = AudioReader.blocks, DiskBuffer.blocks, DiskBuffer.append
    write, opened, numpy_rfft, rfft = AtomicWriter.write, AtomicWriter.__init__, np.fft.rfft, real_fft.rfft

    def of_source(self: AudioReader, *args: Any) -> Iterator[Any]:
        counts.source.passes += 1
        for block in read(self, *args):
            counts.source.bytes_moved += block.size * (self.bits or 16) // 8
            yield block

    def of_buffer(self: DiskBuffer) -> Iterator[Any]:
        counts.buffer_read.passes += 1
        for block in kept(self):
            counts.buffer_read.bytes_moved += 4 * block.size
            yield block

    def to_buffer(self: DiskBuffer, block: Any) -> Any:
        counts.buffer_written.bytes_moved += 4 * block.size
        return append(self, block)

    def to_master(self: AtomicWriter, block: Any) -> Any:
        counts.master.bytes_moved += block.size * int(self.form.bits[:2]) // 8
        return write(self, block)

    def open_master(self: AtomicWriter, *args: Any, **kwargs: Any) -> None:
        counts.master.passes += 1
        opened(self, *args, **kwargs)

    predict = LimiterForecast.limited_lufs

    def predicted(self: LimiterForecast, *args: Any, **kwargs: Any) -> float:
        counts.forecasts += 1
        return predict(self, *args, **kwargs)

    def numpy_counted(x: Any, *args: Any, **kwargs: Any) -> Any:
        counts.add_fft(x)
        return numpy_rfft(x, *args, **kwargs)

    def counted_rfft(x: Any) -> Any:
        counts.add_fft(x)
        return rfft(x)

    users = [name for name, module in list(sys.modules.items()) if getattr(module, "rfft", None) is rfft]
    with (
        patch.multiple(AudioReader, blocks=of_source),
        patch.multiple(DiskBuffer, blocks=of_buffer, append=to_buffer),
        patch.object(AtomicWriter, "write", to_master),
        patch.object(AtomicWriter, "__init__", open_master),
        patch.object(np.fft, "rfft", numpy_counted),
        patch.object(LimiterForecast, "limited_lufs", predicted),
        _patched(users, counted_rfft),
    ):
        yield counts


@contextmanager
def _patched(modules: list[str], function: Any) -> Iterator[None]:
    own = {name: vars(sys.modules[name])["rfft"] for name in modules}
    for name in modules:
        setattr(sys.modules[name], "rfft", function)  # noqa: B010
    try:
        yield
    finally:
        for name, value in own.items():
            setattr(sys.modules[name], "rfft", value)  # noqa: B010


def main(arguments: list[str]) -> int:
    """Master a song and print the counts."""
    import neural_mastering.rendering.pipeline  # noqa: F401  # so that its FFTs are counted
    from benchmarks.bench_master import write_song
    from neural_mastering.cli.master import invoke

    with tempfile.TemporaryDirectory() as folder:
        if not arguments or arguments[0].startswith("-"):
            song = Path(folder) / "song.wav"
            write_song(song, 4, gain=0.4)
            arguments = [str(song), *arguments]
        with counted() as counts:
            code = invoke([*arguments, "-o", str(Path(folder) / "master.wav"), "-q"])
    rows = [
        {"what": what, "passes": str(each.passes or ""), "MB": f"{each.bytes_moved / 1e6:.1f}"}
        for what, each in (
            ("source, decoded", counts.source),
            ("buffer, written", counts.buffer_written),
            ("buffer, read", counts.buffer_read),
            ("master, written", counts.master),
        )
    ]
    print(as_table(rows))
    print(f"forecasts of the limiter: {counts.forecasts}")
    print("FFTs:", ", ".join(f"{n} of {size}" for size, n in sorted(counts.ffts.items())) or "none")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
