"""The file that is downloaded is the one that nm-master makes with the command that the page shows."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from mutagen.flac import FLAC
from nm_test_studio import Studio, write_mix

from neural_mastering.cli.master import invoke
from neural_mastering.controls import controls_of


def both(
    studio: Studio, song: str, source: Path, body: dict[str, Any], folder: Path
) -> list[tuple[Path, Path]]:
    """Files downloaded from a render, each beside the one that the shown command writes elsewhere."""
    result = studio.done(f"/songs/{song}/render", body)
    job = studio.job
    downloads, made = folder / "downloads", folder / "made"
    downloads.mkdir()
    made.mkdir()
    for each in result["files"]:
        answer = studio.client.get(f"/jobs/{job}/files/{each['name']}")
        assert answer.status_code == 200 and len(answer.content) == each["bytes"]
        if each["kind"] != "report":
            (downloads / each["name"]).write_bytes(answer.content)
    (made / source.name).write_bytes(source.read_bytes())
    controls = next(each["name"] for each in result["files"] if each["kind"] == "controls")
    (made / controls).write_bytes((downloads / controls).read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        assert invoke(result["command"][1:]) == 0
    assert result["command"][0] == "nm-master"
    return [(path, made / path.name) for path in sorted(downloads.iterdir())]


def samples(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


EDITED = {
    "design_rate_hz": 44_100.0,
    "eq": [
        {"kind": "low_shelf", "frequency_hz": 111.1, "gain_db": 1.234567, "q": 0.7},
        {"kind": "peak", "frequency_hz": 2345.678, "gain_db": -2.1, "q": 1.3},
    ],
    "gain_db": 0.5,
    "stages": {
        "compressor": {
            **{"threshold_db": -8.0, "ratio": 3.0, "attack_ms": 5.0, "release_ms": 100.0, "knee_db": 6.0},
            **{"makeup_db": 1.0, "mix": 0.8, "sidechain_hz": 0.0, "link_max": 0.0, "input_lufs": -20.9},
        },
        "saturation": {
            **{"drive_db": 6.0, "shape": 0.3, "bias": 0.1, "mix": 0.5, "render_hz": 352_800.0},
            "input_lufs": -20.9,
        },
        "stereo": {"width": 1.17, "bass_frequency_hz": 120.0, "bass_amount": 0.4},
    },
    "residual": None,
    "residual_amount": 1.0,
    "words": {},
}


@pytest.mark.parametrize(
    ("controls", "settings"),
    [
        (None, {"style": "rock", "format": "wav", "bits": "24", "target": -11, "density": 0.75}),
        (None, {"words": {"warm": 0.7}, "format": "flac", "bits": "16", "ceiling": -1.3, "target": "tidal"}),
        pytest.param(
            EDITED,
            {"format": "wav", "bits": "16", "target": "keep", "ceiling": "off", "skip": ["dc_removal"]},
            marks=pytest.mark.slow,
        ),
        (
            EDITED,
            {
                "also": ["flac"],
                "codec_safe": ["mp3:128"],
                "strength": {"limiter": 0.5},
                "max_reduction_db": 4.0,
            },
        ),
        (EDITED, {"strength": {"eq": 0.5, "compressor": 0.4}, "overall_strength": 0.8, "skip": ["gain"]}),
        pytest.param(
            EDITED,
            {"only": ["eq", "stereo", "limiter"], "words": {"warm": 0.5}, "bits": "16"},
            marks=pytest.mark.slow,
        ),
        (
            None,
            {
                "format": "aiff",
                "sample_rate_hz": 48_000,
                "strength": {"eq": 0.5},
                "replaygain": True,
                "trim": True,
                "fade_out": "1:linear",
                "bass_mono_hz": 120,
            },
        ),
    ],
)
def test_lossless_files_have_the_same_bytes(
    studio: Studio, song: str, mix: Path, controls: Any, settings: dict[str, Any], tmp_path: Path
) -> None:
    body = {"controls": controls, "settings": settings, "export": ["jsfx"]}
    pairs = both(studio, song, mix, body, tmp_path)
    assert any(soundfile.info(mine).frames for mine, _ in pairs if mine.suffix in (".wav", ".flac", ".aiff"))
    for mine, made in pairs:
        assert mine.read_bytes() == made.read_bytes(), mine.name


@pytest.mark.parametrize(
    ("controls", "settings"),
    [
        (EDITED, {"format": "wav", "bits": "32f"}),  # libsndfile writes the time of day into float WAV files
        pytest.param(None, {"style": "pop", "format": "mp3:320"}, marks=pytest.mark.slow),
        pytest.param(EDITED, {"format": "vorbis"}, marks=pytest.mark.slow),
        (None, {"words": {"bright": 0.3}, "format": "opus:160"}),
    ],
)
def test_float_and_lossy_files_have_the_same_samples(
    studio: Studio, song: str, mix: Path, controls: Any, settings: dict[str, Any], tmp_path: Path
) -> None:
    pairs = both(studio, song, mix, {"controls": controls, "settings": settings}, tmp_path)
    audio = [(mine, made) for mine, made in pairs if mine.suffix != ".yaml"]
    assert len(audio) == 1
    for mine, made in audio:
        assert np.array_equal(samples(mine), samples(made)) and np.abs(samples(mine)).max() > 0.1


@pytest.fixture(scope="module")
def dense(mix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another song whose peaks lie much lower above its loudness than the mix's."""
    audio = samples(write_mix(tmp_path_factory.mktemp("dense") / "dense.wav", seed=5))
    path = tmp_path_factory.mktemp("reference") / "dense one.flac"
    soundfile.write(path, 0.15 * np.tanh(6.0 * audio / np.abs(audio).max()), 44_100, subtype="PCM_24")
    return path


