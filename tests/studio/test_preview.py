"""A stretch of the song by the server: what nm-master would write there, before it is rounded."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from neural_mastering.controls import Bands, ChainControls, EqBand, save_controls
from neural_mastering.controls.limiter_controls import limiter_values
from neural_mastering.dsp.limiter import DRIVEN
from neural_mastering.errors import InputError
from neural_mastering.metering.forecast import LimiterForecast
from neural_mastering.metering.measure import measure
from neural_mastering.rendering import Options, master
from neural_mastering.rendering.delivery.plr import PlrTarget
from neural_mastering.studio import preview
from neural_mastering.studio.pcm import PcmCache, keep_blocks
from neural_mastering.studio.preview import RegionRenderer

RATE = 44_100
DEMO = Path(__file__).parents[2] / "neural_mastering" / "assets" / "demo" / "s3_rock.ogg"


@dataclass(frozen=True)
class Song:
    path: Path
    pcm: PcmCache
    forecast: LimiterForecast


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Song]:
    """20 s: the demo twice, the second time 6 dB louder, with an offset that the renderer removes."""
    folder = tmp_path_factory.mktemp("song")
    audio = soundfile.read(DEMO, always_2d=True)[0]
    audio = 0.4 * audio / np.abs(audio).max() + 0.004
    soundfile.write(folder / "song.wav", np.concatenate([audio, 2.0 * audio]), RATE, subtype="FLOAT")
    with ExitStack() as resources:
        measured = measure(folder / "song.wav", folder, resources)
        for _ in keep_blocks(measured.blocks(), folder / "pcm.wav", RATE, 2):
            pass
        yield Song(folder / "song.wav", PcmCache(folder / "pcm.wav"), measured.forecast)


def controls_of(song: Song) -> ChainControls:
    lufs = song.forecast.readings.lufs
    eq = [
        EqBand("low_shelf", 60.0, 4.0, 0.7),
        EqBand("peak", 1_500.0, -4.0, 1.0),
        EqBand("high_shelf", 8_000.0, 3.0, 0.7),
    ]
    return ChainControls(
        float(RATE),
        Bands.of(eq),
        1.0,
        {
            "compressor": {
                "input_lufs": lufs + 1.0,
                "threshold_db": -6.0,
                "ratio": 3.0,
                "attack_ms": 8.0,
                "release_ms": 250.0,
                "knee_db": 6.0,
                "makeup_db": 2.0,
                "mix": 0.8,
            },
            "saturation": {"input_lufs": lufs + 1.0, "drive_db": 6.0, "shape": 0.4, "bias": 0.1, "mix": 0.4},
            "stereo": {"width": 1.2, "bass_frequency_hz": 120.0, "bass_amount": 0.6},
        },
    )


def mastered(
    song: Song, controls: ChainControls, options: Options, folder: Path
) -> tuple[NDArray[np.float64], float]:
    """The whole song by nm-master in 32-bit float, and the gain of its delivery."""
    save_controls(controls, folder / "controls.yaml")
    asked = Options(
        target=options.target,
        ceiling=options.ceiling,
        density=options.density,
        skip=options.skip,
        controls=folder / "controls.yaml",
        bits="32f",
    )
    result = master(song.path, folder / "master.wav", asked)
    whole = np.asarray(soundfile.read(folder / "master.wav", always_2d=True)[0], np.float64)
    return whole, result.delivery.gain_db


def error_db(got: NDArray[np.floating], expected: NDArray[np.float64]) -> float:
    return float(20 * np.log10(np.linalg.norm(got - expected) / np.linalg.norm(expected) + 1e-20))


def test_without_a_limiter_a_region_is_the_masters_up_to_its_gain(song: Song, tmp_path: Path) -> None:
    options = Options(target="-23", ceiling="off")
    whole, gain_db = mastered(song, controls_of(song), options, tmp_path)
    start, frames = 8 * RATE + 77, 5 * RATE
    region = RegionRenderer(song.pcm, song.forecast).render(controls_of(song), options, start, frames)
    assert region.audio.shape == (frames, 2) and region.start == start
    expected = whole[start : start + frames] * 10 ** ((region.gain_db - gain_db) / 20)
    assert error_db(region.audio, expected) < -70.0
    assert region.gain_db == pytest.approx(gain_db, abs=0.7)  # from the stretch, not from the song


def test_with_a_limiter_a_region_sounds_like_the_master(song: Song, tmp_path: Path) -> None:
    options = Options(target="-11", ceiling=-1.0)
    whole, gain_db = mastered(song, controls_of(song), options, tmp_path)
    start, frames = 12 * RATE, 6 * RATE
    renderer = RegionRenderer(song.pcm, song.forecast)
    region = renderer.render(controls_of(song), options, start, frames)
    expected = whole[start : start + frames]
    assert region.gain_db == pytest.approx(gain_db, abs=0.7)
    assert np.abs(region.audio).max() <= 10 ** (-1.0 / 20) + 1e-4
    assert error_db(region.audio, expected) < -20.0  # a gain 0.7 dB off alone makes −22 dB
    lines = region.reduction_db
    assert {"compressor", "limiter"} <= set(lines) and all(len(line) == 60 for line in lines.values())
    assert max(lines["compressor"]) > 1.0 and max(lines["limiter"]) > 0.5


def test_the_limiter_is_the_one_that_the_master_finds(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sought once for a song and a target, on the song as it came, whatever the chain; a file's own wins."""
    options = Options(target="-6", ceiling=-1.0, density=1.0, max_reduction_db=24.0)
    master_spec = master(song.path, tmp_path / "master.wav", replace(options, model="none")).spec
    renderer = RegionRenderer(song.pcm, song.forecast)
    spec = renderer.render(ChainControls(), options, 0, RATE).spec
    assert spec.driven != DRIVEN
    assert (spec.driven, spec.clip_db) == (master_spec.driven, master_spec.clip_db)
    own = {**limiter_values(DRIVEN, 1.25)}
    given = renderer.render(ChainControls(limiter=own), options, 0, RATE).spec
    assert (given.driven, given.clip_db) == (DRIVEN, 1.25)
    monkeypatch.setattr(preview, "fit_limiter", None)
    assert renderer.render(controls_of(song), options, RATE, RATE).spec == spec


