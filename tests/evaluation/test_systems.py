"""Rows over whole songs, and models taken apart."""

from dataclasses import replace
from pathlib import Path

import nm_eval_world as world  # pyright: ignore[reportMissingImports]
import pytest
import soundfile
import torch

from neural_mastering.data import AudioCache
from neural_mastering.dsp.biquad import equalize as biquads
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.ltas import third_octave_centres_hz, third_octave_levels_db
from neural_mastering.errors import InputError
from neural_mastering.evaluation.ablations import ablations_of
from neural_mastering.evaluation.baselines import AverageEq
from neural_mastering.evaluation.controls_trace import CURVE_HZ, model_trace
from neural_mastering.evaluation.outside_masters import OutsideMasters
from neural_mastering.evaluation.song_baselines import (
    LoudnessMatch,
    MeanCorrection,
    SpectralMatch,
    Untouched,
    equalize,
)
from neural_mastering.evaluation.song_set import LoadedSong, choose_songs, load_song
from neural_mastering.evaluation.trained_model import TrainedModel, render_controls
from neural_mastering.models import MasteringModel, load_model
from neural_mastering.rendering.tone.from_model import follow

RATE = world.RATE


@pytest.fixture(scope="module")
def song(eval_pairs: Path, eval_cache: Path) -> LoadedSong:
    pair = choose_songs(eval_pairs, "all").songs[0]
    return load_song(pair, AudioCache(eval_cache, RATE))


@pytest.fixture(scope="module")
def model(eval_run: Path) -> MasteringModel:
    return load_model(eval_run)


def test_identity_and_loudness(song: LoadedSong) -> None:
    assert Untouched().render(song).audio is song.input
    rendered = LoudnessMatch().render(song)
    wanted = float(integrated_loudness(song.target, RATE))
    assert float(integrated_loudness(rendered.audio, RATE)) == pytest.approx(wanted, abs=0.01)
    assert rendered.trace is not None
    ratio = float((rendered.audio / song.input)[song.input.abs() > 0.01].mean())
    assert rendered.trace.gain_db == pytest.approx(20 * torch.tensor(ratio).log10().item(), abs=0.01)


def test_blockwise_filter_equals_the_whole_one(song: LoadedSong, monkeypatch: pytest.MonkeyPatch) -> None:
    curve = torch.linspace(-6.0, 6.0, len(third_octave_centres_hz()))
    whole = equalize(song.input, curve, RATE)
    monkeypatch.setattr("neural_mastering.evaluation.song_baselines._BLOCK_SAMPLES", 30_001)
    torch.testing.assert_close(equalize(song.input, curve, RATE), whole, atol=1e-5, rtol=0)
    before = AverageEq(RATE)
    before.curve_db = curve
    difference = (before.equalize(song.input) - whole)[..., 9000:-9000]  # edges differ: that one wraps around
    assert float(difference.square().mean() / whole.square().mean()) < 1e-4


def test_average_correction_undoes_what_all_songs_share(song: LoadedSong) -> None:
    correction = third_octave_levels_db(song.target, RATE)[0] - third_octave_levels_db(song.input, RATE)[0]
    result = MeanCorrection(correction).render(song).audio
    left = third_octave_levels_db(result, RATE) - third_octave_levels_db(song.target, RATE)
    assert float(left.square().mean().sqrt()) < 0.5


def test_spectral_match_gives_each_song_the_wanted_spectrum(song: LoadedSong) -> None:
    wanted = third_octave_levels_db(song.input, RATE)[0] + torch.linspace(-4.0, 4.0, 29)
    wanted = wanted - wanted.mean()
    result = third_octave_levels_db(SpectralMatch(wanted).render(song).audio, RATE)[0]
    assert float(((result - result.mean()) - wanted).square().mean().sqrt()) < 0.6


