"""Whole songs with a model, with controls, with strengths: the streamed result against the one in memory."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from neural_mastering.rendering.song import analyse_song, render_song

import neural_mastering.rendering
from neural_mastering.controls import Bands, ChainControls, EqBand, controls_of, save_controls
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.errors import InputError
from neural_mastering.models import MasteringModel
from neural_mastering.rendering.options import Options, parse_references, parse_strengths
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.tone.from_model import listen
from tests.rendering.conftest import RATE, cut, music


def raw(**settings: Any) -> Options:
    """Only the chain: level kept as it comes, no ceiling, floating point."""
    return Options(target="keep", ceiling="off", bits="32f", **settings)


def level_matched(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference after the best common gain, relative to the peak of b."""
    gain = float((a * b).sum() / (a * a).sum())
    return float(np.abs(gain * a - b).max() / np.abs(b).max())


@pytest.mark.parametrize("seconds", [0.3, 4.0, 5.0, 12.3])
def test_listening_to_a_stream_is_listening_to_the_song(shaken_model: MasteringModel, seconds: float) -> None:
    audio = music(seconds) * np.linspace(0.2, 1.0, round(seconds * RATE))
    tensor = torch.from_numpy(audio.astype(np.float32))[None]
    with torch.inference_mode():
        expected = analyse_song(shaken_model, tensor)
    lufs = integrated_loudness(torch.from_numpy(audio)[None], RATE).item()
    got = listen(shaken_model, iter(cut(audio)), RATE, lufs)
    torch.testing.assert_close(got.z, expected.z, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got.logits.eq, expected.logits.eq, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got.logits.gain, expected.logits.gain, atol=1e-4, rtol=1e-4)


def test_listening_at_another_rate_hears_the_same(shaken_model: MasteringModel) -> None:
    import soxr

    audio = music(6.0)
    twice = soxr.resample(audio.T, RATE, 2 * RATE, quality="VHQ").T
    at_rate, above = (
        listen(shaken_model, iter(cut(a)), r, -20.0) for a, r in ((audio, RATE), (twice, 2 * RATE))
    )
    torch.testing.assert_close(above.logits.eq, at_rate.logits.eq, atol=2e-3, rtol=1e-2)


