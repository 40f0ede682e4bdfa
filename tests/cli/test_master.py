"""nm-master from its arguments: targets, formats, names, batches, albums, tags, messages."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, TIT2, TPE1, TXXX  # pyright: ignore[reportPrivateImportUsage]
from mutagen.wave import WAVE

from neural_mastering import assets
from neural_mastering.cli.master import invoke
from neural_mastering.controls import Bands, ChainControls, EqBand, load_controls, save_controls
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.rendering.outputs.export import FORMATS

RATE = 44_100
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def song(seconds: float = 1.5, level: float = 0.1, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """(time, channel) noise with a beat."""
    rng, time = np.random.default_rng(seed), np.arange(round(seconds * rate)) / rate
    return level * rng.standard_normal((time.size, 2)) * (0.3 + np.exp(-10 * (time % 0.5)))[:, None]


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    path = tmp_path / "mix.wav"
    soundfile.write(path, song(), RATE, subtype="PCM_24")
    return path


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run nm-master in this process: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = invoke([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


def test_a_mix_becomes_a_master_and_says_that_tone_was_left_alone(
    run: Run, mix: Path, tmp_path: Path
) -> None:
    numbers = tmp_path / "numbers.json"
    without = ["--model", "none", "--json", numbers]
    code, out, _ = run(mix, "-o", tmp_path / "master.wav", "--target", "spotify", *without)
    assert code == 0 and "tone was left alone" in out
    report = json.loads(numbers.read_text())
    assert report["output"]["lufs"] == pytest.approx(-14.0, abs=0.1)
    assert report["output"]["true_peak_db"] <= -1.0
    assert set(report["input"]) >= {"lufs", "true_peak_db", "lra", "plr_db", "width_db", "correlation"}
    assert report["controls"]["eq"] == [] and isinstance(report["warnings"], list)
    assert soundfile.info(tmp_path / "master.wav").subtype == "PCM_24"


@pytest.mark.parametrize(
    ("name", "bits", "expected"),
    [
        ("a.wav", None, ("WAV", "PCM_24")),
        ("a.wav", "16", ("WAV", "PCM_16")),
        ("a.wav", "32f", ("WAV", "FLOAT")),
        ("a.flac", None, ("FLAC", "PCM_24")),
        ("a.flac", "16", ("FLAC", "PCM_16")),
        ("a.aiff", None, ("AIFF", "PCM_24")),
        ("a.AIF", "32f", ("AIFF", "FLOAT")),
    ],
)
def test_formats(
    run: Run, mix: Path, tmp_path: Path, name: str, bits: str | None, expected: tuple[str, str]
) -> None:
    options = ["--bits", bits] if bits else []
    assert run(mix, "-o", tmp_path / "out" / name, *options)[0] == 0
    info = soundfile.info(tmp_path / "out" / name)
    assert (info.format, info.subtype) == expected and info.frames == len(song())
    assert [p.name for p in (tmp_path / "out").iterdir()] == [name]


def test_as_many_bits_as_the_input_but_at_least_24(run: Run, tmp_path: Path) -> None:
    for subtype, expected in (
        ("PCM_16", "PCM_24"),
        ("PCM_U8", "PCM_24"),
        ("FLOAT", "FLOAT"),
        ("PCM_32", "FLOAT"),
    ):
        source = tmp_path / f"{subtype}.wav"
        soundfile.write(source, song(1.0), RATE, subtype=subtype)
        assert run(source, "-o", tmp_path / f"{subtype}_out.wav")[0] == 0
        assert soundfile.info(tmp_path / f"{subtype}_out.wav").subtype == expected


def test_lossy_input(run: Run, tmp_path: Path) -> None:
    for suffix in ("mp3", "ogg"):
        source = tmp_path / f"song.{suffix}"
        soundfile.write(source, song(), RATE)
        code, _, err = run(source, "-o", tmp_path / f"{suffix}.wav")
        assert code == 0 and "lossy" in err


@pytest.mark.parametrize(
    "name",
    ["My Song (v2) [final].wav", "a=b.wav", "träumé — ñ 曲.wav", "100% & more; $HOME 'x'.wav", "-o.wav"],
)
def test_any_name(run: Run, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    soundfile.write(f"./{name}", song(1.0), RATE)
    assert run("-o", f"./out {name}", "--", name)[0] == 0
    assert Path(f"./out {name}").is_file()


def test_output_beside_the_input_by_default(run: Run, mix: Path) -> None:
    assert run(mix)[0] == 0
    assert mix.with_name("mix_master.wav").is_file()


def test_nothing_is_overwritten_unasked(run: Run, mix: Path, tmp_path: Path) -> None:
    output = tmp_path / "master.wav"
    output.write_bytes(b"precious")
    code, _, err = run(mix, "-o", output)
    assert code != 0 and "--overwrite" in err and output.read_bytes() == b"precious"
    assert run(mix, "-o", output, "--overwrite")[0] == 0
    assert soundfile.info(output).frames == len(song())
    before = mix.read_bytes()
    code, _, err = run(mix, "-o", mix, "--overwrite")
    assert code != 0 and "is the input itself" in err and mix.read_bytes() == before
    numbers = tmp_path / "n.json"
    numbers.write_text("mine")
    code, _, err = run(mix, "-o", tmp_path / "other.wav", "--json", numbers)
    assert code != 0 and numbers.read_text() == "mine" and not (tmp_path / "other.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "spotfy"], "did you mean spotify"),
        (["--target", "12"], "-60 to -3 LUFS"),
        (["--ceiling", "3"], "-30 to 0 dBTP"),
        (["--ceiling", "loud"], "or off"),
        (["--bits", "20"], "16, 24, 32f"),
        (["--strength", "2"], "0 to 1"),
        (["--strength", "eq=x"], "STAGE=NUMBER"),
        (["--strength", "flanger=0.5"], "no such stage"),
        (["--skip", "drums"], "no such stage"),
        (["--only", "eq,drums"], "no such stage"),
        (["--max-reduction", "99"], "0 to 24 dB"),
        (["--density", "loud"], "gentle, balanced, dense"),
        (["--density", "1.5"], "from 0 to 1"),
        (["--model", "nowhere.ckpt"], "no such file"),
        (["--controls", "nowhere.yaml"], "nowhere.yaml"),
        (["--reference", "nowhere.wav"], "no such file"),
        (["--match", "0.5"], "give one with --reference"),
        (["--match", "tone=7"], "expected 0 to 1"),
        (["--match", "warmth=1"], "no such respect"),
        (["--match", "dynamics"], "such as dynamics=1"),
        (["--format", "wma"], "expected wav, flac, aiff"),
        (["--format", "mp3"], "writes .mp3 files"),
        (["--also", "mp3:1"], "mp3:64 to mp3:320"),
        (["--also", "wav"], "is the master itself"),
        (["--codec-check", "flac"], "expected mp3, vorbis, opus, aac"),
        (["--codec-safe", "mp3", "--ceiling", "off"], "--ceiling off"),
        (["--sample-rate", "1000"], "8000 to 384000 Hz"),
        (["--jobs", "0"], "--jobs"),
        (["--frobnicate"], "frobnicate"),
    ],
)
def test_mistakes_are_explained(
    run: Run, mix: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    code, _, err = run(mix, "-o", tmp_path / "out.wav", *arguments)
    assert code != 0 and message in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mix.wav"]


def test_output_names_that_cannot_be(run: Run, mix: Path, tmp_path: Path) -> None:
    for name in ("out.wma", "out.xyz"):
        code, _, err = run(mix, "-o", tmp_path / name)
        assert code != 0 and ".flac" in err
    code, _, err = run(mix, mix, "-o", tmp_path / "one.wav")
    assert code != 0 and "folder" in err
    assert run()[0] != 0


def test_a_batch_goes_on_when_one_fails(run: Run, mix: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF nothing")
    other = tmp_path / "other.flac"
    soundfile.write(other, song(1.0, seed=1), RATE)
    masters = tmp_path / "masters"
    code, _, err = run(mix, broken, other, "-o", masters, "--json", tmp_path / "numbers")
    assert code == 1 and "broken.wav" in err and "1 of 3 songs failed" in err
    assert sorted(p.name for p in masters.iterdir()) == ["mix.wav", "other.flac"]
    assert sorted(p.name for p in (tmp_path / "numbers").iterdir()) == ["mix.json", "other.json"]
    code, _, err = run(mix, tmp_path / "sub" / ".." / "mix.wav", "-o", masters)
    assert code != 0 and "would both become" in err


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ("{compresor: {ratio: 2}}", "stages: no stage is called 'compresor'"),
        ("{stereo: {width: 1.3}}", "the stage 'stereo': the key 'bass_frequency_hz' is missing"),
        (
            "{stereo: {width: 9, bass_frequency_hz: 100, bass_amount: 0}}",
            "'stereo': width: expected 0 to",
        ),
        (
            "{stereo: {width: 1, bass_frequency_hz: 100, bass_amount: 0, hight: 1}}",
            "'stereo': unknown key 'hight'",
        ),
    ],
)
def test_a_mistake_in_a_stage_names_the_file_and_the_key(
    stages: str, expected: str, run: Run, mix: Path, tmp_path: Path
) -> None:
    file = tmp_path / "my controls.yaml"
    file.write_text(f"design_rate_hz: 44100\nstages: {stages}\n", encoding="utf-8")
    code, out, err = run(mix, "-o", tmp_path / "out.wav", "--controls", file)
    assert code == 2 and out == "" and not (tmp_path / "out.wav").exists()
    assert len(err.splitlines()) == 1 and err.startswith(f"nm-master: {file}: ") and expected in err


def test_a_folder_of_controls_has_a_file_for_each_song(run: Run, mix: Path, tmp_path: Path) -> None:
    """mix.wav and mix.flac are told apart by their whole names, as other files beside them are."""
    other, folder = tmp_path / "mix.flac", tmp_path / "controls"
    soundfile.write(other, song(1.0, seed=1), RATE)
    folder.mkdir()
    save_controls(ChainControls(gain_db=-3.0), folder / "mix.wav.yaml")
    arguments = (mix, other, "--target", "keep", "--ceiling", "off", "--controls", folder)
    code, _, err = run(*arguments, "-o", f"{tmp_path / 'missing'}/")
    assert code == 2 and "expected mix.flac.yaml in it, for mix.flac" in err
    assert not (tmp_path / "missing").exists()
    save_controls(ChainControls(eq=Bands.of([EqBand("peak", 1_000.0, 2.0, 1.0)])), folder / "mix.flac.yaml")
    assert run(*arguments, "-o", f"{tmp_path / 'masters'}/", "--json", tmp_path / "numbers")[0] == 0
    read = [
        json.loads((tmp_path / "numbers" / f"{name}.json").read_text()) for name in ("mix.wav", "mix.flac")
    ]
    assert [each["controls"]["gain_db"] for each in read] == [-3.0, 0.0]
    assert [len(each["controls"]["eq"]) for each in read] == [0, 1]
    code, _, err = run(mix, "--controls", tmp_path, "-o", tmp_path / "one.wav")
    assert code == 2 and "expected one.yaml in it" in err and not (tmp_path / "one.wav").exists()


def test_two_jobs_write_what_one_writes(tmp_path: Path) -> None:
    for i in range(3):
        soundfile.write(tmp_path / f"s{i}.wav", song(1.0, seed=i), RATE, subtype="PCM_16")
    songs = [str(tmp_path / f"s{i}.wav") for i in range(3)]
    for jobs in ("1", "2"):
        command = [sys.executable, "-m", "neural_mastering.cli.master", *songs, "-o", str(tmp_path / jobs)]
        done = subprocess.run([*command, "--jobs", jobs], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for i in range(3):
        assert (tmp_path / "1" / f"s{i}.wav").read_bytes() == (tmp_path / "2" / f"s{i}.wav").read_bytes()


def test_an_album_keeps_the_relations_of_its_tracks(run: Run, tmp_path: Path) -> None:
    levels = (0.02, 0.05, 0.1)
    for i, level in enumerate(levels):
        soundfile.write(tmp_path / f"t{i}.wav", song(2.0, level, seed=i), RATE, subtype="PCM_24")
    tracks = [tmp_path / f"t{i}.wav" for i in range(3)]
    code, _, _ = run(*tracks, "-o", tmp_path / "album", "--album", "--json", tmp_path / "n")
    assert code == 0
    reports = [json.loads((tmp_path / "n" / f"t{i}.json").read_text()) for i in range(3)]
    moves = [r["output"]["lufs"] - r["input"]["lufs"] for r in reports]
    assert max(moves) - min(moves) < 0.2
    joined = np.concatenate([soundfile.read(tmp_path / "album" / f"t{i}.wav")[0] for i in range(3)])
    whole = integrated_loudness(torch.from_numpy(joined.T.copy())[None], RATE).item()
    assert whole == pytest.approx(-14.0, abs=0.3)
    assert all(r["output"]["true_peak_db"] <= -1.0 for r in reports)
    run(*tracks, "-o", tmp_path / "single", "--json", tmp_path / "m")
    alone = [json.loads((tmp_path / "m" / f"t{i}.json").read_text())["output"]["lufs"] for i in range(3)]
    assert max(alone) - min(alone) < 0.2


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff"])
@pytest.mark.parametrize("kind", [".wav", ".flac", ".mp3", ".ogg"])
def test_tags_and_cover_art_are_carried_over(run: Run, tmp_path: Path, kind: str, suffix: str) -> None:
    source, output = tmp_path / f"in{kind}", tmp_path / f"out{suffix}"
    soundfile.write(source, song(1.0), RATE)
    _tag(source)
    assert run(source, "-o", output)[0] == 0
    soundfile.info(output)
    if suffix == ".flac":
        flac = FLAC(output)
        assert flac["title"] == ["Träume"] and flac["artist"] == ["A & B"] and flac["mood"] == ["calm"]
        assert flac.pictures[0].data == PNG and "replaygain_track_gain" not in flac
    else:
        tags = (WAVE if suffix == ".wav" else AIFF)(output).tags
        assert tags is not None
        assert tags["TIT2"].text == ["Träume"] and tags["TPE1"].text == ["A & B"]
        assert tags.getall("APIC")[0].data == PNG
        extra = {frame.desc.lower(): list(frame.text) for frame in tags.getall("TXXX")}
        assert extra == {"mood": ["calm"]}


def _tag(path: Path) -> None:
    import base64

    import mutagen

    picture = Picture()
    picture.data, picture.type, picture.mime = PNG, 3, "image/png"
    texts = {"title": "Träume", "artist": "A & B", "mood": "calm", "replaygain_track_gain": "-7 dB"}
    file = mutagen.File(path)  # pyright: ignore[reportPrivateImportUsage]
    assert file is not None
    if path.suffix in (".wav", ".mp3"):
        file.add_tags()
        file.tags.add(TIT2(encoding=3, text="Träume"))
        file.tags.add(TPE1(encoding=3, text="A & B"))
        file.tags.add(TXXX(encoding=3, desc="mood", text="calm"))
        file.tags.add(TXXX(encoding=3, desc="replaygain_track_gain", text="-7 dB"))
        file.tags.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=PNG))
    else:
        for key, text in texts.items():
            file[key] = text
        if path.suffix == ".flac":
            file.add_picture(picture)
        else:
            file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
    file.save()


def test_targets_are_listed_with_their_sources(run: Run) -> None:
    code, out, _ = run("--list-targets")
    assert code == 0 and "not a delivery requirement" in out
    for name in ("spotify", "spotify-loud", "apple", "youtube", "tidal", "amazon", "deezer", "podcast"):
        assert f"\n{name} " in out
    assert "ebu-r128" in out and "atsc-a85" in out
    rows = {line.split()[0]: line for line in out.splitlines()}
    table = yaml.safe_load((Path(assets.__file__).parent / "targets.yaml").read_text(encoding="utf-8"))
    for name, row in table.items():
        assert row["kind"] in ("primary", "secondary")
        said = rows[name].split(maxsplit=5)
        assert said[1:] == [
            f"{row['lufs']:g}",
            f"{row['ceiling_db']:g}",
            row["kind"],
            str(row["checked"]),
            row["source"],
        ]
    assert {row["kind"] for row in table.values()} == {"primary", "secondary"}


def test_help_starts_without_torch_and_numba() -> None:
    code = (
        "import sys\nfrom neural_mastering.cli.master import invoke\ncode = invoke(['--help'])\n"
        "print(code, [m for m in ('torch', 'numba', 'scipy', 'soundfile', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []" and "--target" in done.stdout


def test_help_names_every_export_format(run: Run) -> None:
    """The list is typed by hand, since importing the formats would slow --help down."""
    _, out, _ = run("--help")
    listed = " ".join(out.split()).partition("next to the master: ")[2].partition(".")[0]
    assert listed.split(", ") == list(FORMATS)


def test_a_whole_run_without_a_model_needs_no_torch(mix: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom neural_mastering.cli.master import invoke\n"
        f"code = invoke([{str(mix)!r}, '-o', {str(tmp_path / 'm.wav')!r}, '--model', 'none'])\n"
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"


def test_m4a_without_ffmpeg_is_explained(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "song.m4a"
    source.write_bytes(b"\0" * 100)
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, err = run(source, "-o", tmp_path / "m.wav")
    assert code != 0 and "need ffmpeg" in err


def test_m4a_with_ffmpeg(run: Run, mix: Path, tmp_path: Path) -> None:
    import shutil

    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg isn't installed")
    source = tmp_path / "song.m4a"
    command = ["ffmpeg", "-v", "error", "-i", str(mix), "-c:a", "aac", "-metadata", "title=T", str(source)]
    if subprocess.run(command, check=False, env={**os.environ}).returncode != 0:
        pytest.skip("this ffmpeg has no AAC encoder")
    code, _, err = run(source, "-o", tmp_path / "m.flac")
    assert code == 0 and "lossy" in err
    assert FLAC(tmp_path / "m.flac")["title"] == ["T"]


def test_report_exports_and_controls_beside_the_master(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "song & co.wav"
    soundfile.write(source, song(8.0, rate=48_000), 48_000, subtype="PCM_24")
    chain = ChainControls(
        eq=Bands.of((EqBand("peak", 1000.0, 4.0, 1.0), EqBand("high_shelf", 8000.0, -2.0, 0.7)))
    )
    save_controls(chain, tmp_path / "c.yaml")
    out = tmp_path / "out"
    code, text, _ = run(
        source,
        "-o",
        out / "m.wav",
        "--controls",
        tmp_path / "c.yaml",
        "--report",
        out / "report",
        "--export=eqapo,camilladsp,jsfx,json",
        "--save-controls",
        out / "kept.yaml",
        "--json",
        out / "n.json",
    )
    assert code == 0 and text.count("Exported m.") == 4
    page, numbers = (out / "report" / name for name in ("report.html", "report.json"))
    shown, brief = json.loads(numbers.read_text()), json.loads((out / "n.json").read_text())
    for side in ("input", "output"):
        for name in ("lufs", "true_peak_db", "lra", "plr_db", "width_db", "correlation"):
            assert shown[side][name] == brief[side][name]
    assert "song &amp; co" in page.read_text() and page.stat().st_size > 500_000  # with its audio inside
    assert load_controls(out / "kept.yaml") == chain
    assert "Filter 1: ON PK" in (out / "m.eqapo.txt").read_text()
    names = {p.name for p in out.iterdir()}
    assert names == {
        "m.wav",
        "report",
        "kept.yaml",
        "n.json",
        "m.eqapo.txt",
        "m.camilladsp.yml",
        "m.jsfx",
        "m.eq.json",
    }
    code, _, err = run(source, "-o", out / "other.wav", "--report", out / "report")
    assert code != 0 and "report.html exists" in err and not (out / "other.wav").exists()
    code, _, err = run(source, "-o", out / "other.wav", "--export", "ozone")
    assert code != 0 and "eqapo" in err and not (out / "other.wav").exists()


def test_a_reference_gives_its_loudness_and_its_tone_by_the_share_asked(
    run: Run, mix: Path, tmp_path: Path
) -> None:
    bright = song(4.0)
    bright[1:] -= 0.9 * bright[:-1]
    soundfile.write(tmp_path / "ref=1.wav", 0.5 * bright, RATE, subtype="PCM_24")
    numbers = tmp_path / "n.json"
    code, out, _ = run(
        mix, "-o", tmp_path / "m.wav", "--reference", tmp_path / "ref=1.wav", "--json", numbers
    )
    report = json.loads(numbers.read_text())
    assert code == 0 and "ref=1.wav" in out
    assert report["reference"]["match"]["tone"] == 0.6 and not report["reference"]["same_song"]
    tone = report["reference"]["respects"][0]
    assert tone["respect"] == "tone" and tone["after"] < 0.7 * tone["before"]
    wanted = integrated_loudness(torch.from_numpy(0.5 * bright.T.copy())[None], RATE).item()
    assert report["output"]["lufs"] == pytest.approx(wanted, abs=0.15)
    gains = {band["frequency_hz"]: band["gain_db"] for band in report["controls"]["eq"]}
    assert gains[max(gains)] > 0.0  # brighter, as the reference is
    code, _, err = run(mix, "-o", tmp_path / "n.wav", "--match", "0.5")
    assert code != 0 and "--reference" in err