def test_peaks_are_brought_down_as_in_the_master(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same ceiling where the chain does nothing, and it is sought once."""
    options = Options(target="-20", model="none", density=1.0, max_reduction_db=24.0, plr=PlrTarget(9.0))
    master_spec = master(song.path, tmp_path / "master.wav", options).spec
    left = master(song.path, tmp_path / "left.wav", replace(options, plr=None)).spec
    assert master_spec.ceiling_db == pytest.approx(-11.0) and left.ceiling_db == -1.0
    renderer = RegionRenderer(song.pcm, song.forecast)
    region = renderer.render(ChainControls(), options, 12 * RATE, 4 * RATE)
    assert region.spec == master_spec
    whole = np.asarray(soundfile.read(tmp_path / "master.wav", always_2d=True)[0], np.float64)
    assert error_db(region.audio, whole[12 * RATE : 16 * RATE]) < -20.0
    monkeypatch.setattr(preview, "follow_peaks", None)
    assert renderer.render(controls_of(song), options, 0, RATE).spec == master_spec


@pytest.mark.parametrize("offset", [0, 77, 1001])
def test_the_run_in_puts_clipper_and_limiter_where_they_would_be(song: Song, offset: int) -> None:
    """Two regions that overlap agree in the overlap: neither begins from rest, and frames lie alike."""
    renderer = RegionRenderer(song.pcm, song.forecast)
    options = Options(target="keep", ceiling=-9.0)
    early = renderer.render(ChainControls(), options, 11 * RATE + offset, 4 * RATE)
    late = renderer.render(ChainControls(), options, 13 * RATE, 4 * RATE)
    assert early.gain_db == pytest.approx(late.gain_db, abs=1e-3)
    assert max(late.reduction_db["limiter"]) > 1.0
    assert (
        error_db(late.audio[: 2 * RATE + offset], early.audio[2 * RATE - offset :].astype(np.float64)) < -80.0
    )


def test_the_end_of_the_song_and_its_beginning_are_whole(song: Song, tmp_path: Path) -> None:
    options = Options(target="keep", ceiling="off")
    whole, _ = mastered(song, controls_of(song), options, tmp_path)
    renderer = RegionRenderer(song.pcm, song.forecast)
    for start, frames in ((0, RATE), (song.pcm.frames - RATE, 5 * RATE)):
        region = renderer.render(controls_of(song), options, start, frames)
        assert len(region.audio) == RATE
        expected = whole[start : start + RATE]
        scale = np.vdot(region.audio, expected) / np.vdot(expected, expected)
        assert error_db(region.audio, scale * expected) < -60.0


def test_solo_hears_one_stage_and_bypass_all_others(song: Song) -> None:
    renderer = RegionRenderer(song.pcm, song.forecast)
    options = Options(target="-14", words={}, skip=("dc_removal",))
    start, frames = 2 * RATE, RATE
    alone = renderer.render(controls_of(song), options, start, frames, solo="stereo")
    dry = song.pcm.read(start, frames).astype(np.float64)
    assert alone.gain_db == 0.0 and alone.reduction_db == {}
    np.testing.assert_allclose(alone.audio.sum(axis=1), dry.sum(axis=1), atol=1e-6)  # the mono sum stays
    side = np.linalg.norm(alone.audio[:, 0] - alone.audio[:, 1]) / np.linalg.norm(dry[:, 0] - dry[:, 1])
    assert side > 1.05
    names = ("eq", "gain", "compressor", "saturation", "stereo", "limiter", "peak_control")
    nothing = renderer.render(
        controls_of(song), Options(target="keep", skip=("dc_removal",)), start, frames, bypass=names
    )
    assert error_db(nothing.audio, dry) < -120.0
    assert nothing.lufs == pytest.approx(nothing.before_lufs, abs=1e-6)
    without = renderer.render(controls_of(song), options, start, frames, bypass=["compressor"])
    assert "compressor" not in without.reduction_db


@pytest.mark.parametrize(("rate", "channels"), [(96_000, 2), (22_050, 1)])
def test_other_rates_and_mono(tmp_path: Path, rate: int, channels: int) -> None:
    rng = np.random.default_rng(7)
    audio = 0.05 * rng.standard_normal((4 * rate, channels))
    soundfile.write(tmp_path / "song.wav", audio, rate, subtype="FLOAT")
    with ExitStack() as resources:
        measured = measure(tmp_path / "song.wav", tmp_path, resources)
        for _ in keep_blocks(measured.blocks(), tmp_path / "pcm.wav", rate, channels):
            pass
        song = Song(tmp_path / "song.wav", PcmCache(tmp_path / "pcm.wav"), measured.forecast)
        controls = ChainControls(eq=Bands.of([EqBand("peak", 1_000.0, 6.0, 1.0)]))
        options = Options(target="-20", ceiling="off")
        region = RegionRenderer(song.pcm, song.forecast).render(controls, options, rate, rate)
        whole, gain_db = mastered(song, controls, options, tmp_path)
    expected = whole[rate : 2 * rate] * 10 ** ((region.gain_db - gain_db) / 20)
    assert region.audio.shape == (rate, channels) and error_db(region.audio, expected) < -90.0
    assert region.gain_db == pytest.approx(gain_db, abs=0.2)


@pytest.mark.parametrize(
    ("start", "frames", "solo", "says"),
    [
        (-1, 10, None, "expected 0 to"),
        (20 * RATE, 10, None, "expected 0 to"),
        (0, 0, None, "a minute"),
        (0, 61 * RATE, None, "a minute"),
        (0, 10, "reverb", "no such stage"),
    ],
)
def test_nonsense_is_refused(song: Song, start: int, frames: int, solo: str | None, says: str) -> None:
    with pytest.raises(InputError, match=says):
        RegionRenderer(song.pcm, song.forecast).render(ChainControls(), Options(), start, frames, solo)
