"""The mid-side equaliser's layout, its agreement with the plain one, and what a controls file makes of it."""

import pytest
import torch
from torch import Tensor

from neural_mastering.processors import MidSideEQ, ParametricEQ, render_in_chunks

RATE = 44_100


def _twice(controls: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{part}_{key}": value for part in ("mid", "side") for key, value in controls.items()}


@pytest.mark.parametrize("bands", [3, 5, 10])
def test_both_parts_have_the_ranges_and_the_rest_of_the_plain_equaliser(bands: int) -> None:
    plain, device = ParametricEQ(bands), MidSideEQ(bands)
    for part in ("mid", "side"):
        for key, spec in plain.specs.items():
            own = device.specs[f"{part}_{key}"]
            assert (own.low, own.high, own.scale, own.neutral) == (
                spec.low,
                spec.high,
                spec.scale,
                spec.neutral,
            )
            assert torch.equal(device.rest()[f"{part}_{key}"], plain.rest()[key])
    assert len(device.specs) == 6 and device.taps == plain.taps and device.kinds == plain.kinds


@pytest.mark.parametrize("training", [True, False])
def test_equal_curves_are_the_plain_equaliser(training: bool) -> None:
    plain, device = ParametricEQ(5).train(training), MidSideEQ(5).train(training)
    controls = plain.controls(2.0 * torch.randn(3, plain.logit_count, dtype=torch.float64))
    audio = 0.2 * torch.randn(3, 2, 20_000, dtype=torch.float64)
    expected = plain(audio, **controls)
    error = (device(audio, **_twice(controls)) - expected).norm() / expected.norm()
    assert float(error) < 1e-6


def test_training_and_evaluation_render_alike() -> None:
    device, audio = MidSideEQ(5), torch.randn(2, 2, 8_000)
    controls = device.controls(2.0 * torch.randn(2, device.logit_count))
    trained, state = device.train().render(audio, **controls)
    assert state is None
    torch.testing.assert_close(trained, device.eval()(audio, **controls), rtol=0, atol=5e-6)


@pytest.mark.parametrize("training", [True, False])
def test_rest_changes_no_bit(training: bool) -> None:
    device, audio = MidSideEQ(5).train(training), torch.randn(2, 2, 3_000)
    back = device.controls(device.logits(device.rest()))
    assert torch.equal(device(audio, **{key: value.expand(2, -1) for key, value in back.items()}), audio)


@pytest.mark.parametrize("rate", [8_000, 48_000, 96_000])
def test_a_controls_file_is_rendered_at_any_rate(rate: int) -> None:
    trained = MidSideEQ(4, RATE)
    controls = trained.controls(torch.randn(1, trained.logit_count, dtype=torch.float64))
    rebuilt = MidSideEQ.from_settings(float(rate), trained.settings()).eval()
    audio = 0.3 * torch.randn(1, 2, rate // 2, dtype=torch.float64)
    whole = rebuilt(audio, **controls)
    assert bool(torch.isfinite(whole).all()) and float((whole - audio).abs().max()) > 1e-2
    torch.testing.assert_close(render_in_chunks(rebuilt, audio, 1_000, **controls), whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bands": 2}, "at least 3 bands"),
        ({"shelf_q_high": 2.0}, "overshoot"),
        ({"design_rate_hz": 32_000.0}, "half the sample rate, 16000 Hz"),
    ],
)
def test_impossible_layouts_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MidSideEQ(**arguments)
