"""Controls by comparison with reference songs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from neural_mastering.controls import ChainControls
from neural_mastering.controls.catalogue import STAGE_NAMES
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.metering.movement import pieces_of
from neural_mastering.notes import Note
from neural_mastering.rendering.delivery.targets import (
    DEFAULT_CEILING_DB,
    DEFAULT_TARGET,
    LOUDEST_LUFS,
    QUIETEST_LUFS,
    Target,
    find_target,
)
from neural_mastering.rendering.reference.decision import COMPRESSOR, STEREO, follow_references
from neural_mastering.rendering.reference.measured import measure_reference, measures_of
from neural_mastering.rendering.reference.shares import MatchShares
from neural_mastering.rendering.tone.tone import LEFT_ALONE, ReferenceTone, Tone


def tone_from_references(
    song: MeasuredSong,
    references: Sequence[tuple[Path, float]],
    shares: MatchShares | None = None,
    used: Collection[str] = (COMPRESSOR, STEREO),
) -> Tone:
    """Follow (file, weight) of references with equaliser, compressor, width and loudness.

    Args:
        song: to be mastered.
        references: one or more.
        shares: how far they are followed; None for the default.
        used: names of the stages that will be used, of compressor and stereo.

    Raises:
        InputError: a reference that can't be read or used.
    """
    measured = [measure_reference(path, weight) for path, weight in references]
    own = measures_of(song.blocks(), song.sample_rate, song.channels)
    pieces = pieces_of(song.blocks(), song.sample_rate, song.readings.frames)
    decision = follow_references(own, measured, pieces, shares, used=used)
    names = tuple(path.name for path, _ in references)
    return Tone(
        ChainControls(eq=decision.bands, stages=decision.stages),
        Note("reference", f"controls by comparison with {', '.join(names)}"),
        tuple(Note("reference", text) for text in decision.sentences),
        decision.warnings,
        reference=ReferenceTone(
            names,
            decision,
            loudness_target(names, decision.reference.profile.lufs, decision.shares.loudness),
            tuple((reference.measures.broad_profile, reference.weight) for reference in measured),
        ),
    )


def loudness_target(names: Sequence[str], lufs: float, share: float) -> Target:
    """The target that lies a share of the way, in dB, from the default one to the references' loudness."""
    default = find_target(DEFAULT_TARGET)
    if share <= 0.0 or default.lufs is None:
        return default
    asked = default.lufs + share * (lufs - default.lufs)
    way = "" if share >= 1.0 else f"{100.0 * share:.0f} % of the way to the "
    return Target(
        f"{way}loudness of {', '.join(names)}",
        min(max(asked, QUIETEST_LUFS), LOUDEST_LUFS),
        DEFAULT_CEILING_DB,
    )


def joined(base: Tone, referred: Tone) -> Tone:
    """A tone of one's own with what references ask for beside the equaliser; stages of one's own stay.

    Args:
        base: controls of a person or of a model.
        referred: what the references alone ask for.
    """
    both = {**referred.controls.stages, **base.controls.stages}
    stages = {name: both[name] for name in STAGE_NAMES if name in both}
    origin = referred.origin
    if base.origin.kind != LEFT_ALONE.kind:
        origin = Note("reference", f"{base.origin.text}, and {referred.origin.text}")
    return replace(
        base,
        controls=replace(base.controls, stages=stages),
        origin=origin,
        actions=(*base.actions, *referred.actions),
        warnings=(*base.warnings, *referred.warnings),
        reference=referred.reference,
    )
