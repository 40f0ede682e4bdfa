"""Errors of the fitted settings as gain over time or over level."""

import torch
from torch import Tensor

from experiments.chain_recovery.rack import FRAME
from neural_mastering.dsp import saturation, waveshaper
from neural_mastering.dsp.compressor import deviation
from neural_mastering.processors import Compressor, Limiter, Processor, Saturation
from neural_mastering.processors.chain import REFERENCE_DBFS


def short_term_db(audio: Tensor) -> Tensor:
    """Level in dB of each 20 ms."""
    power = torch.nn.functional.avg_pool1d(audio.square().mean(dim=1, keepdim=True), FRAME)
    return 10.0 * torch.log10(power + 1e-9)


def curve_errors(
    name: str,
    processor: Processor,
    audio: Tensor,
    lufs: Tensor,
    truth: dict[str, Tensor],
    found: dict[str, Tensor],
) -> dict[str, float]:
    """RMS difference in dB of the gain curve over time (compressor, limiter) or over level (saturation)."""
    if isinstance(processor, Compressor):
        gain = 10.0 ** ((REFERENCE_DBFS - lufs) / 20.0)
        reductions, totals = [], []
        for controls in (truth, found):
            curve = {k: v for k, v in controls.items() if k not in ("mix", "makeup_db")}
            reduction = processor.reduction_db(audio * gain, **curve)
            mix, makeup = controls["mix"], controls["makeup_db"]
            totals.append(20.0 * torch.log10(1.0 + mix * deviation(reduction, makeup, audio)))
            # what the stage as a whole takes off, against its own gain when it is idle
            idle = 20.0 * torch.log10(1.0 + mix * deviation(0.0 * reduction, makeup, audio))
            reductions.append(totals[-1] - idle)
        return {
            "gain_reduction_db": rms(reductions[0] - reductions[1]),
            "total_gain_db": rms(totals[0] - totals[1]),
            "planted_reduction_db": rms(reductions[0]),
        }
    if isinstance(processor, Limiter):
        curves = []
        for controls in (truth, found):
            gain = processor.gain(
                audio, threshold_db=controls["threshold_db"], release_ms=controls["release_ms"]
            )
            curves.append(20.0 * torch.log10(gain))
        return {"gain_reduction_db": rms(curves[0] - curves[1]), "planted_reduction_db": rms(curves[0])}
    if isinstance(processor, Saturation):
        level = 10.0 ** (torch.linspace(-40.0, 0.0, 81, dtype=torch.float64) / 20.0)
        both = torch.cat([-level.flip(0), level])
        curves = [static_curve(both, controls) for controls in (truth, found)]
        return {
            # output level over input level; bias moves the zero crossing, so levels are of the magnitude
            "drive_curve_db": rms(20.0 * torch.log10((curves[1] / curves[0]).abs())),
            "slope_db": rms(20.0 * torch.log10(curves[1].diff() / curves[0].diff())),
            "planted_curve_db": rms(20.0 * torch.log10((curves[0] / both).abs())),
        }
    return {}


def static_curve(x: Tensor, controls: dict[str, Tensor]) -> Tensor:
    """Output of the saturation for a steady input."""
    parameters = saturation.soft_clip_parameters(controls["drive_db"], controls["shape"], controls["bias"])
    slope, offset, corner, gain = parameters
    shaped = gain * (waveshaper.soft_clip(slope * x + offset, corner) - waveshaper.soft_clip(offset, corner))
    return x + controls["mix"].double() * (shaped - x)


def rms(difference: Tensor) -> float:
    return float(difference.square().mean().sqrt())
