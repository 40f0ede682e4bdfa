"""The neural residual of a song for its previews: its model listens once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from neural_mastering.controls import ChainControls
from neural_mastering.rendering.settings import Settings
from neural_mastering.rendering.tone.choose import choose_tone
from neural_mastering.studio.measured_songs import AnalysedSong

if TYPE_CHECKING:  # torch takes seconds to import
    from neural_mastering.rendering.stages.residual import ResidualSource
    from neural_mastering.rendering.tone.listened import ListenedTone


def residual_of(song: AnalysedSong, controls: ChainControls, settings: Settings) -> ResidualSource | None:
    """The model's residual with the song's z; None where the controls name none.

    Raises:
        InputError: the model can't be loaded.
    """
    if controls.residual is None or settings.model is None:
        return None
    listened = _listened(song, settings.model)
    return None if listened is None else listened.residual_source(controls)


@lru_cache(maxsize=2)
def _listened(song: AnalysedSong, model: str) -> ListenedTone | None:
    return choose_tone(song.measured, Settings(model=model).options(), lambda _: None).model
