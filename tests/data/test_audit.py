"""The audit against pairs whose faults are planted."""

import json
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soundfile

from experiments.pair_audit.cases import all_cases, write_manifest
from experiments.pair_audit.comparison import delay_error, measured, wrong
from experiments.pair_audit.faults import find_songs, loop, plant
from neural_mastering.data.audit.fingerprint import fingerprint, same_music
from neural_mastering.data.audit.folder import audit_folder, list_pairs
from neural_mastering.data.audit.levels import measure_levels
from neural_mastering.data.audit.pair import audit_pair
from neural_mastering.data.audit.relation import relate
from neural_mastering.data.audit.side import ArraySide
from neural_mastering.data.demo import demo_assets
from neural_mastering.data.errors import DataError

RATE = 22_050


def music(seconds: float = 8.0, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Noise bursts of changing colour over a chord, (time, 2); no two moments are alike."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    envelope = np.repeat(rng.uniform(0.1, 1.0, round(seconds * 8) + 1), rate // 8 + 1)[: time.size]
    noise = rng.standard_normal((time.size, 2)) * envelope[:, None]
    chord = sum(np.sin(2 * np.pi * f * time + rng.uniform(0, 6)) for f in (110.0, 277.2, 329.6))
    return 0.05 * noise + 0.05 * np.stack([chord, 0.7 * np.asarray(chord)], axis=1)


def sides(before: np.ndarray, after: np.ndarray, rate: int = RATE) -> tuple[ArraySide, ArraySide]:
    return ArraySide(before.astype(np.float32), rate), ArraySide(after.astype(np.float32), rate)


def late(audio: np.ndarray, samples: float) -> np.ndarray:
    """Band-limited shift, circular in a padded buffer."""
    padded = np.pad(audio, ((70_000, 70_000), (0, 0)))
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(padded)) * samples)[:, None]
    return np.fft.irfft(np.fft.rfft(padded, axis=0) * turn, len(padded), axis=0)[70_000:-70_000]


@pytest.mark.parametrize("delay", [0.0, 0.5, -0.3, 7.25, -1234.5, 40_000.75])
def test_delay_to_a_hundredth_of_a_sample(delay: float) -> None:
    song = music()
    relation = relate(*sides(song, 1.7 * late(song, delay)))
    assert relation is not None
    assert relation.delay_samples == pytest.approx(delay, abs=0.01)
    assert relation.assignment.polarity == 1 and not relation.assignment.swapped
    assert relation.gain_db == pytest.approx(20 * np.log10(1.7), abs=0.05)
    assert abs(relation.drift_ppm) < 0.1


@pytest.mark.parametrize("corner_hz", [12_000.0, 14_000.0])
def test_a_low_pass_is_no_delay(corner_hz: float) -> None:
    """Above the music's top nothing shows how a low-pass goes on; read as flat, it passes for half a sample."""
    rate = 44_100
    song = music(8.0, rate=rate)
    lossy = scipy.signal.sosfiltfilt(scipy.signal.butter(12, 16_500.0, output="sos", fs=rate), song, axis=0)
    low_pass = scipy.signal.butter(2, corner_hz, output="sos", fs=rate)
    dull = np.asarray(scipy.signal.sosfilt(low_pass, lossy, axis=0))
    for delay in (0.0, 0.75):
        relation = relate(*sides(dull, late(lossy, delay), rate))
        assert relation is not None
        assert relation.delay_samples == pytest.approx(delay, abs=0.15)


@pytest.mark.parametrize("ppm", [-80.0, 5.0, 100.0])
def test_drift_and_the_delay_at_the_start(ppm: float) -> None:
    song = music(12.0)
    # the mastered side at time t is the song at t/(1 + drift): read off a much finer grid
    fine = (
        np.fft.irfft(np.fft.rfft(np.pad(song, ((0, 4000), (0, 0))), axis=0), 16 * (len(song) + 4000), axis=0)
        * 16
    )
    place = np.arange(len(song)) / (1 + ppm * 1e-6) * 16
    whole = np.floor(place).astype(int)
    rest = (place - whole)[:, None]
    drifting = fine[whole] * (1 - rest) + fine[whole + 1] * rest
    relation = relate(*sides(song, drifting))
    assert relation is not None
    assert relation.drift_ppm == pytest.approx(ppm, abs=0.15)
    assert relation.delay_samples == pytest.approx(0.0, abs=0.05)
    assert relation.end_samples == pytest.approx(ppm * 1e-6 * len(song), abs=0.08)


