"""The clipper of short peaks as a stage of a stream."""

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp.peak_clipper import PeakClipper
from neural_mastering.rendering.stages.base import StreamStage


class PeakControlStage(StreamStage):
    """`dsp.peak_clipper` in blocks.

    Args:
        ceiling_db: dBTP from which peaks are clipped.
        depth_db: the most that is taken off a peak, above 0.
        sample_rate: in Hz.
        channels: 1 or 2.
    """

    name = "peak_control"

    def __init__(self, ceiling_db: float, depth_db: float, sample_rate: int, channels: int) -> None:
        self._clipper = PeakClipper(ceiling_db, depth_db, sample_rate, channels)
        self.latency_samples = self._clipper.latency_samples

    @property
    def most_db(self) -> float:
        """The most that was taken off a peak so far."""
        return self._clipper.most_db

    def process(self, block: Block) -> Block:
        """Clip; the output is `latency_samples` behind."""
        return self._clipper.process(block)

    def flush(self) -> Block | None:
        """The rest, with silence behind it."""
        return self._clipper.flush()
