"""What was done to a song."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from neural_mastering.audio_io.writer import OutputFormat
from neural_mastering.controls import ChainControls
from neural_mastering.metering.inspection import SongInspection
from neural_mastering.metering.meter import Readings
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.codec_reading import CodecReading
from neural_mastering.rendering.delivery.spec import DeliveryResult, DeliverySpec
from neural_mastering.rendering.delivery.targets import Target
from neural_mastering.rendering.reference.outcome import ReferenceOutcome
from neural_mastering.rendering.stages.record import StageRecord
from neural_mastering.rendering.tone.tone import Tone


@dataclass(frozen=True)
class MasterResult:
    """A master and how it came about.

    Attributes:
        source, output: the files.
        input, result: readings of the source and of the written file, decoded where it is lossy.
        tone: the controls that were rendered, and where they come from.
        stages: what each stage of the chain did, in order; empty where none ran.
        target: loudness and ceiling asked for.
        spec, delivery: of the loudness and ceiling stage: what it aimed at, and what came of it.
        form: of the output file.
        actions: what was done, in order.
        warnings: what a person should know.
        reference: how far the song came towards its references, None without any.
        codecs: what encoders make of the master: those of the written files, then those that were asked about.
        lowered_db: by how much the ceiling was lowered, so that it holds after the encoders.
        copies: further files with the same music.
        seconds: wall time by step.
        inspection: of the source: its ends, left and right by bands, artefacts.
        date: when it was made, ISO 8601.
    """

    source: Path
    output: Path
    input: Readings
    result: Readings
    tone: Tone
    stages: tuple[StageRecord, ...]
    target: Target
    spec: DeliverySpec
    delivery: DeliveryResult
    form: OutputFormat
    actions: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    reference: ReferenceOutcome | None = None
    codecs: tuple[CodecReading, ...] = ()
    lowered_db: float = 0.0
    copies: tuple[Path, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    inspection: SongInspection | None = None
    date: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def controls(self) -> ChainControls:
        """The chain that was rendered: strengths applied, words in it."""
        return self.tone.controls
