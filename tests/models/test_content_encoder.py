"""The content encoder and the head that reads it: what z holds, the identity, the posterior, gradients."""

import math

import numpy as np
import pytest
import torch

from neural_mastering.dsp.gaussian import Gaussian, combine
from neural_mastering.dsp.ltas import third_octave_levels_db
from neural_mastering.dsp.mix_errors import error_covariance
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.metering.content import ContentMeter
from neural_mastering.models import Analysis, MasteringModel
from neural_mastering.models.encoders import ContentEncoder, content_size
from neural_mastering.models.eq_heads import NormalToneHead
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.normality import load_normal_tone
from neural_mastering.processors import Gain, ParametricEQ

RATE = 44_100
SIZE = content_size()
BANDS = len(CENTRES_HZ)
BROAD_BANDS = torch.from_numpy(BROAD)
FEATURES = SIZE - BANDS - 1


def head(amount: float = 0.0, **settings) -> NormalToneHead:
    torch.manual_seed(0)
    return NormalToneHead(SIZE, ParametricEQ(bands=8, q_high=2.0), Gain(), amount=amount, **settings)


def noise(items: int = 1, seconds: float = 6.0, seed: int = 0) -> torch.Tensor:
    """White noise that swells and fades."""
    generator = torch.Generator().manual_seed(seed)
    white = torch.randn(items, 2, round(seconds * RATE), generator=generator)
    time = torch.arange(white.shape[-1]) / RATE
    return 0.05 * white * (1.2 + torch.sin(9.0 * time))


def some_z(items: int = 3) -> torch.Tensor:
    rng = torch.Generator().manual_seed(3)
    features = torch.randn(items, FEATURES, generator=rng)
    powers = 10.0 ** (0.4 * torch.randn(items, BANDS, generator=rng))
    return torch.cat([features, powers, torch.ones(items, 1)], dim=-1)


def test_z_is_what_the_meters_read() -> None:
    audio, tone = noise(), load_normal_tone()
    z = ContentEncoder()(audio)[0].double()
    meter = ContentMeter(RATE, 2)
    meter.push(audio[0].double().numpy())
    content = meter.finish()
    assert content is not None
    expected = tone.regression.standardised(content.values[None])[0]
    np.testing.assert_allclose(z[:FEATURES].numpy(), expected, atol=1e-3)
    levels = 10.0 * torch.log10(z[FEATURES:-1]) + torch.from_numpy(tone.general.mean) - 33.0
    np.testing.assert_allclose(levels, third_octave_levels_db(audio, RATE)[0], atol=0.05)
    assert z[-1] == 1.0


def test_mean_over_windows_by_power_is_the_spectrum_of_the_song() -> None:
    encoder, audio = ContentEncoder(), noise(2)
    audio[1] *= 0.2
    audio[1, :, 1:] = 0.5 * (audio[1, :, 1:] + audio[1, :, :-1])  # quieter and duller
    power = audio.square().mean(dim=(1, 2))
    normalised = audio * (0.005 / power).sqrt()[:, None, None]
    share = (power / power.sum())[:, None]
    pooled = (encoder(normalised) * share).sum(dim=0)[FEATURES:-1]
    joined = encoder(audio * (0.005 / power.mean()).sqrt()).mean(dim=0)[FEATURES:-1]
    torch.testing.assert_close(pooled, joined, rtol=1e-4, atol=1e-6)


def test_items_are_independent_and_short_or_silent_ones_are_not_heard() -> None:
    encoder = ContentEncoder()
    both = torch.cat([noise(seed=1), torch.zeros(1, 2, 6 * RATE)])
    z = encoder(both)
    torch.testing.assert_close(z[:1], encoder(both[:1]))
    assert not bool(z[1].any())
    short = encoder(noise(seconds=2.0))[0]
    assert short[-1] == 0.0 and not bool(short[:FEATURES].any()) and bool(short[FEATURES:-1].any())


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=f"z_size={SIZE}"):
        ContentEncoder(z_size=512)
    with pytest.raises(ValueError, match="content encoder"):
        NormalToneHead(512, ParametricEQ(bands=5), Gain())


