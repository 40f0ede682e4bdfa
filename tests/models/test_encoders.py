import math

import numpy as np
import pytest
import torch

from neural_mastering.models.blocks import mid_side
from neural_mastering.models.encoders import TCN, LogMel

RATE = 44_100


def _build(kind: type[TCN] | type[LogMel]) -> TCN | LogMel:
    torch.manual_seed(0)
    return kind(z_size=64)


@pytest.fixture(params=[TCN, LogMel])
def encoder(request) -> TCN | LogMel:
    return _build(request.param)


def _noise(items: int = 2, channels: int = 2, time: int = RATE, seed: int = 1) -> torch.Tensor:
    return torch.randn(items, channels, time, generator=torch.Generator().manual_seed(seed)) * 0.07


def test_an_item_does_not_see_the_rest_of_its_batch(encoder):
    audio = _noise(3)
    other = audio.clone()
    other[1:] = _noise(2, seed=5) * 3.0
    with torch.no_grad():
        assert torch.equal(encoder(audio)[0], encoder(other)[0])
        torch.testing.assert_close(encoder(audio)[:1], encoder(audio[:1]), atol=1e-5, rtol=0.0)


def test_receptive_field_is_as_stated_and_at_least_two_seconds(encoder):
    encoder = encoder.double()
    audio = _noise(1, 2, 4 * RATE).double().requires_grad_()
    frames = encoder.frames(audio)
    frames[0, :, frames.shape[-1] // 2].sum().backward()
    assert audio.grad is not None
    seen = torch.nonzero(audio.grad.abs().sum(1)[0]).flatten()
    span = int(seen[-1]) - int(seen[0]) + 1
    assert int(seen[0]) > 0 and int(seen[-1]) < audio.shape[-1] - 1  # the clip was long enough to tell
    assert span == encoder.receptive_field_samples == round(encoder.receptive_field_s * RATE)
    assert encoder.receptive_field_s >= 2.0


def test_gradients_reach_every_parameter_after_three_steps(encoder):
    audio = _noise(4)
    audio[1] *= torch.linspace(0.0, 2.0, RATE)
    audio[2, 1] = audio[2, 0] * 0.3
    goal = torch.randn(4, 64)
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-3)
    gradients = {}
    for _ in range(4):
        optimizer.zero_grad()
        (encoder(audio) - goal).square().mean().backward()
        gradients = {name: p.grad for name, p in encoder.named_parameters()}
        optimizer.step()
    norms = {name: float(g.norm()) for name, g in gradients.items() if g is not None}
    assert norms.keys() == gradients.keys()
    assert all(math.isfinite(n) for n in norms.values())
    total = math.sqrt(sum(n**2 for n in norms.values()))
    assert [name for name, n in norms.items() if n <= 1e-6 * total] == []


def test_mono_is_stereo_with_equal_channels_and_a_swap_is_heard(encoder):
    mono, stereo = _noise(1, 1), _noise(1, 2)
    stereo[:, 0] *= 2.0
    with torch.no_grad():
        torch.testing.assert_close(encoder(mono), encoder(mono.expand(-1, 2, -1)), atol=1e-5, rtol=0.0)
        assert (encoder(stereo) - encoder(stereo.flip(1))).norm() > 1e-2


@pytest.mark.parametrize("time", [1, 100, 513, 5000])
@pytest.mark.parametrize("level", [0.0, 1e-4, 1.0])
def test_short_silent_and_loud_clips_are_finite_with_their_gradients(encoder, time, level):
    audio = torch.full((1, 2, time), level)
    audio[..., 1::2] *= -1.0
    audio.requires_grad_()
    z = encoder(audio)
    (z * torch.randn_like(z)).sum().backward()
    assert audio.grad is not None
    assert torch.isfinite(z).all() and torch.isfinite(audio.grad).all()
    # The spectrum of a single sample, or of silence, still gives a z of unit scale.
    torch.testing.assert_close(z.square().mean(), torch.tensor(1.0), atol=0.05, rtol=0.0)


def test_a_seed_gives_one_encoder_and_an_encoder_one_z(encoder):
    audio = _noise()
    with torch.no_grad():
        assert torch.equal(encoder(audio), _build(type(encoder))(audio))


def test_state_survives_the_round_trip(encoder):
    torch.manual_seed(7)
    copy = type(encoder)(z_size=64)
    copy.load_state_dict(encoder.state_dict())
    with torch.no_grad():
        assert torch.equal(copy(_noise()), encoder(_noise()))


def test_bfloat16_autocast_keeps_z(encoder):
    audio = _noise()
    with torch.no_grad():
        exact = encoder(audio)
        with torch.autocast("cpu", torch.bfloat16):
            rough = encoder(audio)
    # Not the digits, but the direction: 8 bits of mantissa over ten layers.
    assert torch.cosine_similarity(exact, rough.float()).min() > 0.98


