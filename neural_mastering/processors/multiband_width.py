"""Stereo width in several bands."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from neural_mastering.dsp import crossover, stereo_width
from neural_mastering.processors.control import Control
from neural_mastering.processors.delayed import DelayedProcessor
from neural_mastering.processors.processor import State
from neural_mastering.shapes import Audio, Bands


class MultibandWidth(DelayedProcessor):
    """S' = S + Σ_b (width_b − 1)·S_b with zero-phase LR4 bands of the side; the mono sum stays.

    Mono is delayed only.

    Args:
        sample_rate: in Hz.
        crossovers_hz: rising frequencies between the bands; the lowest decides the latency.
    """

    name = "stereo"
    setting_names = ("crossovers_hz",)

    def __init__(
        self, sample_rate: float = 44_100.0, crossovers_hz: Sequence[float] = (150.0, 1_000.0, 6_000.0)
    ) -> None:
        crossover.check_crossovers(crossovers_hz, sample_rate)
        bands = len(crossovers_hz) + 1
        super().__init__(
            [Control("width", "", (0.0,) * bands, (2.0,) * bands, neutral=1.0, reaches_ends=True)]
        )
        self.sample_rate, self.crossovers_hz = sample_rate, tuple(crossovers_hz)
        self.latency_samples = crossover.latency_samples(crossovers_hz, sample_rate)

    def initial_state(self, audio: Audio) -> Tensor:
        """Silence before the stream."""
        return audio.new_zeros(audio.shape[0], audio.shape[1], 2 * self.latency_samples)

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, audio: Audio, state: State = None, *, width: Bands
    ) -> tuple[Audio, State]:
        """Change the side; the state is the past that the crossovers see."""
        return self._delayed(audio, state, {"width": width})

    def _stream(self, audio: Audio, state: Tensor, controls: Mapping[str, Tensor]) -> tuple[Audio, Tensor]:
        late = self.latency_samples
        heard = torch.cat([state.to(audio.dtype), audio], dim=-1)
        after = heard[..., heard.shape[-1] - 2 * late :].detach()
        on_time = heard[..., late : heard.shape[-1] - late]
        if audio.shape[1] != 2:
            return on_time, after
        bands = crossover.split(stereo_width.side_of(heard), self.crossovers_hz, self.sample_rate)
        change = ((controls["width"] - 1.0).to(audio.dtype)[:, :, None, None] * bands).sum(dim=1)
        return stereo_width.add_to_side(on_time, change), after
