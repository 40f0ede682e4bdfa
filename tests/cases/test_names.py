"""Any name that the system allows, and folders and patterns; what can't be written is said before the work."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.errors import InputError
from neural_mastering.rendering.batch import plan
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.sources import expand_sources

NmMaster = Callable[..., tuple[int, str, str]]
posix = pytest.mark.skipif(os.name == "nt", reason="names there are UTF-16")


RAW_NAMES = (b"mod\x85.wav", b"\xff\xfe.wav", b"caf\xe9 \xf6.wav", "🎧".encode() * 60 + b".wav")


@pytest.fixture
def short(music: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "short.wav"
    soundfile.write(path, music[:30_000], 44_100, subtype="PCM_16")
    return path


@posix
@pytest.mark.parametrize(
    "raw", [b"mod\x85.wav", b"\xff\xfe.wav", b"caf\xe9 \xf6.wav", "🎧".encode() * 60 + b".wav"]
)
def test_any_name_is_mastered(raw: bytes, short: Path, nm_master: NmMaster, tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(raw)
    try:
        shutil.copy(short, source)
    except OSError:
        pytest.skip("this file system takes no such name")
    extras = (
        "--json",
        tmp_path / "n.json",
        "--report",
        tmp_path / "r",
        "--also",
        "flac",
        "--export",
        "eqapo",
    )
    code, _, err = nm_master(source, "-o", tmp_path / "out.wav", *extras)
    assert code == 0 and "Traceback" not in err
    assert (
        soundfile.info(tmp_path / "out.wav").frames == soundfile.info(tmp_path / "out.flac").frames == 30_000
    )
    assert (tmp_path / "n.json").read_text("utf-8") and (tmp_path / "r" / "report.html").exists()
    (tmp_path / "o").mkdir()
    code, _, _ = nm_master(source, "-o", f"{tmp_path / 'o'}/")
    assert code == 0 and [os.fsencode(path.name) for path in (tmp_path / "o").iterdir()] == [raw]


@posix
@pytest.mark.parametrize("stem_bytes", range(244, 252))
def test_a_name_that_grows_too_long_costs_no_other_song(
    stem_bytes: int, short: Path, nm_master: NmMaster, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * stem_bytes + ".wav")
    shutil.copy(short, long)
    code, _, err = nm_master(long, short)
    fits = stem_bytes + len("_master.wav") <= 255
    assert code == (0 if fits else 1) and (tmp_path / "short_master.wav").exists()
    assert fits or (
        "too long" in err and sum(line.startswith("nm-master: ") for line in err.splitlines()) == 1
    )


@posix
def test_a_link_is_refused_before_the_work(short: Path, nm_master: NmMaster, tmp_path: Path) -> None:
    (tmp_path / "real.wav").write_bytes(b"")
    for name, to in (("link.wav", "real.wav"), ("dangling.wav", "nowhere.wav"), ("own.wav", "short.wav")):
        link = tmp_path / name
        link.symlink_to(to)
        code, out, err = nm_master(short, "-o", link, "--overwrite")
        assert code == 2 and "symbolic link" in err and out == ""
        assert link.is_symlink() and not (tmp_path / "nowhere.wav").exists()
    assert (tmp_path / "real.wav").read_bytes() == b""


@posix
@pytest.mark.skipif(os.name != "nt" and hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write")
def test_a_folder_without_permission(short: Path, nm_master: NmMaster, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    shutil.copy(short, locked)
    locked.chmod(0o500)
    code, _, err = nm_master(locked / "short.wav")
    assert code == 2 and len(err.splitlines()) == 1 and "can't be written to" in err


def test_a_read_only_folder_gets_one_line(
    short: Path, nm_master: NmMaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What access(2) says of a read-only file system, also to root."""
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda p, mode: real(p, mode) and not (mode & os.W_OK and p == tmp_path)
    )
    code, out, err = nm_master(short)
    assert code == 2 and out == "" and len(err.splitlines()) == 1 and "read-only" in err


