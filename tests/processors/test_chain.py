"""Order, names, levels and the gradient of stages that are off."""

import pytest
import torch

from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.processors import (
    Chain,
    Compressor,
    DynamicEQ,
    Gain,
    Limiter,
    MultibandCompressor,
    Processor,
    Saturation,
    StereoWidth,
)
from neural_mastering.processors.chain import EXPLORED

RATE = 44_100.0


def _chain() -> Chain:
    stages = {
        "compressor": Compressor(RATE),
        "saturation": Saturation(RATE),
        "stereo": StereoWidth(RATE),
        "limiter": Limiter(RATE),
    }
    return Chain(stages, order=["stereo", "compressor", "limiter"])


def test_the_order_says_who_takes_part() -> None:
    chain = _chain()
    assert list(chain.processors) == ["stereo", "compressor", "limiter"]
    assert chain.before == ["stereo", "compressor"] and chain.after == ["limiter"]  # as the catalogue says
    assert Chain().before == Chain().after == []


@pytest.mark.parametrize(
    ("order", "after", "words"),
    [
        (["exciter"], [], "no stage 'exciter': expected gain"),
        (["gain"], ["limiter"], "no stage 'limiter'"),
        (["gain"], ["gain"], "behind the residual stand none"),
    ],
)
def test_unknown_names_are_refused(order: list[str], after: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Chain({"gain": Gain()}, order=order, after_residual=after)


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Chain({"gain": Gain()}, order=["gain", "gain"])


def test_a_stage_that_hears_levels_gets_the_reference() -> None:
    chain, audio = _chain().eval(), 0.1 * torch.randn(1, 2, 4_000)
    compressor = chain.processors["compressor"]
    controls = compressor.rest() | {"mix": torch.ones(1), "threshold_db": torch.tensor([-20.0])}
    for lufs in (-8.0, -30.0):
        gain = 10 ** ((REFERENCE_DBFS - lufs) / 20)
        expected = compressor(audio * gain, **controls) / gain
        got = chain.stage("compressor", audio, controls, torch.tensor([lufs]))
        torch.testing.assert_close(got, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", [Compressor, MultibandCompressor, DynamicEQ])
def test_a_reference_of_its_own_moves_the_thresholds_and_not_the_input(kind: type[Processor]) -> None:
    """What a stage that learned at −24 dBFS means: the input at −18 still, each threshold 6 dB lower."""
    processor = kind(sample_rate=RATE, reference_dbfs=-24.0).eval()  # pyright: ignore[reportCallIssue]
    chain, audio = Chain({"stage": processor}).eval(), 0.1 * torch.randn(1, 2, 4_000, dtype=torch.float64)
    working = {"mix": 1.0, "range_db": -9.0, "threshold_db": -14.0}
    controls = {
        key: (torch.full_like(value, working[key]) if key in working else value).double()
        for key, value in processor.rest().items()
    }
    lufs = torch.tensor([-30.0], dtype=torch.float64)
    trained = chain.stage("stage", audio, controls, lufs)
    gain = 10 ** ((REFERENCE_DBFS + 30.0) / 20)
    rebuilt = kind.from_settings(RATE, processor.settings()).eval()
    torch.testing.assert_close(rebuilt(audio * gain, **controls) / gain, trained, atol=1e-12, rtol=0)
    default = kind.from_settings(RATE, {**processor.settings(), "reference_dbfs": REFERENCE_DBFS}).eval()
    assert float((default(audio * gain, **controls) / gain - trained).abs().max()) > 1e-3
    lower = {**controls, "threshold_db": controls["threshold_db"] - 6.0}
    torch.testing.assert_close(default(audio * gain, **lower) / gain, trained, atol=1e-12, rtol=0)


def test_the_corner_of_a_bass_that_is_not_taken_out_has_a_gradient() -> None:
    chain, audio = _chain().train(), 0.2 * torch.randn(1, 2, 2_000)
    controls = {k: v.clone().requires_grad_() for k, v in chain.processors["stereo"].rest().items()}
    out = chain.stage("stereo", audio, controls, torch.tensor([-18.0]))
    assert torch.equal(out, audio)
    (out * torch.randn(1, 2, 2_000)).sum().backward()
    assert all(value.grad is not None and bool(value.grad != 0) for value in controls.values())


def test_a_stage_that_is_off_learns_its_settings_as_if_it_were_a_little_on() -> None:
    chain, audio = _chain().train(), 0.2 * torch.randn(1, 2, 2_000)
    lufs, weights = torch.tensor([-18.0]), torch.randn(1, 2, 2_000)
    gradients = {}
    for amount in (0.0, EXPLORED):
        controls = {k: v.clone().requires_grad_() for k, v in chain.processors["compressor"].rest().items()}
        controls["mix"] = torch.tensor([amount], requires_grad=True)
        out = chain.stage("compressor", audio, controls, lufs)
        if amount == 0.0:
            assert torch.equal(out, audio)
        (out * weights).sum().backward()
        gradients[amount] = {
            key: float(value.grad) for key, value in controls.items() if value.grad is not None
        }
    assert gradients[0.0].keys() == gradients[EXPLORED].keys()
    for key, value in gradients[0.0].items():
        assert value == pytest.approx(gradients[EXPLORED][key], rel=1e-3)
        assert value != 0.0 or key == "makeup_db"
