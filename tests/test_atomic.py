"""Files appear whole or not at all: errors, interrupts, links, names, modes, several processes at once."""

import ast
import errno
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neural_mastering import atomic
from neural_mastering.atomic import Draft, commit_file, remove_drafts, replacing, write_bytes, write_text
from neural_mastering.data.errors import DataError
from neural_mastering.errors import InputError

PACKAGE = Path(__file__).parents[1] / "neural_mastering"


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_text_and_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "größer\r\nals\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "größer\r\nals\n".encode()
    write_bytes(tmp_path / "b", b"\x00\xff")
    write_bytes(tmp_path / "b", b"")
    assert (tmp_path / "b").read_bytes() == b"" and names(tmp_path) == ["b", "new"]
    write_text(tmp_path / "b", "caf\udce9", errors="surrogateescape")
    assert (tmp_path / "b").read_bytes() == b"caf\xe9"
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "b", "caf\udce9")
    assert (tmp_path / "b").read_bytes() == b"caf\xe9"


@pytest.mark.parametrize(
    "error", [ValueError("halfway"), KeyboardInterrupt(), SystemExit(1), GeneratorExit()]
)
def test_an_error_in_the_middle_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    write_text(tmp_path / "a.txt", "old")
    for writer in (replacing(tmp_path / "a.txt"), Draft(tmp_path / "a.txt")):
        with pytest.raises(type(error)), writer as draft:
            draft.write_text("ne")
            assert draft.parent == tmp_path and (tmp_path / "a.txt").read_text() == "old"
            raise error
        assert names(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "a.txt", "old")
    for number, message in ((errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "quota")):

        def full(handle: int, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(atomic.os, "fsync", full)
        with pytest.raises(InputError, match=f"a.txt can't be written: .*{message}"):
            write_text(tmp_path / "a.txt", "new")
        assert names(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """The kernel's own ENOSPC, through a draft that leads to /dev/full."""
    with (
        pytest.raises(InputError, match=r"a\.txt can't be written: the disk is full"),
        replacing(tmp_path / "a.txt") as draft,
    ):
        draft.symlink_to("/dev/full")
        draft.write_text("x")
    assert names(tmp_path) == []


def test_the_reason_and_the_class_of_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    for path, why in (("file/a.txt", "file is not a folder"), ("folder", "it is a folder; give a file name")):
        with pytest.raises(DataError, match=f"{path} can't be written: .*{why}"):
            write_text(tmp_path / path, "x", error=DataError)
    with pytest.raises(InputError, match="File name too long"):
        write_text(tmp_path / ("a" * 256), "x")
    assert names(tmp_path) == ["file", "folder"] and names(tmp_path / "folder") == ["inside"]


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: Path, data: bytes) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))

    monkeypatch.setattr(Path, "write_bytes", refuse)  # root, who may run this test, is never refused
    monkeypatch.setattr(atomic.os, "access", lambda folder, mode: False)
    with pytest.raises(InputError, match="no permission to write in"):
        write_text(tmp_path / "a.txt", "x")


def test_an_input_that_cannot_be_read_is_no_error_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="source"), replacing(tmp_path / "a.txt") as draft:
        draft.write_bytes((tmp_path / "source").read_bytes())
    assert names(tmp_path) == []


def test_a_writer_that_wrote_nothing_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"a\.txt can't be written: No such file"),
        replacing(tmp_path / "a.txt"),
    ):
        pass


def test_devices_are_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        with pytest.raises(InputError, match="it is a device, a pipe or a socket"):
            write_text(tmp_path / name, "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode) and names(tmp_path) == ["null", "pipe"]


def test_a_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    """So a result never lands on an original that is linked into the folder."""
    (tmp_path / "original").write_text("original")
    (tmp_path / "link").symlink_to("original")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("link", "dangling"):
        write_text(tmp_path / name, "result")
        assert not (tmp_path / name).is_symlink() and (tmp_path / name).read_text() == "result"
    assert (tmp_path / "original").read_text() == "original" and not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127, "日" * 85, "x" + "🎵" * 63, ".hidden", "sp ace", "-"])
