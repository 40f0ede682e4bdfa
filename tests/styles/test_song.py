"""One pass over a song gives what the single meters give; edges of codecs are found."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, firwin, oaconvolve, sosfilt

from neural_mastering.audio_io.block import blocks_of
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.errors import InputError
from neural_mastering.metering.band_crest import band_crest_of
from neural_mastering.metering.movement import movement_of
from neural_mastering.metering.profile import profile_of
from neural_mastering.styles.song import measure_song_tone, song_tone_of
from tests.styles.conftest import MakeSong

RATE = 44_100


def _pink(seconds: float, rate: int = RATE, channels: int = 2, seed: int = 0) -> np.ndarray:
    white = np.random.default_rng(seed).standard_normal((channels, round(seconds * rate)))
    return 0.1 * np.asarray(sosfilt(butter(1, 400.0, fs=rate, output="sos"), white))


def test_it_agrees_with_the_single_meters() -> None:
    audio = _pink(21.0)
    song = song_tone_of(blocks_of(audio), RATE, "noise")
    profile = profile_of(blocks_of(audio), RATE)
    np.testing.assert_allclose(song.levels_db, profile.levels_db)
    np.testing.assert_allclose(song.fine_db, profile.fine_db)
    np.testing.assert_allclose(song.side_db, movement_of(blocks_of(audio), RATE).side_db)
    np.testing.assert_allclose(song.crest_db, band_crest_of(blocks_of(audio), RATE))
    assert song.lufs == pytest.approx(profile.lufs) and song.seconds == pytest.approx(21.0)
    assert 8.0 < song.plr_db < 20.0 and 0.0 <= song.lra_lu < 1.0 and song.fault == ""
    assert song.edge_hz is None and song.filled.all()


def test_gain_changes_loudness_alone() -> None:
    audio = _pink(4.0)
    loud, quiet = (song_tone_of(blocks_of(x), RATE) for x in (audio, 0.1 * audio))
    assert loud.lufs - quiet.lufs == pytest.approx(20.0, abs=1e-6)
    np.testing.assert_allclose(loud.levels_db, quiet.levels_db, atol=1e-6)
    assert loud.plr_db == pytest.approx(quiet.plr_db, abs=1e-6)
    assert np.isnan(loud.lra_lu)  # 4 s have no loudness range


@pytest.mark.parametrize("edge_hz", [11_000.0, 16_000.0])
def test_the_edge_of_a_codec_is_found_and_nothing_is_said_above_it(edge_hz: float) -> None:
    audio = oaconvolve(_pink(6.0), np.asarray(firwin(2001, edge_hz, fs=RATE))[None], axes=1)
    song = song_tone_of(blocks_of(audio + 1e-7 * _pink(audio.shape[1] / RATE, seed=1)), RATE)
    assert song.edge_hz is not None and edge_hz - 1_000.0 < song.edge_hz <= edge_hz + 250.0
    assert not song.filled[edge_hz < CENTRES_HZ * 10**0.05].any()
    assert song.filled[edge_hz - 1_000.0 > CENTRES_HZ * 10**0.05].all()


def test_a_gentle_fall_is_no_edge() -> None:
    audio = np.asarray(sosfilt(butter(4, 6_000.0, fs=RATE, output="sos"), _pink(6.0)))  # 24 dB an octave
    assert song_tone_of(blocks_of(audio), RATE).edge_hz is None


def test_what_is_no_song_says_why(tmp_path: Path, make_song: MakeSong) -> None:
    assert "silent" in song_tone_of(blocks_of(np.zeros((2, 5 * RATE))), RATE).fault
    assert "2.0 s" in song_tone_of(blocks_of(_pink(2.0)), RATE).fault
    sine = 0.1 * np.sin(2 * np.pi * 1_000 * np.arange(5 * RATE) / RATE)[None]
    assert "third octaves" in song_tone_of(blocks_of(sine), RATE).fault
    assert "only 5 third octaves" in make_song(filled=CENTRES_HZ > 6_000.0).fault
    for fault in (np.zeros((2, 5 * RATE)), _pink(0.3)):
        song = song_tone_of(blocks_of(fault), RATE)
        assert (not np.isfinite(song.crest_db).any() and not song.filled.any()) or song.seconds < 1.0
    with pytest.raises(InputError, match="no audio"):
        song_tone_of([], RATE)
    (tmp_path / "broken.wav").write_bytes(b"RIFF but no more")
    with pytest.raises(InputError, match="can't be read"):
        measure_song_tone(tmp_path / "broken.wav")


def test_mono_and_speech_rate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "speech.wav", _pink(5.0, 8_000, 1).T, 8_000)
    song = measure_song_tone(tmp_path / "speech.wav")
    assert song.fault == "" and song.channels == 1 and song.name == "speech.wav"
    assert not song.filled[CENTRES_HZ > 3_600.0].any() and song.filled[CENTRES_HZ < 3_500.0].all()
    assert np.isnan(song.side_db).all() and np.isnan(song.crest_db[-2:]).all()
    assert np.isfinite(song.crest_db[:-3]).all()


def test_a_mono_file_measures_what_it_does_on_two_speakers() -> None:
    audio = _pink(21.0, channels=1)
    mono = song_tone_of(blocks_of(audio), RATE)
    dual = song_tone_of(blocks_of(np.repeat(audio, 2, axis=0)), RATE)
    np.testing.assert_allclose(mono.levels_db, dual.levels_db, atol=1e-9)
    assert mono.lufs == pytest.approx(dual.lufs, abs=1e-9)
    assert mono.plr_db == pytest.approx(dual.plr_db, abs=1e-9)
    assert mono.lra_lu == pytest.approx(dual.lra_lu, abs=1e-9)
