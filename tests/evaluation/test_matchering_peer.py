"""Matchering's rows: what it is given, what becomes of its result, and songs that it can't do."""

import sys
import types
from dataclasses import replace
from pathlib import Path

import nm_eval_world as world  # pyright: ignore[reportMissingImports]
import numpy as np
import pytest
import soundfile
import torch

from neural_mastering.data import AudioCache
from neural_mastering.evaluation import matchering_peer
from neural_mastering.evaluation.matchering_peer import Matchering
from neural_mastering.evaluation.plan import peer_references, references_by_group
from neural_mastering.evaluation.song_set import LoadedSong, choose_songs, load_song
from neural_mastering.evaluation.song_systems import Skip


@pytest.fixture
def song(eval_pairs: Path, eval_cache: Path) -> LoadedSong:
    return load_song(choose_songs(eval_pairs, "all").songs[0], AudioCache(eval_cache, world.RATE))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """A module in the peer's place that notes its files and hands the reference back at half its level."""
    seen: dict[str, np.ndarray] = {}

    def process(target: str, reference: str, results: list) -> None:
        seen["input"], seen["reference"] = (soundfile.read(path)[0].T for path in (target, reference))
        path, subtype = results[0]
        soundfile.write(path, 0.5 * seen["reference"].T, world.RATE, subtype=subtype)

    fake = types.ModuleType("matchering")
    fake.process = process  # type: ignore[attr-defined]
    fake.Result = lambda path, subtype: (path, subtype)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "matchering", fake)
    return seen


def test_the_oracle_hears_the_target(
    song: LoadedSong, stand_in: dict[str, np.ndarray], eval_cache: Path
) -> None:
    system = Matchering(AudioCache(eval_cache, world.RATE), None)
    result = system.render(song).audio
    assert system.kind == "oracle" and "oracle" in system.name
    np.testing.assert_allclose(stand_in["input"], song.input[0].numpy(), atol=1e-7)
    torch.testing.assert_close(result, 0.5 * song.target, atol=1e-6, rtol=0)


def test_the_reference_is_another_song_of_the_group(
    song: LoadedSong, stand_in: dict[str, np.ndarray], eval_pairs: Path, eval_cache: Path
) -> None:
    chosen = choose_songs(eval_pairs, "all")
    cache = AudioCache(eval_cache, world.RATE)
    system = Matchering(cache, references_by_group(chosen))
    system.render(song)
    other = load_song(chosen.songs[1], cache)
    np.testing.assert_allclose(stand_in["reference"], other.target[0].numpy(), atol=1e-7)
    with pytest.raises(Skip, match="no other song in its group"):
        system.render(replace(song, name="alone"))


def test_its_refusal_is_a_gap_and_no_crash(
    song: LoadedSong, stand_in: dict[str, np.ndarray], eval_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**arguments: object) -> None:
        raise RuntimeError("too short")

    monkeypatch.setattr(sys.modules["matchering"], "process", refuse)
    with pytest.raises(Skip, match="refused it: too short"):
        Matchering(AudioCache(eval_cache, world.RATE), None).render(song)


def test_without_the_package_the_rows_are_left_out_with_a_reason(
    eval_pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = choose_songs(eval_pairs, "all")
    monkeypatch.setattr(matchering_peer, "is_installed", lambda: False)
    references, reason = peer_references(chosen, True)
    assert references is None and "neural-mastering[peers]" in reason
    monkeypatch.setattr(matchering_peer, "is_installed", lambda: True)
    assert peer_references(chosen, False) == (None, "")
    references, _ = peer_references(chosen, True)
    assert references is not None and len(references) == 6


@pytest.mark.slow
def test_the_real_package_brings_a_song_near_its_target(song: LoadedSong, eval_cache: Path) -> None:
    pytest.importorskip("matchering", reason=matchering_peer.NOT_INSTALLED)
    from neural_mastering.metrics import ltas_error

    result = Matchering(AudioCache(eval_cache, world.RATE), None).render(song).audio
    before, after = (float(ltas_error(side, song.target, world.RATE)) for side in (song.input, result))
    assert after < 0.5 * before
