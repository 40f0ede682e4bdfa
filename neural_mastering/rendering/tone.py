"""Where a song's controls come from: nowhere, a file, a model, or reference songs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from neural_mastering.errors import InputError
from neural_mastering.rendering.audio_reader import AudioReader, Block
from neural_mastering.rendering.controls import ChainControls, load_controls
from neural_mastering.rendering.meter import Readings
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.targets import DEFAULT_CEILING_DB, LOUDEST_LUFS, QUIETEST_LUFS, Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neural_mastering.models import Analysis, MasteringModel
    from neural_mastering.models.confidence import ConfidenceEstimate
    from neural_mastering.rendering.residual_stage import ResidualSource


@dataclass
class Tone:
    """Controls and their origin.

    Attributes:
        controls: at full strength.
        origin: a sentence for the report.
        name: of the model, if one listened.
        trust: how far the model's equaliser is followed, and why; None for a model without calibration.
        sentences: what else there is to say about how they were found.
        warnings: sentences.
        reference_names: of the references.
        reference_levels_db: (third,) of the references, for the report.
        wanted_db: (third,) the curve that the equaliser was fitted to, where it was one (a reference's).
        target: loudness that belongs to the controls (that of the references), None for the default.
    """

    controls: ChainControls
    origin: str
    name: str | None = None
    trust: ConfidenceEstimate | None = None
    sentences: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reference_names: tuple[str, ...] = ()
    reference_levels_db: NDArray[np.float64] | None = None
    wanted_db: NDArray[np.float64] | None = None
    target: Target | None = None
    _model: MasteringModel | None = None
    _analysis: Analysis | None = None

    def residual_source(self, controls: ChainControls) -> ResidualSource | None:
        """The model's residual head with the song's z, where the controls ask for it and a model has listened."""
        if controls.residual is None or self._model is None or self._analysis is None:
            return None
        from neural_mastering.rendering.residual_stage import ResidualSource

        return ResidualSource(self._model.residual_head, self._model.sample_rate, self._analysis.z)

    def styled(self, style_db: NDArray[np.float64]) -> ChainControls | None:
        """The model's controls under a style (third,) in dB; None where no model that takes styles has listened.

        The style moves the logits of the song's mean z, and these moves are added to the song's logits.
        """
        if self._model is None or self._analysis is None or not self._model.conditioning.size:
            return None
        from neural_mastering.rendering.controls import controls_of
        from neural_mastering.rendering.listen import restyled

        return controls_of(
            self._model, restyled(self._model, self._analysis, style_db), self.controls.residual
        )


NO_MODEL = "none"
"""What `--model` takes to leave the tone alone."""

LEFT_ALONE = "no model, controls or reference were given: tone was left alone"


def find_tone(
    options: Options,
    reader: AudioReader,
    blocks: Callable[[], Iterator[Block]],
    readings: Readings,
    progress: Callable[[str], None],
) -> Tone:
    """The controls that the options ask for.

    Raises:
        InputError: an unknown model, controls that can't be read, references that can't be used.
    """
    if options.references:
        return _by_reference(options, reader, blocks, readings, progress)
    chosen = load_controls(options.controls) if options.controls is not None else None
    name = model_name(options)
    wants_model = name is not None and (chosen is None or chosen.residual is not None)
    if wants_model and not math.isfinite(readings.lufs):
        return Tone(chosen or ChainControls(), "nothing to hear: the model was not asked")
    if wants_model:
        assert name is not None
        progress("listening")
        tone = _by_model(name, reader, blocks, readings)
        if chosen is not None:
            tone.controls = chosen
            tone.origin = f"controls from {options.controls}, residual by {tone.name}"
        return tone
    if chosen is not None:
        return Tone(chosen, f"controls from {options.controls}")
    return Tone(ChainControls(), LEFT_ALONE)


def find_model(name: str) -> Path:
    """What a name means: a checkpoint, a run folder, or a bundled model (its JSON file).

    Raises:
        InputError: none of these.
    """
    path = Path(name).expanduser()
    if path.exists():
        return path
    from neural_mastering.models.bundle import bundled_models

    bundled = bundled_models()
    if name in bundled:
        return bundled[name]
    known = f"; bundled models: {', '.join(bundled)}" if bundled else "; this version has no bundled model"
    raise InputError(f"--model {name}: no such file or run folder{known}")


def model_name(options: Options) -> str | None:
    """The model that is to listen: the one asked for, the bundled one where nothing else sets the tone, or none."""
    if options.references or (options.model or "").lower() == NO_MODEL:
        return None
    if options.model is not None:
        return options.model
    if options.controls is not None:  # words join the model, so that strength 0 is the same as no word
        return None
    from neural_mastering.models.bundle import default_model

    return default_model()


def _by_model(
    name: str,
    reader: AudioReader,
    blocks: Callable[[], Iterator[Block]],
    readings: Readings,
) -> Tone:
    from neural_mastering.models import find_bundle, load_model, read_bundle
    from neural_mastering.models.confidence import estimate_confidence
    from neural_mastering.models.residual_heads import NoResidual
    from neural_mastering.rendering.controls import controls_of, scaled
    from neural_mastering.rendering.listen import hear, pooled

    path = find_model(name)
    model = load_model(path)
    windows = hear(model, blocks(), reader.sample_rate, readings.lufs)
    analysis = pooled(windows, readings.lufs, model.silence_lufs)
    label = path.stem if path.is_file() else path.name
    has_residual = not isinstance(model.residual_head, NoResidual)
    controls = controls_of(model, analysis, label if has_residual else None)
    tone = Tone(controls, f"controls by the model {label}", label, _model=model, _analysis=analysis)
    bundle = find_bundle(path)
    if bundle is not None:
        tone.trust = estimate_confidence(read_bundle(bundle).confidence, model, windows)
        # without a stage that listens to the level, the gain is the delivery's: one that follows each song's own
        # level would flatten the relations of an album
        alone = not controls.stages and not has_residual
        tone.controls = scaled(controls, {"eq": tone.trust.confidence, "gain": 0.0 if alone else 1.0})
        tone.sentences.append(
            f"{100.0 * tone.trust.confidence:.0f} % of the model's equaliser is used, as far as its moves pay on "
            f"songs that it does not know ({tone.trust.windows} windows ask for {tone.trust.move_db:.1f} dB in "
            f"common and differ by {tone.trust.spread_db:.1f} dB)"
        )
    return tone


def _by_reference(
    options: Options,
    reader: AudioReader,
    blocks: Callable[[], Iterator[Block]],
    readings: Readings,
    progress: Callable[[str], None],
) -> Tone:
    from neural_mastering.rendering.reference import match_references
    from neural_mastering.rendering.reference_movement import (
        MovementMeter,
        mean_movement,
        movement_of_file,
        pieces_of,
    )
    from neural_mastering.rendering.reference_profile import (
        Spectrum,
        profile_of_file,
        weighted_mean,
    )
    from neural_mastering.rendering.reference_stages import LEAST_LIKELY, match_stages

    progress("comparing with the references")
    spectrum = Spectrum(reader.sample_rate, reader.channels)
    for block in blocks():
        spectrum.push(block)
    song = spectrum.profile(readings.lufs, readings.frames / reader.sample_rate)
    measured = [(profile_of_file(path), weight) for path, weight in options.references]
    match = match_references(song, measured)
    lufs = min(max(match.lufs, QUIETEST_LUFS), LOUDEST_LUFS)
    names = ", ".join(path.name for path, _ in options.references)
    controls, sentences = match.controls, list(match.sentences)
    if song.is_usable:
        own, theirs = MovementMeter(reader.sample_rate, reader.channels), []
        pieces = []
        if match.same_song >= LEAST_LIKELY:  # others are not followed, so they need not be measured
            for block in blocks():
                own.push(block)
            pieces = pieces_of(blocks(), reader.sample_rate, readings.frames)
            theirs = [movement_of_file(path) for path, _ in options.references]
        weights = [weight for _, weight in options.references]
        further = match_stages(
            pieces,
            reader.sample_rate,
            readings.lufs,
            own.finish(),
            mean_movement(theirs, weights) if theirs else own.finish(),
            match.same_song,
            controls.eq_sections(reader.sample_rate),
        )
        controls = replace(controls, stages=further.stages)
        sentences += further.sentences
    mean = weighted_mean([profile for profile, _ in measured], [weight for _, weight in measured])
    return Tone(
        controls,
        f"controls by comparison with {names}",
        sentences=sentences,
        target=Target(f"loudness of {names}", lufs, DEFAULT_CEILING_DB),
        reference_names=tuple(path.name for path, _ in options.references),
        reference_levels_db=mean.levels_db,
        wanted_db=match.curve_db,
    )