def test_a_segment_of_a_model_is_heard_by_itself(song: LoadedSong, model: MasteringModel) -> None:
    system = TrainedModel("m", "m", model)
    rendered = system.render(song)
    alone = system.segment(song, rendered, 0, RATE)
    torch.testing.assert_close(alone, model(song.input[..., :RATE]).audio)
    assert not torch.allclose(alone, rendered.audio[..., :RATE], atol=1e-4)


def test_the_trace_is_the_response_of_what_was_rendered(song: LoadedSong, model: MasteringModel) -> None:
    trace = model_trace(TrainedModel("m", "m", model).listen(song.input))
    bands = [band for band in trace.bands if band.is_open]
    assert len(trace.bands) == 6 and trace.bands_db is not None and len(trace.bands_db) == len(bands)
    # the sum of the single bands is the total, and both are what the controls do to a click
    assert abs(trace.bands_db.sum(axis=0) - trace.curve_db).max() < 1e-4
    click = torch.zeros(1, 1, 1 << 17)
    click[..., 0] = 1.0
    settings = (torch.tensor([[getattr(b, key) for b in bands]]) for key in ("frequency_hz", "gain_db", "q"))
    frequency, gain, q = settings
    response = torch.fft.rfft(biquads(click, frequency, gain, q, RATE, [b.kind for b in bands]))[0, 0].abs()
    at = (torch.from_numpy(CURVE_HZ) * (1 << 17) / RATE).round().long()
    measured = 20 * response[at].log10()
    assert float((measured - torch.from_numpy(trace.curve_db)).abs().max()) < 0.1
    assert trace.words()[-1].endswith("broadband gain") and trace.numbers()["open bands"] == len(bands)


def test_ablations_take_out_what_they_say(song: LoadedSong, model: MasteringModel) -> None:
    """Against the model's own parts, put together by hand."""
    system = TrainedModel("m", "m", model)
    own = system.listen(song.input)
    other = system.listen(song.target.flip(-1) * torch.rand(1, 1, song.target.shape[-1]))
    whole = render_controls(own, song.input)[0]
    results = {a.key: render_controls(a.edit(own, other), song.input)[0] for a in ablations_of(model, True)}
    assert list(results) == ["shuffled_z", "no_residual", "gates_open", "no_eq", "no_gain"]
    for key in ("shuffled_z", "no_residual", "no_eq", "no_gain"):
        assert not torch.allclose(results[key], whole, atol=1e-4), key
    with torch.inference_mode():
        controls = model.eq_head.decode(own.analysis.logits)
        dry = model.eq_head.gain(model.eq_head.eq(song.input, **controls.eq), **controls.gain)
        torch.testing.assert_close(results["no_residual"], dry, atol=1e-5, rtol=0)
        gain_only = model.eq_head.gain(song.input, **controls.gain)
        residual = model.residual_head(gain_only, own.analysis.z)
        torch.testing.assert_close(results["no_eq"], gain_only + residual, atol=1e-4, rtol=0)
        # a song's own z, shuffled with itself: the heads are asked once more
        again = model.decide(own.analysis.z, own.analysis.lufs)
        wanted = model.render(song.input, again).audio
    shuffled_with_itself = render_controls(ablations_of(model, True)[0].edit(own, own), song.input)[0]
    torch.testing.assert_close(shuffled_with_itself, wanted, atol=1e-5, rtol=0)


def test_what_was_rendered_for_the_residual_s_share_is_its_ablation(
    song: LoadedSong, model: MasteringModel
) -> None:
    rendered = TrainedModel("m", "m", model).render(song)
    assert rendered.tone is not None and rendered.dry is not None and rendered.residual_share_db is not None
    (ablation,) = [a for a in ablations_of(model, False) if a.key == "no_residual"]
    again, without = render_controls(ablation.edit(rendered.tone, None), song.input)
    assert torch.equal(rendered.dry, again) and without is None
    residual = (
        rendered.audio - rendered.dry
    ).double().square().sum() / rendered.audio.double().square().sum()
    assert rendered.residual_share_db == pytest.approx(10 * float(residual.log10()), abs=1e-3)


