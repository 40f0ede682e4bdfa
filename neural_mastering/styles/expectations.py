"""What a finished version of one song would measure: a style, sharpened by what the song itself contains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neural_mastering.metering.content import Content
from neural_mastering.normality import NormalTone
from neural_mastering.styles.library import find_style
from neural_mastering.styles.move import Expectation
from neural_mastering.styles.profile import AUTO

SONGS_LIKE_THIS, ALL_MUSIC = "songs like this", "all music"
"""What `auto` compares with, and what it falls back to."""


@dataclass(frozen=True)
class Normal:
    """What is normal for a song.

    Attributes:
        expectations: the mixture that the move is made from.
        kinds: probability of each kind of music by content; empty where the song says too little.
    """

    expectations: tuple[Expectation, ...]
    kinds: Mapping[str, float]


def is_auto(style: str) -> bool:
    """Whether a style is `auto`, in any case: that of songs with the same content."""
    return style.strip().lower() == AUTO


def normal_for(style: str, content: Content | None, model: NormalTone) -> Normal:
    """The expectations of a style for a song.

    A named style is sharpened by what the song's content predicts: p(t | style, content) ∝ p(t | style) ·
    p(t | content) / p(t). `auto` takes the prediction alone, which knows of kinds what the content says; a song
    that is too short to say anything gets all music.

    Args:
        style: name, file, or `auto`.
        content: of the song; None where there is too little.
        model: predicts the spectrum from content.

    Raises:
        InputError: an unknown style.
    """
    predicted = None if content is None else model.predict(content)
    kinds = {} if content is None else model.kinds(content)
    if is_auto(style):
        if predicted is None:
            return Normal((Expectation(ALL_MUSIC, 1.0, model.general),), kinds)
        return Normal((Expectation(SONGS_LIKE_THIS, 1.0, predicted),), kinds)
    profile = find_style(style)
    tone = profile.next_song
    if content is not None:
        tone = model.sharpen(tone, content)
    return Normal((Expectation(profile.name, 1.0, tone),), kinds)


def check_style(style: str) -> None:
    """Refuse a style that does not exist, before any audio is read.

    Raises:
        InputError: an unknown style, or a file that is none.
    """
    if not is_auto(style):
        find_style(style)
