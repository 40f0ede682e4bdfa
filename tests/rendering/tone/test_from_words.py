"""Words in a song's controls: alone, on top of a model, controls or a reference; level, mirror, presets, files."""

import copy
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from neural_mastering.controls import (
    Bands,
    ChainControls,
    EqBand,
    load_controls,
    save_controls,
    scaled,
)
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.metering.meter import Meter
from neural_mastering.metering.profile import Spectrum
from neural_mastering.models import CHECKPOINT_KEY, build
from neural_mastering.rendering import Options, master
from neural_mastering.rendering.pipeline import prepare
from neural_mastering.rendering.prepared_song import PreparedSong
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.tone.from_model import decoded_controls
from neural_mastering.rendering.tone.from_words import apply_words, k_weighted_db
from neural_mastering.words import request, word_table
from neural_mastering.words.shape import HEARD, correlation
from tests.rendering.conftest import CONFIG, RATE, music

FLAT = (CENTRES_HZ, np.ones(len(CENTRES_HZ)))
Write = Callable[..., Path]


def curve_of(controls: ChainControls) -> Float64s:
    return controls.eq.level_db(CENTRES_HZ, controls.design_rate_hz)


def powers_of(audio: np.ndarray) -> Float64s:
    meter = Spectrum(RATE, len(audio))
    meter.push(audio)
    return meter.finish()


def bins_of(audio: np.ndarray) -> tuple[Float64s, Float64s]:
    meter = Spectrum(RATE, len(audio))
    meter.push(audio)
    return meter.bins()


def prepared(song: Path, options: Options) -> PreparedSong:
    """The song up to its delivery: readings before and after the chain."""
    with ExitStack() as resources:
        return prepare(song, options, song.parent, resources)


def test_the_spectrum_of_a_song_moves_by_the_words_shape() -> None:
    audio = 0.1 * np.random.default_rng(0).standard_normal((2, 6 * RATE))
    before = powers_of(audio)
    for strengths in ({"warm": 0.5}, {"bright": -1.0}, {"warm": 0.5, "bright": -0.3}):
        asked = request(strengths)
        controls, effect = apply_words(ChainControls(), asked, bins_of(audio), -20.0)
        out = np.concatenate(list(run_stages(build_stages(controls, RATE, 2), [audio])), axis=1)
        change = 10.0 * np.log10(powers_of(out) / before)
        change -= change[HEARD].mean()
        assert np.abs(change - asked.curve_db)[HEARD].max() < 0.25
        assert correlation(change, asked.curve_db) > 0.995
        assert effect.fit_rms_db < 0.1 and controls.words == strengths


def test_minus_s_mirrors_s_in_the_controls() -> None:
    up, _ = apply_words(ChainControls(), request({"clear": 0.7}), FLAT, -20.0)
    down, _ = apply_words(ChainControls(), request({"clear": -0.7}), FLAT, -20.0)
    assert np.abs(curve_of(up) + curve_of(down)).max() < 0.05


def test_the_level_is_that_of_k_weighting() -> None:
    """Against a meter: the gain that is given keeps the loudness of pink noise."""
    rng = np.random.default_rng(1)
    spectrum = np.fft.rfft(rng.standard_normal((2, 5 * RATE)))
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.shape[1]), 100.0))  # pink above 20 Hz
    audio = np.fft.irfft(spectrum, 5 * RATE)
    audio *= 0.1 / audio.std()

    def lufs(signal: np.ndarray) -> float:
        meter = Meter(RATE, 2, with_true_peak=False)
        meter.push(signal)
        return meter.finish().lufs

    for name in ("deep", "tinny", "loud"):
        controls, effect = apply_words(ChainControls(), request({name: 1.0}), bins_of(audio), lufs(audio))
        out = np.concatenate(list(run_stages(build_stages(controls, RATE, 2), [audio])), axis=1)
        assert lufs(out) == pytest.approx(lufs(audio), abs=0.1)
        without = replace(controls, gain_db=0.0)
        louder = np.concatenate(list(run_stages(build_stages(without, RATE, 2), [audio])), axis=1)
        assert lufs(louder) - lufs(audio) == pytest.approx(-effect.compensation_db, abs=0.1)
    assert k_weighted_db(controls.eq, RATE, (CENTRES_HZ, 0.0 * CENTRES_HZ)) == 0.0


