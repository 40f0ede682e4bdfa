"""What is normal for a song like this: a finished song's spectrum and kind, predicted from its content."""

from neural_mastering.normality.normal_tone import NormalTone, load_normal_tone, write_normal_tone

__all__ = ["NormalTone", "load_normal_tone", "write_normal_tone"]
