"""Single-band compressor."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neural_mastering.dsp import compressor
from neural_mastering.dsp.compressor import Link
from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.dsp.streaming_fir import convolve_with_tail
from neural_mastering.processors.control import Control
from neural_mastering.processors.memory import pack, unpack
from neural_mastering.processors.processor import Processor, State
from neural_mastering.shapes import Audio, Frames, PerItem

REST = {
    "threshold_db": -5.0,
    "ratio": 2.0,
    "attack_ms": 5.0,
    "release_ms": 100.0,
    "knee_db": 6.0,
    "makeup_db": 0.0,
}
"""Where a compressor waits with its mix at 0: settings that do something as soon as it grows."""


def compressor_controls(bands: int | None = None) -> list[Control]:
    """Threshold, ratio, attack, release, knee and make-up, one each or one per band."""
    return [
        Control("threshold", "db", _ends(-40.0, bands), _ends(0.0, bands)),
        Control("ratio", "", _ends(1.0, bands), _ends(20.0, bands), "log"),
        Control("attack", "ms", _ends(0.1, bands), _ends(30.0, bands), "log"),
        Control("release", "ms", _ends(10.0, bands), _ends(500.0, bands), "log"),
        Control("knee", "db", _ends(0.0, bands), _ends(12.0, bands), reaches_ends=True),
        Control("makeup", "db", _ends(0.0, bands), _ends(24.0, bands), reaches_ends=True),
    ]


def _ends(value: float, bands: int | None) -> float | tuple[float, ...]:
    return value if bands is None else (value,) * bands


class Compressor(Processor):
    """y = x + mix·(x·10^((makeup − reduction)/20) − x); see `dsp.compressor` for the reduction.

    Args:
        sample_rate: in Hz.
        link: what the detector takes of the channels: "mean_square" or "max".
        sidechain_hz: corner of a Butterworth high-pass of 2nd order before the detector; None leaves it out.
        reference_dbfs: where a threshold of 0 dB stands, in dBFS of the detector. The chain brings the loudness of
            the song to `REFERENCE_DBFS`, so that by default thresholds are relative to it; at 6 dB less every
            threshold is 6 dB lower.
    """

    name = "compressor"
    hears_level = True
    setting_names = ("sidechain_hz", "link_max", "reference_dbfs")

    def __init__(
        self,
        sample_rate: float = 44_100.0,
        link: Link = "mean_square",
        sidechain_hz: float | None = None,
        reference_dbfs: float = REFERENCE_DBFS,
    ) -> None:
        super().__init__(
            [*compressor_controls(), Control("mix", "", 0.0, 1.0, neutral=0.0, reaches_ends=True)]
        )
        if link not in ("max", "mean_square"):
            raise ValueError(f"unknown stereo link {link!r}: expected max or mean_square")
        if sidechain_hz is not None and not 0.0 < sidechain_hz < sample_rate / 2.0:
            raise ValueError(
                f"sidechain_hz must lie between 0 and {sample_rate / 2.0:g} Hz, or be null; got {sidechain_hz:g}"
            )
        self.sample_rate, self.sidechain_hz = sample_rate, sidechain_hz
        self.link: Link = link
        self.reference_dbfs = reference_dbfs

    @classmethod
    def from_settings(cls, sample_rate: float, settings: Mapping[str, Any]) -> "Compressor":
        """See `Processor`; a side chain at 0 Hz has no high-pass, link_max is 1 or 0.

        Settings without a reference get `REFERENCE_DBFS`.
        """
        link = "max" if settings.get("link_max", 0.0) else "mean_square"
        sidechain_hz = settings.get("sidechain_hz") or None
        return cls(sample_rate, link, sidechain_hz, settings.get("reference_dbfs", REFERENCE_DBFS))

    def settings(self) -> dict[str, float | tuple[float, ...]]:
        """See `from_settings`."""
        return {
            "sidechain_hz": self.sidechain_hz or 0.0,
            "link_max": float(self.link == "max"),
            "reference_dbfs": self.reference_dbfs,
        }

    def rest(self) -> dict[str, Tensor]:
        """Mix 0 and settings that are ready to work."""
        return super().rest() | {key: torch.tensor([value]) for key, value in REST.items()}

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        audio: Audio,
        state: State = None,
        *,
        threshold_db: PerItem,
        ratio: PerItem,
        attack_ms: PerItem,
        release_ms: PerItem,
        knee_db: PerItem,
        makeup_db: PerItem,
        mix: PerItem,
    ) -> tuple[Audio, State]:
        """Compress; the state is the last reduction in dB and the side chain's tail."""
        with torch.autocast(audio.device.type, enabled=False):
            signal = audio if audio.dtype == torch.float64 else audio.float()
            reduction_db, state = self._reduction_db(
                signal, state, threshold_db, ratio, attack_ms, release_ms, knee_db
            )
            change = compressor.deviation(reduction_db, makeup_db.double(), signal)
            change = mix.to(signal.dtype)[:, None] * change
            return (signal + signal * change[:, None]).to(audio.dtype), state

    def reduction_db(
        self,
        audio: Audio,
        *,
        threshold_db: PerItem,
        ratio: PerItem,
        attack_ms: PerItem,
        release_ms: PerItem,
        knee_db: PerItem,
    ) -> Frames:
        """Gain reduction (batch, time) in dB of a whole signal at mix 1, without make-up; 0 or above."""
        return self._reduction_db(audio, None, threshold_db, ratio, attack_ms, release_ms, knee_db)[0]

    def _reduction_db(
        self, audio: Audio, state: State, threshold_db: PerItem, *curve: PerItem
    ) -> tuple[Frames, State]:
        sidechain, start_db, tail = audio, None, None
        impulse = self._sidechain_impulse
        if state is not None:
            ringing = (audio.shape[1], 0 if impulse is None else impulse.numel() - 1)
            last, tail = unpack(state, (), ringing)
            start_db = last
        if impulse is not None:
            response = impulse.to(audio).expand(audio.shape[0], -1)
            sidechain, tail = convolve_with_tail(audio, response, tail)
        power = compressor.linked_power(sidechain, self.link)
        threshold_db, ratio, attack_ms, release_ms, knee_db = (
            control.to(audio.dtype) for control in (threshold_db, *curve)
        )
        reduction_db = compressor.gain_reduction_db(
            power,
            threshold_db + self.reference_dbfs,
            ratio,
            attack_ms,
            release_ms,
            knee_db,
            self.sample_rate,
            start_db,
        )
        rest = audio.new_zeros(audio.shape[0], 0) if tail is None else tail
        return reduction_db, pack(reduction_db[:, -1:], rest)

    @cached_property
    def _sidechain_impulse(self) -> Tensor | None:
        if self.sidechain_hz is None:
            return None
        from scipy import signal  # a second, which not every start shall wait for

        sections = signal.butter(2, self.sidechain_hz, "highpass", fs=self.sample_rate, output="sos")
        # −110 dB at the slower of the corner's decay, cos 45° of its frequency
        taps = int(12.7 * self.sample_rate / (np.sqrt(0.5) * 2.0 * np.pi * self.sidechain_hz)) + 2
        impulse = np.zeros(taps)
        impulse[0] = 1.0
        return torch.from_numpy(np.asarray(signal.sosfilt(sections, impulse)))
