"""Messages as data: what kind of thing is said, and the sentence that a person reads."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One message.

    Attributes:
        kind: what it is about, such as "silent" or "target_not_reached"; code decides by this alone.
        text: one sentence without its full stop, for people.
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


def texts(notes: Iterable[Note]) -> list[str]:
    """The sentences of notes."""
    return [note.text for note in notes]


def has(notes: Iterable[Note], kind: str) -> bool:
    """Whether one of the notes is of a kind."""
    return any(note.kind == kind for note in notes)
