"""Bodies of requests, checked when they arrive."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from neural_mastering.rendering.settings import Settings
from neural_mastering.studio.documents import ControlsTree, SongId, StrictModel

Name = Annotated[str, Field(max_length=255)]
Frames = Annotated[int, Field(ge=0, le=1 << 40)]


class SectionsRequest(StrictModel):
    """Controls to play live at a sample rate in Hz."""

    controls: ControlsTree
    sample_rate: Annotated[int, Field(ge=8_000, le=768_000)]


class CompareRequest(StrictModel):
    """What a song is compared with: a style, or another song."""

    style: str | None = None
    reference: SongId | None = None

    @model_validator(mode="after")
    def _one(self) -> CompareRequest:
        if (self.style is None) == (self.reference is None):
            raise ValueError("give a style or a reference, one of them")
        return self


class PreviewRequest(StrictModel):
    """A stretch of a song to hear; controls that are null are the decided ones."""

    controls: ControlsTree | None = None
    settings: Settings = Field(default_factory=Settings)
    start: Frames = 0
    frames: Frames
    solo: str | None = None
    bypass: list[str] = Field(default_factory=list)


class CommandRequest(StrictModel):
    """A master; controls that are null are the decided ones."""

    controls: ControlsTree | None = None
    settings: Settings = Field(default_factory=Settings)
    name: Name | None = None
    export: list[str] = Field(default_factory=list)
    report: bool = False


class AlbumRequest(StrictModel):
    """Settings for all songs of the album; where they say nothing about the tone, a song's own hold.

    `gap_s` is the silence in seconds between songs that don't join; `info` the text of a CSV file: order and tags.
    """

    settings: Settings = Field(default_factory=Settings)
    name: Name | None = None
    report: bool = False
    gap_s: float | None = None
    info: str = ""


class ExportRequest(StrictModel):
    """Controls for other software, at the song's sample rate."""

    controls: ControlsTree
    format: str
