"""Let a model listen to a whole song from a stream: `song.analyse_song` without the song in memory."""

from collections.abc import Iterable
from dataclasses import fields, replace

import numpy as np
import torch

from neural_mastering.models import Analysis, MasteringModel
from neural_mastering.rendering.audio_reader import Block
from neural_mastering.rendering.residual_stage import Resampler, Samples
from neural_mastering.rendering.song import WINDOW_S


def listen(
    model: MasteringModel,
    blocks: Iterable[Block],
    sample_rate: int,
    lufs: float,
    window_s: float = WINDOW_S,
) -> Analysis:
    """Loudness-weighted mean over windows of z and of the logits; equal to `analyse_song` at the model's rate.

    See `hear` for the arguments.
    """
    return pooled(hear(model, blocks, sample_rate, lufs, window_s), lufs, model.silence_lufs)


def hear(
    model: MasteringModel,
    blocks: Iterable[Block],
    sample_rate: int,
    lufs: float,
    window_s: float = WINDOW_S,
) -> list[Analysis]:
    """One analysis for each window of a song that is not silent; of all windows where all are.

    Args:
        model: in evaluation mode.
        blocks: the song (channel, time).
        sample_rate: of the song in Hz; at another rate than the model's it is resampled to be heard.
        lufs: integrated loudness of the whole song, which the gain head is told.
    """
    window = round(window_s * model.sample_rate)
    told = torch.tensor([max(lufs, model.silence_lufs)], dtype=torch.float32)
    parts: list[Analysis] = []

    def hear(piece: Samples) -> None:
        audio = torch.from_numpy(np.ascontiguousarray(piece, dtype=np.float32))[None]
        parts.append(model.analyse(audio, lufs=told))

    resampler: Resampler | None = None
    kept: Samples | None = None  # the last window heard and what follows it
    heard = 0  # samples of `kept` that a window has covered

    def take(block: Samples) -> None:
        nonlocal kept, heard
        kept = block if kept is None else np.concatenate([kept, block], axis=1)
        while kept.shape[1] - heard >= window:
            hear(kept[:, heard : heard + window])
            heard += window
            cut = max(heard - window, 0)
            kept, heard = kept[:, cut:].copy(), heard - cut

    with torch.inference_mode():
        for block in blocks:
            if resampler is None:
                resampler = Resampler(sample_rate, model.sample_rate, block.shape[0])
            take(resampler.push(block.astype(np.float32)))
        if resampler is not None:
            take(resampler.finish())
        if kept is not None and kept.shape[1] > heard:  # the last window ends with the song
            hear(kept[:, -window:])
    return [part for part in parts if bool(part.lufs > model.silence_lufs)] or parts


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
def restyled(model: MasteringModel, heard: Analysis, style_db: np.ndarray) -> Analysis:
    """A song's analysis under a style (third,) in dB, for a model that takes one.

    What the style changes in the logits of the song's mean z is added to the song's own logits, which are a mean
    over windows.
    """
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