@pytest.mark.parametrize(
    ("matrix", "polarity", "swapped", "inverted"),
    [
        ([[1, 0], [0, 1]], 1, False, ""),
        ([[-1, 0], [0, -1]], -1, False, ""),
        ([[0, 1], [1, 0]], 1, True, ""),
        ([[0, -1], [-1, 0]], -1, True, ""),
        ([[-1, 0], [0, 1]], 1, False, "left"),
        ([[1, 0], [0, -1]], 1, False, "right"),
        ([[0, 1], [-1, 0]], 1, True, "right"),
        ([[0, -1], [1, 0]], 1, True, "left"),
    ],
)
def test_every_way_to_plug_two_cables(
    matrix: list[list[int]], polarity: int, swapped: bool, inverted: str
) -> None:
    song = music(4.0)
    relation = relate(*sides(song, late(song, 3.5) @ np.array(matrix, dtype=float).T))
    assert relation is not None
    found = relation.assignment
    assert (found.polarity, found.swapped, found.one_inverted) == (polarity, swapped, inverted)


def test_a_swap_of_what_is_nearly_mono_is_not_guessed() -> None:
    song = np.repeat(music(4.0)[:, :1], 2, axis=1)
    song[:, 1] += 1e-5 * np.random.default_rng(1).standard_normal(len(song))
    noisy = song + 1e-5 * np.random.default_rng(2).standard_normal(song.shape)
    relation = relate(*sides(song, noisy))
    assert relation is not None
    assert not relation.assignment.swapped and not relation.assignment.certain


def test_other_music_is_unrelated_and_has_no_confidence() -> None:
    one, two = sides(music(seed=1), music(seed=2))
    relation = relate(one, two)
    assert relation is None or (relation.coherence < 0.1 and relation.confidence < 0.3)


def test_a_tone_has_no_delay_of_some_periods() -> None:
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)[:, None].repeat(2, axis=1)
    relation = relate(*sides(tone, 2 * tone))
    assert relation is not None
    assert relation.delay_samples == pytest.approx(0.0, abs=1e-3) and relation.assignment.polarity == 1


def test_different_rates_are_compared_at_the_masters() -> None:
    import soxr

    song = music(5.0)
    one = ArraySide(song.astype(np.float32), RATE)
    two = ArraySide(soxr.resample(late(song, 20.0), RATE, 48_000, "VHQ").astype(np.float32), 48_000)
    relation = relate(one, two)
    assert relation is not None
    assert relation.delay_samples == pytest.approx(20.0 * 48_000 / RATE, abs=0.02)


def test_the_planted_faults_are_found(tmp_path: Path) -> None:
    """Twelve pairs of the study of 200, made of the bundled music."""
    wanted = (3, 6, 34, 40, 57, 84, 97, 105, 121, 130, 141, 193)
    with as_file(demo_assets()) as folder:
        songs = find_songs(folder)
        cases = [all_cases(len(songs))[i] for i in wanted]
        for case in cases:
            plant(case, songs, tmp_path, 5.5)
    write_manifest(cases, tmp_path)
    found = {report.name: report for report in audit_folder(list_pairs(tmp_path))}
    assert len({case.fault for case in cases}) >= 9
    for case in cases:
        report = found[case.name]
        assert not wrong(case, report), (case, report.verdict)
    timed = [c for c in cases if measured(c, found[c.name])]
    errors = [delay_error(c, found[c.name]) for c in timed]
    assert np.median(errors) <= 0.1 and max(errors) < 0.5, errors
    json.dumps([report.to_dict() for report in found.values()], allow_nan=False)


def test_an_exact_loop_is_not_locked_to_a_wrong_beat() -> None:
    for seconds, delay in (
        (9.0, 0),
        (9.0, 2205),
        (9.0, 22_050),
        (9.0, 88_200),
        (20.0, 22_050),
        (33.0, 44_100),
    ):
        beat = loop(0, seconds)  # a beat has 22,050 samples; silence takes the place of the delay
        moved = np.concatenate([np.zeros((delay, 2)), beat])[: len(beat)]
        relation = relate(*sides(beat, 0.8 * moved, 44_100))
        assert relation is not None
        assert relation.delay_samples == pytest.approx(delay, abs=0.05)


def write(folder: Path, name: str, before: np.ndarray, after: np.ndarray, rate: int = RATE) -> None:
    for side, audio in (("unmastered", before), ("mastered", after)):
        (folder / side).mkdir(exist_ok=True)
        soundfile.write(folder / side / f"{name}.wav", audio, rate, subtype="FLOAT")


