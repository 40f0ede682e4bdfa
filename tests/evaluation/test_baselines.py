"""Baselines do what their names say."""

import pytest
import torch

from neural_mastering.dsp.biquad import equalize
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.ltas import third_octave_levels_db
from neural_mastering.evaluation.baselines import AverageEq, Identity, LoudnessOnly, match_loudness

RATE = 44_100


def _shelf(audio: torch.Tensor, gain_db: float) -> torch.Tensor:
    settings = [torch.full((audio.shape[0], 1), v) for v in (2_000.0, gain_db, 0.7)]
    return equalize(audio, settings[0], settings[1], settings[2], RATE, ("high_shelf",))


def test_identity_is_the_input() -> None:
    audio = torch.randn(1, 2, 100)
    assert Identity().master(audio, 2 * audio) is audio


def test_loudness_only_scales_and_nothing_else() -> None:
    audio, target = 0.1 * torch.randn(2, 2, RATE), 0.3 * torch.randn(2, 2, RATE)
    result = LoudnessOnly(RATE).master(audio, target)
    torch.testing.assert_close(
        integrated_loudness(result, RATE), integrated_loudness(target, RATE), atol=0.01, rtol=0
    )
    ratio = result / audio
    torch.testing.assert_close(ratio, ratio[:, :1, :1].expand_as(ratio), rtol=1e-4, atol=1e-4)


def test_silence_stays_silent() -> None:
    silence = torch.zeros(1, 2, RATE)
    assert torch.equal(match_loudness(silence, torch.randn(1, 2, RATE), RATE), silence)


def test_average_eq_undoes_a_common_correction() -> None:
    songs = [0.05 * torch.randn(1, 2, 3 * RATE) for _ in range(4)]
    pairs = [(song, _shelf(song, 6.0)) for song in songs]
    system = AverageEq(RATE).fit(pairs[:3])
    audio, target = pairs[3]
    left = third_octave_levels_db(system.master(audio, target), RATE) - third_octave_levels_db(target, RATE)
    before = third_octave_levels_db(audio, RATE) - third_octave_levels_db(target, RATE)
    assert float(left.square().mean().sqrt()) < 0.3 < 2.0 < float(before.square().mean().sqrt())


def test_average_eq_is_the_mean_over_songs() -> None:
    song = 0.05 * torch.randn(1, 2, 3 * RATE)
    curves = [AverageEq(RATE).fit([(song, _shelf(song, g))]).curve_db for g in (2.0, 6.0)]
    both = AverageEq(RATE).fit([(song, _shelf(song, 2.0)), (song, _shelf(song, 6.0))]).curve_db
    assert curves[0] is not None and curves[1] is not None and both is not None
    torch.testing.assert_close(both, (curves[0] + curves[1]) / 2)


def test_average_eq_wants_pairs_first() -> None:
    with pytest.raises(ValueError, match="at least one"):
        AverageEq(RATE).fit([])
    with pytest.raises(ValueError, match="call fit"):
        AverageEq(RATE).master(torch.zeros(1, 2, 10), torch.zeros(1, 2, 10))
