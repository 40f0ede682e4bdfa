"""Look-ahead true-peak limiter, in its differentiable form."""

from collections.abc import Mapping

import torch
from torch import Tensor

from neural_mastering.dsp import limiter_training
from neural_mastering.dsp.limiter import LimiterSettings
from neural_mastering.processors.control import Control
from neural_mastering.processors.delayed import DelayedProcessor
from neural_mastering.processors.memory import pack, unpack
from neural_mastering.processors.processor import State
from neural_mastering.shapes import Audio, Frames, PerItem
from neural_mastering.units import db_to_gain


class Limiter(DelayedProcessor):
    """Limits at the threshold and raises that to the ceiling.

        y = x + amount·(x·gain·10^((ceiling − threshold)/20) − x)

    Controls: threshold −12…0 dBTP, release 1…100 ms, ceiling −3…−0.1 dBTP, amount 0…1. At amount 1 no true
    peak passes the ceiling (as the grid of `dsp.limiter_training` sees it); with less, the untouched share may.

    Args:
        sample_rate: in Hz.
        lookahead_ms: 0…5 ms, a setting; the shortest window is 3 samples.
    """

    name = "limiter"
    setting_names = ("lookahead_ms",)

    def __init__(self, sample_rate: float = 44_100.0, lookahead_ms: float = 5.0) -> None:
        if not 0.0 <= lookahead_ms <= 5.0:
            raise ValueError(f"lookahead_ms must lie between 0 and 5 ms, got {lookahead_ms:g}")
        super().__init__(
            [
                Control("threshold", "db", -12.0, 0.0),
                Control("release", "ms", 1.0, 100.0, "log"),
                Control("ceiling", "db", -3.0, -0.1),
                Control("amount", "", 0.0, 1.0, neutral=0.0, reaches_ends=True),
            ]
        )
        self.sample_rate, self.lookahead_ms = sample_rate, lookahead_ms
        self.times = LimiterSettings(lookahead_ms=lookahead_ms)
        self.memory = limiter_training.memory_of(self.times, sample_rate)
        self.latency_samples = self.memory.latency

    def rest(self) -> dict[str, Tensor]:
        """Amount 0; ready to take 6 dB off peaks at full scale."""
        ready = {"threshold_db": -6.0, "release_ms": 30.0, "ceiling_db": -1.0}
        return super().rest() | {key: torch.tensor([value]) for key, value in ready.items()}

    def initial_state(self, audio: Audio) -> Tensor:
        """Silence before the stream, no reduction."""
        batch, channels, _ = audio.shape
        past = audio.new_zeros(batch, channels * self.memory.audio)
        curve = torch.zeros(
            batch, self.memory.wanted + self.memory.released, dtype=torch.float64, device=audio.device
        )
        return pack(past, curve)

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        audio: Audio,
        state: State = None,
        *,
        threshold_db: PerItem,
        release_ms: PerItem,
        ceiling_db: PerItem,
        amount: PerItem,
    ) -> tuple[Audio, State]:
        """Limit; the state is the past of audio and of the gain curve."""
        controls = {
            "threshold_db": threshold_db,
            "release_ms": release_ms,
            "ceiling_db": ceiling_db,
            "amount": amount,
        }
        return self._delayed(audio, state, controls)

    def gain(self, audio: Audio, *, threshold_db: PerItem, release_ms: PerItem) -> Frames:
        """The gain curve (batch, time) of a whole signal, 1 at the most, before it is raised to the ceiling."""
        wide = audio if audio.dtype == torch.float64 else audio.float()
        padded = torch.nn.functional.pad(wide, (0, self.latency_samples))
        controls = {"threshold_db": threshold_db, "release_ms": release_ms}
        return self._curve(padded, self.initial_state(wide), controls)[1][:, self.latency_samples :]

    def _stream(self, audio: Audio, state: Tensor, controls: Mapping[str, Tensor]) -> tuple[Audio, Tensor]:
        heard, gain, after = self._curve(audio, state, controls)
        start = self.memory.audio - self.memory.latency
        on_time = heard[..., start : start + audio.shape[-1]]
        raised = gain.to(audio.dtype) * db_to_gain(controls["ceiling_db"] - controls["threshold_db"])[:, None]
        change = controls["amount"][:, None] * (raised - 1.0)
        return on_time + on_time * change.to(audio.dtype)[:, None], after

    def _curve(
        self, audio: Audio, state: Tensor, controls: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        memory = self.memory
        past, wanted, released = unpack(
            state, (audio.shape[1], memory.audio), (memory.wanted,), (memory.released,)
        )
        heard = torch.cat([past.to(audio.dtype), audio], dim=-1)
        gain, wanted, released = limiter_training.gain_curve(
            heard,
            controls["threshold_db"],
            controls["release_ms"],
            self.sample_rate,
            self.times,
            wanted,
            released,
        )
        return heard, gain, pack(heard[..., heard.shape[-1] - memory.audio :], wanted, released)
