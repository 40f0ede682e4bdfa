"""Compiled loops find a place where neither the package nor the home can be written."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from neural_mastering import compile_cache

VARIABLE = "NUMBA_CACHE_DIR"


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No folder but the temporary one can be written."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(compile_cache, "_can_write", lambda folder: False)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.delenv(VARIABLE, raising=False)
    return temporary


def test_it_is_a_private_folder_that_is_used_again(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compile_cache.choose_compile_cache()
    first = Path(os.environ[VARIABLE])
    assert first.parent == locked and stat.S_IMODE(first.stat().st_mode) == 0o700
    monkeypatch.delenv(VARIABLE)
    compile_cache.choose_compile_cache()
    assert Path(os.environ[VARIABLE]) == first


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
@pytest.mark.parametrize("kind", ["open to others", "a link", "a file"])
def test_what_somebody_else_may_have_put_there_is_not_used(
    kind: str, locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it holds is run."""
    compile_cache.choose_compile_cache()
    planted = Path(os.environ[VARIABLE])
    planted.rmdir()
    if kind == "open to others":
        planted.mkdir()
        planted.chmod(0o777)
    elif kind == "a link":
        (locked / "elsewhere").mkdir(mode=0o700)
        planted.symlink_to(locked / "elsewhere")
    else:
        planted.write_text("")
    monkeypatch.delenv(VARIABLE)
    compile_cache.choose_compile_cache()
    assert os.environ.get(VARIABLE, "") != str(planted)


def test_nothing_is_changed_where_numba_finds_a_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compile_cache, "_can_write", lambda folder: True)
    monkeypatch.delenv(VARIABLE, raising=False)
    compile_cache.choose_compile_cache()
    assert VARIABLE not in os.environ
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(compile_cache, "_can_write", lambda folder: False)
    compile_cache.choose_compile_cache()
    assert os.environ[VARIABLE] == str(tmp_path)


@pytest.mark.skipif(
    shutil.which("setpriv") is None or not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="needs root to become nobody",
)
def test_a_service_account_without_a_home(song: Path, tmp_path: Path) -> None:
    """Nobody may read everything here, and write nowhere but to one folder."""
    place = Path(tempfile.mkdtemp())
    try:
        shutil.copy(song, place / "song.wav")
        place.chmod(0o777)
        rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        user = ["--reuid=65534", "--regid=65534", "--clear-groups"]
        asked = ["song.wav", "-o", "out.wav", "--model", "none", "-q"]
        code = "from neural_mastering.cli.master import main; main()"
        done = subprocess.run(
            ["setpriv", *user, *rights, sys.executable, "-c", code, *asked],
            cwd=place,
            env={"HOME": "/nonexistent", "PATH": os.environ["PATH"], "TMPDIR": str(place)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert (place / "out.wav").exists()
        assert list(place.glob("neural_mastering-65534/*"))
    finally:
        shutil.rmtree(place)
