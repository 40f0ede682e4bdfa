"""What is to be done to a song's tone, and where that comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from neural_mastering.controls import ChainControls
from neural_mastering.dsp.rbj import Float64s
from neural_mastering.engineer.learned import Prediction
from neural_mastering.metering.profile import Profile
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.targets import Target
from neural_mastering.rendering.reference.decision import ReferenceDecision
from neural_mastering.rendering.tone.listened import ListenedTone
from neural_mastering.styles.move import Move

if TYPE_CHECKING:  # the tables of words are read only where they are used
    from neural_mastering.rendering.tone.word_effect import WordEffect

LEFT_ALONE = Note("left_alone", "no model, controls or reference were given: tone was left alone")
ONLY_WORDS = Note("words", "tone by words alone: no model, controls or reference were given")


@dataclass(frozen=True)
class ReferenceTone:
    """What was compared with.

    Attributes:
        names: of the files.
        decision: what they ask for.
        target: the loudness that they ask for.
        profiles: of each reference, with its weight.
    """

    names: tuple[str, ...]
    decision: ReferenceDecision
    target: Target
    profiles: tuple[tuple[Profile, float], ...] = ()

    @property
    def levels_db(self) -> Float64s:
        """(third,) of the references, loudness subtracted."""
        return self.decision.reference.profile.levels_db

    @property
    def curve_db(self) -> Float64s:
        """(third,) that the equaliser was fitted to."""
        return self.decision.curve_db


@dataclass(frozen=True)
class EngineerTone:
    """What a learned engineer would do.

    Attributes:
        label: the engineer's name.
        prediction: for this song.
        target: the loudness and the ceiling that the engineer would give it.
    """

    label: str
    prediction: Prediction
    target: Target


@dataclass(frozen=True)
class Tone:
    """Controls and their origin.

    Attributes:
        controls: what is rendered; strengths are applied and words are in them at the end of `choose_tone`.
        origin: where they come from.
        actions: what else there is to say about how they were found.
        warnings: what a person should know about them.
        model: what listened, None without a model.
        reference: what was compared with, None without references.
        words: what words did, None without words.
        move: the curve that a style, the song's content and references ask for, None without them.
        kinds: probability of each kind of music, by the song's content.
        engineer: what a learned engineer would do, None without one.
        eq_share: how much of the equaliser is used, 0 to 1, by the strengths that are in `controls`.
    """

    controls: ChainControls
    origin: Note
    actions: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    model: ListenedTone | None = None
    reference: ReferenceTone | None = None
    words: WordEffect | None = None
    move: Move | None = None
    kinds: Mapping[str, float] = field(default_factory=dict)
    engineer: EngineerTone | None = None
    eq_share: float = 1.0

    @property
    def suggested_target(self) -> Target | None:
        """The loudness that references ask for, else that of a learned engineer; None without either."""
        if self.reference is not None:
            return self.reference.target
        return None if self.engineer is None else self.engineer.target

    @property
    def applied_db(self) -> Float64s:
        """(third,) what the equaliser does in the end, all wishes and strengths in it."""
        return self.controls.eq.third_octaves_db(self.controls.design_rate_hz)
