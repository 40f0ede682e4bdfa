"""Whole songs with a model of phase 2: every stage streamed, skipped, weakened, saved, edited and told about."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
import torch
import yaml
from scipy.signal import butter, sosfiltfilt

from neural_mastering.controls import Bands, load_controls, save_controls, stage_spec
from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.errors import InputError
from neural_mastering.models import MasteringModel
from neural_mastering.processors import Compressor
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.stages.record import StageMeter
from tests.rendering.conftest import RATE, level_matched, music, raw, rendered_in_memory

STAGES = ("compressor", "saturation", "stereo", "chain_limiter")


def read(path: Path) -> np.ndarray:
    return np.array(soundfile.read(path, dtype="float64", always_2d=True)[0].T)


@pytest.fixture(scope="module")
def saved(chain_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A song, and the controls that the model found for it, residual left out; first.wav is what came out."""
    folder = tmp_path_factory.mktemp("saved")
    source, controls = folder / "song.wav", folder / "c.yaml"
    soundfile.write(source, music(2.0).T, RATE, subtype="FLOAT")
    options = raw(model=str(chain_checkpoint), skip=("residual",), save_controls=controls)
    master(source, folder / "first.wav", options)
    return source, controls


def test_the_streamed_chain_is_the_model_rendered_in_memory(
    chain_model: MasteringModel, chain_checkpoint: Path, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    audio = music(5.0)
    source = write_song(audio, subtype="FLOAT")
    result = master(source, tmp_path / "out.wav", raw(model=str(chain_checkpoint)))
    expected, _ = rendered_in_memory(chain_model, audio)
    assert tuple(result.controls.stages) == STAGES
    assert [stage.name for stage in result.stages] == [
        "eq", "gain", "compressor", "saturation", "stereo", "residual", "chain_limiter",
    ]  # fmt: skip
    assert level_matched(read(tmp_path / "out.wav"), expected) < 2e-5


@pytest.mark.parametrize("rate", [48_000, 96_000])
def test_the_chain_sounds_the_same_at_other_rates(
    rate: int, saved: tuple[Path, Path], write_song: Callable[..., Path], tmp_path: Path
) -> None:
    """The same controls at another rate: what comes out, brought back to 44.1 kHz, is what came out there."""
    audio = sosfiltfilt(butter(8, 15_000, fs=RATE, output="sos"), music(2.0))  # survives resampling as it is
    there = soxr.resample(audio.T, RATE, rate, quality="VHQ").T
    files = {r: write_song(a, f"{r}.wav", r, subtype="FLOAT") for r, a in ((RATE, audio), (rate, there))}
    written = {}
    for r, file in files.items():
        # the equaliser's curve at other rates has tests of its own
        result = master(file, tmp_path / f"out{r}.wav", raw(controls=saved[1], skip=("eq",)))
        assert soundfile.info(tmp_path / f"out{r}.wav").samplerate == r and len(result.stages) == 5
        written[r] = read(tmp_path / f"out{r}.wav")
    middle = slice(RATE // 4, 7 * RATE // 4)
    here, back = (
        written[RATE][:, middle],
        soxr.resample(written[rate].T, rate, RATE, quality="VHQ").T[:, middle],
    )
    before = audio[:, middle]
    error, change = (
        np.square(x * (x * here).sum() / np.square(x).sum() - here).sum() / np.square(here).sum()
        for x in (back, before)
    )
    assert error < 1e-5 and change > 100 * error, (error, change)


def test_saved_controls_hold_every_stage_and_render_the_same_without_the_network(
    saved: tuple[Path, Path], tmp_path: Path
) -> None:
    source, controls = saved
    tree = yaml.safe_load(controls.read_text())
    assert list(tree["stages"]) == list(STAGES)
    own = {*Compressor().specs, *Compressor.setting_names, "input_lufs"}
    assert {"mix", "sidechain_hz"} < own == set(tree["stages"]["compressor"])
    master(source, tmp_path / "again.wav", raw(controls=controls))
    assert np.array_equal(read(tmp_path / "again.wav"), read(source.with_name("first.wav")))
    save_controls(load_controls(controls), tmp_path / "copy.yaml")
    assert (tmp_path / "copy.yaml").read_text() == controls.read_text()


def test_edited_controls_do_what_they_say(saved: tuple[Path, Path], tmp_path: Path) -> None:
    source, controls = saved
    chain = load_controls(controls)
    wide = {**chain.stages["stereo"], "width": 0.0, "bass_amount": 0.0}
    only = replace(chain, eq=Bands.of(), gain_db=0.0, stages={"stereo": wide})
    save_controls(only, tmp_path / "mono.yaml")
    result = master(source, tmp_path / "mono.wav", raw(controls=tmp_path / "mono.yaml"))
    before, after = read(source), read(tmp_path / "mono.wav")
    np.testing.assert_allclose(after[0], after[1], atol=1e-7)
    scale = 10 ** (result.delivery.gain_db / 20)
    np.testing.assert_allclose(after.sum(axis=0), scale * before.sum(axis=0), atol=1e-6)


def test_a_skipped_stage_is_not_there(saved: tuple[Path, Path], tmp_path: Path) -> None:
    """Skipping is rendering the controls without it; skipping all leaves every bit."""
    source, controls = saved
    chain = load_controls(controls)
    for name in STAGES:
        result = master(source, tmp_path / f"{name}.wav", raw(controls=controls, skip=(name,)))
        rest = {key: value for key, value in chain.stages.items() if key != name}
        assert tuple(result.controls.stages) == tuple(rest) and name not in [s.name for s in result.stages]
        save_controls(replace(chain, stages=rest), tmp_path / "rest.yaml")
        master(source, tmp_path / "rest.wav", raw(controls=tmp_path / "rest.yaml", overwrite=True))
        assert np.array_equal(read(tmp_path / "rest.wav"), read(tmp_path / f"{name}.wav"))
        assert not np.array_equal(read(tmp_path / "rest.wav"), read(source.with_name("first.wav")))
    every = ("eq", "gain", "limiter", *STAGES)
    result = master(source, tmp_path / "bare.wav", raw(controls=controls, skip=every))
    assert not result.stages and np.array_equal(read(tmp_path / "bare.wav"), read(source))


def test_only_one_stage_hears_the_level_that_it_was_made_for(
    saved: tuple[Path, Path], tmp_path: Path
) -> None:
    """With --only the gain before the compressor is gone, and its threshold follows."""
    source, controls = saved
    chain = load_controls(controls)
    assert abs(chain.gain_db) > 0.05
    result = master(source, tmp_path / "only.wav", raw(controls=controls, only=("compressor",)))
    (stage,) = result.stages
    heard = chain.stages["compressor"]["input_lufs"]
    assert isinstance(heard, float) and stage.settings["input_lufs"] == pytest.approx(heard - chain.gain_db)
    values = {k: v for k, v in chain.stages["compressor"].items() if k in Compressor().specs}
    processor = Compressor.from_settings(float(RATE), {"sidechain_hz": 80.0})
    gain = 10 ** ((REFERENCE_DBFS - result.input.lufs) / 20)
    dry = torch.from_numpy(read(source))[None]
    with torch.no_grad():
        out = processor(gain * dry, **{k: torch.tensor([v], dtype=torch.float64) for k, v in values.items()})
    expected = out[0].numpy() / gain
    assert stage.settings["input_lufs"] == pytest.approx(result.input.lufs, abs=0.02)
    assert level_matched(read(tmp_path / "only.wav"), expected) < 1e-4


@pytest.mark.parametrize("name", STAGES)
def test_half_the_strength_is_half_the_change(name: str, saved: tuple[Path, Path], tmp_path: Path) -> None:
    source, controls = saved
    options = raw(controls=controls, only=(name,))
    changes = []
    for strength in (0.5, 1.0):
        path = tmp_path / f"{name}{strength}.wav"
        result = master(source, path, replace(options, strength={name: strength}))
        written = read(path) / 10 ** (result.delivery.gain_db / 20)
        changes.append(written - read(source))
    if name == "stereo":  # width and bass amount multiply, so the halves are not exact
        assert 0.4 < np.abs(changes[0]).mean() / np.abs(changes[1]).mean() < 0.6
    else:
        np.testing.assert_allclose(changes[0], 0.5 * changes[1], atol=1e-6)
    assert np.abs(changes[1]).max() > 1e-3


def test_controls_for_a_stage_that_does_not_exist(saved: tuple[Path, Path], tmp_path: Path) -> None:
    source, controls = saved
    save_controls(replace(load_controls(controls), stages={"reverb": {"mix": 0.5}}), tmp_path / "odd.yaml")
    with pytest.raises(InputError, match="reverb"):
        master(source, tmp_path / "odd.wav", raw(controls=tmp_path / "odd.yaml"))
    assert not (tmp_path / "odd.wav").exists()


def test_json_and_page_tell_what_each_stage_did(saved: tuple[Path, Path], tmp_path: Path) -> None:
    source, controls = saved
    options: dict[str, Any] = {"controls": controls, "json": tmp_path / "n.json", "report": tmp_path / "r"}
    result = master(source, tmp_path / "out.wav", Options(target="-14", **options))
    numbers = json.loads((tmp_path / "n.json").read_text())
    by_name = {stage["name"]: stage for stage in numbers["stages"]}
    assert all(0.0 < stage["real_time_factor"] < 50.0 for stage in numbers["stages"])
    # stages run side by side, so that their times overlap
    assert max(s["seconds"] for s in numbers["stages"]) <= numbers["seconds"]["render"] * 1.05
    compressor, limiter, saturation = (by_name[n] for n in ("compressor", "chain_limiter", "saturation"))
    points = round(10 * result.input.frames / RATE)
    assert len(compressor["reduction_db"]) == len(limiter["time_s"]) == points
    assert compressor["max_reduction_db"] == pytest.approx(max(compressor["reduction_db"]), abs=1e-3)
    assert compressor["max_reduction_db"] > 0.1
    assert numbers["controls"]["stages"] == {k: dict(v) for k, v in result.controls.stages.items()}
    assert -90.0 < saturation["added_mean_db"] < 0.0
    assert by_name["stereo"]["side_change_db"] > 0.5, "the planted width is above 1"
    told = " ".join(note["text"] for note in numbers["actions"])
    drive = result.controls.stages["saturation"]["drive_db"]
    assert isinstance(drive, float) and f"drive {drive:.1f} dB" in told
    for words in (
        "The compressor: threshold",
        "The compressor took off at most",
        "dB below the music",
        "width 1.",
    ):
        assert words in told, told
    page = (tmp_path / "r" / "report.html").read_text()
    for words in ("Gain reduction", "limiter of the chain", "Level of what the stage adds"):
        assert words in page
    shown = json.loads((tmp_path / "r" / "report.json").read_text())
    curves = shown.pop("curves")
    assert {**shown, "seconds": None} == {**numbers, "seconds": None}, "one JSON of one master"
    names = [reduction["stage"] for reduction in curves["reductions"]]
    assert names[:2] == ["compressor", "limiter of the chain"]
    assert max(curves["reductions"][0]["reduction_db"]) == pytest.approx(
        compressor["max_reduction_db"], abs=1e-3
    )


def test_the_recorded_reduction_is_the_compressors_own(saved: tuple[Path, Path], tmp_path: Path) -> None:
    """Measured from the audio that went in and came out, against the curve that the compressor computed."""
    _, controls = saved
    values = load_controls(controls).stages["compressor"]
    own = {k: v for k, v in values.items() if k in Compressor().specs} | {"makeup_db": 4.0, "mix": 0.7}
    tensors = {k: torch.tensor([v], dtype=torch.float64) for k, v in own.items()}
    dry = music(1.0)
    processor = Compressor(RATE)
    with torch.no_grad():
        out = processor(torch.from_numpy(dry)[None], **tensors)[0].numpy()
        curve = {k: v for k, v in tensors.items() if k not in ("mix", "makeup_db")}
        reduction = processor.reduction_db(torch.from_numpy(dry)[None], **curve)[0].numpy()
    gain = 1 + 0.7 * (10 ** ((4.0 - reduction) / 20) - 1)
    idle = 1 + 0.7 * (10 ** (4.0 / 20) - 1)
    expected = (20 * np.log10(idle / gain)).reshape(10, -1).max(axis=1)
    meter = StageMeter(stage_spec("compressor"), own, RATE)
    for piece in np.split(np.arange(RATE), [1, 4_000, 4_410, 30_000]):
        meter.push(dry[:, piece], out[:, piece])
    assert expected.max() > 0.5
    np.testing.assert_allclose(meter.record().reduction_db, expected, atol=1e-3)