def test_initialised_as_identity_at_rest() -> None:
    new = head()
    controls = new.decode(new(some_z(), torch.full((3,), -14.0)))
    assert not bool(controls.eq["gain_db"].any()) and not bool(controls.gain["gain_db"].any())


def test_curve_is_the_posterior_of_the_same_statement() -> None:
    tone, z = load_normal_tone(), some_z(1)
    found = head(1.0, error_db=3.5).curve_db(z)[0].detach().double().numpy()
    levels = 10.0 * np.log10(z[0, FEATURES:-1].double().numpy()) + tone.general.mean
    features = tone.regression.centre + z[0, :FEATURES].double().numpy() * tone.regression.scale
    target = tone.regression.predict(features[None])[0]
    statement = Gaussian.of(target - levels, tone.typical_size * tone.covariance)
    # the head takes the common level out beforehand, which a free offset all but does as well
    expected = combine(error_covariance(3.5), [statement], offset=1e3).mean
    np.testing.assert_allclose(
        (found - found[BROAD].mean())[BROAD], (expected - expected[BROAD].mean())[BROAD], atol=0.1
    )


def test_equaliser_at_full_amount_follows_the_curve() -> None:
    new, z = head(1.0), some_z()
    controls = new.decode(new(z, torch.full((3,), -14.0))).eq
    response = new.eq.response_db(torch.from_numpy(CENTRES_HZ).float(), **controls)[:, BROAD_BANDS]
    wanted = new.curve_db(z)[:, BROAD_BANDS]
    rest = (response - response.mean(1, keepdim=True)) - (wanted - wanted.mean(1, keepdim=True))
    size = (wanted - wanted.mean(1, keepdim=True)).square().mean().sqrt()
    assert size > 0.3
    assert rest.square().mean().sqrt() < 0.45 * size  # bands at fixed places


def test_unheard_windows_ask_for_nothing() -> None:
    z = some_z(1)
    z[:, -1] = 0.0
    assert not bool(head(1.0).curve_db(z).any())


def test_gradients_reach_every_parameter_of_the_head() -> None:
    new = head()
    optimizer = torch.optim.SGD(new.parameters(), lr=0.05)
    goal = torch.randn(3, new.eq.logit_count, generator=torch.Generator().manual_seed(1))
    for _ in range(4):
        optimizer.zero_grad()
        logits = new(some_z(), torch.tensor([-20.0, -14.0, -8.0]))
        ((logits.eq - goal).square().mean() + (logits.gain - 1.0).square().mean()).backward()
        optimizer.step()
    norms = {name: 0.0 if p.grad is None else float(p.grad.norm()) for name, p in new.named_parameters()}
    total = math.sqrt(sum(norm**2 for norm in norms.values()))
    assert math.isfinite(total) and [name for name, norm in norms.items() if norm <= 1e-6 * total] == []


def test_a_model_of_both_is_the_identity_and_dull_songs_get_brighter_at_full_amount() -> None:
    audio = noise(seconds=5.5)
    model = MasteringModel(ContentEncoder(), head(), NoResidual()).eval()
    torch.testing.assert_close(model(audio).audio, audio, atol=1e-6, rtol=0.0)
    follows = MasteringModel(ContentEncoder(), head(1.0, error_db=3.5), NoResidual()).eval()
    dull = audio.clone()
    for _ in range(3):
        dull[..., 1:] = 0.5 * (dull[..., 1:] + dull[..., :-1])

    def treble_db(analysis: Analysis) -> float:
        controls = follows.eq_controls(analysis).eq
        low, high = follows.eq_head.eq.response_db(torch.tensor([300.0, 8_000.0]), **controls)[0].tolist()
        return high - low

    assert treble_db(follows.analyse(dull)) > treble_db(follows.analyse(audio)) + 1.0