def test_words_join_what_was_there_in_one_equaliser() -> None:
    there = ChainControls(
        eq=Bands.of((EqBand("low_shelf", 90.0, 2.0, 0.7), EqBand("peak", 3_000.0, -2.5, 1.2))),
        gain_db=1.5,
        stages={"saturation": {"drive_db": 3.0}},
        words={"warm": 0.2},
    )
    asked = request({"warm": 0.3, "clear": 0.4})
    found, effect = apply_words(there, asked, FLAT, -20.0)
    assert np.abs(curve_of(found) - curve_of(there) - asked.curve_db)[HEARD].max() < 0.5
    np.testing.assert_allclose(effect.applied_db, curve_of(found) - curve_of(there), atol=1e-9)
    assert len(found.eq) <= 10 and found.stages == there.stages
    assert found.words == {"warm": 0.5, "clear": 0.4}
    assert found.gain_db == pytest.approx(1.5 + effect.compensation_db)


def test_a_references_curve_and_the_words_are_fitted_once() -> None:
    reference = 1.2 * word_table().words["dark"].shape_db
    asked = request({"warm": 0.5})
    matched = ChainControls(eq=Bands.of((EqBand("low_shelf", 100.0, 1.0, 0.7),)))
    found, effect = apply_words(matched, asked, FLAT, -20.0, wanted_db=reference)
    assert np.abs(curve_of(found) - reference - asked.curve_db)[HEARD].max() < 0.5
    assert effect.fit_rms_db < 0.15


def test_a_preset_is_the_chains_compressor() -> None:
    there = ChainControls(
        eq=Bands.of((EqBand("peak", 1_000.0, 6.0, 0.5),)),
        gain_db=2.0,
        stages={"compressor": {"mix": 0.3}, "stereo": {"width": 1.1}},
    )
    found, effect = apply_words(there, request({"punchy": 0.6}), FLAT, -20.0)
    assert list(found.stages) == ["compressor", "stereo"] and found.eq == there.eq
    stage = found.stages["compressor"]
    assert stage["attack_ms"] == 30.0 and stage["mix"] == 0.6
    heard = k_weighted_db(there.eq, RATE, FLAT) + 2.0 - 20.0
    assert stage["input_lufs"] == pytest.approx(heard)
    assert effect.compensation_db == 0.0 and found.gain_db == 2.0 and found.words == {"punchy": 0.6}
    (sentence,) = effect.sentences
    assert "low evidence" in sentence and "20 settings of 10 people" in sentence
    smooth, _ = apply_words(ChainControls(), request({"compressor.smooth": 0.5}), FLAT, -20.0)
    assert smooth.words == {"compressor.smooth": 0.5} and not len(smooth.eq)


def test_the_compressor_of_a_preset_compresses(write_song: Write) -> None:
    song = write_song(music(2.0))
    taken_off = []
    for strength in (0.5, 1.0):
        found = prepared(song, Options(model="none", words={"glue": strength}))
        taken_off.append(found.song.readings.lufs - found.rendered.forecast.readings.lufs)
    assert 0.3 < taken_off[0] < 0.7 * taken_off[1] and taken_off[1] < 6.0


def test_controls_with_words_come_back_exactly(tmp_path: Path) -> None:
    controls, _ = apply_words(ChainControls(), request({"warm": 0.4, "glue": 0.5}), FLAT, -18.0)
    save_controls(controls, tmp_path / "c.yaml")
    assert load_controls(tmp_path / "c.yaml") == controls
    assert scaled(controls, {"eq": 0.0}).words == {}
    text = (tmp_path / "c.yaml").read_text()
    (tmp_path / "bad.yaml").write_text(text.replace('"warm": 0.4', '"warm": much'))
    with pytest.raises(InputError, match="words: warm: expected a number"):
        load_controls(tmp_path / "bad.yaml")
    (tmp_path / "bad.yaml").write_text(text[: text.index("words:")] + "words: [warm]\n")
    with pytest.raises(InputError, match="words: expected words with their strengths"):
        load_controls(tmp_path / "bad.yaml")


def test_a_song_keeps_its_loudness_before_delivery(write_song: Write) -> None:
    song = write_song(music(3.0))
    for words in ({"warm": 1.0}, {"tinny": 1.0}):
        found = prepared(song, Options(model="none", words=words))
        assert found.rendered.forecast.readings.lufs == pytest.approx(found.song.readings.lufs, abs=0.1)


def test_strength_zero_is_bit_exact(write_song: Write, tmp_path: Path) -> None:
    song = write_song(music(1.5))
    without = master(song, tmp_path / "a.wav", Options())
    at_zero = master(song, tmp_path / "b.wav", Options(words={"warm": 0.0, "punchy": 0.0}))
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert at_zero.tone.words is None and at_zero.controls == without.controls


