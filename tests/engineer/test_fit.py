"""Engineers with a known policy, learned from numbers alone."""

from dataclasses import replace

import numpy as np
import pytest
from planted_engineer import HIGH_SHELF, LOW_SHELF, Curve, centred, planted_pair, planted_songs

from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.engineer.features import SongFeatures
from neural_mastering.engineer.fit import fit
from neural_mastering.engineer.reactions import number_reactions, tone_reactions
from neural_mastering.engineer.shrinkage import with_tone_trust, without_reactions
from neural_mastering.engineer.traits import TRAITS, filled_levels_db
from neural_mastering.errors import InputError

CONSTANT = 2.0 * LOW_SHELF + 1.5 * HIGH_SHELF


def _attack(song: SongFeatures) -> float:
    return next(trait.of(song) for trait in TRAITS if trait.name == "attack")


def _explained(songs: list[SongFeatures], taught: int, policy) -> tuple[float, float]:
    """Share of the song-dependent part, by the learned engineer and by the average."""
    pairs = [planted_pair(song, str(i), policy) for i, song in enumerate(songs[:taught])]
    engineer = fit(pairs)
    true = np.stack([centred(policy(song)) for song in songs[taught:]])[:, BROAD]
    found = np.stack([engineer.predict(song).curve_db for song in songs[taught:]])[:, BROAD]
    average = np.mean([pair.move.curve_db for pair in pairs], axis=0)[BROAD]
    power = ((true - true.mean(axis=0)) ** 2).sum()
    return 1.0 - ((found - true) ** 2).sum() / power, 1.0 - ((average - true) ** 2).sum() / power


def test_the_same_curve_for_every_song_is_learned_from_few() -> None:
    songs = planted_songs(6)
    engineer = fit([planted_pair(song, str(i), lambda _: CONSTANT) for i, song in enumerate(songs[:4])])
    found = engineer.predict(songs[5])
    assert np.abs(found.curve_db - centred(CONSTANT)).max() < 1e-6
    assert found.curve_sigma_db.max() < 0.1


def test_fewer_than_three_pairs_are_refused() -> None:
    pairs = [planted_pair(song, str(i), lambda _: CONSTANT) for i, song in enumerate(planted_songs(2))]
    with pytest.raises(InputError, match="2 usable pairs"):
        fit(pairs)


def test_below_ten_pairs_every_song_gets_the_average() -> None:
    songs = planted_songs(12)

    def policy(song: SongFeatures) -> Curve:
        return -0.5 * filled_levels_db(song)

    few = fit([planted_pair(song, str(i), policy) for i, song in enumerate(songs[:8])])
    moves = [few.predict(song).curve_db for song in songs]
    assert np.ptp(np.stack(moves), axis=0).max() < 1e-9


def test_half_of_the_way_to_a_target_is_learned_from_twenty() -> None:
    def policy(song: SongFeatures) -> Curve:
        return 0.5 * (CONSTANT - filled_levels_db(song))

    learned, average = _explained(planted_songs(34), 20, policy)
    assert learned > 0.99 and average < 0.1


def test_a_policy_that_does_not_read_the_spectrum_gets_no_coupling() -> None:
    songs = planted_songs(20, seed=3)
    pairs = [
        planted_pair(s, str(i), lambda s: CONSTANT + s.correlation * LOW_SHELF) for i, s in enumerate(songs)
    ]
    assert fit(pairs).coupling == 0.0


def test_numbers_follow_their_counterparts_in_the_mix() -> None:
    songs = planted_songs(26, seed=1)
    engineer = fit([planted_pair(song, str(i), lambda _: CONSTANT) for i, song in enumerate(songs[:20])])
    for song in songs[20:]:
        found = engineer.predict(song)
        assert found.plr_db == pytest.approx(0.5 * song.plr_db + 3.0, abs=0.3)
        assert found.loudness_lufs == pytest.approx(-10.0 - 0.1 * song.plr_db, abs=0.2)
        assert found.width_db == pytest.approx(song.width_db + 1.0, abs=1e-6)
    reaction = number_reactions(engineer, "plr_db")[0]
    assert TRAITS[reaction.trait].name == "plr" and reaction.part > 0.9
    assert tone_reactions(engineer).traits == ()


