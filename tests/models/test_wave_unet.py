import math

import pytest
import torch

from neural_mastering.models.residual_heads import NoResidual, WaveUNet, render_chunked, spans

SMALL = {"z_size": 16, "channels": (4, 6, 8), "kernel_size": 5, "condition_size": 8}


def _head(**arguments) -> WaveUNet:
    """A head as after training: nothing is zero any more."""
    torch.manual_seed(0)
    head = WaveUNet(**{**SMALL, **arguments})
    for name, parameter in head.named_parameters():
        if "film" in name or name.startswith("out"):
            torch.nn.init.normal_(parameter, std=0.2)
    return head


def _noise(items: int = 1, channels: int = 2, time: int = 3000, seed: int = 1) -> torch.Tensor:
    return torch.randn(items, channels, time, generator=torch.Generator().manual_seed(seed)) * 0.3


@pytest.mark.parametrize("channels", [1, 2])
def test_the_residual_is_exactly_zero_at_initialisation(channels):
    audio, z = _noise(2, channels), torch.randn(2, 512)
    assert torch.equal(WaveUNet()(audio, z), torch.zeros_like(audio))


def test_sizes():
    def count(head: torch.nn.Module) -> int:
        return sum(p.numel() for p in head.parameters())

    assert count(WaveUNet()) <= 500_000
    large = count(WaveUNet(channels=(16, 32, 64, 128, 256), kernel_size=15))
    assert large == pytest.approx(2.3e6, rel=0.1)


def test_gradients_reach_every_parameter_and_z_after_three_steps():
    torch.manual_seed(0)
    head = WaveUNet(**SMALL)
    audio, goal = _noise(2), _noise(2, seed=3) * 0.1
    z = torch.randn(2, 16, requires_grad=True)
    optimizer = torch.optim.AdamW([*head.parameters(), z], lr=1e-3)
    gradients = {}
    for _ in range(4):
        optimizer.zero_grad()
        (head(audio, z) - goal).square().mean().backward()
        gradients = {"z": z.grad} | {name: p.grad for name, p in head.named_parameters()}
        optimizer.step()
    norms = {name: float(g.norm()) for name, g in gradients.items() if g is not None}
    assert norms.keys() == gradients.keys()
    total = math.sqrt(sum(n**2 for n in norms.values()))
    assert math.isfinite(total)
    assert [name for name, n in norms.items() if n <= 1e-8 * total] == []


def test_an_item_does_not_see_the_rest_of_its_batch():
    head = _head()
    audio, z = _noise(3), torch.randn(3, 16)
    other_audio, other_z = audio.clone(), z.clone()
    other_audio[1:] *= 7.0
    other_z[1:] += 1.0
    with torch.no_grad():
        assert torch.equal(head(audio, z)[0], head(other_audio, other_z)[0])


def test_z_changes_the_residual_through_every_film_layer():
    head = _head()
    audio, z = _noise(), torch.randn(1, 16)
    with torch.no_grad():
        before = head(audio, z)
        assert (head(audio, z + 1.0) - before).abs().max() > 1e-3
        for name, parameter in head.named_parameters():
            if name.endswith("film.linear.weight"):
                kept = parameter.clone()
                parameter.zero_()
                assert (head(audio, z) - before).abs().max() > 1e-5, name
                parameter.copy_(kept)