def test_different_spectra_start_with_different_z(encoder):
    spectrum = torch.fft.rfft(_noise(1))
    at = torch.linspace(0.0, 1.0, spectrum.shape[-1]).clamp(min=0.002)
    dull, bright = (torch.fft.irfft(spectrum * at**p) for p in (-1.2, -0.2))
    dull, bright = (x * 0.07 / x.std() for x in (dull, bright))
    with torch.no_grad():
        z = encoder(torch.cat((dull, bright)))
    assert torch.corrcoef(z)[0, 1] < 0.9


@pytest.mark.parametrize("shape", [(1, 3, 100), (1, 2, 0), (2, 100)])
@pytest.mark.usefixtures("unchecked")
def test_other_than_mono_or_stereo_is_refused(encoder, shape):
    with pytest.raises(ValueError, match="expected audio"):
        encoder(torch.zeros(shape))


def test_tcn_pads_with_silence_to_whole_frames():
    encoder = _build(TCN)
    audio = _noise(1, 2, 512 * 9 + 100)
    padded = torch.nn.functional.pad(audio, (0, 412))
    with torch.no_grad():
        assert encoder.frames(audio).shape[-1] == 10
        assert torch.equal(encoder(audio), encoder(padded))


def test_tcn_starts_with_a_filter_bank_on_mid_and_side():
    weight = _build(TCN).state_dict()["front.0.weight"].numpy()
    response = np.abs(np.fft.rfft(weight, 8192, axis=-1))
    channel = np.arange(64)
    expected = (1 / 128) * (0.45 * 128) ** (channel / 63)
    peak = response.max(axis=1).argmax(axis=-1) / 8192
    # Windowed cosines below two periods a kernel overlap with their mirror image.
    np.testing.assert_allclose(peak[16:], expected[16:], atol=0.25 / 128)
    energy = np.square(weight).sum(axis=-1)
    np.testing.assert_allclose(energy[:, 1], channel % 4 == 3, atol=1e-6)
    np.testing.assert_allclose(energy.sum(1), 1.0, rtol=1e-5)


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one entry"):
        TCN(strides=(16, 4))
    with pytest.raises(ValueError, match="even number"):
        TCN(kernel_sizes=(127, 8, 16, 4))
    with pytest.raises(ValueError, match="multiple of hop"):
        LogMel(hop=1000)
    with pytest.raises(ValueError, match="multiple of 8"):
        LogMel(bands=81)


