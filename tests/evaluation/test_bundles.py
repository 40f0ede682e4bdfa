"""A bundle under evaluation: the numbers are those that a user of nm-master gets."""

import csv
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import nm_eval_world as world  # pyright: ignore[reportMissingImports]
import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from neural_mastering.controls import load_controls
from neural_mastering.data import AudioCache
from neural_mastering.errors import InputError
from neural_mastering.evaluation.ablations import ablations_of
from neural_mastering.evaluation.controls_trace import CURVE_HZ, ControlsTrace
from neural_mastering.evaluation.evaluate import evaluate
from neural_mastering.evaluation.inspect import inspect_checkpoint
from neural_mastering.evaluation.measure_song import EvaluationOptions
from neural_mastering.evaluation.pictures import stems
from neural_mastering.evaluation.plan import model_rows
from neural_mastering.evaluation.request import EvaluationRequest
from neural_mastering.evaluation.run_info import read_run
from neural_mastering.evaluation.song_set import LoadedSong, choose_songs, load_song
from neural_mastering.evaluation.trained_model import TrainedModel, render_controls
from neural_mastering.models import Confidence, load_model, write_bundle
from neural_mastering.models.bundle import bundled_models, read_bundle
from neural_mastering.models.checkpoint import CheckpointError
from neural_mastering.rendering import Options as MasterOptions
from neural_mastering.rendering import master

RATE = world.RATE
BUNDLED = "modest-eq-2"
CONFIDENCE = read_bundle(bundled_models()[BUNDLED]).confidence


def make_run(folder: Path, phase: str) -> Path:
    """A run whose equaliser moves by some decibels."""
    world.make_run(folder, phase)
    file = folder / "checkpoints" / "best.ckpt"
    contents = torch.load(file, weights_only=True)
    contents["state_dict"]["model.eq_head.eq_logits.weight"] *= 30.0
    torch.save(contents, file)
    return folder


def make_bundle(
    run: Path, path: Path, confidence: Confidence, about: Mapping[str, Any] | None = None
) -> Path:
    """The weights of a run as a bundle."""
    write_bundle(load_model(run), read_run(run).model_config, path, confidence, about)
    return path


def system_of(path: Path | str) -> TrainedModel:
    run = read_run(path)
    return TrainedModel("m", "m", load_model(run.checkpoint), confidence=run.confidence)


@pytest.fixture(scope="module")
def long_song(eval_pairs: Path, eval_cache: Path) -> LoadedSong:
    """Twelve seconds: three windows, the last of which overlaps; each of another tone."""
    songs = [load_song(p, AudioCache(eval_cache, RATE)) for p in choose_songs(eval_pairs, "all").songs[:3]]
    dark = torch.nn.functional.avg_pool1d(songs[1].input, 9, 1, 4)
    before = torch.cat(
        [songs[0].input, dark, songs[2].input.diff(dim=-1, append=songs[2].input[..., :1])], -1
    )
    return LoadedSong("long", "g", before, 0.5 * before, RATE)


def mastered_controls(song: LoadedSong, model: str, folder: Path) -> tuple[np.ndarray, float]:
    """What nm-master --save-controls writes for a song, as a curve at CURVE_HZ in dB, and its gain in dB."""
    folder.mkdir()
    soundfile.write(folder / "mix.wav", song.input[0].T.numpy(), RATE, subtype="FLOAT")
    options = MasterOptions(model=model, save_controls=folder / "c.yaml", target="keep", ceiling="off")
    master(folder / "mix.wav", folder / "out.wav", options)
    controls = load_controls(folder / "c.yaml")
    _, response = scipy.signal.sosfreqz(controls.eq_sections(RATE), worN=CURVE_HZ, fs=RATE)
    return 20.0 * np.log10(np.abs(response)), controls.gain_db


def trace_of(system: TrainedModel, song: LoadedSong) -> ControlsTrace:
    trace = system.render(song).trace
    assert trace is not None
    return trace


@pytest.mark.parametrize("phase", [BUNDLED, "1a", "1b", "2"])
def test_the_controls_are_those_of_nm_master(phase: str, long_song: LoadedSong, tmp_path: Path) -> None:
    """Also where a residual or a chain asks for the model's own gain."""
    if phase == BUNDLED:
        model = BUNDLED
    else:
        run = make_run(tmp_path / "run", phase)
        model = str(make_bundle(run, tmp_path / "mine.json", Confidence(0.8, 1.5)))
    trace = trace_of(system_of(model), long_song)
    curve_db, gain_db = mastered_controls(long_song, model, tmp_path / "master")
    assert 0.0 < trace.followed < 1.0 and np.abs(curve_db).max() > 0.1
    np.testing.assert_allclose(trace.curve_db, curve_db, atol=2e-3)
    assert trace.gain_db == pytest.approx(gain_db, abs=2e-3)
    assert (gain_db == 0.0) == (phase in (BUNDLED, "1a"))


