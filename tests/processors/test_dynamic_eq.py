"""What the dynamic equaliser promises, measured on signals."""

import math

import pytest
import torch
from torch import Tensor

from neural_mastering.processors import Chain, DynamicEQ, render_in_chunks

RATE = 44_100


def _settings(bands: int = 1, **values: float) -> dict[str, Tensor]:
    controls = DynamicEQ(bands).rest()
    return {
        key: (torch.full_like(value, values[key]) if key in values else value).double()
        for key, value in controls.items()
    }


def _tone(frequency: float, rate: int, seconds: float) -> Tensor:
    return torch.sin(2.0 * math.pi * frequency / rate * torch.arange(round(seconds * rate)).double())


def _level_db(audio: Tensor, frequency: float, rate: int) -> float:
    """Of the line at a frequency, over a whole number of periods."""
    phase = 2.0 * math.pi * frequency / rate * torch.arange(audio.shape[-1]).double()
    line = torch.complex((audio * torch.cos(phase)).mean(), (audio * torch.sin(phase)).mean())
    return 20.0 * math.log10(2.0 * float(line.abs()))


def _vowel_and_burst(rate: int) -> Tensor:
    """200 Hz throughout, and 7 kHz from 0.5 to 1 s; two equal channels."""
    vowel, burst = 0.2 * _tone(200.0, rate, 1.5), 0.2 * _tone(7_000.0, rate, 1.5)
    gate = torch.zeros_like(burst)
    gate[rate // 2 : rate] = 1.0
    return (vowel + gate * burst).expand(1, 2, -1)


@pytest.mark.parametrize("rate", [32_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("range_db", [-12.0, -6.0, 6.0])
def test_a_sibilant_is_turned_by_the_range_and_the_vowel_beside_it_is_not(rate: int, range_db: float) -> None:
    """25 dB over the threshold 98 % of the range are there; the release holds them through a period."""
    audio = _vowel_and_burst(rate)
    processor = DynamicEQ(sample_rate=rate, design_rate_hz=44_100.0).eval()
    controls = _settings(
        frequency_hz=7_000.0, q=2.0, threshold_db=-24.0, range_db=range_db, attack_ms=0.5, release_ms=300.0
    )
    out = processor(audio, **controls)
    part = slice(round(0.7 * rate), round(0.9 * rate))
    change = {
        f: _level_db(out[0, 0, part], f, rate) - _level_db(audio[0, 0, part], f, rate) for f in (200.0, 7e3)
    }
    assert change[7e3] == pytest.approx(0.98 * range_db, rel=0.02)
    assert abs(change[200.0]) < 0.02
    before = slice(round(0.1 * rate), round(0.4 * rate))
    # the band-pass lets 200 Hz through 37 dB lower: below the threshold
    torch.testing.assert_close(out[..., before], audio[..., before], atol=1e-9, rtol=0)


def test_half_the_range_is_half_the_effect_in_db() -> None:
    audio = 0.2 * _tone(3_000.0, RATE, 0.5).expand(1, 1, -1)
    processor, steady = DynamicEQ(sample_rate=RATE).eval(), RATE // 10
    heard = audio[0, 0, steady:].abs() > 0.05
    changes = []
    for range_db in (-10.0, -5.0):
        wet = processor(audio, **_settings(frequency_hz=3_000.0, range_db=range_db, threshold_db=-12.0))
        changes.append(20.0 * torch.log10((wet / audio)[0, 0, steady:][heard]))
    torch.testing.assert_close(changes[0], 2.0 * changes[1], atol=1e-6, rtol=0)
    assert float(changes[0].max()) < -5.0


def test_the_loudness_of_the_song_decides_and_not_its_level() -> None:
    chain = Chain({"dynamic_eq": DynamicEQ(sample_rate=RATE)}).eval()
    audio, controls = _vowel_and_burst(RATE), _settings(frequency_hz=7_000.0, range_db=-12.0)
    loud, quiet = (
        chain.stage("dynamic_eq", audio * gain, controls, torch.tensor([-15.0 + level], dtype=torch.float64))
        / gain
        for gain, level in ((1.0, 0.0), (0.1, -20.0))
    )
    torch.testing.assert_close(loud, quiet, atol=1e-9, rtol=0)
    assert float((loud - audio).abs().max()) > 0.02


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("training", [True, False])
def test_rest_changes_no_bit_and_lies_inside_every_range(bands: int, training: bool) -> None:
    processor = DynamicEQ(bands, RATE).train(training)
    rest = processor.rest()
    back = processor.controls(processor.logits(rest))
    for key, value in rest.items():
        torch.testing.assert_close(back[key], value, rtol=1e-5, atol=0.0)
    assert not bool(back["range_db"].any())
    audio = torch.randn(2, 2, 3_000)
    assert torch.equal(processor(audio, **{key: value.expand(2, -1) for key, value in back.items()}), audio)


def test_training_and_evaluation_render_alike() -> None:
    processor, audio = DynamicEQ(3, RATE), 0.3 * torch.randn(2, 2, 10_000)
    controls = processor.controls(2.0 * torch.randn(2, processor.logit_count))
    trained, state = processor.train().render(audio, **controls)
    assert state is None
    evaluated = processor.eval()(audio, **controls)
    assert float((evaluated - audio).abs().max()) > 0.01
    torch.testing.assert_close(trained, evaluated, rtol=0, atol=2e-6)
    learning = {key: value.clone().requires_grad_() for key, value in controls.items()}
    assert torch.equal(processor(audio, **learning), trained)  # a gradient may be wanted in evaluation, too


def test_gradients_of_several_bands() -> None:
    processor = DynamicEQ(2, RATE).train()
    audio = (0.2 * torch.randn(1, 2, 200, dtype=torch.float64)).requires_grad_()
    controls = processor.controls(0.5 * torch.randn(1, processor.logit_count).double())
    values = [value.detach().requires_grad_() for value in controls.values()]

    def render(sound: Tensor, *settings: Tensor) -> Tensor:
        return (processor(sound, **dict(zip(controls, settings, strict=True))) ** 2).sum()

    assert torch.autograd.gradcheck(render, [audio, *values], eps=1e-6, atol=1e-6, fast_mode=True)


@pytest.mark.parametrize("rate", [8_000, 22_050, 32_000, 96_000, 192_000])
def test_a_controls_file_is_rendered_at_any_rate(rate: int) -> None:
    trained = DynamicEQ(2, RATE)
    controls = trained.controls(torch.randn(1, trained.logit_count, dtype=torch.float64))
    controls["frequency_hz"] = torch.tensor([[900.0, 15_000.0]], dtype=torch.float64)
    rebuilt = DynamicEQ.from_settings(float(rate), trained.settings()).eval()  # type: ignore[arg-type]
    audio = 0.3 * torch.randn(1, 2, rate // 2, dtype=torch.float64)
    whole = rebuilt(audio, **controls)
    assert bool(torch.isfinite(whole).all()) and float((whole - audio).abs().max()) > 1e-3
    assert float(whole.abs().max()) < 4.0 * float(audio.abs().max())
    torch.testing.assert_close(render_in_chunks(rebuilt, audio, 1_000, **controls), whole, rtol=0, atol=1e-12)


def test_a_planted_band_is_found_by_gradient_descent() -> None:
    """Noise that swells over 40 dB: all settings of a de-esser come back from the audio alone."""
    processor, time = DynamicEQ(sample_rate=RATE).train(), torch.arange(RATE // 2)
    swell = 10.0 ** (-40.0 * ((time % 7_350) / 7_350 - 0.5).abs() / 10.0)
    audio = 0.4 * torch.randn(1, 1, time.numel(), dtype=torch.float64) * swell
    truth = _settings(
        frequency_hz=6_200.0, q=1.5, threshold_db=-14.0, range_db=-9.0, attack_ms=5.0, release_ms=60.0
    )
    target = processor(audio, **truth)
    energy = (target - audio).square().mean()
    logits = processor.logits(_settings(frequency_hz=3_500.0)).requires_grad_()

    def error() -> Tensor:
        return (processor(audio, **processor.controls(logits)) - target).square().mean() / energy

    adam = torch.optim.Adam([logits], lr=0.1)
    for _ in range(60):
        adam.zero_grad()
        error().backward()
        adam.step()
    newton = torch.optim.LBFGS([logits], max_iter=80, line_search_fn="strong_wolfe", tolerance_change=1e-12)

    def closure() -> float:
        newton.zero_grad()
        loss = error()
        loss.backward()
        return float(loss.detach())

    newton.step(closure)
    found = processor.controls(logits.detach())
    for key, value in truth.items():
        assert float(found[key]) == pytest.approx(float(value), rel=1e-3), key


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"bands": 0}, "1 band or more"), ({"design_rate_hz": 32_000.0}, "must be above 32000 Hz")],
)
def test_impossible_settings_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DynamicEQ(**arguments)


def test_what_cannot_be_rendered_is_refused_with_the_reason() -> None:
    processor, controls = DynamicEQ(sample_rate=RATE), _settings()
    with pytest.raises(ValueError, match="mono or stereo audio; got 3 channels"):
        processor.eval()(torch.zeros(1, 3, 10), **controls)
    state = processor.initial_state(torch.zeros(1, 1, 0))
    with pytest.raises(ValueError, match="no gradients in a stream"):
        processor.train().render(torch.zeros(1, 1, 10), state, **controls)
    with pytest.raises(ValueError, match="design rate of 44100 Hz only, not at 96000 Hz"):
        DynamicEQ.from_settings(96_000.0, processor.settings()).train()(torch.zeros(1, 1, 10), **controls)
