"""The frequency-sampled biquad cascade of dasp-pytorch in the place of `dsp.biquad.equalize`."""

from collections.abc import Sequence

import torch
from torch.nn import functional

from neural_mastering.dsp.biquad import Kind, impulse_response_length
from neural_mastering.interop.biquad_sections import sections
from neural_mastering.shapes import Audio, Bands


def equalize(
    audio: Audio,
    frequency_hz: Bands,
    gain_db: Bands,
    q: Bands,
    sample_rate: float,
    kinds: Sequence[Kind] | None = None,
    taps: int | None = None,
) -> Audio:
    """Filter audio by `dasp_pytorch.signal.sosfilt_via_fsm`; arguments as in `dsp.biquad.equalize`.

    dasp samples the response at the bins of an FFT twice as long as the audio; a filter that rings longer
    than the audio wraps around and adds an echo before its cause. Short audio is therefore padded to the
    length of the impulse response (`taps`, or what the parameters need).

    Raises:
        ImportError: dasp-pytorch is not installed.
        ValueError: an unknown kind, or not one for each band.
    """
    try:
        from dasp_pytorch.signal import sosfilt_via_fsm  # optional package
    except ImportError as error:
        raise ImportError(
            "the dasp engine needs dasp-pytorch: pip install 'neural-mastering[interop]'"
        ) from error
    kinds = ("peak",) * frequency_hz.shape[-1] if kinds is None else kinds
    with torch.autocast(audio.device.type, enabled=False):
        signal = audio if audio.dtype == torch.float64 else audio.float()
        frequency_hz, gain_db, q = (p.to(signal.dtype) for p in (frequency_hz, gain_db, q))
        if taps is None:
            frequency, gain, quality = (p.detach().cpu().numpy() for p in (frequency_hz, gain_db, q))
            taps = impulse_response_length(frequency, gain, quality, sample_rate, kinds)
        time = signal.shape[-1]
        padded = functional.pad(signal, (0, max(0, taps - time)))
        cascade = sections(frequency_hz, gain_db, q, sample_rate, kinds)
        return sosfilt_via_fsm(cascade, padded)[..., :time].to(audio.dtype)