def test_a_master_by_a_model_is_the_model_rendered_in_memory(
    shaken_model: MasteringModel, checkpoint: Path, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    audio = music(7.0)
    source = write_song(audio, subtype="FLOAT")
    result = master(source, tmp_path / "out.wav", raw(model=str(checkpoint)))
    tensor = torch.from_numpy(audio.astype(np.float32))[None]
    with torch.inference_mode():
        analysis = analyse_song(shaken_model, tensor)
        expected = render_song(shaken_model, tensor, analysis)[0].numpy()
    got = soundfile.read(tmp_path / "out.wav")[0].T
    assert level_matched(got, expected) < 1e-5
    assert result.controls.residual == "shaken" and len(result.controls.eq) == 5
    assert result.controls.eq == controls_of(shaken_model, analysis, "shaken").eq or all(
        a.gain_db == pytest.approx(b.gain_db, abs=1e-4)
        for a, b in zip(result.controls.eq, controls_of(shaken_model, analysis).eq, strict=True)
    )


def test_saved_controls_render_the_same_without_the_network(
    checkpoint: Path, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_song(music(5.0))
    options = raw(model=str(checkpoint), skip=("residual",), save_controls=tmp_path / "c.yaml")
    master(source, tmp_path / "first.wav", options)
    master(source, tmp_path / "again.wav", raw(controls=tmp_path / "c.yaml"))
    first, again = (soundfile.read(tmp_path / name)[0] for name in ("first.wav", "again.wav"))
    np.testing.assert_allclose(again, first, atol=1e-7)


def test_controls_that_name_a_residual_need_its_model(
    checkpoint: Path, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_song(music(5.0))
    master(source, tmp_path / "a.wav", raw(model=str(checkpoint), save_controls=tmp_path / "c.yaml"))
    with pytest.raises(InputError, match="--model"):
        master(source, tmp_path / "b.wav", raw(controls=tmp_path / "c.yaml"))
    assert not (tmp_path / "b.wav").exists()
    master(source, tmp_path / "b.wav", raw(controls=tmp_path / "c.yaml", model=str(checkpoint)))
    first, again = (soundfile.read(tmp_path / name)[0] for name in ("a.wav", "b.wav"))
    np.testing.assert_allclose(again, first, atol=1e-6)
    master(source, tmp_path / "d.wav", raw(controls=tmp_path / "c.yaml", skip=("residual",)))


def test_strength_only_and_skip(write_song: Callable[..., Path], tmp_path: Path) -> None:
    source = write_song(music(2.0))
    chain = ChainControls(eq=Bands.of((EqBand("peak", 1000.0, 8.0, 1.0),)), gain_db=4.0)
    save_controls(chain, tmp_path / "c.yaml")
    bare = raw(controls=tmp_path / "c.yaml")
    cases: list[tuple[dict[str, Any], float | None, float]] = [
        ({}, 8.0, 4.0),
        ({"overall_strength": 0.5}, 4.0, 2.0),
        ({"strength": {"eq": 0.25}}, 2.0, 4.0),
        ({"overall_strength": 0.5, "strength": {"gain": 1.0}}, 4.0, 4.0),
        ({"skip": ("gain",)}, 8.0, 0.0),
        ({"only": ("gain",)}, None, 4.0),
        ({"overall_strength": 0.0}, None, 0.0),
    ]
    for settings, eq_db, gain_db in cases:
        options = Options(
            target="keep", ceiling="off", bits="32f", controls=bare.controls, overwrite=True, **settings
        )
        result = master(source, tmp_path / "out.wav", options)
        assert [band.gain_db for band in result.controls.eq] == (
            [] if eq_db is None else [pytest.approx(eq_db)]
        )
        assert result.controls.gain_db == pytest.approx(gain_db)
    before, after = (soundfile.read(path)[0] for path in (source, tmp_path / "out.wav"))
    assert np.array_equal(before, after)  # strength 0


def test_only_a_stage_leaves_out_the_limiter_but_not_the_ceiling(
    write_song: Callable[..., Path], tmp_path: Path
) -> None:
    result = master(write_song(music(2.0)), tmp_path / "out.wav", Options(target="-8", only=("eq",)))
    assert result.delivery.reduction_db.size == 0 and result.result.true_peak_db <= -1.0


def test_silence_keeps_the_network_out(
    checkpoint: Path, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    result = master(write_song(np.zeros((2, RATE))), tmp_path / "out.wav", Options(model=str(checkpoint)))
    assert not soundfile.read(tmp_path / "out.wav")[0].any()
    assert any("silent" in note.text for note in result.warnings) and result.result.lufs == -math.inf


def test_a_mono_file_stays_mono(checkpoint: Path, write_song: Callable[..., Path], tmp_path: Path) -> None:
    source = write_song(music(2.0, channels=1))
    result = master(source, tmp_path / "out.wav", Options(model=str(checkpoint), target="-16"))
    assert soundfile.info(tmp_path / "out.wav").channels == 1
    assert result.result.lufs == pytest.approx(-16.0, abs=0.1)


def test_the_name_in_the_package_is_the_function(write_song: Callable[..., Path], tmp_path: Path) -> None:
    assert neural_mastering.rendering.master is master
    settings = neural_mastering.rendering.Options(target="-20")
    assert neural_mastering.rendering.master(
        write_song(music(1.0)), tmp_path / "o.flac", settings
    ).output.exists()


def test_sources_of_tone_exclude_one_another(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one of them"):
        Options(controls=tmp_path / "c.yaml", references=((tmp_path / "r.wav", 1.0),))
    with pytest.raises(InputError, match="one of them"):
        Options(model="m", references=((tmp_path / "r.wav", 1.0),))


def test_strengths_and_references_are_parsed(tmp_path: Path) -> None:
    assert parse_strengths(["0.5", "eq=0.2", "Residual=0"]) == (0.5, {"eq": 0.2, "residual": 0.0})
    plain, odd = tmp_path / "a.wav", tmp_path / "b=2.wav"
    plain.touch()
    odd.touch()
    assert parse_references([str(plain), f"{plain}=3", str(odd)]) == ((plain, 1.0), (plain, 3.0), (odd, 1.0))
    for bad in (f"{plain}=-1", f"{plain}=x", "nowhere.wav"):
        with pytest.raises(InputError):
            parse_references([bad])
