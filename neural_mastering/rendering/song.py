"""A whole song: one set of controls from all of it, rendered in pieces."""

from dataclasses import replace
from pathlib import Path

import soundfile
import torch
from torch import Tensor

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.errors import InputError
from neural_mastering.models import Analysis, Confidence, MasteringModel
from neural_mastering.models.confidence import estimate_confidence
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.models.residual_heads.streaming import render_chunked
from neural_mastering.processors import Processor, render_in_chunks
from neural_mastering.rendering.processor_stage import stage_values
from neural_mastering.shapes import Audio

WINDOW_S = 5.0
CHUNK_S = 20.0


def analyse_song(
    model: MasteringModel, audio: Audio, window_s: float = WINDOW_S, confidence: Confidence | None = None
) -> Analysis:
    """Listen to all of a song (1, channel, time): loudness-weighted mean over windows of z and of the logits.

    The gain head is told the whole song's integrated loudness. Windows follow one another, the last one ends
    with the song; silent windows do not count.

    With a confidence the equaliser is followed only so far as the windows deserve it, and the gain of a model
    without a chain and a residual is 0 dB: the level is the delivery's, as in `nm-master`.
    """
    window = min(round(window_s * model.sample_rate), audio.shape[-1])
    starts = list(range(0, audio.shape[-1] - window + 1, window))
    if starts[-1] + window < audio.shape[-1]:
        starts.append(audio.shape[-1] - window)
    lufs = integrated_loudness(audio, model.sample_rate, floor_lufs=model.silence_lufs)
    parts = [model.analyse(audio[..., start : start + window], lufs=lufs) for start in starts]
    heard = [part for part in parts if bool(part.lufs > model.silence_lufs)] or parts
    stacked = Analysis(
        z=torch.cat([part.z for part in heard]),
        logits=type(heard[0].logits).concatenate([part.logits for part in heard]),
        lufs=torch.cat([part.lufs for part in heard]),
        chain=torch.cat([part.chain for part in heard if part.chain is not None]),
    )
    analysis = replace(stacked.pooled(), lufs=lufs)
    if confidence is None:
        return analysis
    alone = isinstance(model.residual_head, NoResidual) and not stage_values(model, analysis, 0.0)
    followed = estimate_confidence(confidence, model, heard).confidence
    return replace(analysis, eq_strength=followed, gain_strength=0.0 if alone else 1.0)


def render_song(model: MasteringModel, audio: Audio, analysis: Analysis, chunk_s: float = CHUNK_S) -> Audio:
    """Render a song (1, channel, time) with one analysis, in chunks with the state carried over."""
    controls = model.eq_controls(analysis)
    stride = model.residual_head.stride_samples
    chunk = max(round(chunk_s * model.sample_rate / stride), 1) * stride
    state: Tensor | None = None
    pieces = []
    for piece in audio.split(chunk, dim=-1):
        equalised, state = model.eq_head.eq.render(piece, state, **controls.eq)
        pieces.append(model.eq_head.gain(equalised, **controls.gain))
    signal = torch.cat(pieces, dim=-1)
    chain, chosen = model.chain_head.chain, model.chain_controls(analysis)
    lufs = analysis.lufs + controls.gain["gain_db"]

    def in_chunks(processor: Processor, audio: Audio, **settings: Tensor) -> Audio:
        return render_in_chunks(processor, audio, chunk, **settings)

    for name in chain.before:
        signal = chain.stage(name, signal, chosen[name], lufs, in_chunks)
    signal = signal + render_chunked(model.residual_head, signal, analysis.z, chunk)
    for name in chain.after:
        signal = chain.stage(name, signal, chosen[name], lufs, in_chunks)
    return signal


def master_file(model: MasteringModel, source: str | Path, destination: str | Path) -> Analysis:
    """Master an audio file at the model's rate into a 24-bit WAV file; returns what was heard.

    Peaks over full scale lower the whole song, since nothing may clip.

    Raises:
        InputError: a file that can't be read, or at another sample rate.
    """
    source, destination = Path(source), Path(destination)
    try:
        samples, sample_rate = soundfile.read(source, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{source} can't be read as audio: {error}") from error
    if sample_rate != model.sample_rate:
        raise InputError(f"{source} has {sample_rate} Hz but the model works at {model.sample_rate:g} Hz")
    audio = torch.from_numpy(samples.T.copy())[None]
    model.eval()
    with torch.inference_mode():
        analysis = analyse_song(model, audio)
        mastered = render_song(model, audio, analysis)
    mastered = mastered / mastered.abs().max().clamp(min=1.0)
    destination.parent.mkdir(parents=True, exist_ok=True)
    draft = destination.with_name(f".{destination.name}.part")
    soundfile.write(draft, mastered[0].T.numpy(), sample_rate, subtype="PCM_24", format="WAV")
    draft.replace(destination)
    return analysis
