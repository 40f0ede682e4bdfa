"""nm-master's formats and checks from the command line: names, messages, exit codes, numbers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from mutagen.mp3 import MP3
from mutagen.oggopus import OggOpus
from scipy.signal import lfilter

from neural_mastering.audio_io.file_format import why_unavailable
from neural_mastering.cli.master import invoke
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.errors import InputError
from neural_mastering.rendering.delivery import drafted_files

RATE = 44_100
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    """Noise with a beat, darker than white, since encoders cut the top octave; 1.5 s."""
    rng, time = np.random.default_rng(0), np.arange(round(1.5 * RATE)) / RATE
    noise = np.asarray(lfilter([0.1], [1.0, -0.9], rng.standard_normal((time.size, 2)), axis=0))
    samples = 0.2 * noise * (0.3 + np.exp(-10 * (time % 0.5)))[:, None]
    soundfile.write(tmp_path / "mix.wav", samples, RATE, subtype="PCM_24")
    return tmp_path / "mix.wav"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run nm-master in this process without a tone: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = invoke(["--model=none", *(str(argument) for argument in arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_several_formats_and_checks(run: Run, mix: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, told, _ = run(
        *(mix, "-o", out / "m.wav", "--also", "mp3:128,FLAC", "--also", "opus"),
        *("--codec-check", "vorbis:96", "--json", tmp_path / "m.json", "--report", tmp_path / "page"),
    )
    assert code == 0 and names(out) == ["m.flac", "m.mp3", "m.opus", "m.wav"]
    for name in names(out):
        assert f"wrote {out / name}" in told
    for title in ("MP3 128 kbit/s", "Opus 160 kbit/s", "Vorbis 96 kbit/s"):
        assert f"After {title}: " in told
    numbers = json.loads((tmp_path / "m.json").read_text())
    assert numbers["files"]["also"] == [str(out / f"m.{end}") for end in ("mp3", "flac", "opus")]
    rows = {row["codec"]: row for row in numbers["codecs"]}
    assert {codec: row["file"] for codec, row in rows.items()} == {
        "mp3": "m.mp3",
        "opus": "m.opus",
        "vorbis": None,
    }
    for codec, row in rows.items():
        assert row["sample_rate_hz"] == (48_000 if codec == "opus" else RATE)
        assert row["lufs"] == pytest.approx(numbers["output"]["lufs"], abs=0.2)
        assert row["over_ceiling_db"] == pytest.approx(row["true_peak_db"] + 1.0, abs=0.05)
    page = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    assert "After the encoder" in page and "Vorbis 96 kbit/s" in page and "m.opus" in page


@pytest.mark.parametrize(
    ("arguments", "name", "kind", "kbps"),
    [
        (["-o", "m.mp3", "--format", "mp3:64"], "m.mp3", "MP3", 64),
        (["-o", "folder/", "--format", "vorbis:80"], "folder/mix.ogg", "Vorbis", 80),
        (["--format", "opus"], "mix_master.opus", "Opus", 160),
    ],
)
def test_a_lossy_master(
    arguments: list[str],
    name: str,
    kind: str,
    kbps: int,
    run: Run,
    mix: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, told, _ = run(mix, *arguments, "--json", "m.json")
    assert code == 0 and (tmp_path / name).is_file() and f"After {kind} {kbps} kbit/s" in told
    output = json.loads((tmp_path / "m.json").read_text())["output"]
    assert (output["format"], output["bits"], output["kbps"]) == (kind, None, kbps)
    assert output["true_peak_db"] <= -1.0
    assert soundfile.info(tmp_path / name).duration == pytest.approx(1.5, abs=1e-4)


def test_a_lossy_source_does_not_become_a_lossy_master_by_itself(run: Run, mix: Path, tmp_path: Path) -> None:
    samples, rate = soundfile.read(mix)
    soundfile.write(tmp_path / "song.mp3", samples, rate)
    assert run(tmp_path / "song.mp3")[0] == 0
    assert (tmp_path / "song_master.wav").is_file()


def test_copies_of_two_songs_never_meet(run: Run, mix: Path, tmp_path: Path) -> None:
    samples, rate = soundfile.read(mix)
    soundfile.write(tmp_path / "mix.flac", samples, rate)
    code, _, err = run(mix, tmp_path / "mix.flac", "-o", tmp_path / "out", "--also", "mp3", "--overwrite")
    assert code == 2 and "would both become" in err and not (tmp_path / "out").exists()


def test_a_file_that_is_missing_in_the_end_is_an_error(
    run: Run, mix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise InputError("m.mp3 can't be written: no reason at all")

    monkeypatch.setattr(drafted_files, "_copy", fail)
    code, told, err = run(mix, "-o", tmp_path / "out" / "m.wav", "--also", "mp3")
    assert code == 1 and "no reason at all" in err and "m.wav" in told
    assert names(tmp_path / "out") == ["m.wav"]


def test_without_ffmpeg(run: Run, mix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    why_unavailable.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    try:
        for arguments in (["--also", "aac"], ["--codec-safe", "aac"], ["--format", "alac"]):
            code, _, err = run(mix, "-o", tmp_path / "out" / "m.m4a", *arguments)
            assert code == 2 and "needs ffmpeg, which isn't installed" in err
        code, _, err = run(mix, "-o", tmp_path / "out" / "m.m4a")
        assert code == 2 and "AAC needs ffmpeg" in err and not (tmp_path / "out").exists()
        code, told, err = run(mix, "-o", tmp_path / "out" / "m.wav", "--codec-check", "aac,mp3")
        assert code == 0 and "not checked after AAC 256 kbit/s" in err and "After MP3 320 kbit/s" in told
    finally:
        why_unavailable.cache_clear()
    assert names(tmp_path / "out") == ["m.wav"]


def test_an_album_has_its_copies_and_its_gain(run: Run, mix: Path, tmp_path: Path) -> None:
    samples, rate = soundfile.read(mix)
    soundfile.write(tmp_path / "two.wav", 0.5 * samples, rate)
    out = tmp_path / "album"
    asked = ("--also", "mp3,opus", "--sample-rate", 48_000, "--replaygain")
    code, _, _ = run(mix, tmp_path / "two.wav", "-o", out, "--album", *asked)
    ends = ("mp3", "opus", "wav")
    songs = [f"{name}.{end}" for name in ("mix", "two") for end in ends]
    assert code == 0 and names(out) == ["album.cue", "album.m3u8", *songs]
    assert {soundfile.info(out / name).samplerate for name in songs} == {48_000}
    masters = [torch.from_numpy(soundfile.read(out / f"{name}.wav")[0].T.copy()) for name in ("mix", "two")]
    lufs = integrated_loudness(torch.cat(masters, 1)[None], 48_000).item()
    for name in ("mix", "two"):
        tags = MP3(out / f"{name}.mp3").tags
        assert tags is not None
        held = {frame.desc: frame.text[0] for frame in tags.getall("TXXX")}
        album_db = float(held["REPLAYGAIN_ALBUM_GAIN"].removesuffix(" dB"))
        assert album_db == pytest.approx(-18.0 - lufs, abs=0.2)  # windows across the seam are left out
        assert held["REPLAYGAIN_TRACK_GAIN"] != held["REPLAYGAIN_ALBUM_GAIN"]
        r128 = OggOpus(out / f"{name}.opus")["r128_album_gain"][0]
        assert int(r128) / 256 == pytest.approx(album_db - 5.0, abs=0.02)
