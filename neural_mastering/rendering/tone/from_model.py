"""A model listens to a whole song from a stream, and says which controls it wants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.resample import Samples
from neural_mastering.audio_io.windows import StreamWindows
from neural_mastering.controls import Bands, ChainControls, EqBand, scaled
from neural_mastering.controls.catalogue import INPUT_LUFS, Value, stage_of_model
from neural_mastering.dsp.rbj import Float64s
from neural_mastering.models import Analysis, Confidence, MasteringModel
from neural_mastering.models.confidence import ConfidenceEstimate, estimate_confidence
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.rendering.stages.residual import ResidualSource
from neural_mastering.rendering.tone.listened import WINDOW_S, ListenedTone


@dataclass(frozen=True)
class ModelTone(ListenedTone):
    """What a model wants of a song.

    Attributes:
        model: that listened.
        label: its name.
        analysis: of the whole song.
        controls: as far as the model is followed; its neural residual joins under the label.
        confidence: how far that is, and why; None where it is followed fully.
    """

    model: MasteringModel
    label: str
    analysis: Analysis
    controls: ChainControls
    confidence: ConfidenceEstimate | None = None

    def residual_source(self, controls: ChainControls) -> ResidualSource | None:
        """The model's residual head with the song's z, where the controls ask for it."""
        if controls.residual is None:
            return None
        return ResidualSource(self.model.residual_head, self.model.sample_rate, self.analysis.z)

    def restyled(self, style_db: Float64s) -> ChainControls | None:
        """The model's controls under a style (third,) in dB; None for a model that takes none.

        The style moves the logits of the song's mean z, and these moves are added to the song's logits.
        """
        if not self.model.conditioning.size:
            return None
        return decoded_controls(
            self.model, _restyled(self.model, self.analysis, style_db), self.controls.residual
        )


def listen(
    model: MasteringModel,
    label: str,
    blocks: Iterable[Block],
    sample_rate: int,
    lufs: float,
    confidence: Confidence | None = None,
    window_s: float = WINDOW_S,
) -> ModelTone:
    """Let a model listen to a song.

    Args:
        model: in evaluation mode.
        label: its name, under which its residual joins.
        blocks: the song.
        sample_rate: of the song in Hz; at another rate than the model's it is resampled to be heard.
        lufs: integrated loudness of the song, which the gain head is given.
        confidence: how far the equaliser is followed; None follows it fully. With a confidence, the gain of a
            model without a chain and without a residual is 0 dB: the level belongs to the delivery.
        window_s: length of the windows.
    """
    windows = analyse_windows(model, blocks, sample_rate, lufs, window_s)
    analysis = pooled(windows, lufs, model.silence_lufs)
    estimate = None if confidence is None else estimate_confidence(confidence, model, windows)
    return follow(model, label, analysis, estimate)


def follow(
    model: MasteringModel, label: str, analysis: Analysis, confidence: ConfidenceEstimate | None = None
) -> ModelTone:
    """What a model wants after an analysis, as far as it deserves confidence; see `listen`."""
    has_residual = not isinstance(model.residual_head, NoResidual)
    controls = decoded_controls(model, analysis, label if has_residual else None)
    if confidence is not None:
        # A gain that follows each song's own level would flatten the relations of an album.
        alone = not controls.stages and not has_residual
        controls = scaled(controls, {"eq": confidence.confidence, "gain": 0.0 if alone else 1.0})
    return ModelTone(model, label, analysis, controls, confidence)


def analyse_windows(
    model: MasteringModel,
    blocks: Iterable[Block],
    sample_rate: int,
    lufs: float,
    window_s: float = WINDOW_S,
) -> list[Analysis]:
    """One analysis for each window of a song that is not silent; of all windows where all are.

    Windows follow one another; the last one ends with the song. See `listen` for the arguments.
    """
    window = round(window_s * model.sample_rate)
    told = torch.tensor([max(lufs, model.silence_lufs)], dtype=torch.float32)
    parts: list[Analysis] = []
    windows = StreamWindows(sample_rate, model.sample_rate, window)

    def analyse(pieces: Iterator[Samples]) -> None:
        parts.extend(model.analyse(torch.from_numpy(piece)[None], lufs=told) for piece in pieces)

    with torch.inference_mode(), _one_thread():
        for block in blocks:
            analyse(windows.push(block))
        analyse(windows.finish())
    return [part for part in parts if bool(part.lufs > model.silence_lufs)] or parts


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums in one order, so that a song gets the same controls whatever the number of cores and of jobs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@torch.inference_mode()
def pooled(windows: list[Analysis], lufs: float, silence_lufs: float) -> Analysis:
    """One analysis for a song of so many LUFS from those of its windows, weighted by their loudness."""
    stacked = Analysis(
        z=torch.cat([part.z for part in windows]),
        logits=type(windows[0].logits).concatenate([part.logits for part in windows]),
        lufs=torch.cat([part.lufs for part in windows]),
        chain=torch.cat([part.chain for part in windows if part.chain is not None]),
    )
    told = torch.tensor([max(lufs, silence_lufs)], dtype=torch.float32)
    return replace(stacked.pooled(), lufs=told)


@torch.inference_mode()
def decoded_controls(model: MasteringModel, analysis: Analysis, residual: str | None = None) -> ChainControls:
    """The controls that one analysis (a batch of one) asks for, in physical units.

    Bands whose gate is closed or whose gain is 0 dB, and stages that do nothing, are left out.

    Args:
        model: in evaluation mode.
        analysis: of a whole song.
        residual: name under which the model's neural residual joins, None to leave it out.
    """
    decoded = model.eq_controls(analysis)
    columns = (decoded.eq[key][0].double().tolist() for key in ("frequency_hz", "gain_db", "q"))
    rows = zip(model.eq_head.eq.kinds, *columns, strict=True)
    gain_db = float(decoded.gain["gain_db"][0])
    return ChainControls(
        design_rate_hz=float(model.sample_rate),
        eq=Bands.of(EqBand(*row) for row in rows).active(),
        gain_db=gain_db,
        stages=_stages(model, analysis, gain_db),
        residual=residual,
    )


def _stages(model: MasteringModel, analysis: Analysis, gain_db: float) -> dict[str, dict[str, Value]]:
    """Controls and settings of a model's chain, as `rendering.stages.processor` takes them."""
    found = {}
    for name, controls in model.chain_controls(analysis).items():
        spec, processor = stage_of_model(name), model.chain_head.chain.processors[name]
        values: dict[str, Value] = {
            key: tuple(value[0].tolist()) if value.ndim > 1 else float(value[0])
            for key, value in controls.items()
        }
        if spec.is_idle(values):
            continue
        values |= processor.settings()
        if processor.hears_level:
            values[INPUT_LUFS] = float(analysis.lufs[0]) + gain_db
        found[spec.name] = values
    return found


@torch.inference_mode()
def _restyled(model: MasteringModel, heard: Analysis, style_db: Float64s) -> Analysis:
    style = torch.from_numpy(np.ascontiguousarray(style_db, dtype=np.float32))[None]
    plain, asked = (model.decide(heard.z, heard.lufs, style_db=each) for each in (None, style))
    moved = {
        field.name: getattr(heard.logits, field.name)
        + getattr(asked.logits, field.name)
        - getattr(plain.logits, field.name)
        for field in fields(heard.logits)
    }
    if heard.chain is None or asked.chain is None or plain.chain is None:
        chain = heard.chain
    else:
        chain = heard.chain + asked.chain - plain.chain
    return replace(heard, logits=type(heard.logits)(**moved), chain=chain)