def test_long_and_odd_names(tmp_path: Path, name: str) -> None:
    with replacing(tmp_path / name) as draft:
        draft.write_text("x")
        assert len(os.fsencode(draft.name)) <= 255
        draft.name.encode()  # never half a character
        assert re.fullmatch(r"\..*\.\d+-[0-9a-f]{8}\.part", draft.name)
    assert names(tmp_path) == [name]


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are UTF-8 there")
def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    for raw in (b"caf\xe9.txt", b"\xe9" * 250):
        write_text(tmp_path / os.fsdecode(raw), "x")
        assert names(tmp_path) == [os.fsdecode(raw)]
        (tmp_path / os.fsdecode(raw)).unlink()


@pytest.fixture
def umask() -> Iterator[None]:
    old = os.umask(0o027)
    yield
    os.umask(old)


@pytest.mark.usefixtures("umask")
def test_modes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    write_text(path, "newer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_overwriting_can_be_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing(path, overwrite=False) as draft:
        draft.write_text("first")
    with (
        pytest.raises(InputError, match="it has appeared in the meantime"),
        replacing(path, overwrite=False) as draft,
    ):
        draft.write_text("second")
    assert path.read_text() == "first" and names(tmp_path) == ["a.txt"]
    one, other = Draft(path), Draft(path)
    assert one.file != other.file
    one.file.write_text("one")
    other.file.write_text("other")
    one.commit()
    other.commit()
    assert path.read_text() == "other" and names(tmp_path) == ["a.txt"]
    other.discard()  # nothing is left to discard


def test_folders(tmp_path: Path) -> None:
    for stop in (False, True):
        try:
            with replacing(tmp_path / f"folder {stop}") as draft:
                (draft / "sub").mkdir(parents=True)
                (draft / "sub" / "a.txt").write_text("x")
                if stop:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
    assert (
        names(tmp_path) == ["folder False"]
        and (tmp_path / "folder False" / "sub" / "a.txt").read_text() == "x"
    )


def test_stale_drafts_are_removed(tmp_path: Path) -> None:
    draft = Draft(tmp_path / "a.txt")
    draft.file.write_text("half")
    folder = Draft(tmp_path / "b")
    folder.file.mkdir()
    for kept in (".hidden", "a.part", "a.txt"):
        (tmp_path / kept).write_text("x")
    remove_drafts(tmp_path)
    assert names(tmp_path) == [".hidden", "a.part", "a.txt"]


def test_the_draft_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(atomic.os, "fsync", lambda handle: (order.append("fsync"), fsync(handle))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (order.append("rename"), replace(self, to))[1])
    (tmp_path / "draft").write_text("x")
    commit_file(tmp_path / "draft", tmp_path / "a.txt")
    assert order == ["fsync", "rename"]


_WRITER = """
import sys
from pathlib import Path
from neural_mastering.atomic import write_text
path, letter = Path(sys.argv[1]), sys.argv[2]
for _ in range(150):
    write_text(path, letter * 20_000)
    seen = path.read_text()
    assert len(seen) == 20_000 and len(set(seen)) == 1, "half a file was seen"
"""


def test_two_processes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), letter]) for letter in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert names(tmp_path) == ["a.txt"]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    code = (
        "import os, sys\nfrom neural_mastering.atomic import replacing\n"
        "with replacing(sys.argv[1]) as draft:\n    draft.write_text('half')\n    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    assert path.read_text() == "old"
    remove_drafts(tmp_path)
    assert names(tmp_path) == ["a.txt"]


def handmade(source: str) -> Iterator[int]:
    """Lines that rename files, or write one under its final name."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        positional = len(node.args) == 1 and not node.keywords
        renames = node.func.attr in ("replace", "rename") and (positional or owner == "os")
        links = node.func.attr in ("link", "hardlink_to", "move", "renames")
        writes = node.func.attr in ("write_text", "write_bytes") and owner != "atomic"
        if renames or links or writes:
            yield node.lineno


@pytest.mark.parametrize(
    "line",
    [
        "draft.replace(path)",
        "draft.rename(folder / name)",
        "os.replace(a, b)",
        "shutil.move(a, b)",
        "p.write_text(t)",
    ],
)
def test_a_rename_by_hand_is_found(line: str) -> None:
    assert list(handmade(line)) == [1]


@pytest.mark.parametrize("line", ["name.replace('a', 'b')", "replace(plan, x=1)", "date.replace(hour=1)"])
def test_other_replacements_are_not(line: str) -> None:
    assert not list(handmade(line))


def test_files_are_written_in_one_way() -> None:
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        if name != "atomic.py":
            found += [f"{name}:{line}" for line in handmade(file.read_text(encoding="utf-8"))]
    assert not found, f"use neural_mastering.atomic instead: {', '.join(found)}"
