"""nm-batch from the command line, with songs that sound."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.batch.results import read_table
from neural_mastering.cli.batch import invoke
from neural_mastering.metering.measure import measure
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master

RATE = 44_100


def songs(folder: Path, count: int) -> list[Path]:
    """Noise with a beat, some seconds each."""
    random = np.random.default_rng(1)
    found = []
    for number in range(count):
        beat = 0.2 + 0.8 * np.exp(-((np.arange(4 * RATE) % (RATE // 2)) / 4000.0))
        audio = 0.1 * random.standard_normal((4 * RATE, 2)) * beat[:, None]
        found.append(folder / f"song{number}.wav")
        soundfile.write(found[-1], audio, RATE, subtype="PCM_24")
    return found


@pytest.mark.slow
def test_a_batch_writes_what_nm_master_writes_and_says_its_numbers(tmp_path: Path) -> None:
    files = songs(tmp_path, 4)
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    manifest = tmp_path / "m.csv"
    manifest.write_text(
        "path,target,album,title\nsong0.wav,,,\nsong1.wav,-18,,../../out of here\nsong2.wav,,LP,\n"
        "song3.wav,,LP,\nbad.wav,,,\n"
    )
    out = tmp_path / "out"
    arguments = ["master", str(manifest), "-o", str(out), "--model", "none", "--jobs", "1", "--target", "-16"]
    assert invoke(arguments) == 1  # one failed
    rows = {Path(row["path"]).stem: row for row in read_table(out).to_pylist()}
    assert rows["bad"]["error_kind"] == "input"
    master(files[0], tmp_path / "alone.wav", Options(model="none", target="-16"))
    assert (out / "masters" / "song0.wav").read_bytes() == (tmp_path / "alone.wav").read_bytes()
    assert rows["song0"]["output.lufs"] == pytest.approx(-16.0, abs=0.1)
    assert rows["song1"]["output.lufs"] == pytest.approx(-18.0, abs=0.1)
    masters = sorted(str(f.relative_to(out / "masters")) for f in (out / "masters").rglob("*.wav"))
    assert masters == ["LP/song2.wav", "LP/song3.wav", "_.._out of here.wav", "song0.wav"]
    assert {rows[name]["master"] for name in ("song0", "song1", "song2", "song3")} == set(masters)
    assert not [f for f in tmp_path.rglob("*") if "out of here" in f.name and out not in f.parents]
    page = (out / "summary.html").read_text()
    assert "bad.wav" in page and "4" in page
    before = {f: f.stat().st_mtime_ns for f in (out / "masters").rglob("*")}
    assert invoke(arguments) == 1
    assert {f: f.stat().st_mtime_ns for f in (out / "masters").rglob("*")} == before
    (out / "masters" / "song0.wav").unlink()
    assert invoke([*arguments, "--dry-run"]) == 0 and not (out / "masters" / "song0.wav").exists()
    invoke(arguments)
    assert (out / "masters" / "song0.wav").exists()


@pytest.mark.slow
def test_a_disk_that_is_full_keeps_what_fitted_and_a_larger_one_gets_the_rest(tmp_path: Path) -> None:
    """A real tmpfs, where mounting is allowed; a master takes 1 MB of its 3."""
    out = tmp_path / "out"
    out.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(out)], check=False).returncode:
        pytest.skip("mounting a tmpfs isn't allowed here")
    try:
        files = songs(tmp_path, 5)
        (tmp_path / "m.csv").write_text("path\n" + "".join(f"{file.name}\n" for file in files))
        arguments = [
            "master",
            str(tmp_path / "m.csv"),
            "-o",
            str(out),
            "--model",
            "none",
            "--jobs",
            "2",
            "-q",
        ]
        assert invoke(arguments) != 0
        fitted = {file: file.stat().st_mtime_ns for file in (out / "masters").glob("*.wav")}
        assert 0 < len(fitted) < len(files)
        for file in fitted:
            soundfile.read(file)  # whole
        assert not list((out / "scratch").glob("*"))
        subprocess.run(["mount", "-o", "remount,size=40m", str(out)], check=True)
        assert invoke(arguments) == 0
        assert [row["status"] for row in read_table(out).to_pylist()] == ["done"] * len(files)
        assert len(list((out / "masters").glob("*.wav"))) == len(files)
        assert {file: file.stat().st_mtime_ns for file in fitted} == fitted
    finally:
        subprocess.run(["umount", str(out)], check=False)


@pytest.mark.slow
def test_measured_numbers_are_those_of_the_first_step_of_a_master(tmp_path: Path) -> None:
    from contextlib import ExitStack

    file = songs(tmp_path, 1)[0]
    (tmp_path / "m.csv").write_text("path\nsong0.wav\n")
    assert invoke(["measure", str(tmp_path / "m.csv"), "-o", str(tmp_path / "out"), "-q", "--jobs", "1"]) == 0
    row = read_table(tmp_path / "out").to_pylist()[0]
    with ExitStack() as resources:
        readings = measure(file, tmp_path, resources).readings
    assert row["input.lufs"] == readings.lufs and row["input.true_peak_db"] == readings.true_peak_db
    levels = [row[name] for name in row if name.startswith("tone.") and name.endswith("_hz_db")]
    power = sum(10.0 ** ((level + readings.lufs) / 10.0) for level in levels if level is not None)
    audio, _ = soundfile.read(file)
    # the bands reach from 22 Hz to 18 kHz, which holds 0.81 of white noise
    assert power == pytest.approx(float(np.mean(audio**2)) * (17_782.8 - 22.4) / (RATE / 2), rel=0.03)


@pytest.mark.slow
def test_evaluated_numbers_are_those_of_the_metrics(tmp_path: Path) -> None:
    file = songs(tmp_path, 1)[0]
    audio, _ = soundfile.read(file)
    soundfile.write(tmp_path / "master.wav", 2.0 * audio, RATE, subtype="FLOAT")
    (tmp_path / "m.csv").write_text("path,reference\nsong0.wav,master.wav\nmaster.wav,\n")
    assert (
        invoke(["evaluate", str(tmp_path / "m.csv"), "-o", str(tmp_path / "out"), "-q", "--jobs", "1"]) == 1
    )
    rows = {row["name"]: row for row in read_table(tmp_path / "out").to_pylist()}
    assert rows["master"]["error_kind"] == "input"
    row = rows["song0"]
    louder = 20.0 * np.log10(2.0)
    assert row["score.identity.lufs_error"] == pytest.approx(louder, abs=0.01)
    assert row["score.loudness.lufs_error"] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shard", "3/2"], "expected I from 1 to N"),
        (["--shard", "one/2"], "expected I/N"),
        (["--retry", "all"], "expected failed"),
        (["--engine", "cloud"], "expected local, slurm, ray"),
        (["--slurm-option", "x", "--engine", "slurm"], "expected NAME=VALUE"),
        (["--jobs", "2", "--engine", "ray"], "leave --jobs out"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (tmp_path / "m.csv").write_text("path\nsong0.wav\n")
    out = tmp_path / "out"
    assert invoke(["measure", str(tmp_path / "m.csv"), "-o", str(out), *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not out.exists()


def test_a_target_that_nobody_knows_stops_before_any_song(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.csv").write_text("path\nsong0.wav\n")
    assert invoke(["master", str(tmp_path / "m.csv"), "-o", str(tmp_path / "out"), "--target", "moon"]) == 2
    assert "moon" in capsys.readouterr().err and not (tmp_path / "out").exists()
