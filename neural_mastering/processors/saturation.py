"""Saturation: a soft or hard clipper with drive, bias and constant level."""

from abc import abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from neural_mastering.dsp import oversampling, saturation, waveshaper
from neural_mastering.dsp.streaming_fir import convolve_with_tail
from neural_mastering.processors.control import Control
from neural_mastering.processors.delayed import DelayedProcessor
from neural_mastering.processors.memory import pack, unpack
from neural_mastering.processors.processor import State
from neural_mastering.shapes import Audio, PerItem

RENDER_HZ, TRAINING_HZ = 352_800.0, 88_200.0
"""Rates at which the shaper works: in rendering high enough for aliases below −80 dB, in training cheap."""


class Waveshaper(DelayedProcessor):
    """y = x + mix·DCblock(change), the change oversampled and averaged between samples.

    Args:
        specs: controls besides drive and mix.
        sample_rate: in Hz.
        render_hz, training_hz: at least about this rate for the shaper, reached by a power of two.
    """

    hears_level = True
    latency_samples = oversampling.LATENCY_SAMPLES

    def __init__(
        self,
        specs: list[Control],
        sample_rate: float,
        render_hz: float,
        training_hz: float,
    ) -> None:
        super().__init__(
            [
                Control("drive", "db", 0.0, 24.0),
                *specs,
                Control("mix", "", 0.0, 1.0, neutral=0.0, reaches_ends=True),
            ]
        )
        self.sample_rate, self.render_hz = sample_rate, render_hz
        self.render_factor = saturation.factor_for(sample_rate, render_hz)
        self.training_factor = saturation.factor_for(sample_rate, training_hz)

    def initial_state(self, audio: Audio) -> Tensor:
        """Silence before the stream."""
        batch, channels, _ = audio.shape
        tail = saturation.dc_blocker_impulse(self.sample_rate).size - 1
        return audio.new_zeros(batch, channels * (oversampling.HISTORY_SAMPLES + tail))

    @abstractmethod
    def _change(self, controls: Mapping[str, Tensor]) -> Callable[[Tensor], Tensor]:
        """What the shaper adds to u (batch, channel, n), between its samples."""

    def _stream(self, audio: Audio, state: Tensor, controls: Mapping[str, Tensor]) -> tuple[Audio, Tensor]:
        channels, history = audio.shape[1], oversampling.HISTORY_SAMPLES
        impulse = torch.from_numpy(saturation.dc_blocker_impulse(self.sample_rate)).to(audio)
        past, tail = unpack(state, (channels, history), (channels, impulse.numel() - 1))
        heard = torch.cat([past.to(audio.dtype), audio], dim=-1)
        factor = self.training_factor if self.training else self.render_factor
        change = oversampling.oversampled_change(heard, factor, self._change(controls))
        change, tail = convolve_with_tail(change, impulse.expand(audio.shape[0], -1), tail)
        late = self.latency_samples
        on_time = heard[..., history - late : heard.shape[-1] - late]
        mix = controls["mix"].to(audio.dtype)[:, None, None]
        return on_time + mix * change, pack(heard[..., heard.shape[-1] - history :], tail)


class Saturation(Waveshaper):
    """Clipper with a corner from soft to hard; see `dsp.saturation` for the curve and its level compensation.

    Controls: drive 0…24 dB, shape 0 (soft) … 1 (hard), bias −0.5…0.5 (of the clipping level), mix 0…1.

    Args:
        sample_rate: in Hz.
        render_hz, training_hz: at least about this rate for the shaper, reached by a power of two.
    """

    name = "saturation"
    setting_names = ("render_hz",)

    def __init__(
        self, sample_rate: float = 44_100.0, render_hz: float = RENDER_HZ, training_hz: float = TRAINING_HZ
    ) -> None:
        super().__init__(
            [Control("shape", "", 0.0, 1.0), Control("bias", "", -0.5, 0.5)],
            sample_rate,
            render_hz,
            training_hz,
        )

    def rest(self) -> dict[str, Tensor]:
        """Mix 0; ready with 6 dB of drive, a soft corner and no bias."""
        ready = {"drive_db": 6.0, "shape": 0.25, "bias": 0.0}
        return super().rest() | {key: torch.tensor([value]) for key, value in ready.items()}

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        audio: Audio,
        state: State = None,
        *,
        drive_db: PerItem,
        shape: PerItem,
        bias: PerItem,
        mix: PerItem,
    ) -> tuple[Audio, State]:
        """Saturate; the state is the past that the filters see, and the DC blocker's tail."""
        return self._delayed(audio, state, {"drive_db": drive_db, "shape": shape, "bias": bias, "mix": mix})

    def _change(self, controls: Mapping[str, Tensor]) -> Callable[[Tensor], Tensor]:
        parameters = saturation.soft_clip_parameters(
            controls["drive_db"], controls["shape"], controls["bias"]
        )
        return lambda u: waveshaper.soft_clip_change(u, *parameters)
