"""Matching to references: planted equalisers on real songs, the song's own master, foreign songs, and restraint."""

import math
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import torch
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, sosfiltfilt

from neural_mastering.controls import Bands, ChainControls
from neural_mastering.dsp import rbj
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.ltas import third_octave_levels_db
from neural_mastering.errors import InputError
from neural_mastering.metering.profile import (
    CENTRES_HZ,
    Profile,
    Spectrum,
    profile_of,
    profile_of_file,
    weighted_mean,
)
from neural_mastering.rendering.reference import prior
from neural_mastering.rendering.reference.fit import MOST_BANDS, fit_curve
from neural_mastering.rendering.reference.match import match_files, match_references
from tests.rendering.conftest import DEMO_SONGS, RATE

Samples = NDArray[np.float64]
PLANTED: tuple[list[str], list[float], list[float], list[float]] = (
    ["low_shelf", "peak", "high_shelf"],
    [120.0, 900.0, 5_000.0],
    [4.0, -4.0, 5.0],
    [0.7, 0.8, 0.7],
)


@pytest.fixture(scope="module")
def songs() -> list[Samples]:
    """The bundled songs, (channel, time); each from another album."""
    return [np.array(soundfile.read(path, always_2d=True)[0].T, dtype=np.float64) for path in DEMO_SONGS]


@pytest.fixture(scope="module")
def profiles(songs: list[Samples]) -> list[Profile]:
    return [profile_of([song], RATE) for song in songs]


def planted(song: Samples, gain_db: float = 0.0) -> Samples:
    return np.asarray(sosfilt(rbj.sections(*PLANTED, RATE), song)) * 10.0 ** (gain_db / 20.0)


def error_db(profile: Profile, truth: Profile, controls: ChainControls) -> float:
    """Mean third-octave error after the controls, level left out."""
    levels = profile.levels_db + controls.eq.level_db(CENTRES_HZ, controls.design_rate_hz)
    missing = (levels - truth.levels_db)[truth.filled]
    return float(np.abs(missing - np.median(missing)).mean())


@pytest.mark.parametrize("channels", [1, 2])
def test_the_streamed_spectrum_is_that_of_the_whole(channels: int) -> None:
    dice = np.random.default_rng(0)
    audio = np.asarray(sosfilt(butter(2, 0.1, output="sos"), dice.standard_normal((channels, 100_001))))
    spectrum = Spectrum(RATE, channels)
    start = 0
    while start < audio.shape[1]:
        step = int(dice.integers(1, 30_000))
        spectrum.push(audio[:, start : start + step])
        start += step
    whole = third_octave_levels_db(torch.from_numpy(audio)[None], RATE)[0].numpy()
    assert np.abs(10.0 * np.log10(spectrum.finish() + 1e-12) - whole).max() < 1e-5


def test_loudness_and_levels_of_a_profile(songs: list[Samples]) -> None:
    profile = profile_of(iter(np.array_split(songs[0], 9, axis=1)), RATE)
    audio = torch.from_numpy(songs[0])[None]
    lufs = float(integrated_loudness(audio, RATE))
    assert profile.lufs == pytest.approx(lufs, abs=0.01)
    assert np.abs(profile.levels_db + lufs - third_octave_levels_db(audio, RATE)[0].numpy()).max() < 0.02
    assert profile.seconds == pytest.approx(songs[0].shape[1] / RATE)


def test_the_rate_of_the_file_does_not_matter(songs: list[Samples], profiles: list[Profile]) -> None:
    at_48 = profile_of([soxr.resample(songs[1].T, RATE, 48_000, quality="VHQ").T], 48_000)
    both = at_48.filled & profiles[1].filled & (CENTRES_HZ > 60.0) & (CENTRES_HZ < 12_000.0)
    assert both.sum() > 18
    assert np.abs(at_48.levels_db - profiles[1].levels_db)[both].max() < 0.35


def test_memory_does_not_grow_with_the_song() -> None:
    def peak(seconds: int) -> int:
        def blocks() -> Iterator[Samples]:
            dice = np.random.default_rng(0)
            for _ in range(seconds):
                yield dice.standard_normal((2, RATE))

        tracemalloc.start()
        spectrum = Spectrum(RATE, 2)
        for block in blocks():
            spectrum.push(block)
        spectrum.finish()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(40) < 1.05 * peak(8)


