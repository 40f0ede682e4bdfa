"""Heads: identity at the start, gates and their rules, what depends on what."""

import pytest
import torch

from neural_mastering.dsp.biquad import Kind, equalize
from neural_mastering.models.blocks import hard_concrete
from neural_mastering.models.eq_heads import AdaptiveBands, EqControls, EqHead, FixedBands
from neural_mastering.processors import Gain, ParametricEQ

Z_SIZE, BANDS = 16, 10


def _fixed() -> FixedBands:
    return FixedBands(Z_SIZE, ParametricEQ(BANDS), Gain(), hidden_size=32)


def _adaptive(min_bands: int = 5, open_steps: int = 0) -> AdaptiveBands:
    return AdaptiveBands(
        Z_SIZE, ParametricEQ(BANDS), Gain(), BANDS, min_bands, hidden_size=32, open_steps=open_steps
    )


def _with_gates(head: AdaptiveBands, log_alpha: list[float]) -> AdaptiveBands:
    """A head whose gates do not depend on z, and whose bands all ask for +6 dB."""
    with torch.no_grad():
        head.gate_logits.weight.zero_()
        head.gate_logits.bias.copy_(torch.tensor(log_alpha))
        head.eq_logits.bias[BANDS : 2 * BANDS] = torch.logit(torch.tensor(0.75))
    return head


def _run(head: EqHead, items: int = 3, seeds: torch.Tensor | None = None) -> EqControls:
    z = torch.randn(items, Z_SIZE, generator=torch.Generator().manual_seed(5))
    return head.decode(head(z, torch.full((items,), -14.0)), seeds)


@pytest.mark.parametrize("head", [_fixed(), _adaptive()], ids=["fixed", "adaptive"])
@pytest.mark.parametrize("training", [True, False])
def test_initialised_as_identity_at_rest(head: EqHead, training: bool) -> None:
    controls = _run(head.train(training))
    assert not bool(controls.eq["gain_db"].any()) and not bool(controls.gain["gain_db"].any())
    for key in ("frequency_hz", "q"):
        expected = head.eq.rest()[key].expand(3, -1)
        torch.testing.assert_close(controls.eq[key], expected, rtol=1e-4, atol=0.0)


def test_the_level_reaches_the_gain_alone() -> None:
    head, z = _adaptive().eval(), torch.randn(1, Z_SIZE)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    quiet, loud = (head(z, torch.tensor([lufs])) for lufs in (-30.0, -8.0))
    assert torch.equal(quiet.eq, loud.eq) and torch.equal(quiet.gates, loud.gates)
    assert (quiet.gain - loud.gain).abs().item() > 1e-3


def test_fixed_bands_are_all_on() -> None:
    controls = _run(_fixed())
    assert controls.gates.is_open.all() and not bool(controls.gates.expected_excess.any())


LOG_ALPHA = [3.0, -2.5, 2.0, -2.0, 1.0, -1.7, 0.5, -1.5, 0.0, -2.7]


def test_evaluation_opens_what_is_more_probable_than_not_and_removes_the_rest_exactly() -> None:
    head = _with_gates(_adaptive(min_bands=2), LOG_ALPHA).eval()
    controls = _run(head)
    # P(open) ≥ ½ means ln α ≥ β·ln(−γ/ζ) = −1.5986
    expected = torch.tensor([a >= -1.5986 for a in LOG_ALPHA])
    for item in range(3):
        assert torch.equal(controls.gates.is_open[item], expected)
        assert torch.equal(controls.gates.values[item], expected.float())
        torch.testing.assert_close(controls.eq["gain_db"][item], 6.0 * expected.float())
    audio = torch.randn(3, 2, 2_000)
    kept = {key: value[:, expected] for key, value in controls.eq.items()}
    kinds: list[Kind] = [kind for kind, keep in zip(head.eq.kinds, expected.tolist(), strict=True) if keep]
    alone = equalize(audio, kept["frequency_hz"], kept["gain_db"], kept["q"], 44_100.0, kinds, head.eq.taps)
    assert torch.equal(head.eq.train()(audio, **controls.eq), alone)


