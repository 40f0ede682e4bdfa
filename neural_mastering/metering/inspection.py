"""A song looked over once: its edges, left and right by bands, traces of its making."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neural_mastering.audio_io.block import Block, joined
from neural_mastering.dsp.real_fft import rfft
from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.metering.artefacts import NOTHING_FOUND, Artefacts, LineMeter, tail_hiss
from neural_mastering.metering.codec_edge import codec_edge_hz
from neural_mastering.metering.edges import EdgeMeter, Edges
from neural_mastering.metering.stereo_bands import StereoBands, stereo_bands
from neural_mastering.units import power_to_db

_SIZE_S = 0.35  # 3 Hz: enough for the third octave of 25 Hz
_TAIL_S = 10.0
_SPARSE_ABOVE_S = 60.0
"""Of longer songs every second window is read."""

_SILENT = 1e-10  # −100 dBFS: such windows say nothing


@dataclass(frozen=True)
class SongInspection:
    """What was found.

    Attributes:
        edges: silence and clicks at both ends.
        artefacts: hard edge, steady lines, hiss.
        stereo: left and right by bands; None for mono and for silence.
    """

    edges: Edges
    artefacts: Artefacts = NOTHING_FOUND
    stereo: StereoBands | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        edges, found = self.edges, self.artefacts
        return {
            "leading_s": edges.leading_s,
            "trailing_s": edges.trailing_s,
            "clicks": [asdict(click) for click in edges.clicks],
            "start_step_db": edges.start_step_db,
            "end_step_db": edges.end_step_db,
            "edge_hz": found.edge_hz,
            "steady_lines": None if found.lines is None else asdict(found.lines),
            "tail_hiss": None if found.hiss is None else asdict(found.hiss),
            "stereo": None if self.stereo is None else self.stereo.as_dict(),
        }


class SongInspector:
    """Reads blocks (channel, time) as they pass; `finish` gives what was found.

    Args:
        sample_rate: in Hz.
        channels: 1 or 2.
        frames: about how many samples will come.
    """

    def __init__(self, sample_rate: int, channels: int, frames: int) -> None:
        self._rate, self._channels = sample_rate, channels
        self._edges = EdgeMeter(sample_rate)
        self._size = 1 << round(np.log2(_SIZE_S * sample_rate))
        self._hop = self._size * (2 if frames > _SPARSE_ABOVE_S * sample_rate else 1)
        self._window = np.hanning(self._size)
        self._waiting = np.zeros((channels, 0))
        self._skip = 0
        bins = self._size // 2 + 1
        self._power, self._cross = np.zeros((channels, bins)), np.zeros(bins)
        self._hz = np.arange(bins) * sample_rate / self._size
        self._lines = LineMeter(self._hz, 2.0 / (self._size * float(np.square(self._window).sum())))
        self._count, self._frames, self._squares = 0, 0, 0.0
        self._tail: deque[Block] = deque()
        self._tail_frames = 0

    def watch(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Pass blocks on and read them."""
        for block in blocks:
            self.push(block)
            yield block

    def push(self, block: Block) -> None:
        """Read the next block."""
        self._edges.push(block)
        self._frames += block.shape[1]
        self._squares += float(np.square(block).sum())
        self._tail.append(block)
        self._tail_frames += block.shape[1]
        while self._tail_frames - self._tail[0].shape[1] >= _TAIL_S * self._rate:
            self._tail_frames -= self._tail.popleft().shape[1]
        known = np.concatenate([self._waiting, block], axis=1) if self._waiting.shape[1] else block
        start = self._skip
        while known.shape[1] >= start + self._size:
            self._add(known[:, start : start + self._size])
            start += self._hop
        unused = min(start, known.shape[1])
        self._waiting, self._skip = known[:, unused:].copy(), start - unused

    def finish(self) -> SongInspection:
        """What all blocks so far hold."""
        edges = self._edges.finish()
        if not self._count:
            return SongInspection(edges)
        power: Float64s = self._power / self._count
        edge_hz = codec_edge_hz(self._hz, power.mean(axis=0))
        song_db = power_to_db(self._squares / max(self._frames * self._channels, 1) + 1e-30)
        tail = joined(self._tail, self._channels)
        tail = tail[:, : max(tail.shape[1] - edges.frames + edges.end, 0)]
        stereo = None
        if self._channels == 2:
            stereo = stereo_bands(self._hz, power[0], power[1], self._cross / self._count)
        hiss = tail_hiss(tail, self._rate, song_db)
        return SongInspection(edges, Artefacts(edge_hz, self._lines.finish(), hiss), stereo)

    def _add(self, frame: Block) -> None:
        if float(np.square(frame).mean()) < _SILENT:
            return
        spectrum = rfft(frame * self._window)
        power = spectrum.real**2 + spectrum.imag**2
        self._power += power
        if self._channels == 2:
            self._cross += spectrum[0].real * spectrum[1].real + spectrum[0].imag * spectrum[1].imag
        self._lines.push(power.mean(axis=0))
        self._count += 1
