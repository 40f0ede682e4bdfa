"""Exports for other software: read back from the file and run through filters that are not ours.

The null is the power of the difference over the power of our own equaliser's output, in dB.
"""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.controls import Bands, ChainControls, EqBand
from neural_mastering.controls.catalogue import Values
from neural_mastering.errors import InputError
from neural_mastering.rendering.outputs.export import FORMATS, ExportResult, export_controls
from neural_mastering.rendering.stages.build import build_stages
from tests.rendering.conftest import DEMO_SONGS

Samples = NDArray[np.float64]
Band = tuple[str, float, float, float]
"""Kind, frequency in Hz, gain in dB, Q."""

RATE = 44_100

TEN_BANDS = ChainControls(
    eq=Bands.of(
        (
            EqBand("low_shelf", 61.2345, 3.4567, 0.7071),
            EqBand("peak", 97.531, -2.3456, 1.2345),
            EqBand("peak", 181.818, 1.9876, 2.3456),
            EqBand("peak", 402.71, -4.5678, 0.8765),
            EqBand("peak", 823.456, 2.2222, 3.4567),
            EqBand("peak", 1_777.7, -1.1111, 1.0101),
            EqBand("peak", 3_141.59, 5.4321, 0.6543),
            EqBand("peak", 6_283.19, -3.3333, 2.7182),
            EqBand("peak", 11_111.1, 2.4681, 1.4142),
            EqBand("high_shelf", 9_876.54, -5.1234, 0.6667),
        )
    ),
    gain_db=-2.3457,
)
FROM_200_HZ = ChainControls(
    eq=Bands.of(
        (
            EqBand("low_shelf", 700.0, 2.5, 0.7071),
            EqBand("peak", 1_234.5678, -4.3211, 1.2345),
            EqBand("peak", 4_321.01, 3.2109, 0.8888),
            EqBand("high_shelf", 9_000.0, 4.4444, 0.7071),
        )
    ),
)


@pytest.fixture(scope="module")
def music() -> Samples:
    """Two seconds of each of three demo songs, (channel, time)."""
    pieces = []
    for path in DEMO_SONGS[:3]:
        with AudioReader(path) as reader:
            assert reader.sample_rate == RATE
            pieces.append(next(iter(reader.blocks(2 * RATE))))
    return np.concatenate(pieces, axis=1)


def own_render(controls: ChainControls, audio: Samples, rate: int = RATE) -> Samples:
    """What nm-master renders from these controls: its stages, block by block."""
    for stage in build_stages(controls, rate, len(audio)):
        audio = np.concatenate([stage.process(b) for b in np.array_split(audio, 7, axis=1)], axis=1)
    return audio


def null_db(theirs: Samples, ours: Samples) -> float:
    return 10.0 * math.log10(float(((theirs - ours) ** 2).sum() / (ours**2).sum()) + 1e-40)


def read_eqapo(path: Path) -> tuple[list[Band], float]:
    """Bands and preamp of an Equalizer APO file, by its documented grammar."""
    kinds = {"PK": "peak", "LSC": "low_shelf", "HSC": "high_shelf"}
    bands, preamp = [], None
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            continue
        if match := re.fullmatch(r"Preamp: (-?[\d.]+) dB", line):
            preamp = float(match[1])
            continue
        number = r"(-?\d+(?:\.\d+)?)"
        match = re.fullmatch(rf"Filter \d+: ON (\w+) Fc {number} Hz Gain {number} dB Q {number}", line)
        assert match, f"not a line of Equalizer APO: {line!r}"
        decimals = len(match[2].partition(".")[2])
        assert decimals <= 2, "three decimals are read as a thousands separator"
        bands.append((kinds[match[1]], *(float(v) for v in match.groups()[1:])))
    assert preamp is not None
    return bands, preamp


def read_camilladsp(path: Path) -> tuple[list[Band], float]:
    """Bands and gain of a CamillaDSP file, in the order of its pipeline."""
    kinds = {"Peaking": "peak", "Lowshelf": "low_shelf", "Highshelf": "high_shelf"}
    tree = yaml.safe_load(path.read_text())
    (step,) = tree["pipeline"]
    assert step["type"] == "Filter" and step["channels"] == [0, 1]
    bands, gain_db = [], 0.0
    for name in step["names"]:
        one = tree["filters"][name]
        values = one["parameters"]
        if one["type"] == "Gain":
            assert values["scale"] == "dB" and values["inverted"] is False and values["mute"] is False
            gain_db += values["gain"]
        else:
            assert one["type"] == "Biquad" and set(values) == {"type", "freq", "gain", "q"}
            assert all(isinstance(values[key], float) for key in ("freq", "gain", "q"))
            bands.append((kinds[values["type"]], values["freq"], values["gain"], values["q"]))
    return bands, gain_db


