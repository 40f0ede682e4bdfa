"""An equaliser head that reads a content z as evidence: what is normal for such a song, and how far is this one?"""

import numpy as np
import torch
from torch import Tensor, nn

from neural_mastering.dsp.mix_errors import error_covariance
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.models.eq_heads.eq_head import EqLogits
from neural_mastering.models.eq_heads.fixed_bands import FixedBands
from neural_mastering.normality import load_normal_tone
from neural_mastering.processors import Gain, ParametricEQ
from neural_mastering.shapes import Latent, PerItem
from neural_mastering.units import power_to_db

OFFSET_DB = 10.0
"""Standard deviation of a level common to all bands, which the equaliser does not correct."""

EMPTY_DB = -60.0
_FIT_PENALTY = 0.05
_MARGIN = 0.9


class NormalToneHead(FixedBands):
    """Posterior of an error under a learned prior, as gains of bands at fixed places.

        μ = prediction(features) + W·features,  c = (P⁻¹ + Σ⁻¹)⁻¹ Σ⁻¹ (μ − x),  gains = (RᵀR + εI)⁻¹ Rᵀ c

    x is the song's spectrum from z, P the covariance of mixes' errors, Σ that of the prediction, and R the response
    of each band at 1 dB. `amount` times these gains is added to what the trunk asks for (see `EqHead`). It starts
    at 0 by default, so that a new model is the identity; 1 is the posterior itself, untrained. W starts at 0 and is
    trained, like the trunk and the amount.

    Args:
        z_size: of `ContentEncoder`.
        eq, gain: see `EqHead`.
        error_db: size of the errors of P, root mean square (`dsp.mix_errors`).
        amount: at which the posterior starts to be followed.
        hidden_size, dropout: of the trunk.
        tone: file of the normal tone; by default the bundled one.

    Raises:
        ValueError: a z_size that does not fit the tone.
    """

    hint_weights: Tensor
    hint_mean: Tensor
    songs: Tensor
    weights: Tensor
    mean: Tensor
    gain_of: Tensor
    fit: Tensor
    reference_db: Tensor

    def __init__(
        self,
        z_size: int,
        eq: ParametricEQ,
        gain: Gain,
        hidden_size: int = 64,
        dropout: float = 0.0,
        amount: float = 0.0,
        error_db: float = 2.0,
        tone: str | None = None,
    ) -> None:
        super().__init__(z_size, eq, gain, hidden_size, dropout)
        normal = load_normal_tone(tone)
        self.features, self.bands = len(normal.names), len(CENTRES_HZ)
        if z_size != self.features + self.bands + 1:
            raise ValueError(
                f"this head reads the z of a content encoder: expected z_size {self.features + self.bands + 1}, "
                f"got {z_size}"
            )
        regression = normal.regression
        posterior = _posterior(normal.typical_size * normal.covariance, error_covariance(error_db))
        self.width = regression.width
        for name, value in {
            "hint_weights": regression.hint.weights,
            "hint_mean": regression.hint.mean,
            "songs": regression.songs,
            "weights": regression.weights,
            "mean": regression.mean,
            "gain_of": posterior,
            "fit": _least_squares(eq),
            "reference_db": normal.general.mean,
        }.items():
            self.register_buffer(name, torch.from_numpy(np.asarray(value)).float(), persistent=True)
        self.amount = nn.Parameter(torch.tensor(float(amount)))
        self.correction = nn.Linear(self.features, self.bands, bias=False)
        nn.init.zeros_(self.correction.weight)

    def forward(self, z: Latent, lufs: PerItem) -> EqLogits:
        """Predict logits from z (batch, z) and the integrated loudness (batch,) in LUFS."""
        logits = super().forward(_tamed(z, self.features), lufs)
        return EqLogits(
            eq=logits.eq + (self._posterior_logits(z) * self.amount).to(logits.eq),
            gain=logits.gain,
            gates=logits.gates,
        )

    def curve_db(self, z: Latent) -> Tensor:
        """(batch, third) the posterior's curve in dB, at full amount."""
        features, powers, heard = z.float().split([self.features, self.bands, 1], dim=-1)
        levels = power_to_db(powers.clamp(min=1e-12)) + self.reference_db
        known = levels > levels.amax(dim=-1, keepdim=True) + EMPTY_DB
        difference = torch.where(known, self.target_db(features) - levels, 0.0)
        used = known & torch.from_numpy(BROAD).to(known.device)
        common = (difference * used).sum(-1, keepdim=True) / used.sum(-1, keepdim=True).clamp(min=1)
        return torch.where(known, difference - common, 0.0) @ self.gain_of.T * heard

    def target_db(self, features: Tensor) -> Tensor:
        """(batch, third) what a song with these features normally measures."""
        own = torch.cat([features, features @ self.hint_weights + self.hint_mean], dim=-1)
        square = (own[:, None] - self.songs[None]).square().sum(-1)
        kernel = torch.exp(-0.5 * square / (self.width**2 * self.features))
        return self.mean + kernel @ self.weights + self.correction(features)

    def _posterior_logits(self, z: Latent) -> Tensor:
        """What the curve adds to the logits of an equaliser at rest."""
        rest = {key: value.to(z.device) for key, value in self.eq.rest().items()}
        low, high = (float(end[0]) for end in self.eq.specs["gain_db"].ends())
        gains = (self.curve_db(z) @ self.fit.T).clamp(_MARGIN * low, _MARGIN * high)
        asked = {key: value.expand(len(z), -1) for key, value in rest.items()} | {"gain_db": gains}
        return self.eq.logits(asked) - self.eq.logits(rest)


def _tamed(z: Tensor, features: int) -> Tensor:
    """z for the trunk: powers as decibels, a tenth of them."""
    powers = power_to_db(z[:, features:-1].clamp(min=1e-12)) * 0.1
    return torch.cat([z[:, :features], powers.clamp(-6.0, 6.0), z[:, -1:]], dim=-1)


def _posterior(covariance: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """(P⁻¹ + Σ⁻¹)⁻¹ Σ⁻¹ with a free common offset in Σ."""
    precision = np.linalg.inv(covariance + OFFSET_DB**2)
    return np.linalg.solve(np.linalg.inv(errors) + precision, precision)


def _least_squares(eq: ParametricEQ) -> np.ndarray:
    """(band, third): gains in dB of an equaliser at rest whose response is nearest to a curve over broad tone."""
    rest = eq.rest()
    bands = rest["gain_db"].shape[-1]
    at_hz = torch.from_numpy(CENTRES_HZ).float()
    each = {key: value.expand(bands, -1) for key, value in rest.items()} | {"gain_db": torch.eye(bands)}
    response = eq.response_db(at_hz, **each).double().numpy().T  # (third, band) at 1 dB
    weight = BROAD.astype(float)[:, None]
    gram = response.T @ (weight * response) + _FIT_PENALTY * np.eye(bands)
    return np.linalg.solve(gram, response.T * weight.T)
