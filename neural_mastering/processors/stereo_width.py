"""Stereo width and bass to the middle."""

import torch

from neural_mastering.dsp import stereo_width
from neural_mastering.processors.control import Control
from neural_mastering.processors.processor import Processor, State
from neural_mastering.shapes import Audio, PerItem


class StereoWidth(Processor):
    """Scales the side and takes its bass out; the mono sum stays. See `dsp.stereo_width`. Mono passes unchanged.

    Controls: width 0 (mono) … 1 (unchanged) … 2, bass_frequency 20…300 Hz and bass_amount 0…1 of the
        side's high-pass.

    Args:
        sample_rate: in Hz.
    """

    name = "stereo"

    def __init__(self, sample_rate: float = 44_100.0) -> None:
        super().__init__(
            [
                Control("width", "", 0.0, 2.0, neutral=1.0, reaches_ends=True),
                Control("bass_frequency", "hz", 20.0, 300.0, "log"),
                Control("bass_amount", "", 0.0, 1.0, neutral=0.0, reaches_ends=True),
            ]
        )
        self.sample_rate = sample_rate
        self.taps = stereo_width.high_pass_taps(20.0, sample_rate)

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        audio: Audio,
        state: State = None,
        *,
        width: PerItem,
        bass_frequency_hz: PerItem,
        bass_amount: PerItem,
    ) -> tuple[Audio, State]:
        """Change the side; the state is the high-pass's tail (batch, 1, taps − 1)."""
        if audio.shape[1] != 2:
            return audio, state
        with torch.autocast(audio.device.type, enabled=False):
            signal = audio if audio.dtype == torch.float64 else audio.float()
            change, tail = stereo_width.side_change(
                stereo_width.side_of(signal),
                width,
                bass_frequency_hz,
                bass_amount,
                self.sample_rate,
                self.taps,
                state,
            )
            return stereo_width.add_to_side(signal, change).to(audio.dtype), tail.detach()
