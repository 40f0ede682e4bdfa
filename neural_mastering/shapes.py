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
