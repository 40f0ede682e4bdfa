"""A trained model as a system, rendered by nm-master's own stages."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch

from neural_mastering.audio_io.block import Block, blocks_of, joined
from neural_mastering.controls import ChainControls
from neural_mastering.dsp.energy import energy_share
from neural_mastering.evaluation.controls_trace import model_trace
from neural_mastering.evaluation.song_set import LoadedSong
from neural_mastering.evaluation.song_systems import SongSystem, SystemOutput
from neural_mastering.metering.meter import Meter
from neural_mastering.models import Confidence, MasteringModel
from neural_mastering.numeric.model import NumericModel
from neural_mastering.rendering.stages.base import StreamStage, run_stages
from neural_mastering.rendering.stages.build import RESIDUAL, build_stages
from neural_mastering.rendering.stages.dc_removal import dc_removal
from neural_mastering.rendering.tone.from_model import WINDOW_S, ModelTone, listen
from neural_mastering.rendering.tone.from_numbers import NumericListener
from neural_mastering.reporting.eval_data import SystemKind
from neural_mastering.shapes import Audio
from neural_mastering.units import power_to_db


class TrainedModel(SongSystem):
    """A trained model: one set of controls a song.

    Args:
        key, name, note: of the row.
        model: in evaluation mode from here on.
        confidence: how far its moves are followed, of a bundle; None follows them fully.
        numbers: the same model without torch, of a bundle: its controls serve for whole songs, as in nm-master, so
            that the audio is nm-master's to the bit; None takes the network's.
    """

    kind: SystemKind = "model"

    def __init__(
        self,
        key: str,
        name: str,
        model: MasteringModel,
        note: str = "",
        confidence: Confidence | None = None,
        numbers: NumericModel | None = None,
    ) -> None:
        self.key, self.name, self.model, self.note = key, name, model.eval(), note
        self.confidence, self.numbers = confidence, numbers

    def listen(self, audio: Audio, window_s: float = WINDOW_S) -> ModelTone:
        """Listen to a song (1, channel, time) as nm-master does, and follow it as far as its confidence allows."""
        samples, rate = audio[0].numpy(), round(self.model.sample_rate)
        meter = Meter(rate, len(samples), with_true_peak=False)
        for block in blocks_of(samples):
            meter.push(block)
        lufs = meter.finish().lufs
        tone = listen(self.model, self.key, blocks_of(samples), rate, lufs, self.confidence, window_s)
        if self.numbers is None or self.confidence is None or window_s != WINDOW_S:
            return tone
        listener = NumericListener(self.numbers, self.key, self.confidence, rate)
        for block in blocks_of(samples):
            listener.push(block)
        heard = listener.tone(lufs)
        return replace(tone, controls=heard.controls, confidence=heard.confidence)

    def render(self, song: LoadedSong) -> SystemOutput:
        """Analyse the whole song, render it with what was found."""
        tone = self.listen(song.input)
        audio, dry = render_controls(tone, song.input)
        share_db = None
        if dry is not None:
            share_db = float(power_to_db(energy_share(audio - dry, audio).clamp(min=1e-12)))
        return SystemOutput(audio, model_trace(tone), share_db, dry, tone)

    def segment(self, song: LoadedSong, rendered: SystemOutput, start: int, stop: int) -> Audio:
        """Listens to the segment alone and in one piece, as in training."""
        audio = song.input[..., start:stop]
        return render_controls(self.listen(audio, (stop - start) / song.sample_rate), audio)[0]


def render_controls(tone: ModelTone, audio: Audio) -> tuple[Audio, Audio | None]:
    """Audio (1, channel, time) through a tone's controls, by nm-master's own stages.

    Returns:
        What comes out, and what comes out without the neural residual; None where there is none.
    """
    channels, rate = audio.shape[1], round(tone.model.sample_rate)
    offset = tuple(float(mean) for mean in audio[0].numpy().mean(axis=1, dtype=np.float64))

    def stages(controls: ChainControls) -> list[StreamStage]:
        chain = build_stages(controls, rate, channels, tone.residual_source(controls))
        return [*dc_removal(offset, rate), *chain]

    def kept(blocks: Iterable[Block]) -> Audio:
        return torch.from_numpy(joined(blocks, channels).astype(np.float32))[None]

    whole = stages(tone.controls)
    place = next((i for i, stage in enumerate(whole) if stage.name == RESIDUAL), None)
    source = blocks_of(audio[0].numpy())
    if place is None:
        return kept(run_stages(whole, source)), None
    before = list(run_stages(whole[:place], source))
    after = stages(replace(tone.controls, residual=None))[place:]
    return kept(run_stages(whole[place:], before)), kept(run_stages(after, before))
