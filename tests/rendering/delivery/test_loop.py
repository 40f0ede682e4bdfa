"""Loudness and ceiling of the written file, by the tensor meters, on music and tones at all rates."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import torch
from scipy.signal import resample, resample_poly

from neural_mastering import notes
from neural_mastering.controls import load_controls
from neural_mastering.data.demo import demo_assets
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.metering.wide_peak import WidePeakMeter
from neural_mastering.rendering.delivery.loop import LOOK_DB
from neural_mastering.rendering.delivery.targets import known_targets
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.result import MasterResult
from tests.rendering.conftest import RATE, music

SONGS = sorted(file.name for file in demo_assets().iterdir() if file.name.endswith(".ogg"))


def demo(name: str) -> np.ndarray:
    with demo_assets().joinpath(name).open("rb") as handle:
        return np.ascontiguousarray(soundfile.read(io.BytesIO(handle.read()), always_2d=True)[0].T)


def written(path: Path) -> tuple[np.ndarray, int, float, float]:
    """Samples (channel, time), rate, LUFS and dBTP of a file, by the meters of training."""
    samples, rate = soundfile.read(path, always_2d=True)
    tensor = torch.from_numpy(np.ascontiguousarray(samples.T))[None]
    return samples.T, rate, integrated_loudness(tensor, rate).item(), true_peak_db(tensor, rate).item()


def check(result: MasterResult, path: Path) -> None:
    """The report is that of the file, the ceiling holds, and the target is met or the reason given."""
    _, _, lufs, peak_db = written(path)
    assert result.result.lufs == pytest.approx(lufs, abs=1e-3)
    assert result.result.true_peak_db == pytest.approx(peak_db, abs=1e-3)
    assert result.target.ceiling_db is not None and peak_db <= result.target.ceiling_db
    wanted = result.input.lufs if result.target.lufs is None else result.target.lufs
    if result.delivery.limited_by:
        assert notes.has(result.warnings, "target_not_reached")
        assert lufs < wanted
        assert result.delivery.reduction_db.max() <= 6.05
    else:
        assert lufs == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("name", ["s2_dnb.ogg", "s6_cinematic.ogg"])
@pytest.mark.parametrize("target", ["spotify-loud", "-9", "ebu-r128", "keep"])
def test_demo_music_meets_targets(
    name: str, target: str, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_song(demo(name)[:, : 5 * RATE] * 0.5)
    check(master(source, tmp_path / "out.wav", Options(model="none", target=target)), tmp_path / "out.wav")


@pytest.mark.slow
@pytest.mark.parametrize("name", SONGS)
@pytest.mark.parametrize("target", [*known_targets(), "-9", "keep"])
def test_every_demo_song_meets_every_target(
    name: str, target: str, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_song(demo(name) * 0.4)
    check(master(source, tmp_path / "out.wav", Options(model="none", target=target)), tmp_path / "out.wav")


@pytest.mark.slow
@pytest.mark.parametrize("name", SONGS)
@pytest.mark.parametrize("rate", [44_100, 48_000, 88_200, 96_000, 192_000])
def test_driven_music_keeps_its_ceiling_by_several_meters(
    name: str, rate: int, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    """0 to 12 dB of drive: 0.02 dB by the named meter, 0.1 dB by soxr VHQ and scipy on 16-fold grids."""
    audio = soxr.resample(demo(name)[:, : 4 * RATE].T, RATE, rate, quality="VHQ").T
    audio /= np.abs(audio).max()
    for drive_db in (0, 3, 6, 9, 12):
        source = write_song(audio * 10 ** (drive_db / 20), rate=rate, subtype="FLOAT")
        options = Options(model="none", target="keep", max_reduction_db=24.0, overwrite=True, bits="24")
        result = master(source, tmp_path / "out.wav", options)
        samples, _, _, peak_db = written(tmp_path / "out.wav")
        assert peak_db <= -1.0 + 0.02
        assert result.result.true_peak_db == pytest.approx(peak_db, abs=1e-3)
        padded = np.pad(samples, ((0, 0), (1000, 1000)))
        by_soxr = np.abs(soxr.resample(padded.T, rate, 8 * rate, quality="VHQ")).max()
        by_scipy = np.abs(resample_poly(padded, 8, 1, axis=1)).max()
        assert 20 * np.log10(by_soxr) <= -0.9 and 20 * np.log10(by_scipy) <= -0.9


@pytest.mark.parametrize("rate", [44_100, 48_000, 88_200, 96_000, 192_000])
@pytest.mark.parametrize("bits", ["16", "24"])
def test_tones_bursts_and_squares_keep_their_ceiling(
    rate: int, bits: str, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    n = np.arange(rate // 2)
    signals = {
        "fs/4": np.sin(2 * np.pi * n / 4 + np.pi / 4),
        "fs/6": np.sin(2 * np.pi * n / 6 + 1.0),
        "bursts": np.sin(2 * np.pi * n / 4 + np.pi / 4) * (n // 400 % 5 == 0),
        "square": np.sign(np.sin(2 * np.pi * 997 * n / rate + 0.01)),
    }
    for name, signal in signals.items():
        source = write_song(np.stack([signal, -0.8 * signal]) * 2.0, rate=rate, subtype="FLOAT")
        options = Options(model="none", target="-8", max_reduction_db=24.0, overwrite=True, bits=bits)
        master(source, tmp_path / "out.wav", options)
        assert written(tmp_path / "out.wav")[3] <= -1.0 + 0.02, name


def test_without_limiter_the_gain_is_capped(write_song: Callable[..., Path], tmp_path: Path) -> None:
    audio = music(4.0)
    result = master(
        write_song(audio), tmp_path / "out.wav", Options(model="none", target="-9", skip=("limiter",))
    )
    samples, _, lufs, peak_db = written(tmp_path / "out.wav")
    look = WidePeakMeter(RATE, 2, -1.0)
    look.push(np.ascontiguousarray(samples))
    assert peak_db <= -1.0 and lufs < -9.5
    assert max(peak_db, look.finish() - LOOK_DB) == pytest.approx(-1.0, abs=0.01)  # as high as both allow
    assert result.delivery.limited_by == "peaks" and not result.delivery.reduction_db.size
    ratio = samples[:, 1000:] / audio[:, 1000:]
    assert np.median(ratio) == pytest.approx(10 ** (result.delivery.gain_db / 20), rel=1e-6)


def test_ceiling_off_lets_peaks_go(write_song: Callable[..., Path], tmp_path: Path) -> None:
    source = write_song(music(4.0))
    result = master(
        source, tmp_path / "out.wav", Options(model="none", target="-9", ceiling="off", bits="32f")
    )
    _, _, lufs, peak_db = written(tmp_path / "out.wav")
    assert lufs == pytest.approx(-9.0, abs=0.1) and peak_db > 0.0 and not result.delivery.reduction_db.size
    clipped = master(source, tmp_path / "out24.wav", Options(model="none", target="-9", ceiling="off"))
    assert notes.has(clipped.warnings, "clipped_output")


def test_the_reduction_stops_where_it_was_told(write_song: Callable[..., Path], tmp_path: Path) -> None:
    source = write_song(music(4.0))
    loudness = []
    for most in (1.0, 3.0, 6.0):
        options = Options(
            model="none",
            target="-9",
            max_reduction_db=most,
            overwrite=True,
            density=1.0,
            skip=("peak_control",),
        )
        result = master(source, tmp_path / "out.wav", options)
        assert result.delivery.reduction_db.max() == pytest.approx(most, abs=0.05)
        assert result.delivery.limited_by == "reduction"
        (note,) = (note for note in result.warnings if note.kind == "target_not_reached")
        assert "--max-reduction" in note.text
        loudness.append(result.result.lufs)
    assert loudness == sorted(loudness) and loudness[-1] - loudness[0] > 2.0


def test_density_clips_short_peaks_and_the_limiter_takes_less(
    write_song: Callable[..., Path], tmp_path: Path
) -> None:
    noise = 0.05 * np.random.default_rng(0).standard_normal((2, 5 * RATE))
    audio = np.asarray(
        resample(np.asarray(resample(noise, 4 * RATE, axis=1)), 5 * RATE, axis=1)
    )  # nothing above 0.4 of the rate
    for start in range(RATE // 2, audio.shape[1] - 200, RATE // 2):
        audio[:, start : start + 60] = 0.8 * np.hanning(60)
    source = write_song(audio)
    results = {}
    for density in (0.0, 0.5, 1.0):
        options = Options(
            model="none", target="-14", max_reduction_db=24.0, overwrite=True, density=density, bits="24"
        )
        results[density] = result = master(source, tmp_path / "out.wav", options)
        check_numbers = written(tmp_path / "out.wav")
        assert check_numbers[2] == pytest.approx(-14.0, abs=0.1) and check_numbers[3] <= -1.0
        assert result.delivery.peak_control_db <= 6.0 * density + 0.3
        samples = check_numbers[0]
        oracle = 20 * np.log10(np.abs(np.asarray(resample(samples, 32 * samples.shape[1], axis=1))).max())
        assert oracle <= -1.0 + LOOK_DB
    clipped = [result.delivery.peak_control_db for result in results.values()]
    taken = [result.delivery.max_reduction_db for result in results.values()]
    assert clipped[0] == 0.0 and 2.0 < clipped[1] < 3.3 < clipped[2]
    assert taken[0] > taken[1] + 1.5 and taken[1] > taken[2] + 0.5
    assert notes.has(results[1.0].actions, "peak_control") and not notes.has(
        results[0.0].actions, "peak_control"
    )


def test_density_bounds_the_loss_and_says_what_the_target_takes(
    write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_song(music(6.0))
    options = Options(model="none", target="-9", max_reduction_db=24.0, overwrite=True, density=0.0)
    stopped = master(source, tmp_path / "out.wav", options)
    assert stopped.delivery.limited_by == "density"
    assert 0.4 <= stopped.delivery.loss_lu <= 0.5 + 0.06
    lufs = written(tmp_path / "out.wav")[2]
    unlimited = stopped.input.lufs + stopped.delivery.gain_db
    assert stopped.delivery.loss_lu == pytest.approx(unlimited - lufs, abs=0.02)
    (note,) = (note for note in stopped.warnings if note.kind == "target_not_reached")
    named = re.search(r"--density ([0-9.]+)", note.text)
    assert named is not None
    enough = master(source, tmp_path / "out.wav", replace(options, density=float(named[1])))
    assert enough.delivery.limited_by is None
    assert written(tmp_path / "out.wav")[2] == pytest.approx(-9.0, abs=0.1)
    less = master(source, tmp_path / "out.wav", replace(options, density=float(named[1]) - 0.25))
    assert less.delivery.limited_by == "density" and less.result.lufs > stopped.result.lufs


@pytest.mark.parametrize(("name", "target"), [("s2_dnb.ogg", "-7"), ("s8_folk.ogg", "-7")])
def test_what_is_said_to_reach_the_target_does(
    name: str, target: str, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    """Far above the bounds, too, where each further decibel brings less and less loudness."""
    source = write_song(demo(name)[:, : 8 * RATE] * 0.5)
    options = Options(model="none", target=target, overwrite=True)
    stopped = master(source, tmp_path / "out.wav", options)
    assert stopped.delivery.limited_by is not None and stopped.delivery.is_reachable
    (note,) = (note for note in stopped.warnings if note.kind == "target_not_reached")
    reduction = re.search(r"--max-reduction ([0-9]+)", note.text)
    density = re.search(r"--density ([0-9.]+)", note.text)
    assert reduction is not None and density is not None
    enough = replace(options, max_reduction_db=float(reduction[1]), density=float(density[1]))
    assert master(source, tmp_path / "out.wav", enough).delivery.limited_by is None
    assert written(tmp_path / "out.wav")[2] == pytest.approx(float(target), abs=0.1)
    needed_db = stopped.delivery.needed_reduction_db
    less = replace(options, max_reduction_db=needed_db - 2.0, density=1.0)
    assert master(source, tmp_path / "out.wav", less).delivery.limited_by == "reduction"


def test_what_no_setting_reaches_is_not_extrapolated(write_song: Callable[..., Path], tmp_path: Path) -> None:
    audio = 1e-4 * np.random.default_rng(0).standard_normal((2, 5 * RATE))
    audio[:, ::RATE] = 0.9
    source = write_song(audio)
    for most_db, density in ((6.0, 0.5), (24.0, 1.0)):
        options = Options(
            model="none", target="-14", max_reduction_db=most_db, density=density, overwrite=True
        )
        result = master(source, tmp_path / "out.wav", options)
        assert not result.delivery.is_reachable and result.result.lufs < -20.0
        assert result.delivery.needed_reduction_db == pytest.approx(24.0, abs=0.01)
        (note,) = (note for note in result.warnings if note.kind == "target_not_reached")
        assert "more than 24 dB" in note.text and "--" not in note.text
    assert result.delivery.needed_loss_lu == pytest.approx(
        result.delivery.loss_lu, abs=0.1
    )  # it was the most


@pytest.mark.parametrize("name", ["s2_dnb.ogg", "s3_rock.ogg", "s8_folk.ogg"])
def test_dense_without_a_bound_reaches_minus_seven(
    name: str, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_song(demo(name) * 0.5)
    options = Options(model="none", target="-7", max_reduction_db=24.0, density=1.0)
    result = master(source, tmp_path / "out.wav", options)
    _, _, lufs, peak_db = written(tmp_path / "out.wav")
    assert result.delivery.limited_by is None
    assert lufs == pytest.approx(-7.0, abs=0.1) and peak_db <= -1.0 + 1e-3


def test_the_settings_found_are_saved_and_give_the_same_master_again(
    write_song: Callable[..., Path], tmp_path: Path
) -> None:
    source, controls = write_song(music(6.0)), tmp_path / "song.yaml"
    options = Options(target="-9", max_reduction_db=24.0, density=0.7, save_controls=controls)
    first = master(source, tmp_path / "a.wav", options)
    saved = load_controls(controls)
    assert saved.limiter == first.controls.limiter and saved.limiter["recovery_ms"] > 0.0
    again = replace(options, controls=controls, save_controls=None)
    master(source, tmp_path / "b.wav", again)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    text = controls.read_text(encoding="utf-8")
    controls.write_text(re.sub("lookahead_ms: .*", "lookahead_ms: 5.0", text), encoding="utf-8")
    edited = master(source, tmp_path / "c.wav", again)
    assert edited.controls.limiter["lookahead_ms"] == 5.0
    assert (tmp_path / "c.wav").read_bytes() != (tmp_path / "b.wav").read_bytes()


def test_keep_leaves_every_bit_of_what_is_below_the_ceiling(
    write_song: Callable[..., Path], tmp_path: Path
) -> None:
    for subtype, bits in (("PCM_16", "16"), ("PCM_16", "24"), ("PCM_24", "24"), ("FLOAT", "32f")):
        source = write_song(music(1.5) * 0.5, subtype=subtype)
        options = Options(model="none", target="keep", overwrite=True, bits=bits, overall_strength=0.0)
        result = master(source, tmp_path / "out.wav", options)
        before, after = (soundfile.read(path)[0] for path in (source, tmp_path / "out.wav"))
        assert np.array_equal(before, after), (subtype, bits)
        assert result.delivery.gain_db == 0.0 and result.delivery.passes == 1


def test_reducing_to_16_bit_dithers_once_and_always_alike(
    write_song: Callable[..., Path], tmp_path: Path
) -> None:
    audio = np.tile(1e-5 * np.sin(2 * np.pi * 1000 * np.arange(4 * RATE) / RATE), (2, 1))  # a third of a step
    source = write_song(audio, subtype="FLOAT")
    for name in ("a.wav", "b.wav"):
        master(source, tmp_path / name, Options(model="none", target="keep", bits="16"))
    first, second = (soundfile.read(tmp_path / name, dtype="int16")[0] for name in ("a.wav", "b.wav"))
    assert np.array_equal(first, second)
    # without dither a third of a step rounds to silence; with it the tone is there, and nothing else is
    spectrum = np.abs(np.fft.rfft(first[:, 0] / 32768)) * 2 / first.shape[0]
    place = 1000 * first.shape[0] // RATE
    assert spectrum[place] == pytest.approx(1e-5, rel=0.1)
    assert spectrum[3 * place] < 1.5e-6 and np.median(spectrum) < 3e-7


@pytest.mark.parametrize(("channels", "asked"), [(1, {"dual_mono": True}), (2, {"lower_only": True})])
def test_text_and_json_give_one_verdict(
    channels: int, asked: dict[str, bool], write_song: Callable[..., Path], tmp_path: Path
) -> None:
    """−14 LUFS asked for a quiet song: both options aim at another number, and reach it."""
    source, numbers = write_song(music(3.0, channels=channels)), tmp_path / "n.json"
    options = replace(Options(model="none", target="-14", json=numbers), **asked)
    result = master(source, tmp_path / "out.wav", options)
    found = json.loads(numbers.read_text("utf-8"))["target"]
    assert found["reached"] and found["aimed_lufs"] == pytest.approx(result.result.lufs, abs=0.1)
    (told,) = (note.text for note in result.actions if note.kind == "loudness")
    assert "means for this file are met to" in told and "below" not in told
