"""Where a song's controls come from: nowhere, a file, a model, or reference songs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
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
    from neural_mastering.rendering.residual_stage import ResidualSource


@dataclass
class Tone:
    """Controls and their origin.

    Attributes:
        controls: at full strength.
        origin: a sentence for the report.
        name: of the model, if one listened.
        sentences: what else there is to say about how they were found.
        warnings: sentences.
        reference_names: of the references.
        reference_levels_db: (third,) of the references, for the report.
        target: loudness that belongs to the controls (that of the references), None for the default.
    """

    controls: ChainControls
    origin: str
    name: str | None = None
    sentences: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reference_names: tuple[str, ...] = ()
    reference_levels_db: NDArray[np.float64] | None = None
    target: Target | None = None
    _model: MasteringModel | None = None
    _analysis: Analysis | None = None

    def residual_source(self, controls: ChainControls) -> ResidualSource | None:
        """The model's residual head with the song's z, where the controls ask for it and a model has listened."""
        if controls.residual is None or self._model is None or self._analysis is None:
            return None
        from neural_mastering.rendering.residual_stage import ResidualSource

        return ResidualSource(self._model.residual_head, self._model.sample_rate, self._analysis.z)


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
    wants_model = options.model is not None and (chosen is None or chosen.residual is not None)
    if wants_model and not math.isfinite(readings.lufs):
        return Tone(chosen or ChainControls(), "nothing to hear: the model was not asked")
    if wants_model:
        assert options.model is not None
        progress("listening")
        tone = _by_model(options, options.model, reader, blocks, readings)
        if chosen is not None:
            tone.controls = chosen
            tone.origin = f"controls from {options.controls}, residual by {tone.name}"
        return tone
    if chosen is not None:
        return Tone(chosen, f"controls from {options.controls}")
    return Tone(ChainControls(), LEFT_ALONE)


def find_model(name: str) -> Path:
    """The checkpoint that a name means: a file, a run folder, or a bundled model.

    Raises:
        InputError: none of these.
    """
    path = Path(name).expanduser()
    if path.exists():
        return path
    bundled = bundled_models()
    if name in bundled:
        return bundled[name]
    known = f"; bundled models: {', '.join(bundled)}" if bundled else "; this version has no bundled model"
    raise InputError(f"--model {name}: no such file or run folder{known}")


def bundled_models() -> dict[str, Path]:
    """Checkpoints that ship with the package, by name."""
    folder = Path(str(files("neural_mastering.assets").joinpath("models")))
    return {file.stem: file for file in sorted(folder.glob("*.ckpt"))} if folder.is_dir() else {}


def _by_model(
    options: Options,
    name: str,
    reader: AudioReader,
    blocks: Callable[[], Iterator[Block]],
    readings: Readings,
) -> Tone:
    from neural_mastering.models import load_model
    from neural_mastering.models.residual_heads import NoResidual
    from neural_mastering.rendering.controls import controls_of
    from neural_mastering.rendering.listen import listen

    path = find_model(name)
    model = load_model(path)
    analysis = listen(model, blocks(), reader.sample_rate, readings.lufs)
    label = path.stem if path.is_file() else path.name
    has_residual = not isinstance(model.residual_head, NoResidual)
    controls = controls_of(model, analysis, label if has_residual else None)
    return Tone(controls, f"controls by the model {label}", label, _model=model, _analysis=analysis)


def _by_reference(
    options: Options,
    reader: AudioReader,
    blocks: Callable[[], Iterator[Block]],
    readings: Readings,
    progress: Callable[[str], None],
) -> Tone:
    from neural_mastering.rendering.reference import match_references
    from neural_mastering.rendering.reference_profile import (
        Spectrum,
        from_powers,
        profile_of_file,
        weighted_mean,
    )

    progress("comparing with the references")
    spectrum = Spectrum(reader.sample_rate, reader.channels)
    for block in blocks():
        spectrum.push(block)
    seconds = readings.frames / reader.sample_rate
    song = from_powers(spectrum.finish(), reader.sample_rate, readings.lufs, seconds)
    measured = [(profile_of_file(path), weight) for path, weight in options.references]
    match = match_references(song, measured)
    lufs = min(max(match.lufs, QUIETEST_LUFS), LOUDEST_LUFS)
    names = ", ".join(path.name for path, _ in options.references)
    mean = weighted_mean([profile for profile, _ in measured], [weight for _, weight in measured])
    return Tone(
        match.controls,
        f"controls by comparison with {names}",
        sentences=list(match.sentences),
        target=Target(f"loudness of {names}", lufs, DEFAULT_CEILING_DB),
        reference_names=tuple(path.name for path, _ in options.references),
        reference_levels_db=mean.levels_db,
    )
