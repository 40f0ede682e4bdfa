"""Compressor in several bands."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from neural_mastering.dsp import compressor, crossover
from neural_mastering.dsp.compressor import Link
from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.processors.compressor import REST, compressor_controls
from neural_mastering.processors.control import Control
from neural_mastering.processors.delayed import DelayedProcessor
from neural_mastering.processors.memory import pack, unpack
from neural_mastering.processors.processor import State
from neural_mastering.shapes import Audio, Bands, PerItem


class MultibandCompressor(DelayedProcessor):
    """y = x + mix·Σ_b (gain_b − 1)·band_b with zero-phase LR4 bands, whose sum is x; see `dsp.crossover`.

    Args:
        sample_rate: in Hz.
        crossovers_hz: rising frequencies between the bands; the lowest decides the latency.
        link: what the detectors take of the channels: "mean_square" or "max".
        reference_dbfs: where a threshold of 0 dB stands, in dBFS of a band's detector; see `Compressor`.
    """

    name = "compressor"
    hears_level = True
    setting_names = ("crossovers_hz", "link_max", "reference_dbfs")

    def __init__(
        self,
        sample_rate: float = 44_100.0,
        crossovers_hz: Sequence[float] = (150.0, 2_500.0),
        link: Link = "mean_square",
        reference_dbfs: float = REFERENCE_DBFS,
    ) -> None:
        crossover.check_crossovers(crossovers_hz, sample_rate)
        self.bands = len(crossovers_hz) + 1
        super().__init__(
            [*compressor_controls(self.bands), Control("mix", "", 0.0, 1.0, neutral=0.0, reaches_ends=True)]
        )
        self.sample_rate, self.crossovers_hz = sample_rate, tuple(crossovers_hz)
        self.link: Link = link
        self.reference_dbfs = reference_dbfs
        self.latency_samples = crossover.latency_samples(crossovers_hz, sample_rate)

    @classmethod
    def from_settings(cls, sample_rate: float, settings: Mapping[str, Any]) -> "MultibandCompressor":
        """See `Processor`; link_max is 1 or 0, and the reference of settings that name none is `REFERENCE_DBFS`."""
        link = "max" if settings.get("link_max", 0.0) else "mean_square"
        reference_dbfs = settings.get("reference_dbfs", REFERENCE_DBFS)
        return cls(sample_rate, settings["crossovers_hz"], link, reference_dbfs)

    def settings(self) -> dict[str, float | tuple[float, ...]]:
        """See `from_settings`."""
        return {
            "crossovers_hz": self.crossovers_hz,
            "link_max": float(self.link == "max"),
            "reference_dbfs": self.reference_dbfs,
        }

    def rest(self) -> dict[str, Tensor]:
        """Mix 0 and settings that are ready to work; a band holds less power than the whole."""
        ready = {key: torch.full((1, self.bands), value) for key, value in REST.items()}
        return (
            super().rest() | ready | {"threshold_db": torch.full((1, self.bands), REST["threshold_db"] - 5.0)}
        )

    def initial_state(self, audio: Audio) -> Tensor:
        """Silence before the stream, no reduction."""
        batch, channels, _ = audio.shape
        past = audio.new_zeros(batch, channels, 2 * self.latency_samples)
        return pack(past, torch.zeros(batch, self.bands, dtype=torch.float64, device=audio.device))

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        audio: Audio,
        state: State = None,
        *,
        threshold_db: Bands,
        ratio: Bands,
        attack_ms: Bands,
        release_ms: Bands,
        knee_db: Bands,
        makeup_db: Bands,
        mix: PerItem,
    ) -> tuple[Audio, State]:
        """Compress each band; the state is what the crossovers see, and the bands' last reductions in dB."""
        controls = {
            "threshold_db": threshold_db,
            "ratio": ratio,
            "attack_ms": attack_ms,
            "release_ms": release_ms,
            "knee_db": knee_db,
            "makeup_db": makeup_db,
            "mix": mix,
        }
        return self._delayed(audio, state, controls)

    def _stream(self, audio: Audio, state: Tensor, controls: Mapping[str, Tensor]) -> tuple[Audio, Tensor]:
        batch, channels, _ = audio.shape
        late = self.latency_samples
        past, last_db = unpack(state, (channels, 2 * late), (self.bands,))
        heard = torch.cat([past.to(audio.dtype), audio], dim=-1)
        bands = crossover.split(heard, self.crossovers_hz, self.sample_rate)
        rows = {key: value.reshape(-1) for key, value in controls.items() if key != "mix"}
        reduction_db = compressor.gain_reduction_db(
            compressor.linked_power(bands.flatten(0, 1), self.link),
            rows["threshold_db"] + self.reference_dbfs,
            rows["ratio"],
            rows["attack_ms"],
            rows["release_ms"],
            rows["knee_db"],
            self.sample_rate,
            last_db.reshape(-1),
        )
        change = compressor.deviation(reduction_db, rows["makeup_db"], audio).reshape(
            batch, self.bands, 1, -1
        )
        on_time = heard[..., late : heard.shape[-1] - late]
        mix = controls["mix"].to(audio.dtype)[:, None, None]
        rendered = on_time + mix * (change * bands).sum(dim=1)
        return rendered, pack(
            heard[..., heard.shape[-1] - 2 * late :], reduction_db[:, -1].reshape(batch, self.bands)
        )
