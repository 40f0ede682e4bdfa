"""The project file: songs with their settings, controls, snapshots and history, as JSON that a person may keep."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from neural_mastering.controls import controls_of
from neural_mastering.rendering.settings import Settings

VERSION = 1
SONG_ID = r"^[0-9a-f]{16}$"
LARGEST_BYTES = 8 << 20


def _checked(tree: dict[str, Any]) -> dict[str, Any]:
    controls_of(tree)
    return tree


ControlsTree = Annotated[dict[str, Any], AfterValidator(_checked)]
"""The JSON form of `ChainControls`."""

SongId = Annotated[str, Field(pattern=SONG_ID)]
Role = Literal["song", "reference"]


class StrictModel(BaseModel):
    """A model that refuses unknown names, infinities and NaN."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Snapshot(StrictModel):
    """A state that one can go back to."""

    settings: Settings = Field(default_factory=Settings)
    controls: ControlsTree | None = None


class SongSession(Snapshot):
    """One song of a project: what it is, and where its person stands with it."""

    id: SongId
    name: Annotated[str, Field(max_length=255)]
    role: Role = "song"
    path: str | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    snapshots: dict[Literal["A", "B", "C"], Snapshot | None] = Field(default_factory=dict)
    undo: Annotated[list[Snapshot], Field(max_length=100)] = Field(default_factory=list)


class ProjectDocument(StrictModel):
    """What is saved: everything but the audio and what can be measured again."""

    version: Literal[1] = VERSION
    revision: int = 0
    songs: Annotated[list[SongSession], Field(max_length=1000)] = Field(default_factory=list)
    order: list[SongId] = Field(default_factory=list)
    album: dict[str, Any] = Field(default_factory=dict)
    view: dict[str, Any] = Field(default_factory=dict)
