"""A model that needs no torch listens to a whole song, and says which controls it wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.resample import Samples
from neural_mastering.audio_io.windows import StreamWindows
from neural_mastering.controls import ChainControls, scaled
from neural_mastering.dsp.rbj import Float64s
from neural_mastering.numeric.confidence import Confidence, ConfidenceEstimate
from neural_mastering.numeric.model import AnalysedWindow, NumericModel
from neural_mastering.rendering.tone.listened import WINDOW_S, ListenedTone


@dataclass(frozen=True)
class NumericTone(ListenedTone):
    """What a model without torch wants of a song; see `ListenedTone` for the attributes."""

    label: str
    controls: ChainControls
    confidence: ConfidenceEstimate | None = None

    def residual_source(self, controls: ChainControls) -> None:
        """Such a model has no residual."""

    def restyled(self, style_db: Float64s) -> None:
        """Such a model takes no style."""


class NumericListener:
    """Reads the blocks of a song; `tone` gives what the model wants of it, as `from_model.listen` does.

    Args:
        model: that listens.
        label: its name.
        confidence: how far it is followed.
        sample_rate: of the song in Hz.
    """

    def __init__(self, model: NumericModel, label: str, confidence: Confidence, sample_rate: int) -> None:
        self._model, self._label, self._confidence = model, label, confidence
        self._windows = StreamWindows(sample_rate, model.sample_rate, round(WINDOW_S * model.sample_rate))
        self._heard: list[AnalysedWindow] = []

    def push(self, block: Block) -> None:
        """Read the next block."""
        self._hear(self._windows.push(block))

    def tone(self, lufs: float) -> NumericTone:
        """What the model wants of all blocks so far, a song of so many LUFS; the listener is used up."""
        self._hear(self._windows.finish())
        model = self._model
        audible = [w for w in self._heard if w.lufs > model.description.silence_lufs] or self._heard
        logits = model.logits(audible, lufs)
        estimate = model.estimate(self._confidence, audible, logits)
        song = model.pooled(audible, logits)
        controls = ChainControls(
            design_rate_hz=float(model.sample_rate),
            eq=model.bands(song).active(),
            gain_db=model.gain_db(song),
        )
        # A gain that follows each song's own level would flatten the relations of an album.
        controls = scaled(controls, {"eq": estimate.confidence, "gain": 0.0})
        return NumericTone(self._label, controls, estimate)

    def _hear(self, windows: Iterator[Samples]) -> None:
        self._heard.extend(self._model.analyse_window(window) for window in windows)
