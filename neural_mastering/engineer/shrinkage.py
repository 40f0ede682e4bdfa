"""An engineer whose reactions to the song are believed in part, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neural_mastering.engineer.learned import LearnedEngineer


def with_tone_trust(engineer: LearnedEngineer, share: float) -> LearnedEngineer:
    """The same engineer, whose tone leaves the average by a share of what was learned; the numbers stay.

    Args:
        engineer: as fitted.
        share: 0 to 1; with probability 1 − share the tone is the average, which widens its spread.
    """
    if share >= 1.0:
        return engineer
    if share <= 0.0:
        return without_reactions(engineer)
    coupled = engineer.coupled_db(engineer.known.levels_db)
    doubt = share * (1.0 - share) * (coupled**2).mean(axis=0)  # of the part that goes with the spectrum
    return replace(
        engineer,
        coupling=share * engineer.coupling,
        scores=tuple(replace(output, trust=share * output.trust) for output in engineer.scores),
        rest_db=np.sqrt(engineer.rest_db**2 + doubt),
    )


def without_reactions(engineer: LearnedEngineer) -> LearnedEngineer:
    """The same engineer, whose tone is the average for every song; its numbers still follow the song."""
    differences = sum(
        (
            np.outer(output.model.values, shape)
            for shape, output in zip(engineer.basis, engineer.scores, strict=True)
        ),
        engineer.coupled_db(engineer.known.levels_db),
    )
    spread = (differences**2).sum(axis=0) / max(len(engineer.known) - 1, 1)
    rest = np.sqrt(engineer.rest_db**2 + spread)
    return replace(engineer, coupling=0.0, basis=engineer.basis[:0], scores=(), rest_db=rest)
