"""Random styles: their shapes, the targets that come of them, and a model that learns to follow them."""

import pytest
import torch

from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import validated
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.ltas import third_octave_centres_hz, third_octave_levels_db
from neural_mastering.losses import WeightedSum
from neural_mastering.models import build
from neural_mastering.training.style import PLAIN, apply_style, draw_styles, styled
from neural_mastering.words import word_table

RATE = 44_100
CENTRES = third_octave_centres_hz()
HEARD = CENTRES > 49.0


def test_styles_have_the_size_and_smoothness_of_words() -> None:
    curves = draw_styles(torch.arange(4_000))
    rms = curves[:, HEARD].square().mean(dim=-1).sqrt()
    assert curves.shape == (4_000, 29) and float(curves.abs().max()) <= 4.0
    assert float((rms == 0.0).float().mean()) == pytest.approx(PLAIN, abs=0.02)
    assert 1.9 < float(rms.max()) <= 2.0 + 1e-4
    assert float(curves[rms > 0].mean(dim=-1).abs().mean()) < 0.3
    words = torch.tensor([word.shape_db.tolist() for word in word_table().words.values()])

    def roughness(values: torch.Tensor) -> torch.Tensor:
        steps = values[:, HEARD].diff(dim=-1).square().mean(dim=-1)
        return (steps / values[:, HEARD].square().mean(dim=-1)).sqrt()

    theirs = roughness(words)
    ours = roughness(curves[rms > 0.2])
    assert 0.5 < float(ours.median() / theirs.median()) < 2.0


def test_a_style_depends_on_its_items_seed_alone() -> None:
    together = draw_styles(torch.tensor([5, 6, 7]))
    assert torch.equal(together[1:2], draw_styles(torch.tensor([6])))
    assert not torch.equal(together[0], together[1])


def test_the_target_gets_the_curve_and_keeps_its_loudness() -> None:
    audio = 0.1 * torch.randn(2, 2, 5 * RATE)
    drawn = draw_styles(torch.arange(20))
    styles = drawn[drawn.abs().amax(dim=-1) > 1.5][:2]
    result = apply_style(audio, styles, RATE)
    change = third_octave_levels_db(result, RATE) - third_octave_levels_db(audio, RATE)
    error = (change - styles)[:, HEARD]
    error = error - error.mean(dim=-1, keepdim=True)
    assert float(error.abs().max()) < 0.3
    before, after = (integrated_loudness(x, RATE) for x in (audio, result))
    torch.testing.assert_close(after, before, rtol=0, atol=0.05)


def test_nothing_is_the_identity_and_silence_stays_silent() -> None:
    audio = 0.1 * torch.randn(1, 2, RATE)
    torch.testing.assert_close(apply_style(audio, torch.zeros(1, 29), RATE), audio, rtol=0, atol=1e-6)
    silent = apply_style(torch.zeros(1, 1, RATE), torch.ones(1, 29), RATE)
    assert not bool(silent.any())


def test_models_without_conditioning_train_as_before() -> None:
    target = torch.randn(2, 2, 1_000)
    plain = build_model(validated(compose(["+phase=1a", "z_size=8"])).model)
    style, same = styled(plain, target, torch.tensor([1, 2]))
    assert style is None and same is target
    model = build_model(validated(compose(["+phase=1a", "z_size=8", "conditioning=style"])).model)
    style, changed = styled(model, target, torch.tensor([1, 3]))
    assert style is not None and style.shape == (2, 29) and not torch.equal(changed, target)


@pytest.mark.slow
def test_a_style_that_was_never_seen_is_followed() -> None:
    """Trained on random curves, a small model plays curves it never saw, those of the words among them."""
    config = validated(
        compose(
            [
                *("+phase=1a", "model/residual_head=none", "z_size=64", "conditioning=style"),
                *("loss/term@loss.terms.mr_stft=multi_resolution_stft", "model.eq_head.eq.bands=8"),
                *(
                    "loss/term@loss.terms.a_weighted=a_weighted",
                    "loss.terms.mr_stft.term.fft_sizes=[4096,1024]",
                ),
            ]
        )
    )
    objective = build(config.loss, path="loss", packages=None)
    assert isinstance(objective, WeightedSum)
    model = build_model(config.model)

    def songs(count: int, seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        spectrum = torch.fft.rfft(torch.randn(count, 1, RATE, generator=generator))
        pink = torch.fft.irfft(spectrum / torch.arange(spectrum.shape[-1]).clamp(min=20).sqrt(), n=RATE)
        return 0.1 * pink / pink.square().mean(dim=(1, 2), keepdim=True).sqrt()

    steps, batch = 500, 8
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        audio = songs(batch, step)
        style, target = styled(model, audio, torch.arange(batch) + 1_000 * step)
        optimizer.zero_grad()
        objective(model(audio, None, style), target, step).backward()
        optimizer.step()
        scheduler.step()

    def error_db(styles: torch.Tensor) -> torch.Tensor:
        """RMS error of what the equaliser does more than without a style, level left out."""
        with torch.no_grad():
            audio = songs(1, 9_999_999).expand(len(styles), -1, -1)
            curves = []
            for asked in (styles, None):
                controls = model.eq_head.decode(model.eval().analyse(audio, style_db=asked).logits)
                curves.append(model.eq_head.eq.response_db(CENTRES, **controls.eq))
        error = (curves[0] - curves[1] - styles)[:, HEARD]
        return (error - error.mean(dim=-1, keepdim=True)).square().mean(dim=-1).sqrt()

    unseen = draw_styles(torch.arange(10_000_000, 10_000_064))
    sizes = unseen[:, HEARD].square().mean(dim=-1).sqrt()
    words = torch.tensor(
        [word.shape_db.tolist() for word in word_table().words.values()], dtype=torch.float32
    )
    of_random, of_words = error_db(unseen), error_db(words)
    print(
        f"random styles: {of_random.mean():.2f} of {sizes.mean():.2f} dB; words: {of_words.mean():.2f} of 1.50 dB"
    )
    assert float(of_random.mean()) < 0.5 * float(sizes.mean())
    assert float(of_words.mean()) < 0.6  # doing nothing gives 1.5 dB