@pytest.mark.parametrize(
    ("form", "bits"),
    [("wav", "24"), ("flac", "16"), ("wav", "32f"), pytest.param("opus:160", None, marks=pytest.mark.slow)],
)
def test_references_are_followed_as_by_the_command_line(
    studio: Studio, song: str, mix: Path, dense: Path, form: str, bits: str | None, tmp_path: Path
) -> None:
    """Tone, width, dynamics, peaks and loudness: one file by page, command and nm-master."""
    reference = studio.upload(dense, role="reference")
    match = {"tone": 0.8, "width": 0.6, "dynamics": 0.9, "loudness": 0.7}
    settings = {
        "references": [f"{reference}=2"],
        "match": match,
        "density": "dense",
        "format": form,
        "bits": bits,
    }
    decided = studio.done(f"/songs/{song}/decide", settings)
    assert decided["target"]["name"] not in ("spotify", "keep")
    assert decided["plr"]["share"] == 0.9
    pairs = both(studio, song, mix, {"settings": settings}, tmp_path)
    command = studio.get(f"/jobs/{studio.job}")["result"]["command"]
    assert command[command.index("--plr") + 1] == f"{decided['plr']['plr_db']!r}:0.9"
    mine, made = next(pair for pair in pairs if pair[0].suffix != ".yaml")
    direct, left = tmp_path / f"direct{mine.suffix}", tmp_path / f"left{mine.suffix}"
    text = ",".join(f"{name}={share}" for name, share in match.items())
    asked = [str(mix), "--reference", f"{dense}=2", "--match", text, "--density", "dense", "--format", form]
    asked += ["--bits", bits] if bits else []
    assert invoke([*asked, "-o", str(direct)]) == 0
    assert invoke([*asked, "-o", str(left), "--plr", "off"]) == 0
    assert np.array_equal(samples(mine), samples(made)) and np.array_equal(samples(mine), samples(direct))
    if bits in ("16", "24"):
        assert mine.read_bytes() == made.read_bytes() == direct.read_bytes()
    # peaks are lower than the same delivery leaves them, so there was something to state
    assert np.abs(samples(mine)).max() < 0.9 * np.abs(samples(left)).max()


def test_peaks_of_ones_own(studio: Studio, song: str, mix: Path, dense: Path, tmp_path: Path) -> None:
    """An own ratio comes before the reference's, and an album follows only that."""
    reference = studio.upload(dense, role="reference")
    asked = {"references": [reference], "match": {"dynamics": 1.0}, "density": "dense", "target": -20.0}
    peaks = {}
    for plr in (None, "off", 10.0):
        folder = tmp_path / str(plr)
        folder.mkdir()
        settings = {**asked, "plr": plr, "bits": "16"}
        pairs = both(studio, song, mix, {"settings": settings, "report": plr == 10.0}, folder)
        assert all(mine.read_bytes() == made.read_bytes() for mine, made in pairs)
        result = studio.get(f"/jobs/{studio.job}")["result"]
        assert ("--plr" in result["command"]) == (plr is not None or peaks == {})
        peaks[plr] = result["summary"]["output"]["plr_db"]
    assert peaks[None] < peaks[10.0] - 0.5 and peaks[10.0] < peaks["off"] - 0.5
    assert 9.0 < peaks[10.0] < 10.1


