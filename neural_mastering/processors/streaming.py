"""A long signal through a processor in chunks."""

import torch
from torch import Tensor

from neural_mastering.processors.processor import Processor
from neural_mastering.shapes import Audio


def render_in_chunks(processor: Processor, audio: Audio, chunk_samples: int, **controls: Tensor) -> Audio:
    """`processor(audio, **controls)` in chunks with the state carried over; on time, memory follows the chunk.

    Raises:
        ValueError: chunks of less than one sample.
    """
    if chunk_samples < 1:
        raise ValueError(f"chunk_samples must be 1 or more, got {chunk_samples}")
    late = processor.latency_samples
    state = processor.initial_state(audio)
    parts = []
    for start in range(0, audio.shape[-1] + late, chunk_samples):
        piece = audio[..., start : start + chunk_samples]
        # silence behind the end brings out what is still on its way
        missing = min(start + chunk_samples, audio.shape[-1] + late) - start - piece.shape[-1]
        rendered, state = processor.render(torch.nn.functional.pad(piece, (0, missing)), state, **controls)
        parts.append(rendered)
    return torch.cat(parts, dim=-1)[..., late:]
