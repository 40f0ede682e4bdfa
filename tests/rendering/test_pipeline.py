"""Whole songs with a model, with controls, with strengths: the streamed result against the one in memory."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import neural_mastering.rendering
from neural_mastering import notes
from neural_mastering.controls import Bands, ChainControls, EqBand, save_controls
from neural_mastering.errors import InputError
from neural_mastering.models import MasteringModel
from neural_mastering.rendering.options import Options, parse_references, parse_strengths
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.reference.shares import MatchShares
from neural_mastering.rendering.tone.from_model import decoded_controls
from tests.rendering.conftest import RATE, level_matched, music, raw, rendered_in_memory


def test_a_master_by_a_model_is_the_model_rendered_in_memory(
    shaken_model: MasteringModel, checkpoint: Path, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    audio = music(7.0)
    source = write_song(audio, subtype="FLOAT")
    result = master(source, tmp_path / "out.wav", raw(model=str(checkpoint)))
    expected, analysis = rendered_in_memory(shaken_model, audio)
    got = np.array(soundfile.read(tmp_path / "out.wav")[0].T, dtype=np.float64)
    assert level_matched(got, expected) < 1e-5
    assert result.controls.residual == "shaken" and len(result.controls.eq) == 5
    wanted = decoded_controls(shaken_model, analysis, "shaken")
    np.testing.assert_allclose(result.controls.eq.gain_db, wanted.eq.gain_db, atol=1e-4)
    np.testing.assert_allclose(result.controls.eq.frequency_hz, wanted.eq.frequency_hz, rtol=1e-4)


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
    assert notes.has(result.warnings, "silent") and result.result.lufs == -math.inf


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


def test_how_far_needs_something_to_follow(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--reference"):
        Options(match=MatchShares(tone=0.5))
    with pytest.raises(InputError, match="expected 0 to 1"):
        Options(references=((tmp_path / "r.wav", 1.0),), match=MatchShares(tone=1.5))
    # what sets the tone may be combined
    Options(controls=tmp_path / "c.yaml", references=((tmp_path / "r.wav", 1.0),), style="rock")


def test_strengths_and_references_are_parsed(tmp_path: Path) -> None:
    assert parse_strengths(["0.5", "eq=0.2", "Residual=0"]) == (0.5, {"eq": 0.2, "residual": 0.0})
    plain, odd = tmp_path / "a.wav", tmp_path / "b=2.wav"
    plain.touch()
    odd.touch()
    assert parse_references([str(plain), f"{plain}=3", str(odd)]) == ((plain, 1.0), (plain, 3.0), (odd, 1.0))
    for bad in (f"{plain}=-1", f"{plain}=x", "nowhere.wav"):
        with pytest.raises(InputError):
            parse_references([bad])