def test_the_edge_of_a_lossy_codec_is_no_tone(songs: list[Samples], profiles: list[Profile]) -> None:
    cut = sosfiltfilt(butter(20, 9_000.0, fs=RATE, output="sos"), songs[1])
    profile = profile_of([cut], RATE)
    assert not profile.filled[CENTRES_HZ > 12_000.0].any() and profile.filled[CENTRES_HZ < 7_000.0].all()
    match = match_references(profiles[1], [(profile, 1.0)])
    assert max((abs(band.gain_db) for band in match.controls.eq), default=0.0) < 1.0


@pytest.mark.parametrize("song", range(0, 8, 2))
def test_the_songs_own_master_is_followed(song: int, songs: list[Samples], profiles: list[Profile]) -> None:
    mix = profile_of([planted(songs[song], gain_db=-11.0)], RATE)
    match = match_references(mix, [(profiles[song], 1.0)])
    before = error_db(mix, profiles[song], replace(match.controls, eq=Bands.of()))
    after = error_db(mix, profiles[song], match.controls)
    assert before > 1.5 and after < 0.25 * before, (before, after)
    assert match.same_song > 0.95 and match.followed > 0.8
    assert match.lufs == profiles[song].lufs
    assert "versions of one song" in " ".join(match.sentences)
    assert 1 <= len(match.controls.eq) <= MOST_BANDS
    assert all(abs(band.gain_db) <= 12.0 for band in match.controls.eq)


def test_a_foreign_song_does_no_harm(songs: list[Samples], profiles: list[Profile]) -> None:
    """Neither where something is wrong with the song, nor where nothing is; following in full would."""
    changes, full, untouched = [], [], []
    for i in range(0, 8, 2):
        mix, other = profile_of([planted(songs[i])], RATE), [(profiles[(i + 3) % len(songs)], 1.0)]
        match = match_references(mix, other)
        nothing = error_db(mix, profiles[i], replace(match.controls, eq=Bands.of()))
        changes.append(error_db(mix, profiles[i], match.controls) - nothing)
        full.append(error_db(mix, profiles[i], match_references(mix, other, follow=1.0).controls) - nothing)
        untouched.append(error_db(profiles[i], profiles[i], match_references(profiles[i], other).controls))
        assert match.same_song < 0.5 and "different songs" in " ".join(match.sentences)
    assert np.mean(changes) < 0.05 and max(changes) < 0.25, changes
    assert max(untouched) < 0.4, untouched
    assert np.mean(full) > 2.0, "restraint is what makes the difference"


def test_following_is_a_matter_of_degree(profiles: list[Profile]) -> None:
    sizes = []
    for follow in (0.0, 0.5, 1.0):
        match = match_references(profiles[0], [(profiles[5], 1.0)], follow=follow)
        left = error_db(profiles[0], profiles[5], match.controls)
        sizes.append(left)
        assert match.followed == follow
    assert not len(match_references(profiles[0], [(profiles[5], 1.0)], follow=0.0).controls.eq)
    assert sizes[0] > sizes[1] > sizes[2] and sizes[2] < 0.65 * sizes[0]
    with pytest.raises(InputError, match=r"between 0 and 1, got 1\.5"):
        match_references(profiles[0], [(profiles[5], 1.0)], follow=1.5)


def test_level_is_no_tone(songs: list[Samples], profiles: list[Profile]) -> None:
    mix = planted(songs[2])
    loud, quiet = (
        match_references(profile_of([mix * gain], RATE), [(profiles[2], 1.0)]).controls
        for gain in (1.0, 0.05)
    )
    at_hz = np.geomspace(20.0, 16_000.0, 100)
    one, other = (c.eq.level_db(at_hz, RATE) for c in (loud, quiet))
    assert np.abs(one - other).max() < 0.05
    assert loud.gain_db == 0.0, "loudness belongs to the target"


def test_weights(profiles: list[Profile]) -> None:
    a, b = profiles[:2]
    mean = weighted_mean([a, b], [3.0, 1.0])
    assert np.allclose(mean.levels_db, 0.75 * a.levels_db + 0.25 * b.levels_db)
    assert mean.lufs == pytest.approx(0.75 * a.lufs + 0.25 * b.lufs)
    one = match_references(profiles[2], [(a, 2.0), (b, 6.0)], follow=0.7)
    same = match_references(profiles[2], [(a, 0.1), (b, 0.3)], follow=0.7)
    assert np.allclose(one.curve_db, same.curve_db)
    assert "2 references" in one.sentences[0]
    for weights in ([1.0, 0.0], [1.0, -1.0], [math.nan, 1.0], [math.inf, 1.0]):
        with pytest.raises(InputError, match="above 0"):
            weighted_mean([a, b], weights)
    with pytest.raises(InputError, match="a weight for each"):
        match_references(profiles[2], [])