def test_the_song_is_filtered_by_the_curve_that_is_shown(long_song: LoadedSong) -> None:
    trace = trace_of(system_of(BUNDLED), long_song)
    click = replace(long_song, input=long_song.input.clone())
    result = system_of(BUNDLED).render(click).audio
    power = [scipy.signal.welch(a[0, 0].numpy(), RATE, nperseg=8192)[1] for a in (click.input, result)]
    at_hz = np.fft.rfftfreq(8192, 1 / RATE)
    inside = (at_hz > 100) & (at_hz < 12_000)
    measured = 10 * np.log10(power[1] / power[0])[inside]
    shown = np.interp(np.log(at_hz[inside]), np.log(CURVE_HZ), trace.curve_db)
    assert np.abs(measured - shown).max() < 0.15


def test_full_confidence_is_the_model_and_none_is_nothing(
    eval_run: Path, tmp_path: Path, long_song: LoadedSong
) -> None:
    """One window has nothing to disagree with; several are followed only as far as they agree."""
    run = make_run(tmp_path / "run", "1b")
    song = replace(
        long_song, input=long_song.input[..., : 4 * RATE], target=long_song.target[..., : 4 * RATE]
    )
    plain = system_of(run).render(song)
    full = system_of(make_bundle(run, tmp_path / "full.json", Confidence(1.0, 0.0))).render(song)
    torch.testing.assert_close(full.audio, plain.audio, atol=1e-6, rtol=0)
    assert full.trace is not None and full.trace.followed == pytest.approx(1.0)
    several = trace_of(system_of(tmp_path / "full.json"), long_song)
    assert several.followed < 0.999
    without_residual = make_run(tmp_path / "1a", "1a")
    none = make_bundle(without_residual, tmp_path / "none.json", Confidence(0.0, 0.0))
    torch.testing.assert_close(system_of(none).render(song).audio, song.input, atol=1e-6, rtol=0)
    assert not np.abs(trace_of(system_of(none), song).curve_db).max()


def test_a_segment_is_followed_as_far_as_its_own_confidence(tmp_path: Path, long_song: LoadedSong) -> None:
    run = make_run(tmp_path / "run", "1a")
    system = system_of(make_bundle(run, tmp_path / "mine.json", Confidence(0.8, 1.5)))
    start, stop = RATE, 7 * RATE  # longer than a window of a whole song
    part = long_song.input[..., start:stop]
    with torch.inference_mode():
        analysis = system.model.analyse(part)
    move_db = float(
        (curve := system.model.eq_head.eq.response_db(
            torch.logspace(np.log10(30.0), np.log10(15_000.0), 64),
            **system.model.eq_head.decode(analysis.logits).eq,
        )).sub(curve.mean()).square().mean().sqrt()
    )  # fmt: skip
    wanted = 0.8 * move_db**2 / (move_db**2 + 1.5**2)
    controls = system.model.eq_head.decode(analysis.logits)
    weak = controls.eq | {"gain_db": wanted * controls.eq["gain_db"]}
    got = system.segment(long_song, system.render(long_song), start, stop)
    torch.testing.assert_close(got, system.model.eq_head.eq(part, **weak), atol=1e-5, rtol=0)


def test_ablations_keep_to_the_confidence(tmp_path: Path, long_song: LoadedSong) -> None:
    run = make_run(tmp_path / "run", "1a")
    system = system_of(make_bundle(run, tmp_path / "mine.json", Confidence(0.8, 1.5)))
    model = system.model
    own, other = system.listen(long_song.input), system.listen(long_song.input[..., 5 * RATE :])
    assert own.confidence is not None and other.confidence is not None
    assert own.confidence.confidence != other.confidence.confidence
    results = {
        a.key: render_controls(a.edit(own, other), long_song.input)[0]
        for a in ablations_of(model, True, True)
    }
    assert list(results) == ["shuffled_z", "followed_fully", "no_eq", "no_gain"]
    with torch.inference_mode():
        full = model.eq_head.eq(long_song.input, **model.eq_head.decode(own.analysis.logits).eq)
        torch.testing.assert_close(results["followed_fully"], full, atol=1e-5, rtol=0)
        torch.testing.assert_close(results["no_eq"], long_song.input)
        heard = model.eq_head.decode(model.eq_head(other.analysis.z, own.analysis.lufs)).eq
        weak = heard | {"gain_db": other.confidence.confidence * heard["gain_db"]}
        wanted = model.eq_head.eq(long_song.input, **weak)
        torch.testing.assert_close(results["shuffled_z"], wanted, atol=1e-5, rtol=0)


