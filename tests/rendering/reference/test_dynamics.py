"""Dynamics and width by reference: planted ones on real songs, foreign songs, and songs that need nothing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from neural_mastering.controls import ChainControls
from neural_mastering.metering.movement import Movement, movement_of, pieces_of
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.reference.dynamics import match_stages
from neural_mastering.rendering.reference.shares import MatchShares
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from tests.rendering.conftest import DEMO_SONGS, RATE

Samples = NDArray[np.float64]
COMPRESSOR = {
    "threshold_db": -10.0, "ratio": 4.0, "attack_ms": 5.0, "release_ms": 150.0, "knee_db": 3.0, "makeup_db": 0.0,
    "mix": 1.0, "sidechain_hz": 0.0, "link_max": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def songs() -> list[Samples]:
    """Five seconds each of four of the bundled songs."""
    return [
        np.array(soundfile.read(path, frames=5 * RATE, always_2d=True)[0].T, dtype=np.float64)
        for path in DEMO_SONGS[:4]
    ]


def rendered(audio: Samples, stages: Mapping[str, Mapping[str, float | tuple[float, ...]]]) -> Samples:
    controls = ChainControls(stages=stages)
    return np.concatenate(list(run_stages(build_stages(controls, RATE, 2), [audio])), axis=1)


def mastered(audio: Samples, lufs: float = -16.0) -> Samples:
    """A compressed and widened version."""
    stereo = {"width": 1.4, "bass_frequency_hz": 100.0, "bass_amount": 0.0}
    return rendered(audio, {"compressor": {**COMPRESSOR, "input_lufs": lufs}, "stereo": stereo})


def distance_db(a: Movement, b: Movement) -> float:
    return float(np.sqrt(np.mean((a.levels_db - b.levels_db) ** 2)))


def test_blocks_give_the_same_as_the_whole(songs: list[Samples]) -> None:
    whole = movement_of([songs[0]], RATE)
    parts = movement_of(np.split(songs[0], [1, 5_000, 5_007, 200_000], axis=1), RATE)
    np.testing.assert_allclose(parts.levels_db, whole.levels_db, atol=1e-9)
    np.testing.assert_allclose(parts.side_db, whole.side_db, atol=1e-6)
    quieter = movement_of([0.01 * songs[0]], RATE)
    np.testing.assert_allclose(quieter.levels_db, whole.levels_db, atol=1e-6)


def test_pieces_cover_a_short_song_and_sample_a_long_one(songs: list[Samples]) -> None:
    (piece,) = pieces_of(iter(np.split(songs[0], [7, 100_000], axis=1)), RATE, songs[0].shape[1])
    np.testing.assert_allclose(piece, songs[0], atol=1e-6)
    long = np.tile(np.arange(RATE * 60.0), (1, 1))
    pieces = pieces_of(iter(np.array_split(long, 17, axis=1)), RATE, long.shape[1])
    assert len(pieces) == 6 and all(np.all(np.diff(p) >= 0) for p in pieces)
    assert pieces[0][0, 0] == 0.0 and pieces[-1][0, -1] == pytest.approx(long[0, -1], rel=1e-6)


@pytest.mark.parametrize("song", [0, 2])
def test_the_own_masters_dynamics_and_width_are_found(song: int, songs: list[Samples]) -> None:
    audio = songs[song]
    truth = mastered(audio)
    before, wanted = movement_of([audio], RATE), movement_of([truth], RATE)
    match = match_stages([audio], RATE, -16.0, before, wanted, likely=1.0)
    assert match.stages["stereo"]["width"] == pytest.approx(
        1.4, abs=0.06
    )  # the gain rides on both, not alike
    compressor = match.stages["compressor"]
    assert isinstance(compressor["ratio"], float) and compressor["ratio"] > 1.3
    after = movement_of([rendered(audio, {k: dict(v) for k, v in match.stages.items()})], RATE)
    assert distance_db(after, wanted) < 0.4 * distance_db(before, wanted)
    assert "compressor of" in match.sentences[0] and "width 1.4" in match.sentences[1]


def test_a_foreign_song_and_a_twin_ask_for_nothing(songs: list[Samples]) -> None:
    own, other = movement_of([songs[0]], RATE), movement_of([mastered(songs[1])], RATE)
    foreign = match_stages([songs[0]], RATE, -16.0, own, other, likely=0.1)
    assert not foreign.stages and "left alone" in foreign.sentences[0]
    assert not match_stages([songs[0]], RATE, -16.0, own, own, likely=1.0).stages
    # sides that differ by band are no width, even where the spectra agree
    assert "stereo" not in match_stages([songs[0]], RATE, -16.0, own, other, likely=1.0).stages


def test_what_is_more_even_than_its_reference_stays(songs: list[Samples]) -> None:
    dull = mastered(songs[0])
    match = match_stages(
        [dull], RATE, -16.0, movement_of([dull], RATE), movement_of([songs[0]], RATE), likely=1.0
    )
    assert "compressor" not in match.stages
    width = match.stages["stereo"]["width"]
    assert width == pytest.approx(1.0 / 1.4, abs=0.04), "width can be taken back"


def test_less_certain_is_less_followed(songs: list[Samples]) -> None:
    own, wanted = movement_of([songs[0]], RATE), movement_of([mastered(songs[0])], RATE)
    match = match_stages([songs[0]], RATE, -16.0, own, wanted, likely=0.6)
    assert match.stages["compressor"]["mix"] == 0.6
    assert match.stages["stereo"]["width"] == pytest.approx(1.4**0.6, abs=0.04)


def test_mono_and_silence(songs: list[Samples]) -> None:
    mono = songs[0][:1]
    match = match_stages(
        [mono], RATE, -16.0, movement_of([mono], RATE), movement_of([mono], RATE), likely=1.0
    )
    assert not match.stages
    silent = np.zeros((2, RATE))
    match = match_stages(
        [silent], RATE, -70.0, movement_of([silent], RATE), movement_of([songs[0]], RATE), likely=1.0
    )
    assert not match.stages and "too little sound" in match.sentences[0]


def test_nm_master_follows_its_own_master_with_all_stages(
    songs: list[Samples], write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source, reference = write_song(songs[0], "mix.wav"), write_song(0.7 * mastered(songs[0]), "master.wav")
    result = master(source, tmp_path / "out.wav", Options(references=((reference, 1.0),), target="-16"))
    assert set(result.controls.stages) == {"compressor", "stereo"}
    written = np.array(soundfile.read(tmp_path / "out.wav")[0].T, dtype=np.float64)
    wanted, before, after = (movement_of([x], RATE) for x in (mastered(songs[0]), songs[0], written))
    assert distance_db(after, wanted) < 0.5 * distance_db(before, wanted)
    assert any("compressor" in note.text for note in result.actions if note.kind == "reference")


def test_another_song_is_followed_by_the_shares(
    songs: list[Samples], write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source, foreign = write_song(songs[0], "mix.wav"), write_song(songs[2], "other.wav")
    options = Options(references=((foreign, 1.0),), target="-16")
    assert {"compressor", "stereo"} == set(master(source, tmp_path / "a.wav", options).controls.stages)
    nothing = replace(options, match=MatchShares(0.0, 0.0, 0.0, 0.0))
    controls = master(source, tmp_path / "b.wav", nothing).controls
    assert not controls.stages and not len(controls.eq)
