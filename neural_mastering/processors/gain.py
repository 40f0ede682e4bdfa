"""Broadband gain."""

from collections.abc import Mapping
from typing import Any

from neural_mastering.processors.control import Control
from neural_mastering.processors.processor import Processor, State
from neural_mastering.shapes import Audio, PerItem
from neural_mastering.units import db_to_gain


class Gain(Processor):
    """y = 10^(gain/20)·x, one gain an item, all channels alike."""

    name = "gain"
    setting_names = ("range_db",)

    def __init__(self, range_db: float = 24.0) -> None:
        super().__init__([Control("gain", "db", -range_db, range_db, neutral=0.0)])
        self.range_db = range_db

    @classmethod
    def from_settings(cls, sample_rate: float, settings: Mapping[str, Any]) -> "Gain":
        """See `Processor`; a gain is the same at every rate."""
        return cls(**settings)

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, audio: Audio, state: State = None, *, gain_db: PerItem
    ) -> tuple[Audio, State]:
        """Scale audio (batch, channel, time) by gain_db (batch,)."""
        gain = db_to_gain(gain_db.to(audio.dtype if audio.is_floating_point() else gain_db.dtype))
        return audio * gain[:, None, None], state