def test_open_gates_open_every_band(song: LoadedSong, model: MasteringModel) -> None:
    own = TrainedModel("m", "m", model).listen(song.input).analysis
    shut, wide = (
        replace(own, logits=replace(own.logits, gates=torch.full_like(own.logits.gates, level)))
        for level in (-9.0, 9.0)
    )
    with torch.inference_mode():
        assert int(model.eq_head.decode(shut.logits).gates.is_open.sum()) == 2
        wanted = model.render(song.input, wide).audio
    (ablation,) = [a for a in ablations_of(model, False) if a.key == "gates_open"]
    opened = render_controls(ablation.edit(follow(model, "m", shut), None), song.input)[0]
    torch.testing.assert_close(opened, wanted, atol=1e-5, rtol=0)


def test_a_model_without_residual_or_gates_has_fewer_ablations(tmp_path: Path) -> None:
    plain = load_model(world.make_run(tmp_path / "run", "1a"))
    assert [a.key for a in ablations_of(plain, False)] == ["no_eq", "no_gain"]


def test_each_grey_box_stage_is_put_to_rest(song: LoadedSong, tmp_path: Path) -> None:
    """Against the path of training with the stage's logits at rest."""
    chained = load_model(world.make_run(tmp_path / "run", "2"))
    heard = TrainedModel("m", "m", chained).listen(song.input).analysis
    chain = chained.chain_head.chain.processors
    moved = {
        "compressor": {"mix": 1.0, "threshold_db": -20.0, "ratio": 5.0},
        "stereo": {"width": 1.5},
    }
    logits = {
        name: stage.logits(stage.rest() | {key: torch.tensor([v]) for key, v in moved[name].items()})
        for name, stage in chain.items()
    }
    own = follow(chained, "m", replace(heard, chain=torch.cat(list(logits.values()), dim=-1)))
    whole = render_controls(own, song.input)[0]
    found = {a.key: a for a in ablations_of(chained, False)}
    assert {"no_compressor", "no_stereo"} <= set(found)
    for name, stage in chain.items():
        got = render_controls(found[f"no_{name}"].edit(own, None), song.input)[0]
        assert not torch.allclose(got, whole, atol=1e-4), name
        resting = torch.cat(list((logits | {name: stage.logits(stage.rest())}).values()), dim=-1)
        with torch.inference_mode():
            wanted = chained.render(song.input, replace(own.analysis, chain=resting)).audio
        torch.testing.assert_close(got, wanted, atol=1e-5, rtol=0)
    numbers = model_trace(own).numbers()
    assert numbers["compressor ratio"] == pytest.approx(5.0, rel=1e-3)
    assert numbers["stereo width"] == pytest.approx(1.5, rel=1e-3)
    assert "compressor: threshold" in str(chained)


def test_outside_masters_are_read_and_checked(song: LoadedSong, eval_cache: Path, tmp_path: Path) -> None:
    masters = OutsideMasters("mine", "mine", tmp_path, AudioCache(eval_cache, RATE))
    soundfile.write(tmp_path / "SÖNG 0.flac", song.target[0].T.numpy(), RATE, subtype="PCM_24")
    masters.check([song.name])
    torch.testing.assert_close(masters.render(song).audio, song.target, atol=2e-7, rtol=0)
    with pytest.raises(InputError, match=r"no master of 1 of 2 songs: 'söng 9'"):
        masters.check([song.name, "söng 9"])
    soundfile.write(tmp_path / "SÖNG 0.flac", song.target[0, :, : 2 * RATE].T.numpy(), RATE)
    masters.check([song.name])
    with pytest.raises(InputError, match=r"lasts 2\.000 s but 'söng 0' 4\.000 s"):
        masters.render(song)