def test_words_and_a_model(write_song: Write, checkpoint: Path, tmp_path: Path) -> None:
    song = write_song(music(2.0))
    skip = ("residual",)
    options = Options(model=str(checkpoint), skip=skip)
    alone = master(song, tmp_path / "a.wav", options).controls
    result = master(song, tmp_path / "b.wav", replace(options, words={"bright": 0.6}))
    asked = request({"bright": 0.6}).curve_db
    assert result.tone.words is not None and result.tone.words.fit_rms_db < 0.2
    assert np.abs(curve_of(result.controls) - curve_of(alone) - asked)[HEARD].max() < 0.6
    # the words have a strength of their own: that of the equaliser is the model's
    result = master(song, tmp_path / "c.wav", replace(options, words={"bright": 0.6}, strength={"eq": 0.0}))
    assert np.abs(curve_of(result.controls) - asked)[HEARD].max() < 0.2


def test_words_are_the_style_of_a_model_that_takes_one(write_song: Write, tmp_path: Path) -> None:
    """For a song of one window the controls are those of the model with the words' curve as its style."""
    config = copy.deepcopy(CONFIG) | {
        "conditioning": {"_target_": "neural_mastering.models.conditioning.StyleConditioning", "z_size": 16},
        "residual_head": {"_target_": "neural_mastering.models.residual_heads.NoResidual"},
    }
    torch.manual_seed(0)
    model = build(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    weights = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    checkpoint = tmp_path / "styled.ckpt"
    torch.save({CHECKPOINT_KEY: {"model": config}, "state_dict": weights}, checkpoint)
    audio = music(5.0)
    song = write_song(audio, subtype="FLOAT")
    options = Options(model=str(checkpoint))
    plain = master(song, tmp_path / "plain.wav", options)
    result = master(song, tmp_path / "out.wav", replace(options, words={"warm": 1.0}))
    style = torch.tensor(request({"warm": 1.0}).curve_db, dtype=torch.float32)[None]
    with torch.inference_mode():
        heard = model.eval().analyse(torch.from_numpy(audio).float()[None], style_db=style)
    expected = decoded_controls(model, heard)
    assert result.tone.words is not None and result.tone.words.by_model
    np.testing.assert_allclose(curve_of(result.controls), curve_of(expected), atol=0.01)
    moved = curve_of(result.controls) - curve_of(plain.controls)
    np.testing.assert_allclose(result.tone.words.applied_db, moved, atol=1e-6)
    assert np.abs(moved).max() > 0.01 and result.tone.words.fit_rms_db > 0.0
    assert any("took them as its style" in text for text in result.tone.words.sentences)


def test_words_and_a_reference(write_song: Write, tmp_path: Path) -> None:
    """The reference is the song itself, made dark: the sum of both curves is fitted at once."""
    audio = music(6.0)
    dark, _ = apply_words(ChainControls(), request({"dark": 1.0}), bins_of(audio), -20.0)
    other = np.concatenate(list(run_stages(build_stages(dark, RATE, 2), [audio])), axis=1)
    song, reference = write_song(audio), write_song(other, "reference.wav")
    options = Options(references=((reference, 1.0),))
    plain = master(song, tmp_path / "a.wav", options)
    result = master(song, tmp_path / "b.wav", replace(options, words={"warm": 0.5}))
    assert plain.tone.reference is not None and result.tone.words is not None
    wanted = plain.tone.reference.curve_db + request({"warm": 0.5}).curve_db
    assert np.sqrt(np.mean((curve_of(result.controls) - wanted)[HEARD] ** 2)) < 0.2
    assert len(result.controls.eq) <= 10


def test_mono_silence_and_other_rates(write_song: Write, tmp_path: Path) -> None:
    options = Options(model="none", words={"warm": 0.5, "glue": 0.5})
    for name, audio, rate in (
        ("mono.wav", music(1.5, channels=1), RATE),
        ("rate.wav", music(1.5, rate=96_000), 96_000),
        ("low.wav", music(1.5, rate=22_050), 22_050),
        ("silence.wav", np.zeros((2, RATE)), RATE),
    ):
        result = master(write_song(audio, name, rate), tmp_path / f"out_{name}", options)
        assert soundfile.info(result.output).samplerate == rate
        assert np.isfinite(soundfile.read(result.output)[0]).all()


def test_a_stage_that_is_left_out_cant_be_asked_for() -> None:
    with pytest.raises(InputError, match="needs the stage eq"):
        Options(words={"warm": 0.5}, skip=("eq",))
    with pytest.raises(InputError, match="needs the stage eq"):
        Options(words={"warm": 0.5}, only=("gain",))
    with pytest.raises(InputError, match="needs the stage compressor"):
        Options(words={"glue": 0.5}, skip=("compressor",))
    Options(words={"glue": 0.5}, skip=("eq",))
    with pytest.raises(InputError, match="people disagree"):
        Options(words={"cold": 0.5})