@pytest.mark.parametrize("min_bands", [0, 1, 5, 10])
def test_fewer_than_min_bands_cannot_happen(min_bands: int) -> None:
    closed = [-2.7 + 0.1 * band for band in range(BANDS)]
    head = _with_gates(_adaptive(min_bands), closed)
    controls = _run(head.eval())
    assert controls.gates.is_open.sum(dim=-1).tolist() == [min_bands] * 3
    # the most probable ones
    assert controls.gates.is_open[0].tolist() == [band >= BANDS - min_bands for band in range(BANDS)]
    trained = _run(head.train(), items=200)
    assert int(trained.gates.is_open.sum(dim=-1).min()) >= min_bands


def test_training_draws_follow_the_gates_probability() -> None:
    head = _with_gates(_adaptive(min_bands=0), LOG_ALPHA).train()
    open_share = _run(head, items=40_000).gates.is_open.double().mean(dim=0)
    expected = hard_concrete.open_probability(torch.tensor([LOG_ALPHA]))[0].double()
    torch.testing.assert_close(open_share, expected, rtol=0, atol=0.01)


def test_the_bounds_alternate() -> None:
    head = _with_gates(_adaptive(), [9.0] * BANDS)
    probability = _run(head).gates.open_probability[0]
    expected = hard_concrete.open_probability(torch.tensor([[4.0, 2.7] * 5]))[0]
    torch.testing.assert_close(probability, expected)


def test_gates_are_open_until_they_are_drawn_and_the_count_is_part_of_the_state() -> None:
    head = _with_gates(_adaptive(min_bands=0, open_steps=2), [0.0] * BANDS).train()
    seen = [bool(_run(head, items=50).gates.values.eq(1.0).all()) for _ in range(4)]
    assert seen == [True, True, False, False]
    resumed = _adaptive(min_bands=0, open_steps=2).train()
    resumed.load_state_dict(head.state_dict())
    assert not bool(_run(resumed, items=50).gates.values.eq(1.0).all())
    _run(head.eval())
    assert int(head.step) == 4


def test_seeds_fix_the_draw_of_each_item() -> None:
    head = _with_gates(_adaptive(min_bands=0), [0.0] * BANDS).train()
    seeds = torch.tensor([5, 6, 5])
    values = _run(head, seeds=seeds).gates.values
    assert torch.equal(values[0], values[2]) and not torch.equal(values[0], values[1])
    assert torch.equal(_run(head, seeds=seeds.flip(0)).gates.values, values.flip(0))


def test_a_held_gate_that_would_be_closed_is_on_and_still_learns() -> None:
    head = _with_gates(_adaptive(min_bands=BANDS), [-1.0] * BANDS).train()
    controls = _run(head)
    assert bool(controls.gates.values.eq(1.0).all())
    (gradient,) = torch.autograd.grad(controls.eq["gain_db"].sum(), head.gate_logits.bias)
    mean = torch.tensor([-1.0], requires_grad=True)
    (slope,) = torch.autograd.grad(hard_concrete.mean_gate(mean[None]).sum(), mean)
    torch.testing.assert_close(gradient, (3 * 6.0 * slope).expand(BANDS))


def test_the_average_of_windows_is_taken_before_the_mapping() -> None:
    head = _fixed()
    with torch.no_grad():
        head.eq_logits.weight.normal_()
    logits = head(torch.randn(3, Z_SIZE), torch.full((3,), -14.0))
    pooled = logits.mean(torch.tensor([1.0, 2.0, 1.0]))
    torch.testing.assert_close(pooled.eq[0], (logits.eq[0] + 2 * logits.eq[1] + logits.eq[2]) / 4)
    assert pooled.gain.shape[0] == pooled.gates.shape[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_bands": 8}, "max_bands is 8 but the equaliser has 10"),
        ({"min_bands": 11}, "between 0 and max_bands"),
        ({"second_bound": 0.0}, "above 0"),
    ],
)
def test_impossible_settings_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AdaptiveBands(Z_SIZE, ParametricEQ(BANDS), Gain(), **arguments)