def test_a_width_that_is_left_alone_is_left_alone() -> None:
    songs = planted_songs(24, seed=2)
    pairs = [planted_pair(song, str(i), lambda _: CONSTANT) for i, song in enumerate(songs[:20])]
    pairs = [replace(p, move=replace(p.move, width_db=p.features.width_db)) for p in pairs]
    engineer = fit(pairs)
    for song in songs[20:]:
        assert engineer.predict(song).width_db == pytest.approx(song.width_db, abs=1e-6)
    assert number_reactions(engineer, "width_db") == []


def test_what_fits_in_each_group_alone_is_not_believed() -> None:
    songs = planted_songs(24, seed=4)
    rng = np.random.default_rng(4)
    lift = {id(song): rng.standard_normal() for song in songs}
    pairs = [planted_pair(s, str(i), lambda s: lift[id(s)] * HIGH_SHELF) for i, s in enumerate(songs)]
    engineer = fit(pairs, [str(i // 2) for i in range(24)])
    moves = engineer.known_moves()
    assert engineer.scores[0].trust < 0.3
    assert (
        np.ptp(moves, axis=0).max() < 0.5 * np.ptp(np.stack([p.move.curve_db for p in pairs]), axis=0).max()
    )


def test_an_engineer_without_reactions_gives_the_average() -> None:
    songs = planted_songs(14)
    pairs = [planted_pair(s, str(i), lambda s: -0.5 * filled_levels_db(s)) for i, s in enumerate(songs[:12])]
    engineer = fit(pairs)
    plain = without_reactions(engineer)
    found = plain.predict(songs[13])
    assert np.abs(found.curve_db - np.mean([p.move.curve_db for p in pairs], axis=0)).max() < 1e-9
    moves = np.stack([p.move.curve_db for p in pairs])
    assert np.allclose(found.curve_sigma_db, moves.std(axis=0, ddof=1), atol=0.05)


@pytest.mark.parametrize(
    "policy", [lambda s: -0.5 * filled_levels_db(s), lambda s: s.correlation * LOW_SHELF]
)
def test_half_a_trust_in_the_tone_is_half_of_the_way_from_the_average(policy) -> None:
    """With reactions to the spectrum (coupled) and to a trait (scores)."""
    songs = planted_songs(25, seed=6)
    engineer = fit([planted_pair(s, str(i), policy) for i, s in enumerate(songs[:20])])
    half, average = with_tone_trust(engineer, 0.5), without_reactions(engineer)
    moved_db = []
    for song in songs[20:]:
        whole, part, none = (each.predict(song).curve_db for each in (engineer, half, average))
        assert np.abs(part - 0.5 * (whole + none)).max() < 1e-6
        moved_db.append(np.abs(whole - none).max())
        assert half.predict(song).numbers == engineer.predict(song).numbers
    assert max(moved_db) > 0.2  # otherwise half of it shows nothing
    assert with_tone_trust(engineer, 1.0) is engineer


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_two_policies_at_once_are_learned_from_twenty_pairs(seed: int) -> None:
    songs = planted_songs(60, seed)
    attack = np.array([_attack(song) for song in songs])
    rng = np.random.default_rng(seed)
    noise = {id(song): 0.3 * rng.standard_normal() * LOW_SHELF for song in songs}

    def policy(song: SongFeatures) -> Curve:
        z = (_attack(song) - attack.mean()) / attack.std()
        bass = CONSTANT - 1.5 * z * LOW_SHELF + noise[id(song)]
        return bass - 0.8 * (song.correlation - 0.6) / 0.23 * HIGH_SHELF

    learned, average = _explained(songs, 20, policy)
    assert learned > 0.7 and average < 0.1
