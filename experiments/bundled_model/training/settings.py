"""Settings of a pretraining run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Settings of one pretraining run.

    Attributes:
        steps, batch, lr, weight_decay: of AdamW with a cosine schedule.
        window_s: length of the windows analysed; 60 takes an excerpt at once.
        other_tone: share of a song's tone that is drawn anew, see `features.Tones`.
        songs: number of training songs; 0 for all.
        seed: of everything.
        overrides: of the model's configuration, as for nm-train.
    """

    steps: int = 250
    batch: int = 256
    lr: float = 1e-3
    weight_decay: float = 0.05
    window_s: float = 5.0
    other_tone: float = 0.0
    songs: int = 0
    seed: int = 0
    overrides: tuple[str, ...] = ()


CHOSEN = Settings()
"""What the bundled model is trained with: a song's tone as it is."""
