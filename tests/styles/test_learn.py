"""Styles learned from songs: what is planted comes back, what is useless is named."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.errors import InputError
from neural_mastering.styles.learn import learn_from_files, learn_style
from neural_mastering.styles.robust import plain_covariance
from tests.styles.conftest import MakeSong


def _kinds(notes: tuple) -> list[str]:
    return [note.kind for note in notes]


def test_a_planted_style_comes_back(make_song: MakeSong) -> None:
    learned = learn_style("planted", [make_song(seed) for seed in range(400)])
    style = learned.profile
    assert style.songs == 400 and style.is_absolute and style.tone.known.all() and learned.notes == ()
    # levels are means of three normal numbers of 4 dB
    assert np.abs(style.tone.mean - (-14.0 - 0.4 * np.arange(29))).max() < 4.0 * 4.0 / np.sqrt(3 * 400)
    assert np.diag(style.tone.covariance).mean() == pytest.approx(16.0 / 3.0, rel=0.4)
    assert style.lufs is not None and style.lufs.mean == pytest.approx(-12.0, abs=0.4)
    assert style.plr_db is not None and style.plr_db.sd == pytest.approx(2.0, rel=0.2)
    assert style.side_db is not None and style.side_sd_db is not None
    assert style.side_db.mean() == pytest.approx(-10.0, abs=0.2)
    assert style.side_sd_db.mean() == pytest.approx(3.0, rel=0.1)
    assert style.crest_sd_db is not None and style.crest_sd_db.mean() == pytest.approx(2.0, rel=0.1)


def test_the_order_of_songs_changes_nothing(make_song: MakeSong) -> None:
    songs = [make_song(seed) for seed in range(12)]
    one, two = learn_style("x", songs), learn_style("x", songs[::-1])
    np.testing.assert_array_equal(one.profile.tone.covariance, two.profile.tone.covariance)
    np.testing.assert_array_equal(one.profile.tone.mean, two.profile.tone.mean)
    assert one.songs == two.songs and one.profile.lufs == two.profile.lufs


def test_one_song_has_its_own_mean_and_the_general_spread(make_song: MakeSong) -> None:
    general = learn_style("general", [make_song(seed) for seed in range(50)]).profile
    song = make_song(77)
    learned = learn_style("one", [song], general)
    np.testing.assert_allclose(learned.profile.tone.mean, song.levels_db, atol=1e-9)
    np.testing.assert_allclose(learned.profile.tone.covariance, general.tone.covariance, atol=1e-9)
    assert learned.profile.plr_db is not None and general.plr_db is not None
    assert learned.profile.plr_db.mean == song.plr_db
    assert learned.profile.plr_db.sd == pytest.approx(general.plr_db.sd)
    assert "few" in _kinds(learned.notes)
    plain = learn_style("plain", [song]).profile.tone.covariance
    np.testing.assert_allclose(plain, plain_covariance(), atol=1e-9)


def test_copies_count_once_and_the_longest_is_kept(make_song: MakeSong) -> None:
    songs = [make_song(seed) for seed in range(5)]
    noise = 0.2 * np.random.default_rng(0).normal(size=255)
    copies = [
        make_song(0, name="master", seconds=90.0, levels_db=songs[1].levels_db),
        make_song(0, name="a copy", fine_db=songs[0].fine_db + noise),
    ]
    learned = learn_style("x", songs + copies)
    assert learned.profile.songs == 5 and "master" in learned.songs and "a copy" not in learned.songs
    assert _kinds(learned.notes).count("duplicate") == 2


def test_a_song_far_out_changes_little_and_is_named(make_song: MakeSong) -> None:
    songs = [make_song(seed) for seed in range(30)]
    odd = make_song(
        99, name="odd", levels_db=songs[0].levels_db + np.where(np.arange(29) % 6 < 3, 25.0, -25.0)
    )
    clean, with_odd = learn_style("x", songs), learn_style("x", [*songs, odd])
    assert np.abs(with_odd.profile.tone.mean - clean.profile.tone.mean).max() < 0.4
    assert [n.text.split()[0] for n in with_odd.notes if n.kind == "odd"] == ["odd"]


def test_cut_treble_and_mono_say_nothing(make_song: MakeSong) -> None:
    low = CENTRES_HZ < 3_500.0
    speech = [
        make_song(i, filled=low, sample_rate=8_000, channels=1, side_db=np.full(29, np.nan)) for i in range(4)
    ]
    learned = learn_style("speech", speech)
    assert not learned.profile.tone.known[~low].any() and learned.profile.tone.known[low].all()
    assert learned.profile.side_db is None and learned.profile.side_sd_db is None
    assert {"narrow", "mono", "unknown_bands", "few"} <= set(_kinds(learned.notes))
    # beside full songs they say what they know, and nothing about treble
    full = [make_song(i) for i in range(10, 18)]
    mixed = learn_style("mixed", full + speech).profile
    treble = learn_style("full", full).profile
    assert mixed.tone.known.all()
    assert np.abs(mixed.tone.mean - treble.tone.mean)[-1] < 2.0
    assert mixed.side_db is not None and treble.side_db is not None
    np.testing.assert_allclose(mixed.side_db, treble.side_db)


def test_silence_alone_is_refused(make_song: MakeSong) -> None:
    silent = make_song(0, lufs=-np.inf, filled=np.zeros(29, dtype=bool))
    with pytest.raises(InputError, match=r"no song to learn 'quiet' from: song 000 is left out: silent"):
        learn_style("quiet", [silent])
    learned = learn_style("quiet", [silent, make_song(1)])
    assert learned.profile.songs == 1 and "unusable" in _kinds(learned.notes)


def test_a_folder_with_broken_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "deep").mkdir()
    soundfile.write(tmp_path / "deep" / "good.wav", 0.1 * rng.standard_normal((4 * 22_050, 2)), 22_050)
    soundfile.write(tmp_path / "short.flac", 0.1 * rng.standard_normal((22_050, 2)), 22_050)
    (tmp_path / "broken.mp3").write_bytes(b"no music")
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / ".hidden.wav").write_bytes(b"")
    (tmp_path / "cover.jpg").write_bytes(b"picture")
    seen = []
    learned = learn_from_files([tmp_path], "mine", None, 1, seen.append)
    assert len(seen) == 4 and learned.songs == ("good.wav",)
    assert sorted(_kinds(learned.notes))[-3:] == ["unreadable", "unreadable", "unusable"]
    with pytest.raises(InputError, match="none of 1 files can be read"):
        learn_from_files([tmp_path / "broken.mp3"], "mine")
    with pytest.raises(InputError, match="does not exist"):
        learn_from_files([tmp_path / "nowhere"], "mine")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="no audio files"):
        learn_from_files([tmp_path / "nothing"], "mine")