@pytest.mark.parametrize("extras", [(), ("--overwrite",)])
def test_side_files_of_songs_with_one_stem_never_collide(
    extras: tuple[str, ...], short: Path, nm_master: NmMaster, tmp_path: Path
) -> None:
    sources = [tmp_path / name for name in ("song.wav", "song.flac", "Song.aiff")]
    for i, source in enumerate(sources):
        soundfile.write(source, (0.2 + 0.2 * i) * soundfile.read(short)[0], 44_100)
    places = [("--json", "j"), ("--report", "r"), ("--save-controls", "c")]
    named = [part for option, folder in places for part in (option, tmp_path / folder)]
    out = f"{tmp_path / 'out'}/"
    code, _, err = nm_master(*sources, "-o", out, *named, "--export", "eqapo,json", *extras)
    assert code == 0, err
    for folder in "jrc":
        assert len(list((tmp_path / folder).iterdir())) == 3
    assert len(list((tmp_path / "out").iterdir())) == 3 * 3
    code, _, err = nm_master(*sources, "-o", out, *named, "--export", "eqapo,json", "--overwrite")
    assert code == 0 and len(list((tmp_path / "j").iterdir())) == 3


def test_equal_names_from_different_folders(tmp_path: Path) -> None:
    sources = [tmp_path / folder / "song.wav" for folder in "abc"]
    jobs = plan(sources, None, Options(json=tmp_path / "j"))
    assert len({str(job.options.json).casefold() for job in jobs}) == 3


def test_a_slash_makes_a_folder(short: Path, nm_master: NmMaster, tmp_path: Path) -> None:
    code, _, _ = nm_master(short, "-o", f"{tmp_path / 'Live 2.0'}/")
    assert code == 0 and (tmp_path / "Live 2.0" / "short.wav").exists()
    code, _, err = nm_master(short, "-o", tmp_path / "Live 3.0")
    assert code == 2 and "/ at its end" in err


def test_folders_and_patterns(short: Path, nm_master: NmMaster, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    for name in ("10 b.wav", "2 a.WAV", "c.wave", ".hidden.wav", "notes.txt", "below/d.wav"):
        shutil.copy(short, folder / name)
    assert [path.name for path in expand_sources([folder])] == ["2 a.WAV", "10 b.wav", "c.wave"]
    assert [path.name for path in expand_sources([folder / "*.wav"])][:1] == ["10 b.wav"]
    with pytest.raises(InputError, match="no file matches"):
        expand_sources([folder / "*.flac"])
    with pytest.raises(InputError, match="is a folder without songs"):
        expand_sources([_empty(tmp_path)])
    (tmp_path / "a[1].wav").write_bytes(short.read_bytes())
    assert expand_sources([tmp_path / "a[1].wav"]) == [tmp_path / "a[1].wav"]  # a file, not a pattern
    code, _, err = nm_master(folder, "-o", f"{tmp_path / 'out'}/")
    assert code == 0, err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["10 b.wav", "2 a.wav", "c.wave"]


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


COMMANDS = {
    "nm-master --list-words": ("master", ["--list-words"]),
    "nm-master --list-targets": ("master", ["--list-targets"]),
    "nm-master --help": ("master", ["--help"]),
    "nm-data check --help": ("data", ["check", "--help"]),
    "nm-style list": ("style", ["list"]),
    "nm-eval --help": ("evaluate", ["--help"]),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "cp437"])
def test_any_encoding_of_the_console(command: str, encoding: str) -> None:
    module, arguments = COMMANDS[command]
    done = subprocess.run(
        [sys.executable, "-m", f"neural_mastering.cli.{module}", *arguments],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "100"},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(encoding, "replace")
    assert len(done.stdout.decode(encoding, "replace").splitlines()) > 5
    assert b"Traceback" not in done.stderr


def test_a_folder_is_not_mastered_twice(tmp_path: Path) -> None:
    for name in ("b.wav", "b_master.flac", "b_master_master.wav", "a_master.wav", "webmaster.wav"):
        (tmp_path / name).touch()
    found = [path.name for path in expand_sources([tmp_path])]
    assert found == ["a_master.wav", "b.wav", "webmaster.wav"]  # whose song is not there is a song
