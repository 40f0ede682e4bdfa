"""Systems over whole songs: the rows of nm-eval's tables."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from neural_mastering.errors import InputError
from neural_mastering.evaluation.controls_trace import ControlsTrace
from neural_mastering.evaluation.song_set import LoadedSong
from neural_mastering.rendering.tone.from_model import ModelTone
from neural_mastering.reporting.eval_data import SystemKind
from neural_mastering.shapes import Audio


class Skip(InputError):
    """A peer can't master this song; its row has a gap there."""


@dataclass(frozen=True)
class SystemOutput:
    """A whole song, mastered.

    Attributes:
        audio: (1, channel, time), as long as the input.
        trace: what was done, where the system has controls.
        residual_share_db: energy of the neural residual over that of the output, in dB; None without a residual.
        dry: the same without its residual; None without one.
        tone: what a model wants.
    """

    audio: Audio
    trace: ControlsTrace | None = None
    residual_share_db: float | None = None
    dry: Audio | None = None
    tone: ModelTone | None = None


class SongSystem(ABC):
    """Turns a whole song into a master.

    Attributes:
        key: short and unique, the column `system` of tables.
        name: as shown; a star marks what is told the target's own loudness.
        kind: of row.
        note: a footnote.
    """

    key: str
    name: str
    kind: SystemKind = "baseline"
    note: str = ""

    @abstractmethod
    def render(self, song: LoadedSong) -> SystemOutput:
        """Master a song; only oracles, which say so, may look at the target."""

    def segment(self, song: LoadedSong, rendered: SystemOutput, start: int, stop: int) -> Audio:
        """The master of one segment by itself; by default that part of the whole song's master."""
        return rendered.audio[..., start:stop]