def test_a_lossy_source_and_an_awkward_name(studio: Studio, tmp_path: Path) -> None:
    demo = Path(__file__).parents[2] / "neural_mastering" / "assets" / "demo" / "s8_folk.ogg"
    source = tmp_path / "-- my 'söng' & co.ogg"
    source.write_bytes(demo.read_bytes())
    song = studio.upload(source)
    pairs = both(studio, song, source, {"settings": {"bits": "16"}, "name": "a b"}, tmp_path)
    assert [mine.name for mine, _ in pairs] == ["a b.wav", "a b.yaml"]
    for mine, made in pairs:
        assert mine.read_bytes() == made.read_bytes()


def test_an_album_is_that_of_the_command_line(fresh: Studio, mix: Path, other: Path, tmp_path: Path) -> None:
    ids = [fresh.upload(mix), fresh.upload(other)]
    assert fresh.get("/project")["order"] == ids
    result = fresh.done("/album/render", {"settings": {"style": "rock", "target": -13}})
    names = [each["name"] for each in result["files"] if each["kind"] == "audio"]
    assert names == ["my mix.wav", "other.flac"]
    made = tmp_path / "made"
    made.mkdir()
    arguments = [str(mix), str(other), "-o", str(made), "--style", "rock", "--target", "-13", "--album"]
    assert invoke([*arguments, "--skip", "residual"]) == 0
    for name in names:
        answer = fresh.client.get(f"/jobs/{fresh.job}/files/{name}")
        (tmp_path / name).write_bytes(answer.content)
        assert np.array_equal(samples(tmp_path / name), samples(made / name))


def test_an_album_edited_by_hand_is_one_command(
    fresh: Studio, mix: Path, other: Path, tmp_path: Path
) -> None:
    """Each song with its own controls and strengths, gaps and titles: one nm-master makes every file anew."""
    info = "file,title,album\nother.flac,Second first,Two\nmy mix.wav,Last,Two\n"
    made = tmp_path / "made"
    made.mkdir()
    first, second = fresh.upload(mix), fresh.upload(other)
    project = fresh.get("/project")
    songs = {song["id"]: song for song in project["songs"]}
    songs[first]["controls"] = EDITED
    songs[first]["settings"]["strength"] = {"eq": 0.5, "limiter": 0.5}
    songs[second]["settings"] |= {"style": "rock", "skip": ["stereo"], "overall_strength": 0.7}
    fresh.put("/project", project).raise_for_status()
    body = {"settings": {"target": -12.0, "bits": "16"}, "gap_s": 1.0, "info": info}
    result = fresh.done("/album/render", body)
    got = {
        each["name"]: fresh.client.get(f"/jobs/{fresh.job}/files/{each['name']}").content
        for each in result["files"]
    }
    for source in (mix, other):
        (made / source.name).write_bytes(source.read_bytes())
    for name, content in got.items():
        if name.startswith("controls/") or name == "album.csv":
            (made / name).parent.mkdir(exist_ok=True)
            (made / name).write_bytes(content)
    assert result["command"][0] == "nm-master" and shlex.split(result["command_text"]) == result["command"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        assert invoke(result["command"][1:]) == 0
    masters = {path.name: path.read_bytes() for path in (made / "masters").iterdir()}
    assert set(masters) == {"my mix.wav", "other.flac", "Two.cue", "Two.m3u8"}
    assert masters == {name: content for name, content in got.items() if name in masters}
    edited = controls_of(yaml.safe_load(got["controls/my mix.yaml"]))
    assert edited.eq.gain_db == pytest.approx([0.617, -1.05], abs=1e-3) and "compressor" in edited.stages


def test_an_album_with_gaps_and_titles(fresh: Studio, mix: Path, other: Path, tmp_path: Path) -> None:
    for path in (mix, other):
        fresh.upload(path)
    info = "file,title,isrc\nother.flac,Second first,GBAYE0000351\nmy mix.wav,Last,GBAYE0000352\n"
    body = {"settings": {"format": "flac"}, "gap_s": 1.5, "info": info}
    result = fresh.done("/album/render", body)
    found = {}
    for each in result["files"]:
        if each["name"].endswith(".flac"):
            path = tmp_path / Path(each["name"]).name
            path.write_bytes(fresh.client.get(f"/jobs/{fresh.job}/files/{each['name']}").content)
            found[FLAC(path)["title"][0]] = path
    names = {Path(each["name"]).suffix for each in result["files"]}
    assert {".cue", ".m3u8"} <= names
    frames = {name: soundfile.info(path).frames for name, path in found.items()}
    rate = soundfile.info(mix).samplerate
    assert frames["Second first"] - soundfile.info(other).frames == pytest.approx(1.5 * rate, abs=rate)
    assert FLAC(found["Last"])["isrc"] == ["GBAYE0000352"]