class TestLogMelFeatures:
    bands = 80

    @pytest.fixture
    def encoder(self) -> LogMel:
        return LogMel()

    def _tone(self, amplitude: float = 1.0) -> torch.Tensor:
        return (
            amplitude
            * torch.sin(torch.arange(RATE, dtype=torch.float64) * (2 * math.pi * 997.0 / RATE)).float()
        )

    def test_a_full_scale_sine_reads_0_db(self, encoder):
        powers = encoder.mel_powers(self._tone()[None, None])
        # Triangles of neighbours add up to 1; a Hann window spreads the power by its noise bandwidth.
        level = 10.0 * torch.log10(powers.mid.sum(1) / 1.5)
        assert level.abs().max() < 0.01
        assert powers.side.abs().max() == 0.0

    def test_hops_hold_the_peak_and_the_mean_square_of_left_and_right(self, encoder):
        audio = _noise(2, 2, 5 * 1024 + 700)
        powers = encoder.mel_powers(audio)
        hops = audio[..., : 5 * 1024].double().unflatten(-1, (5, 1024))
        torch.testing.assert_close(powers.peak.double(), hops.abs().amax(dim=(1, 3)), atol=1e-7, rtol=0.0)
        torch.testing.assert_close(powers.power.double(), hops.square().mean(dim=(1, 3)), atol=0.0, rtol=1e-5)
        assert powers.mid.shape == powers.side.shape == powers.cross.shape == (2, self.bands, 2)

    @pytest.mark.parametrize("samples", [RATE, 1000])
    def test_features_follow_from_the_powers(self, encoder, samples):
        """A gain and a width applied to the powers are those applied to the audio; so are a clip's pieces."""
        audio, gain, width = _noise(2, 2, samples), 0.5, 0.3
        mid, side = mid_side(audio).unbind(dim=1)
        changed = gain * torch.stack((mid + width * side, mid - width * side), dim=1)
        p = encoder.mel_powers(audio)
        g = gain**2
        given = p._replace(mid=g * p.mid, side=g * width**2 * p.side, cross=g * width * p.cross)
        expected, found = encoder.features(changed), encoder.features_of(given)
        count = found[0].shape[1] - 1  # all but the crest, which the width changes
        torch.testing.assert_close(found[0][:, :count], expected[0][:, :count], atol=1e-4, rtol=0.0)
        torch.testing.assert_close(found[1][:, :-2], expected[1][:, :-2], atol=1e-4, rtol=0.0)
        for one, other in zip(encoder.features(audio), encoder.features_of(p), strict=True):
            assert torch.equal(one, other)

    def test_level_features_can_be_turned_back_into_powers(self, encoder):
        powers = encoder.mel_powers(_noise())
        levels = encoder.features_of(powers)[0][:, : 2 * self.bands].double()
        reference_db = encoder.reference_db.repeat(2)[:, None]
        level_db = levels * encoder.level_scale_db.double()[:, None] + reference_db
        expected = torch.cat((powers.mid, powers.side), dim=1).double() + encoder.floor_power
        torch.testing.assert_close(10.0 ** (level_db / 10.0), expected, atol=0.0, rtol=1e-4)

    def test_noise_with_the_reference_spectrum_reads_zero(self):
        encoder = LogMel(reference_level_db=-20.0)
        spectrum = torch.fft.rfft(torch.randn(1, 20 * RATE))
        at_hz = torch.fft.rfftfreq(20 * RATE, 1.0 / RATE).clamp(20.0, 20_000.0)
        noise = torch.fft.irfft(spectrum * at_hz ** (-5.0 / (20.0 * math.log10(2.0))))
        noise = noise * 0.1 / noise.square().mean().sqrt()
        _, long_term = encoder.features(noise[None])
        mid_db = long_term[0, : self.bands] * 10.0
        assert mid_db.abs().max() < 1.0
        assert mid_db.mean().abs() < 0.1

    def test_6_db_more_moves_the_levels_alone(self, encoder):
        audio = _noise()
        quiet, _ = encoder.features(audio)
        loud, _ = encoder.features(2.0 * audio)
        step = 20.0 * math.log10(2.0)
        difference = loud - quiet
        torch.testing.assert_close(
            difference[:, : self.bands],
            torch.full_like(difference[:, : self.bands], step / 10.0),
            atol=2e-3,
            rtol=0.0,
        )
        torch.testing.assert_close(
            difference[:, self.bands : 160], torch.full_like(difference[:, self.bands : 160], step / 20.0),
            atol=2e-3, rtol=0.0,
        )  # fmt: skip
        assert difference[:, 160:].abs().max() < 1e-3

    @pytest.mark.parametrize(
        ("right", "correlation", "balance_db", "side_share"),
        [(1.0, 1.0, 0.0, 0.0), (-1.0, -1.0, 0.0, 1.0), (0.5, 1.0, 6.0206, 0.1), (0.0, 0.0, None, 0.5)],
    )
    def test_stereo_features(self, encoder, right, correlation, balance_db, side_share):
        left = _noise(1, 1)
        _, long_term = encoder.features(torch.cat((left, right * left), 1))
        stereo = long_term[0, 4 * self.bands : -2].reshape(3, 8)
        torch.testing.assert_close(stereo[0], torch.full((8,), correlation), atol=2e-2, rtol=0.0)
        torch.testing.assert_close(stereo[2], torch.full((8,), side_share), atol=2e-3, rtol=0.0)
        if balance_db is None:
            assert stereo[1].min() > 4.0  # more than 40 dB to the left
        else:
            torch.testing.assert_close(10.0 * stereo[1], torch.full((8,), balance_db), atol=0.02, rtol=0.0)

    def test_correlation_equals_pearsons_for_independent_channels(self, encoder):
        audio = _noise(1, 2, 5 * RATE)
        audio[:, 1] = 0.6 * audio[:, 0] + 0.8 * audio[:, 1]
        _, long_term = encoder.features(audio)
        # The upper groups average hundreds of bins a frame.
        torch.testing.assert_close(
            long_term[0, 4 * self.bands + 5 : 4 * self.bands + 8], torch.full((3,), 0.6), atol=0.02, rtol=0.0
        )

    @pytest.mark.parametrize(
        ("shape", "crest_db"), [("sine", 3.0103), ("square", 0.0), ("one channel", 6.0206)]
    )
    def test_crest_factor(self, encoder, shape, crest_db):
        tone = self._tone(0.5)
        left = tone.sign() * 0.5 if shape == "square" else tone
        right = torch.zeros_like(tone) if shape == "one channel" else left
        frames, long_term = encoder.features(torch.stack((left, right))[None])
        torch.testing.assert_close(
            frames[0, -1] * 10.0 + 12.0, torch.full_like(frames[0, -1], crest_db), atol=0.01, rtol=0.0
        )
        assert float(long_term[0, -1]) * 10.0 + 12.0 == pytest.approx(crest_db, abs=0.01)

    def test_silence_sits_at_the_floor(self, encoder):
        frames, _ = encoder.features(torch.zeros(1, 2, RATE))
        floor = (-90.0 - encoder.reference_db) / 10.0
        torch.testing.assert_close(frames[0, : self.bands, 0], floor.float(), atol=1e-4, rtol=0.0)

    def test_features_ignore_autocast(self, encoder):
        audio = _noise()
        plain = encoder.features(audio)
        with torch.autocast("cpu", torch.bfloat16):
            inside = encoder.features(audio)
        assert all(torch.equal(a, b) for a, b in zip(plain, inside, strict=True))

    def test_it_stays_below_a_million_parameters(self, encoder):
        assert sum(p.numel() for p in encoder.parameters()) < 1_000_000