def test_what_a_bundle_can_and_can_t_say_of_its_songs(eval_pairs: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "1a")
    about = {"songs": {"train": {"B": 12, "other": 3}}}
    told = read_run(make_bundle(run, tmp_path / "told.json", Confidence(), about))
    silent = read_run(make_bundle(run, tmp_path / "silent.json", Confidence()))
    assert told.songs is None and told.phase == "1A" and told.name == "told" and told.folder is None
    (note,) = choose_songs(eval_pairs, "validation", [told]).notes
    assert "told is a bundle" in note and "can't be known" in note and "'b' (12 songs)" in note
    (note,) = choose_songs(eval_pairs, "test", [told]).notes
    assert "15 songs of 2 groups; no group here" in note
    (note,) = choose_songs(eval_pairs, "test", [silent]).notes
    assert note.endswith("can't be known here.")


def test_rows_and_pictures_of_bundles_and_runs_are_told_apart(eval_run: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "first", "1a")
    rows = model_rows([read_run(p) for p in (run, BUNDLED, BUNDLED, eval_run)])
    assert [row.name for row in rows] == ["phase 1a", BUNDLED, f"{BUNDLED} #2", "phase 1c"]
    assert stems(rows) == [
        "phase_1A_phase_1a",
        "phase_1A_modest_eq_2",
        "phase_1A_modest_eq_2_2",
        "phase_1C",
    ]
    assert stems(rows[1:2]) == ["phase_1A"]


def test_the_split_is_that_of_the_first_run_that_stored_one(tmp_path: Path) -> None:
    root = world.make_pairs(tmp_path / "pairs", splits=False)
    folder = make_run(tmp_path / "run", "1c")
    parts = {"train": world.NAMES[3:], "validation": world.NAMES[2:3], "test": world.NAMES[:2]}
    content = {split: [{"name": n, "group": "g"} for n in names] for split, names in parts.items()}
    (folder / "splits.json").write_text(json.dumps({"splits": content}))
    chosen = choose_songs(root, "test", [read_run(BUNDLED), read_run(folder)])
    assert [song.name for song in chosen.songs] == list(world.NAMES[:2])


class _Silent:
    """Progress that nobody sees."""

    def say(self, message: str) -> None: ...
    def start(self, what: str, total: int) -> None: ...
    def advance(self) -> None: ...


def test_a_whole_evaluation(eval_pairs: Path, eval_cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = EvaluationOptions(segments=0, ablations=False)
    request = EvaluationRequest(
        checkpoints=(Path(BUNDLED),),
        data=eval_pairs,
        out=out,
        songs=("söng 4",),
        options=options,
        peers=False,
        report=False,
        jobs=1,
        cache_folder=eval_cache,
        command=f"nm-eval --data '{eval_pairs}'",
    )
    evaluate(request, _Silent())
    assert {p.name for p in out.glob("*.png")} == {"phase_1A_eq_curve.png", "phase_1A_metrics.png"}
    content = json.loads((out / "metrics.json").read_text())
    (model,) = content["models"]
    assert model["name"] == BUNDLED and model["confidence"] == asdict(CONFIDENCE)
    assert any("can't be known" in warning for warning in content["warnings"])
    # names on the page and in facts, whole paths beside them
    assert not any(str(tmp_path.parent) in fact for fact in content["facts"].values())
    assert content["data"] == str(eval_pairs) and content["command"] == request.command
    assert content["facts"]["command"] == "nm-eval --data '…/my pairs'"
    with (out / "controls.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["system"] for row in rows} == {"modest_eq_2"} and len(rows) == 8
    assert {float(row["broadband_gain_db"]) for row in rows} == {0.0}


def test_inspection_of_a_bundle() -> None:
    text = inspect_checkpoint(BUNDLED).as_text()
    for words in (
        BUNDLED,
        "1A (by its parts)",
        f"scale {CONFIDENCE.scale:g}, doubt {CONFIDENCE.doubt_db:g} dB",
        "189 songs in 11 groups",
        "CC BY-SA 4.0",
    ):
        assert words in text
    content = inspect_checkpoint(BUNDLED).as_dict()
    json.dumps(content)
    assert content["bundle"]["confidence"] == asdict(CONFIDENCE) and content["epoch"] is None


def test_what_is_no_bundle_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=f"does not exist.*{BUNDLED}"):
        read_run("modest-eq-0")
    with pytest.raises(InputError, match="there is no"):
        read_run(tmp_path / "nothing.json")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(InputError, match="does not describe a model"):
        read_run(tmp_path / "x.safetensors")
    bundle = make_bundle(make_run(tmp_path / "run", "1a"), tmp_path / "mine.json", Confidence())
    shutil.copy(tmp_path / "mine.json", tmp_path / "other.json")
    assert read_run(bundle.with_suffix(".safetensors")).checkpoint == bundle
    with pytest.raises(InputError, match="can't be read"):
        inspect_checkpoint(tmp_path / "other.json")
