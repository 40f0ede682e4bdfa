"""The tensor shapes of the project, named once; checked while tests run, free in production.

`batch` items, `channel` 1 (mono) or 2 (left, right), `time` samples, `band` of an equaliser,
`z` entries of the latent vector, `frame` of a spectrogram or a block-wise meter.
"""

from jaxtyping import Complex, Float, Int
from torch import Tensor

Audio = Float[Tensor, "batch channel time"]
"""Full scale ±1."""

PerItem = Float[Tensor, " batch"]
Bands = Float[Tensor, "batch band"]
Latent = Float[Tensor, "batch z"]
Logits = Float[Tensor, "batch _"]
Frames = Float[Tensor, "batch frame"]
Response = Complex[Tensor, "batch frequency"]
ItemSeeds = Int[Tensor, " batch"]


def check_audio(audio: object, name: str = "audio") -> None:
    """Refuse what is no `Audio`, where a shape that doesn't fit would fail deep inside, or not at all.

    Raises:
        ValueError: not a tensor, another number of axes, or integers.
    """
    expected = f"{name}: expected a torch tensor (batch, channel, time) of floats, full scale ±1"
    if not isinstance(audio, Tensor):
        raise ValueError(
            f"{expected}; got {type(audio).__name__} (torch.from_numpy makes one of a NumPy array)"
        )
    if audio.ndim != 3:
        raise ValueError(f"{expected}; got shape {tuple(audio.shape)} (audio[None] adds a batch of one)")
    if not audio.is_floating_point():
        raise ValueError(
            f"{expected}; got {audio.dtype} (divide integers by their full scale, 2 ** (bits - 1))"
        )


def check_same_shape(audio: Tensor, target: Tensor) -> None:
    """Refuse a target of another shape.

    Raises:
        ValueError: the shapes differ.
    """
    if audio.shape != target.shape:
        raise ValueError(
            "output and target must share one shape (batch, channel, time); "
            f"got {tuple(audio.shape)} and {tuple(target.shape)}"
        )