def verdict_of(folder: Path) -> str:
    (files,) = list_pairs(folder)
    return audit_pair(files).verdict


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda x: (x, 2 * x + 0.3 * np.tanh(5 * x)), "ok"),
        (lambda x: (x, x), "broken: both sides are the same audio"),
        (lambda x: (x, 0.5 * x), "broken: the sides are the same audio but for a gain of -6.0 dB"),
        (lambda x: (x, 0 * x), "broken: the mastered side is silent"),
        (lambda x: (x[:5000], np.tanh(x[:5000])), "broken: 0.23 s are too short"),
        (lambda x: (x, np.tanh(9 * x)[: len(x) * 3 // 4]), "fixable: the mastered side is 1.000 s shorter"),
        (
            lambda x: (x, np.tanh(9 * x)[:, :1]),
            "broken: the unmastered side is stereo, the mastered side mono",
        ),
        (lambda x: (x[:, :1], np.tanh(9 * x[:, :1])), "ok"),
        (lambda x: (x, np.tanh(2 * x) + 0.05), "fixable: the mastered side has a DC offset of 0.0"),
        (lambda x: (np.clip(8 * x, -0.5, 0.5), np.tanh(x)), "broken: the unmastered side is clipped"),
        (lambda x: (x, np.tanh(9 * np.delete(x, slice(40_000, 48_000), axis=0))), "broken: only"),
    ],
)
def test_verdicts(change: Any, expected: str, tmp_path: Path) -> None:
    write(tmp_path, "song", *change(music(4.0)))
    assert verdict_of(tmp_path).startswith(expected)


def test_files_that_cannot_be_read_get_a_verdict(tmp_path: Path) -> None:
    song = music(2.0)
    write(tmp_path, "nan", song, np.where(np.arange(len(song))[:, None] == 9000, np.nan, song))
    assert verdict_of(tmp_path) == "broken: nan.wav holds NaN or infinite samples at 0.408 s"
    (tmp_path / "mastered" / "nan.wav").write_bytes(b"RIFF")
    assert verdict_of(tmp_path).startswith("broken: nan.wav cannot be read as audio")
    (tmp_path / "mastered" / "nan.wav").unlink()
    assert verdict_of(tmp_path) == "broken: there is no mastered side"
    for side in ("unmastered", "mastered"):
        soundfile.write(tmp_path / side / "NAN.flac", song, RATE)
    assert "two files of one name" in verdict_of(tmp_path)


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data folder"):
        list_pairs(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no folder unmastered/ and no folder mastered/"):
        list_pairs(tmp_path)
    for side in ("unmastered", "mastered"):
        (tmp_path / side).mkdir()
    with pytest.raises(DataError, match="no audio files"):
        list_pairs(tmp_path)


def test_one_song_under_two_names(tmp_path: Path) -> None:
    song, other = music(10.0, 3), music(10.0, 4)
    write(tmp_path, "a", song, np.tanh(8 * song))
    write(tmp_path, "b", other, np.tanh(8 * other))
    write(tmp_path, "c", 0.3 * song[7000:], np.tanh(4 * song[7000:]))
    a, b, c = audit_folder(list_pairs(tmp_path))
    assert a.verdict.startswith("fixable: the same music as 'c'") and c.verdict.startswith(
        "fixable: the same music as 'a'"
    )
    assert b.verdict == "ok"
    (tmp_path / "manifest.csv").write_text("name,group,split\na,x,train\nb,y,train\nc,x,validation\n")
    a, _, _ = audit_folder(list_pairs(tmp_path))
    assert a.verdict.startswith("broken: the same music as 'c' (validation) in another split")
    (tmp_path / "manifest.csv").write_text("name,group\na,x\nb,y\nc,x\n")
    assert [r.verdict for r in audit_folder(list_pairs(tmp_path))] == ["ok"] * 3


def test_fingerprints_of_many_songs() -> None:
    prints = [fingerprint(ArraySide(music(6.0, seed).astype(np.float32), RATE)) for seed in range(5)]
    louder = np.tanh(6 * music(6.0, 2))[3001:]
    prints.append(fingerprint(ArraySide(louder.astype(np.float32), RATE)))
    assert same_music(prints) == [(2, 5)]
    assert same_music([]) == [] and same_music([np.zeros(0, np.uint32)] * 2) == []


def test_levels_of_known_signals() -> None:
    time = np.arange(4 * 48_000) / 48_000
    sine = 0.1 * np.sin(2 * np.pi * 997 * time)[:, None].repeat(2, axis=1)
    sine[:48_000] = 0.0
    sine[100_000:100_010, 0] = 0.5
    levels = measure_levels(ArraySide(sine.astype(np.float32), 48_000))
    assert levels.leading_silence_s == pytest.approx(1.0, abs=1e-3)
    assert levels.clipped_samples == 10
    assert levels.peak == pytest.approx(0.5)
    assert abs(levels.dc) < 1e-4
    sound = sine[110_000:] + np.array([0.01, -0.02])
    shifted = measure_levels(ArraySide(sound.astype(np.float32), 48_000))
    assert shifted.dc_by_channel == pytest.approx((0.01, -0.02), abs=2e-4)
    # -20 dBFS in both channels reads -20.0 LUFS (BS.1770), and does not vary
    assert shifted.loudness_lufs == pytest.approx(-20.0, abs=0.05)
    assert shifted.rms == pytest.approx(np.sqrt(0.005 + 0.00025), rel=1e-3)
