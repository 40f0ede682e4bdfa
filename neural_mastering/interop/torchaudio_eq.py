"""The recursive filter of torchaudio in the place of `dsp.biquad.equalize`."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from neural_mastering.dsp.biquad import Kind
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
    """Filter audio by `torchaudio.functional.lfilter`, band by band; arguments as in `dsp.biquad.equalize`.

    Never clamped (its default clips to ±1). `taps` has no meaning for a recursive filter.

    Raises:
        ImportError: torchaudio is not installed, or its libraries do not load.
        ValueError: an unknown kind, or not one for each band.
    """
    lfilter = _lfilter()
    with torch.autocast(audio.device.type, enabled=False):
        signal = audio if audio.dtype == torch.float64 else audio.float()
        frequency_hz, gain_db, q = (p.to(signal.dtype) for p in (frequency_hz, gain_db, q))
        coefficients = sections(frequency_hz, gain_db, q, sample_rate, kinds)
        # lfilter takes one filter for each channel: items become channels, and channels the batch.
        wet = signal.transpose(0, 1)
        for band in range(coefficients.shape[1]):
            wet = lfilter(wet, coefficients[:, band, 3:], coefficients[:, band, :3], clamp=False)
        return wet.transpose(0, 1).to(audio.dtype)


def _lfilter() -> Callable[..., Tensor]:
    try:
        # optional package
        from torchaudio.functional import lfilter  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(
            "the lfilter engine needs torchaudio: pip install 'neural-mastering[torchaudio]'"
        ) from error
    except OSError as error:
        raise ImportError(
            f"torchaudio cannot load its libraries beside torch {torch.__version__}: its wheels need a CUDA "
            "build of torch. Install one, or use the engine 'fft'"
        ) from error
    return lfilter
