"""Following references as nm-master does: own masters exactly, other songs by shares, odd references with notes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import sosfilt

from neural_mastering.controls import ChainControls
from neural_mastering.dsp import rbj
from neural_mastering.errors import InputError
from neural_mastering.notes import has
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.reference.checks import far_warning, is_the_song
from neural_mastering.rendering.reference.decision import COMPRESSOR, STEREO, follow_references
from neural_mastering.rendering.reference.distances import tone_distance_db
from neural_mastering.rendering.reference.match import match_references
from neural_mastering.rendering.reference.measured import MeasuredReference, mean_measures, measures_of
from neural_mastering.rendering.reference.shares import EXACT, MatchShares
from neural_mastering.rendering.result import MasterResult
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from tests.rendering.conftest import DEMO_SONGS, RATE, music

Samples = NDArray[np.float64]
Write = Callable[..., Path]


def demo(number: int, seconds: float = 6.0) -> Samples:
    path = DEMO_SONGS[number]
    return np.array(soundfile.read(path, frames=round(seconds * RATE), always_2d=True)[0].T, dtype=np.float64)


@pytest.fixture(scope="module")
def songs() -> list[Samples]:
    """Six seconds of two bundled songs."""
    return [demo(2), demo(5)]


def reference_of(audio: Samples, weight: float = 1.0, rate: int = RATE) -> MeasuredReference:
    return MeasuredReference(Path("reference.wav"), weight, True, measures_of([audio], rate, len(audio)))


def test_the_songs_own_master_is_followed_as_exactly_as_before(songs: list[Samples]) -> None:
    bands = (("low_shelf", "high_shelf"), [150.0, 5_000.0], [3.0, -4.0], [0.7, 0.7])
    song = songs[0]
    own, theirs = (
        measures_of([song], RATE, 2),
        reference_of(np.asarray(sosfilt(rbj.sections(*bands, RATE), song))),
    )
    decision = follow_references(own, [theirs], [song])
    match = match_references(own.profile, [(theirs.measures.profile, 1.0)])
    assert decision.same_song and decision.bands == match.controls.eq and len(decision.bands)
    assert np.array_equal(decision.curve_db, match.curve_db)
    half = follow_references(own, [theirs], [song], MatchShares(0.5, 0.0, 0.0, 1.0))
    np.testing.assert_allclose(half.curve_db, 0.5 * match.curve_db)
    assert half.same_song and not half.stages


def test_the_equaliser_does_what_the_stereo_stage_leaves() -> None:
    """A wide song after a narrow, darker one: narrowing takes level where the side is, and the equaliser knows."""
    rng = np.random.default_rng(0)
    mid, side, other = rng.normal(size=(3, 8 * RATE)) * 0.05
    side = np.asarray(sosfilt(rbj.sections(("high_shelf",), [2_000.0], [9.0], [0.7], RATE), side))
    dark = np.asarray(sosfilt(rbj.sections(("high_shelf",), [3_000.0], [-3.0], [0.7], RATE), other))
    song, reference = np.stack([mid + side, mid - side]), reference_of(np.stack([1.05 * dark, 0.95 * dark]))
    own = measures_of([song], RATE, 2)
    left = []
    for used in ((), (STEREO,)):
        decision = follow_references(own, [reference], [song], replace(EXACT, dynamics=0.0), used=used)
        assert set(decision.stages) == {"stereo"} and not decision.same_song
        stages = build_stages(ChainControls(eq=decision.bands, stages=decision.stages), RATE, 2)
        result = np.concatenate(list(run_stages(stages, [song])), axis=1)
        left.append(tone_distance_db(measures_of([result], RATE, 2), reference.measures, decision.known))
    assert left[1] < 0.5 * left[0], left


def test_the_equaliser_does_what_the_compressor_leaves() -> None:
    """Drums that sound in loud moments alone lose most behind a compressor, and the equaliser knows."""
    rng = np.random.default_rng(0)
    beat = (np.arange(8 * RATE) % RATE < 0.15 * RATE).astype(float)
    low, high = (
        np.asarray(
            sosfilt(rbj.sections((kind,), [800.0], [-24.0], [0.7], RATE), rng.normal(size=(2, 8 * RATE)))
        )
        for kind in ("high_shelf", "low_shelf")
    )
    song, even = 0.3 * beat * low + 0.02 * high, rng.normal(size=(2, 8 * RATE)) * 0.05
    own, reference = measures_of([song], RATE, 2), reference_of(even)
    left = []
    for used in ((), (COMPRESSOR,)):
        decision = follow_references(own, [reference], [song], replace(EXACT, width=0.0), used=used)
        assert set(decision.stages) == {"compressor"} and not decision.same_song
        stages = build_stages(ChainControls(eq=decision.bands, stages=decision.stages), RATE, 2)
        result = np.concatenate(list(run_stages(stages, [song])), axis=1)
        left.append(tone_distance_db(measures_of([result], RATE, 2), reference.measures, decision.known))
    assert left[1] < 0.6 * left[0], left


def test_another_song_is_followed_in_each_respect(
    songs: list[Samples], write_song: Write, tmp_path: Path
) -> None:
    source, other = write_song(songs[0]), write_song(songs[1], "other.wav")
    options = Options(references=((other, 1.0),), json=tmp_path / "n.json", overwrite=True)
    result = master(source, tmp_path / "o.wav", options)
    assert result.reference is not None and not result.reference.decision.same_song
    rows = {row.respect: row for row in result.reference.rows}
    assert rows["tone"].after < 0.75 * rows["tone"].before
    assert rows["width"].after < 0.95 * rows["width"].before
    assert rows["dynamics"].after < rows["dynamics"].before + 0.1
    assert rows["loudness"].after < 0.2 < rows["loudness"].before
    assert "60 % was asked for" in rows["tone"].left and not rows["loudness"].left
    numbers = json.loads((tmp_path / "n.json").read_text())["reference"]
    assert numbers["match"] == {"tone": 0.6, "width": 0.6, "dynamics": 0.6, "loudness": 1.0}
    assert numbers["respects"][0]["after"] == pytest.approx(rows["tone"].after)
    assert len(numbers["asked_db"]) == len(numbers["applied_db"]) == 29
    assert any(note.text.startswith("Tone:") for note in result.actions if note.kind == "reference")

    in_full = master(source, tmp_path / "f.wav", replace(options, match=MatchShares(1.0, 1.0, 1.0, 1.0)))
    assert in_full.reference is not None
    assert in_full.reference.rows[0].after < rows["tone"].after
    none = replace(options, match=MatchShares(0.0, 0.0, 0.0, 0.0))
    kept = master(source, tmp_path / "k.wav", none)
    assert kept.controls.stages == {} and not len(kept.controls.eq)
    assert kept.target.name == "spotify" and kept.target.lufs == -14.0
    asked = master(source, tmp_path / "t.wav", replace(options, target="-20", match=none.match))
    assert asked.reference is not None and asked.result.lufs == pytest.approx(-20.0, abs=0.1)
    assert asked.reference.rows[3].left == "the target was asked for"


def test_the_loudness_follows_by_its_share(songs: list[Samples], write_song: Write, tmp_path: Path) -> None:
    source, other = write_song(songs[0]), write_song(0.25 * songs[1], "other.wav")
    options = Options(
        references=((other, 1.0),), match=MatchShares(0.0, 0.0, 0.0, 0.5), report=tmp_path / "report"
    )
    result = master(source, tmp_path / "o.wav", options)
    page = (tmp_path / "report" / "report.html").read_text()
    assert "What the reference asks of the equaliser" in page and "50 % was asked for" in page
    theirs = measures_of([0.25 * songs[1]], RATE, 2).readings.lufs
    assert result.target.lufs == pytest.approx(0.5 * (theirs - 14.0), abs=0.02)


def run(
    song: Samples, reference: Samples, write_song: Write, tmp_path: Path, rate: int = RATE, **settings: str
) -> MasterResult:
    other = write_song(reference, "reference.wav", rate, **settings)
    result = master(write_song(song), tmp_path / "o.wav", Options(references=((other, 1.0),), overwrite=True))
    written, _ = soundfile.read(tmp_path / "o.wav")
    assert np.isfinite(written).all() and np.abs(written).max() <= 1.0
    return result


def test_the_song_itself_asks_for_nothing(songs: list[Samples], write_song: Write, tmp_path: Path) -> None:
    result = run(songs[0], 0.5 * songs[0], write_song, tmp_path)
    assert has(result.warnings, "reference_is_the_song")
    assert not len(result.controls.eq) and not result.controls.stages
    assert not is_the_song(*(measures_of([song], RATE, 2) for song in songs))


def test_a_mono_reference_leaves_the_width(songs: list[Samples], write_song: Write, tmp_path: Path) -> None:
    result = run(songs[0], songs[1][:1], write_song, tmp_path)
    assert has(result.warnings, "reference_channels") and "stereo" not in result.controls.stages
    assert len(result.controls.eq)
    result = run(songs[0][:1], songs[1], write_song, tmp_path)
    assert has(result.warnings, "reference_channels") and "stereo" not in result.controls.stages
    dual = np.repeat(songs[1][:1], 2, axis=0)
    assert has(run(songs[0], dual, write_song, tmp_path).warnings, "reference_channels")


def test_short_clipped_slow_and_lossy_references_are_named(
    songs: list[Samples], write_song: Write, tmp_path: Path
) -> None:
    result = run(songs[0], songs[1][:, : 2 * RATE], write_song, tmp_path)
    assert has(result.warnings, "reference_short")
    result = run(songs[0], np.clip(6.0 * songs[1], -1.0, 1.0), write_song, tmp_path)
    assert has(result.warnings, "reference_clipped")
    slow = soxr.resample(songs[1].T, RATE, 16_000).T
    result = run(songs[0], slow, write_song, tmp_path, 16_000)
    assert has(result.warnings, "reference_rate") and result.reference is not None
    assert not result.reference.decision.known[-4:].any()
    other = tmp_path / "r.ogg"
    soundfile.write(other, songs[1].T, RATE)
    result = master(
        write_song(songs[0]), tmp_path / "o.wav", Options(references=((other, 1.0),), overwrite=True)
    )
    assert has(result.warnings, "reference_lossy")


def test_other_rates_say_the_same(songs: list[Samples]) -> None:
    own = measures_of([songs[0]], RATE, 2)
    at_48 = soxr.resample(songs[1].T, RATE, 48_000, quality="VHQ").T
    shares = MatchShares(0.6, 0.0, 0.0, 1.0)
    curves = [
        follow_references(own, [reference], [songs[0]], shares).curve_db
        for reference in (reference_of(songs[1]), reference_of(np.ascontiguousarray(at_48), rate=48_000))
    ]
    assert np.abs(curves[0] - curves[1])[3:-2].max() < 0.3


def test_silence_is_refused_as_a_reference_and_survived_as_a_song(
    songs: list[Samples], write_song: Write, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="too quiet to be a reference"):
        run(songs[0], np.zeros((2, 3 * RATE)), write_song, tmp_path)
    result = run(np.zeros((2, 3 * RATE)), songs[1], write_song, tmp_path)
    assert not len(result.controls.eq) and result.reference is not None
    short = run(songs[0][:, : RATE // 2], songs[1], write_song, tmp_path)
    assert np.isfinite(short.result.true_peak_db)


def test_far_references_are_named() -> None:
    known = np.ones(29, dtype=bool)
    difference = np.zeros(29)
    assert far_warning(difference, known) == ()
    difference[10] = -7.0
    (note,) = far_warning(difference, known)
    assert note.kind == "reference_far" and "\u22127.0 dB at 251 Hz" in note.text
    known[10] = False
    assert far_warning(difference, known) == ()


def test_means_of_several_references_leave_out_what_one_has_not(songs: list[Samples]) -> None:
    stereo, mono = reference_of(songs[0], 3.0), reference_of(songs[1][:1], 1.0)
    mean = mean_measures([stereo, mono])
    np.testing.assert_array_equal(mean.movement.side_db, stereo.measures.movement.side_db)
    np.testing.assert_allclose(
        mean.movement.levels_db,
        0.75 * stereo.measures.movement.levels_db + 0.25 * mono.measures.movement.levels_db,
    )
    assert np.isnan(mean_measures([stereo, replace(mono, weight=9.0)]).movement.side_db).all()


def test_a_crowd_of_references_is_one_style(songs: list[Samples]) -> None:
    own = measures_of([songs[0]], RATE, 2)
    crowd = [reference_of(music(2.0, seed=seed)) for seed in range(3)] * 20
    decision = follow_references(own, crowd, [songs[0]], MatchShares(1.0, 0.0, 0.0, 1.0))
    assert np.abs(decision.curve_db).max() > 1.0 and "60 references" in decision.sentences[0]