def test_the_own_master_among_others_still_counts_for_something(
    songs: list[Samples], profiles: list[Profile]
) -> None:
    """The user's weights rule: a mean of songs is none of them, and is met with restraint."""
    mix = profile_of([planted(songs[0])], RATE)
    match = match_references(mix, [(profiles[0], 1.0), (profiles[4], 1.0)])
    nothing = error_db(mix, profiles[0], replace(match.controls, eq=Bands.of()))
    assert error_db(mix, profiles[0], match.controls) < nothing + 0.1


def test_songs_without_sound(profiles: list[Profile], tmp_path: Path) -> None:
    silent = profile_of([np.zeros((2, RATE))], RATE)
    short = profile_of([0.1 * np.ones((1, 500))], RATE)
    nothing = profile_of([], RATE)
    for song in (silent, short, nothing):
        match = match_references(song, [(profiles[0], 1.0)])
        assert not len(match.controls.eq) and "too short or too quiet" in match.sentences[0]
    with pytest.raises(InputError, match="too little sound"):
        match_references(profiles[0], [(silent, 1.0)])
    soundfile.write(tmp_path / "silence.wav", np.zeros((RATE, 2)), RATE)
    with pytest.raises(InputError, match=r"silence.wav is too short or too quiet"):
        profile_of_file(tmp_path / "silence.wav")
    with pytest.raises(InputError, match="does not exist"):
        match_files(profiles[0], [(tmp_path / "absent.wav", 1.0)])


def test_references_from_files(profiles: list[Profile]) -> None:
    from_files = match_files(profiles[1], [(DEMO_SONGS[3], 1.0)], follow=0.5)
    assert from_files.controls == match_references(profiles[1], [(profiles[3], 1.0)], follow=0.5).controls


def test_the_estimate_is_the_posterior_mean() -> None:
    """Against the textbook formula, with the scale known: E[w | d] = W (W + N)⁻¹ d, by sampling."""
    (wanted, rest), dice = prior.covariances()[2], np.random.default_rng(0)
    root_w, root_n = (np.linalg.cholesky(c + 1e-9 * np.eye(len(c))) for c in (wanted, rest))
    w = root_w @ dice.standard_normal((len(wanted), 40_000))
    d = w + root_n @ dice.standard_normal((len(wanted), 40_000))
    best = w @ d.T @ np.linalg.inv(d @ d.T)
    assert np.abs(best - wanted @ np.linalg.inv(wanted + rest)).max() < 0.05


@pytest.mark.parametrize("seed", range(6))
def test_planted_curves_are_fitted(seed: int) -> None:
    dice = np.random.default_rng(seed)
    peaks = int(dice.integers(0, 4))
    kinds = ["low_shelf", *["peak"] * peaks, "high_shelf"]
    frequency = [
        dice.uniform(60, 200),
        *np.sort(np.exp(dice.uniform(5.0, 8.8, peaks))),
        dice.uniform(4e3, 1e4),
    ]
    gain, q = dice.uniform(-6, 6, len(kinds)), np.array([0.7, *dice.uniform(0.6, 1.8, peaks), 0.7])
    curve = rbj.level_db(kinds, frequency, gain, q, CENTRES_HZ, RATE)
    bands = fit_curve(curve, np.ones(len(CENTRES_HZ), dtype=bool))
    left = bands.level_db(CENTRES_HZ, RATE) - curve
    assert math.sqrt(float((left**2).mean())) < 0.35 and len(bands) <= MOST_BANDS
    assert all(25.0 <= b.frequency_hz <= 16_000.0 and 0.5 <= b.q <= 3.0 for b in bands)


def test_nothing_wanted_is_no_band() -> None:
    everywhere = np.ones(len(CENTRES_HZ), dtype=bool)
    assert not len(fit_curve(np.zeros(len(CENTRES_HZ)), everywhere))
    assert not len(fit_curve(np.full(len(CENTRES_HZ), 0.05), everywhere))
