"""What would be done to a song, without doing it: for notebooks, pages and other programs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import ArrayLike

from neural_mastering.controls import ChainControls
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.metering.measure import measure
from neural_mastering.notes import Note
from neural_mastering.rendering.option_types import file_names
from neural_mastering.rendering.options import Options, parse_references
from neural_mastering.rendering.tone.choose import choose_tone
from neural_mastering.rendering.tone.tone import Tone
from neural_mastering.styles.intensity import parse_intensity
from neural_mastering.styles.move import Move


@dataclass(frozen=True)
class Suggestion:
    """A suggested chain and how it came about.

    Attributes:
        controls: what to render; an equaliser, and what references and words add.
        tone: everything that is known about it.
    """

    controls: ChainControls
    tone: Tone

    @property
    def frequency_hz(self) -> Float64s:
        """(third,) the third octaves of all curves."""
        return CENTRES_HZ

    @property
    def move(self) -> Move | None:
        """The curve with its parts, its uncertainty and what it was compared with; None where nothing was."""
        return self.tone.move

    @property
    def curve_db(self) -> Float64s:
        """(third,) what the equaliser was asked to do."""
        return np.zeros(len(CENTRES_HZ)) if self.move is None else self.move.curve_db

    @property
    def sigma_db(self) -> Float64s:
        """(third,) how uncertain that is."""
        return np.zeros(len(CENTRES_HZ)) if self.move is None else self.move.sigma_db

    @property
    def parts(self) -> dict[str, Float64s]:
        """What each source contributes to the curve before it is limited, (third,) by name."""
        return {} if self.move is None else {part.name: part.curve_db for part in self.move.parts}

    @property
    def applied_db(self) -> Float64s:
        """(third,) what the equaliser does."""
        return self.tone.applied_db

    @property
    def notes(self) -> tuple[Note, ...]:
        """What there is to say about it."""
        return (self.tone.origin, *self.tone.actions, *self.tone.warnings)


def suggest(
    song: str | Path | tuple[ArrayLike, int],
    style: str | None = None,
    references: Sequence[str | Path] = (),
    words: Mapping[str, float] | None = None,
    intensity: str | float = "balanced",
    **options: object,
) -> Suggestion:
    """The controls that `nm-master` would use for a song, and why.

    Args:
        song: a file, or audio (channel, time) or (time,), full scale ±1, with its sample rate in Hz.
        style: name of a style, a file, or "auto".
        references: files, as for `--reference`.
        words: strength −1 to 1 by word.
        intensity: "gentle", "balanced", "strong", or a number of dB.
        options: anything else that `Options` takes.

    Raises:
        InputError: anything that a user can put right.

    Examples:
        >>> import numpy as np
        >>> from neural_mastering.rendering import suggest
        >>> noise = 0.1 * np.random.default_rng(0).standard_normal((2, 10 * 44_100))
        >>> found = suggest((noise, 44_100), style="rock", intensity="gentle")
        >>> bool(found.curve_db[-1] < 0)  # white noise is far too bright for a song
        True
    """
    asked = Options(
        style=style,
        references=parse_references(file_names("references", references)),
        words=words or {},
        intensity_db=parse_intensity(intensity),
        **options,  # pyright: ignore[reportArgumentType]  # checked by the record
    )
    with _as_file(song) as path, ExitStack() as resources, tempfile.TemporaryDirectory() as scratch:
        tone = choose_tone(measure(path, Path(scratch), resources), asked, lambda _: None)
    return Suggestion(tone.controls, tone)


@contextmanager
def _as_file(song: str | Path | tuple[ArrayLike, int]) -> Iterator[Path]:
    if not isinstance(song, tuple):
        yield Path(song)
        return
    samples, sample_rate = song
    audio = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    if audio.ndim != 2 or audio.shape[0] > 2:
        raise InputError(
            f"expected audio (channel, time) with one or two channels, got shape {audio.shape}: transpose it?"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "song.wav"
        soundfile.write(path, audio.T, sample_rate, subtype="FLOAT")
        yield path