@pytest.mark.parametrize("settings", [{}, {"channels": (4, 5, 6, 7)}, {"factor": 2, "kernel_size": 3}])
def test_receptive_field_and_stride_are_exact(settings):
    head = _head(**settings).double()
    reach, stride = head.receptive_field_samples, head.stride_samples
    length = (2 * reach // stride + 4) * stride
    middle = length // stride // 2 * stride
    farthest = 0
    z = torch.randn(1, 16, dtype=torch.float64)
    audio = _noise(1, 2, length).double().requires_grad_()
    residual = head(audio, z)
    for place in range(middle, middle + stride):
        (gradient,) = torch.autograd.grad(residual[0, :, place].sum(), audio, retain_graph=True)
        seen = torch.nonzero(gradient.abs().sum(1)[0]).flatten()
        farthest = max(farthest, place - int(seen[0]), int(seen[-1]) - place)
    assert farthest == reach
    delayed = torch.roll(audio.detach(), stride, -1)
    with torch.no_grad():
        moved = head(delayed, z)[..., reach + stride : -reach]
    torch.testing.assert_close(moved, residual.detach()[..., reach : -reach - stride])


@pytest.mark.parametrize("time", [1, 2, 15, 16, 17, 1000, 4999])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("strides", [1, 20, 400])
def test_chunks_equal_one_shot_up_to_the_borders_of_the_file(time, channels, strides):
    head = _head().double()  # float64 tells missing context, whose weight is small, from rounding
    audio, z = _noise(2, channels, time).double(), torch.randn(2, 16, dtype=torch.float64)
    with torch.no_grad():
        whole = head(audio, z)
        if time > 2000 and strides == 1:
            audio, whole = audio[..., :1500], head(audio[..., :1500], z)
        parts = render_chunked(head, audio, z, strides * head.stride_samples)
    assert whole.shape == audio.shape
    assert whole.abs().max() > 1e-3
    torch.testing.assert_close(parts, whole, atol=1e-13, rtol=0.0)


def test_chunks_of_the_default_size_equal_one_shot():
    torch.manual_seed(0)
    head = WaveUNet()
    torch.nn.init.normal_(head.out.weight, std=0.2)
    audio, z = _noise(1, 2, 60_001), torch.randn(1, 512)
    with torch.no_grad():
        whole = head(audio, z)
        parts = render_chunked(head, audio, z, 80 * head.stride_samples)
    assert len(list(spans(head, 60_001, 80 * head.stride_samples))) == 3
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=0.0)


def test_spans_tile_the_signal_with_enough_context():
    head = _head()
    tiles = list(spans(head, 5003, 10 * head.stride_samples))
    assert [t.start for t in tiles[1:]] == [t.stop for t in tiles[:-1]]
    assert (tiles[0].start, tiles[-1].stop) == (0, 5003)
    for tile in tiles:
        assert tile.context_start % head.stride_samples == 0
        assert tile.context_start == 0 or tile.start - tile.context_start >= head.receptive_field_samples
        assert tile.context_stop == 5003 or tile.context_stop - tile.stop == head.receptive_field_samples


def test_no_residual_streams_too():
    audio = _noise()
    assert torch.equal(render_chunked(NoResidual(), audio, torch.zeros(1, 4), 700), torch.zeros_like(audio))


@pytest.mark.parametrize("chunk", [0, -16, 17])
def test_chunks_off_the_stride_are_refused(chunk):
    with pytest.raises(ValueError, match="multiple of 16"):
        render_chunked(_head(), _noise(), torch.zeros(1, 16), chunk)


def test_mono_is_the_mean_of_two_equal_channels():
    head = _head()
    mono, z = _noise(2, 1), torch.randn(2, 16)
    with torch.no_grad():
        stereo = head(mono.expand(-1, 2, -1), z)
        torch.testing.assert_close(head(mono, z), stereo.mean(1, keepdim=True), atol=1e-6, rtol=0.0)
        assert (stereo[:, 0] - stereo[:, 1]).abs().max() > 1e-3


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_silence_and_full_scale_are_finite(level):
    head = _head()
    audio = torch.full((1, 2, 999), level, requires_grad=True)
    residual = head(audio, torch.randn(1, 16))
    residual.square().sum().backward()
    assert audio.grad is not None
    assert torch.isfinite(residual).all() and torch.isfinite(audio.grad).all()


def test_a_seed_gives_one_head_and_a_head_one_residual():
    audio, z = _noise(), torch.randn(1, 16)
    with torch.no_grad():
        assert torch.equal(_head()(audio, z), _head()(audio, z))


def test_bfloat16_autocast_returns_audio_in_its_own_type():
    head = _head()
    audio, z = _noise(), torch.randn(1, 16)
    with torch.no_grad():
        exact = head(audio, z)
        with torch.autocast("cpu", torch.bfloat16):
            rough = head(audio, z)
    assert rough.dtype == torch.float32
    assert (rough - exact).norm() < 0.02 * exact.norm()


def test_bad_settings_and_bad_audio_are_refused():
    with pytest.raises(ValueError, match="two levels"):
        WaveUNet(channels=(8,))
    with pytest.raises(ValueError, match="odd"):
        WaveUNet(kernel_size=8)
    with pytest.raises(ValueError, match="expected audio"):
        _head()(torch.zeros(1, 3, 100), torch.zeros(1, 16))
