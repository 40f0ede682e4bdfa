"""Saturation with a learned curve."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from neural_mastering.dsp import saturation, waveshaper
from neural_mastering.processors.control import Control
from neural_mastering.processors.processor import State
from neural_mastering.processors.saturation import RENDER_HZ, TRAINING_HZ, Waveshaper
from neural_mastering.shapes import Audio, PerItem
from neural_mastering.units import db_to_gain


class NeuralSaturation(Waveshaper):
    """A bounded curve f(v) = Σ a_i·tanh(b_i·v + c_i), a perceptron with one hidden layer, learned for all songs.

    Σ |a_i| = 1, so |f| ≤ 1; b_i > 0. Its antiderivative has a closed form, so it is anti-aliased like `Saturation`.
    All a_i begin positive and c_i spread around 0, a soft clipper; the level is compensated as in `dsp.saturation`.
    Controls: drive 0…24 dB, bias −0.5…0.5, mix 0…1.

    Args:
        sample_rate: in Hz.
        units: of the hidden layer.
        render_hz, training_hz: at least about this rate for the shaper, reached by a power of two.
    """

    name = "saturation"
    setting_names = ("unit_weight", "unit_slope", "unit_centre", "render_hz")
    required_settings = ("unit_weight", "unit_slope", "unit_centre")

    def __init__(
        self,
        sample_rate: float = 44_100.0,
        units: int = 4,
        render_hz: float = RENDER_HZ,
        training_hz: float = TRAINING_HZ,
    ) -> None:
        super().__init__([Control("bias", "", -0.5, 0.5)], sample_rate, render_hz, training_hz)
        self.weight = nn.Parameter(torch.ones(units))
        self.log_slope = nn.Parameter(torch.zeros(units))
        self.centre = nn.Parameter(torch.linspace(-0.5, 0.5, units) if units > 1 else torch.zeros(1))

    @classmethod
    def from_settings(cls, sample_rate: float, settings: Mapping[str, Any]) -> "NeuralSaturation":
        """See `Processor`; a, b and c of the curve, and the rate in Hz at which it renders.

        Settings without a rate get `RENDER_HZ`.
        """
        render_hz = settings.get("render_hz", RENDER_HZ)
        made = cls(sample_rate, units=len(settings["unit_weight"]), render_hz=render_hz)
        with torch.no_grad():
            made.weight.copy_(torch.tensor(settings["unit_weight"]))
            made.log_slope.copy_(torch.tensor(settings["unit_slope"]).log())
            made.centre.copy_(torch.tensor(settings["unit_centre"]))
        return made

    def settings(self) -> dict[str, float | tuple[float, ...]]:
        """See `from_settings`."""
        curve = zip(self.setting_names[:3], self.units(), strict=True)
        return {name: tuple(values.tolist()) for name, values in curve} | {"render_hz": self.render_hz}

    def rest(self) -> dict[str, Tensor]:
        """Mix 0; ready with 6 dB of drive and no bias."""
        return super().rest() | {"drive_db": torch.tensor([6.0]), "bias": torch.tensor([0.0])}

    def units(self) -> tuple[Tensor, Tensor, Tensor]:
        """a, b and c of the curve (unit,), float64."""
        weight = self.weight.double()
        return (
            weight / weight.abs().sum().clamp(min=1e-6),
            torch.exp(self.log_slope.double()),
            self.centre.double(),
        )

    def curve(self, v: Tensor) -> Tensor:
        """f(v) for v of any shape, float64."""
        return waveshaper.tanh_sum(v.double(), *self.units())

    def render(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, audio: Audio, state: State = None, *, drive_db: PerItem, bias: PerItem, mix: PerItem
    ) -> tuple[Audio, State]:
        """Saturate; the state is as that of `Saturation`."""
        return self._delayed(audio, state, {"drive_db": drive_db, "bias": bias, "mix": mix})

    def _change(self, controls: Mapping[str, Tensor]) -> Callable[[Tensor], Tensor]:
        slope, offset = db_to_gain(controls["drive_db"].double()), controls["bias"].double()
        kept = db_to_gain(saturation.KEPT_AMPLITUDE_DB)
        height = self.curve(slope * kept + offset) - self.curve(offset - slope * kept)
        # a learned curve may turn back on itself: its level is then left alone
        gain = 2.0 * kept / height.clamp(min=0.1 * kept)
        units = self.units()
        return lambda u: waveshaper.tanh_sum_change(u, slope, offset, gain, *units)