READERS: dict[str, Callable[[Path], tuple[list[Band], float]]] = {
    "eqapo": read_eqapo,
    "camilladsp": read_camilladsp,
}


def by_ffmpeg(bands: list[Band], audio: Samples, rate: int, folder: Path) -> Samples:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    names = {"peak": "equalizer", "low_shelf": "bass", "high_shelf": "treble"}
    # In ffmpeg a shelf's "Q" of 1/√2 is the cookbook's Q of 1.
    steps = [
        f"{names[kind]}=f={f!r}:t=q:w={q if kind == 'peak' else q / math.sqrt(2.0)!r}:g={gain!r}:r=f64"
        for kind, f, gain, q in bands
    ]
    source, result = folder / "in.wav", folder / "out.wav"
    soundfile.write(source, audio.T, rate, subtype="DOUBLE")
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(source), "-af", ",".join(steps)]
    subprocess.run([*command, "-c:a", "pcm_f64le", str(result)], check=True, capture_output=True)
    return np.asarray(soundfile.read(result, always_2d=True)[0].T, dtype=np.float64)


def by_sox(bands: list[Band], audio: Samples, rate: int, folder: Path) -> Samples:
    if shutil.which("sox") is None:
        pytest.skip("sox is not installed")
    steps: list[str] = []
    for kind, f, gain, q in bands:
        if kind == "peak":
            steps += ["equalizer", repr(f), f"{q!r}q", repr(gain)]
        else:
            steps += ["bass" if kind == "low_shelf" else "treble", repr(gain), repr(f), f"{q!r}q"]
    source, result = folder / "in.wav", folder / "out.wav"
    soundfile.write(source, 0.05 * audio.T, rate, subtype="DOUBLE")  # sox clips between its effects
    command = ["sox", "-D", str(source), "-e", "floating-point", "-b", "64", str(result), *steps]
    subprocess.run(command, check=True, capture_output=True)
    return 20.0 * np.asarray(soundfile.read(result, always_2d=True)[0].T, dtype=np.float64)


def by_pedalboard(bands: list[Band], audio: Samples, rate: int, folder: Path) -> Samples:
    pedalboard = pytest.importorskip("pedalboard")
    kinds = {
        "peak": pedalboard.PeakFilter,
        "low_shelf": pedalboard.LowShelfFilter,
        "high_shelf": pedalboard.HighShelfFilter,
    }
    board = pedalboard.Pedalboard(
        [kinds[kind](cutoff_frequency_hz=f, gain_db=gain, q=q) for kind, f, gain, q in bands]
    )
    return board(audio.astype(np.float32), rate).astype(np.float64)


HOSTS = {"ffmpeg": by_ffmpeg, "sox": by_sox, "pedalboard": by_pedalboard}


@pytest.mark.parametrize("preset", READERS)
@pytest.mark.parametrize(
    ("host", "controls", "deepest_db"),
    [
        ("ffmpeg", TEN_BANDS, -80.0),
        ("sox", TEN_BANDS, -80.0),
        # Its coefficients are single precision, which costs up to 60 dB for a band below 200 Hz.
        ("pedalboard", FROM_200_HZ, -80.0),
    ],
    ids=["ffmpeg", "sox", "pedalboard"],
)
def test_the_exported_equaliser_cancels_ours(
    host: str, controls: ChainControls, deepest_db: float, preset: str, music: Samples, tmp_path: Path
) -> None:
    (result,) = export_controls(controls, [preset], tmp_path / "song", RATE)
    bands, gain_db = READERS[preset](result.path)
    theirs = HOSTS[host](bands, music, RATE, tmp_path) * 10.0 ** (gain_db / 20.0)
    depth_db = null_db(theirs, own_render(controls, music))
    print(f"{preset} through {host}: {depth_db:.1f} dB")
    assert depth_db <= deepest_db
    # The null is worth something: 0.05 dB in one band is seen.
    kind, f, gain, q = bands[3]
    changed = [*bands[:3], (kind, f, gain + 0.05, q), *bands[4:]]
    off = HOSTS[host](changed, music, RATE, tmp_path) * 10.0 ** (gain_db / 20.0)
    assert null_db(off, own_render(controls, music)) > -80.0


@pytest.mark.parametrize("rate", [RATE, 48_000, 96_000])
def test_json_holds_finished_biquads(rate: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal((2, rate // 2))
    (result,) = export_controls(TEN_BANDS, ["json"], tmp_path / "song", rate)
    tree = json.loads(result.path.read_text())
    assert tree["biquads"]["sample_rate_hz"] == rate
    sections = np.array(tree["biquads"]["sections"])
    theirs = sosfilt(sections, noise) * 10.0 ** (tree["gain_db"] / 20.0)
    assert null_db(theirs, own_render(TEN_BANDS, noise, rate)) < -200.0
    assert [tuple(band.values()) for band in tree["eq"]] == [
        (b.kind, b.frequency_hz, b.gain_db, b.q) for b in TEN_BANDS.eq
    ]


@pytest.mark.parametrize("preset", READERS)
@pytest.mark.parametrize("rate", [RATE, 48_000, 96_000, 192_000])
def test_the_stated_deviation_is_true(preset: str, rate: int, tmp_path: Path) -> None:
    """Measured with impulses through scipy: the file's biquads at the rate against the bands at the design rate."""
    (result,) = export_controls(TEN_BANDS, [preset], tmp_path / "song", rate)
    bands, _ = READERS[preset](result.path)
    at_hz = np.geomspace(20.0, 16_000.0, 1_500)
    difference = np.abs(curve_db(bands, rate, at_hz) - curve_db(as_bands(TEN_BANDS), RATE, at_hz)).max()
    assert difference <= result.max_deviation_db + 1e-6
    assert result.max_deviation_db < 0.3, "fitted numbers keep the curve at other rates"
    stated = re.search(r"16 kHz: ([\d.]+) dB at (\d+) Hz", result.path.read_text())
    assert stated and float(stated[1]) == pytest.approx(result.max_deviation_db, abs=1e-4)
    assert int(stated[2]) == rate
    if rate > RATE:
        plain = np.abs(
            curve_db(as_bands(TEN_BANDS), rate, at_hz) - curve_db(as_bands(TEN_BANDS), RATE, at_hz)
        )
        assert plain.max() > 2.0 * result.max_deviation_db, "the same numbers would be worse"


def test_numbers_of_the_design_rate_are_the_controls(tmp_path: Path) -> None:
    results = export_controls(TEN_BANDS, list(READERS), tmp_path / "song", RATE)
    for result in results:
        bands, gain_db = READERS[result.format](result.path)
        assert gain_db == pytest.approx(TEN_BANDS.gain_db, abs=5e-5)
        for theirs, ours in zip(bands, as_bands(TEN_BANDS), strict=True):
            assert theirs[0] == ours[0] and theirs[1:] == pytest.approx(ours[1:], abs=5.001e-3)
            assert theirs[2:] == pytest.approx(ours[2:], abs=5.001e-5), "four decimals"


def test_files_and_what_is_left_out(tmp_path: Path) -> None:
    controls = ChainControls(stages={"compressor": {"mix": 0.5}}, residual="1c")
    results = export_controls(controls, list(FORMATS), tmp_path / "My Song (v1.2)", RATE)
    assert [type(r) for r in results] == [ExportResult] * len(FORMATS)
    assert {r.path.name for r in results} == {
        "My Song (v1.2).eqapo.txt",
        "My Song (v1.2).camilladsp.yml",
        "My Song (v1.2).jsfx",
        "My Song (v1.2).eq.json",
    }
    for result in results:
        assert result.left_out == (("residual",) if result.format == "json" else ("compressor", "residual"))
        text = result.path.read_text()
        assert result.format == "json" or "Not in this file: compressor, residual." in text
        assert result.max_deviation_db < 1e-9, "no bands, nothing to deviate"
    assert len(list(tmp_path.iterdir())) == len(FORMATS), "no drafts are left"


def by_camilladsp(path: Path, signal: Samples, folder: Path) -> Samples:
    """A CamillaDSP file's pipeline, followed step by step: matrices, scipy's Butterworth, ffmpeg's equalisers."""
    tree = yaml.safe_load(path.read_text())
    kinds = {"Peaking": "peak", "Lowshelf": "low_shelf", "Highshelf": "high_shelf"}
    for step in tree["pipeline"]:
        if step["type"] == "Mixer":
            mixer = tree["mixers"][step["name"]]
            matrix = np.zeros((mixer["channels"]["out"], mixer["channels"]["in"]))
            for row in mixer["mapping"]:
                for source in row["sources"]:
                    assert source["scale"] == "linear"
                    sign = -1 if source["inverted"] else 1
                    matrix[row["dest"], source["channel"]] = sign * source["gain"]
            signal = matrix @ signal
            continue
        signal, bands = signal.copy(), []
        for one in (tree["filters"][name] for name in step["names"]):
            values = one["parameters"]
            if one["type"] == "Gain":
                signal[step["channels"]] *= 10.0 ** (values["gain"] / 20.0)
            elif values["type"] == "Highpass":
                assert values["q"] == pytest.approx(math.sqrt(0.5), abs=1e-9)
                high = butter(2, values["freq"], "highpass", fs=RATE, output="sos")
                signal[step["channels"]] = sosfilt(high, signal[step["channels"]])
            else:
                bands.append((kinds[values["type"]], values["freq"], values["gain"], values["q"]))
        if bands:
            signal[step["channels"]] = by_ffmpeg(bands, signal[step["channels"]], RATE, folder)
    return signal


MID_SIDE: Values = {
    "mid_frequency_hz": (90.0, 1_234.5, 3_210.0, 8_000.0),
    "mid_gain_db": (2.3456, -3.21, 0.0, 1.5),
    "mid_q": (0.7, 1.9, 1.0, 0.6),
    "side_frequency_hz": (150.0, 2_345.6, 6_000.0, 9_876.5),
    "side_gain_db": (-4.4, 0.0, -2.2, 3.3),
    "side_q": (0.65, 3.0, 2.5, 0.7),
    "bands": 4.0,
    "design_rate_hz": 44_100.0,
}
WIDTH: Values = {"width": 1.37, "bass_frequency_hz": 130.0, "bass_amount": 0.4}


@pytest.mark.parametrize(
    "held", [{"stereo": WIDTH}, {"mid_side_eq": MID_SIDE}, {"mid_side_eq": MID_SIDE, "stereo": WIDTH}]
)
def test_camilladsp_holds_width_and_mid_side(held: dict[str, Values], music: Samples, tmp_path: Path) -> None:
    controls = ChainControls(gain_db=1.5, stages={"compressor": {"mix": 0.5}, **held})
    (result,) = export_controls(controls, ["camilladsp"], tmp_path / "song", RATE)
    assert result.left_out == ("compressor",) and result.max_deviation_db < 1e-5
    ours = own_render(replace(controls, stages=held), music)
    depth_db = null_db(by_camilladsp(result.path, music, tmp_path), ours)
    print(f"camilladsp, {', '.join(held)}: {depth_db:.1f} dB")
    assert depth_db < -90.0 < -40.0 < null_db(music, ours)


def test_camilladsp_leaves_other_forms_out(tmp_path: Path) -> None:
    bands = {"width": (1.0, 1.2), "bass_frequency_hz": 130.0, "bass_amount": 0.4}
    controls = ChainControls(stages={"stereo": bands, "mid_side_eq": {**MID_SIDE, "new_key": 1.0}})
    (result,) = export_controls(controls, ["camilladsp"], tmp_path / "song", RATE)
    assert result.left_out == ("stereo", "mid_side_eq")
    assert "mixers" not in yaml.safe_load(result.path.read_text())


def test_mid_side_deviation_at_another_rate_is_stated(tmp_path: Path) -> None:
    """The file's bands at 96 kHz against the controls' at 44.1 kHz, mid and side each."""
    controls = ChainControls(stages={"mid_side_eq": MID_SIDE})
    (result,) = export_controls(controls, ["camilladsp"], tmp_path / "song", 96_000)
    text = result.path.read_text()
    stated = re.search(r"Largest deviation of the mid-side equaliser: ([\d.]+) dB", text)
    assert stated and float(stated[1]) == pytest.approx(result.max_deviation_db, abs=1e-4)
    assert 0.001 < result.max_deviation_db < 0.3 and "these numbers were fitted" in text
    kinds = {"Peaking": "peak", "Lowshelf": "low_shelf", "Highshelf": "high_shelf"}
    at_hz = np.geomspace(20.0, 16_000.0, 1_500)
    largest = 0.0
    for part in ("mid", "side"):
        hz, gains_db, qs = (np.atleast_1d(MID_SIDE[f"{part}_{k}"]) for k in ("frequency_hz", "gain_db", "q"))
        ours: list[Band] = list(
            zip(("low_shelf", "peak", "peak", "high_shelf"), hz, gains_db, qs, strict=True)
        )
        filters = yaml.safe_load(text)["filters"]
        theirs = [
            (kinds[v["parameters"]["type"]], *(v["parameters"][key] for key in ("freq", "gain", "q")))
            for name, v in filters.items()
            if name.startswith(f"{part}_")
        ]
        assert len(theirs) == 3, "a band at 0 dB is left out"
        difference = curve_db(theirs, 96_000, at_hz) - curve_db(ours, RATE, at_hz)
        largest = max(largest, float(np.abs(difference).max()))
    assert largest == pytest.approx(result.max_deviation_db, abs=2e-3)


def test_json_holds_every_stage(tmp_path: Path) -> None:
    stages = {"mid_side_eq": MID_SIDE, "stereo": WIDTH}
    (result,) = export_controls(ChainControls(stages=stages), ["json"], tmp_path / "song", RATE)
    read = json.loads(result.path.read_text())["stages"]
    assert result.left_out == () and list(read) == list(stages)
    for name, values in stages.items():
        assert {k: tuple(v) if isinstance(v, list) else v for k, v in read[name].items()} == values


def test_heads_name_stages_by_their_titles_in_the_order_of_the_chain(tmp_path: Path) -> None:
    """The chain's limiter is rendered last, wherever the controls have it."""
    stages = {"chain_limiter": {"amount": 0.5}, "stereo": WIDTH, "mid_side_eq": MID_SIDE}
    for result in export_controls(ChainControls(stages=stages), ["eqapo", "jsfx"], tmp_path / "song", RATE):
        missing = "stereo width, mid-side equaliser, " if result.format == "eqapo" else ""
        assert f"Not in this file: {missing}limiter of the chain." in result.path.read_text()


def test_a_stage_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    for preset in ("eqapo", "camilladsp", "jsfx"):
        controls = ChainControls(stages={"reverb": {"mix": 0.5}})
        with pytest.raises(InputError, match="a stage 'reverb'"):
            export_controls(controls, [preset], tmp_path / "song", RATE)
    assert not list(tmp_path.iterdir())


def test_wrong_wishes_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown export format 'vst': expected eqapo"):
        export_controls(TEN_BANDS, ["eqapo", "vst"], tmp_path / "song", RATE)
    many = ChainControls(eq=Bands.of((EqBand("peak", 1_000.0, 1.0, 1.0),) * 21))
    with pytest.raises(InputError, match="at most 20 bands"):
        export_controls(many, ["eqapo", "jsfx"], tmp_path / "song", RATE)
    with pytest.raises(InputError, match="8000 Hz or more"):
        export_controls(TEN_BANDS, ["eqapo"], tmp_path / "song", 4_000)
    assert not list(tmp_path.iterdir())


def as_bands(controls: ChainControls) -> list[Band]:
    return [(b.kind, b.frequency_hz, b.gain_db, b.q) for b in controls.eq]


def curve_db(bands: list[Band], rate: int, at_hz: Samples) -> Samples:
    """Cookbook biquads written down once more, straight from the definition in the s plane."""
    total = np.zeros(len(at_hz))
    for kind, f, gain, q in bands:
        a, s = 10.0 ** (gain / 40.0), 1j * np.tan(np.pi * at_hz / rate) / math.tan(math.pi * f / rate)
        if kind == "peak":
            h = (s * s + s * a / q + 1.0) / (s * s + s / (a * q) + 1.0)
        elif kind == "low_shelf":
            h = a * (s * s + math.sqrt(a) / q * s + a) / (a * s * s + math.sqrt(a) / q * s + 1.0)
        else:
            h = a * (a * s * s + math.sqrt(a) / q * s + 1.0) / (s * s + math.sqrt(a) / q * s + a)
        total += 20.0 * np.log10(np.abs(h))
    return total
