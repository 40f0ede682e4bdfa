"""A batch and its memory, with songs that fail in every way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from neural_mastering.batch.digests import Digests
from neural_mastering.batch.engines.local import LocalEngine
from neural_mastering.batch.plan import plan
from neural_mastering.batch.request import BatchRequest, SongLimits
from neural_mastering.batch.results import PARTS, ResultWriter, merge, read_records, read_table
from neural_mastering.batch.run import run_batch
from neural_mastering.errors import InputError

Ask = Callable[..., BatchRequest]
Tries = Callable[[], int]


def rows(request: BatchRequest) -> dict[str, dict[str, Any]]:
    """Rows by the name of the song; no song has two."""
    found = read_table(request.out).to_pylist()
    assert len({row["id"] for row in found}) == len(found)
    return {row["name"]: row for row in found}


@pytest.mark.slow
def test_every_fault_is_a_row_and_the_others_go_on(asked: Ask) -> None:
    words = {
        "good1": "good",
        "hang": "hang",
        "eat": "eat",
        "crash": "crash",
        "exit": "exit",
        "once": "crash_once",
        "refuse": "refuse",
        "bug": "bug",
        "full": "full",
        "grow": "grow",
        "good2": "good",
    }
    request = asked(words, limits=SongLimits(10.0, 700_000_000))
    Path(request.songs[0].location).with_name("gone").unlink(missing_ok=True)
    outcome = run_batch(request, LocalEngine(2, request.limits.memory_bytes))
    found = {name: row["error_kind"] for name, row in rows(request).items()}
    assert found == {
        "good1": None,
        "good2": None,
        "once": None,
        "hang": "timeout",
        "eat": "memory",
        "crash": "died",
        "exit": "died",
        "refuse": "input",
        "bug": "internal",
        "full": "disk_full",
        "grow": "changed",
    }
    assert (outcome.done, outcome.failed) == (3, 8)
    assert "ZeroDivisionError" in rows(request)["bug"]["error_detail"]
    assert not list((request.out / "scratch").glob("*"))


def test_what_is_done_stays_done_and_what_may_pass_is_tried_again(asked: Ask, tries: Tries) -> None:
    request = asked({"a": "good", "b": "refuse", "c": "full_once", "d": "storage_once"})
    run_batch(request, LocalEngine())
    assert tries() == 4
    outcome = run_batch(request, LocalEngine())
    assert outcome.reasons == {"done": 1, "failed before": 1, "failed, tried again": 2}
    assert tries() == 6
    assert run_batch(replace(request, retry="failed"), LocalEngine()).reasons == {
        "done": 3,
        "failed, tried again": 1,
    }
    assert {name: row["status"] for name, row in rows(request).items()} == {
        "a": "done", "b": "failed", "c": "done", "d": "done",
    }  # fmt: skip


def test_only_what_changed_is_done_again(asked: Ask, tries: Tries, tmp_path: Path) -> None:
    words = {"a": "good", "b": "good", "c": "good"}
    request = asked(words)
    run_batch(request, LocalEngine())
    assert run_batch(request, LocalEngine()).reasons == {"done": 3}
    os.utime(tmp_path / "a", (1, 1))  # touched: the content is the same
    assert run_batch(request, LocalEngine()).reasons == {"done": 3}
    (tmp_path / "b").write_text("good news")
    assert run_batch(request, LocalEngine()).reasons == {"done": 2, "file changed": 1}
    songs = (replace(request.songs[0], target="club"), *request.songs[1:])
    assert run_batch(replace(request, songs=songs), LocalEngine()).reasons == {
        "done": 2,
        "options changed": 1,
    }
    assert tries() == 5


def test_a_folder_is_no_song_and_stays_none(asked: Ask, tmp_path: Path) -> None:
    request = asked({"d": "good"})
    (tmp_path / "d").unlink()
    (tmp_path / "d").mkdir()
    run_batch(request, LocalEngine())
    assert rows(request)["d"]["error_kind"] == "input" and "is a folder" in rows(request)["d"]["error"]
    assert run_batch(request, LocalEngine()).reasons == {"failed before": 1}


def test_a_plan_names_the_songs_without_a_file(asked: Ask) -> None:
    request = asked({"here": "good", "gone": "good"})
    Path(request.songs[1].location).unlink()
    assert plan(request, {}, Digests(request.out)).missing == (request.songs[1],)


def test_another_version_does_all_again_unless_it_may_stay(
    asked: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked({"a": "good", "b": "good"})
    run_batch(request, LocalEngine())
    records = read_records(request.out)
    monkeypatch.setattr("neural_mastering.batch.plan.sound_version", lambda: "another")
    assert plan(request, records, Digests(request.out)).reasons == {"other version": 2}
    assert plan(replace(request, any_version=True), records, Digests(request.out)).reasons == {"done": 2}


def test_shards_share_the_songs_and_the_table(asked: Ask) -> None:
    request = asked({f"s{i}": "good" for i in range(7)})
    for shard in ((1, 3), (2, 3), (3, 3)):
        run_batch(replace(request, shard=shard), LocalEngine())
    assert len(rows(request)) == 7
    assert run_batch(request, LocalEngine()).reasons == {"done": 7}


def test_a_folder_has_one_run_at_a_time_and_one_kind(asked: Ask) -> None:
    from neural_mastering.batch.run import opened

    request = asked({"a": "good"})
    with opened(request), pytest.raises(InputError, match="another nm-batch"), opened(request):
        pass
    first, second = replace(request, shard=(1, 2)), replace(request, shard=(2, 2))
    with opened(first), opened(second):
        with pytest.raises(InputError, match="another nm-batch"), opened(first):
            pass
        with pytest.raises(InputError, match="another nm-batch"), opened(request):
            pass
    with (
        pytest.raises(InputError, match="results of nm-batch measure"),
        opened(replace(request, kind="master")),
    ):
        pass


def test_a_merge_that_ended_before_its_parts_were_removed_counts_no_song_twice(asked: Ask) -> None:
    request = asked({"a": "good", "b": "good"})
    run_batch(request, LocalEngine())
    table = request.out / "results.parquet"
    (request.out / PARTS / "left-000000.parquet").write_bytes(table.read_bytes())
    merge(request.out)
    assert len(rows(request)) == 2
    assert not list((request.out / PARTS).iterdir())


def test_columns_that_disagree_become_text_and_nothing_is_lost(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for own, value in (("a", 1.5), ("b", "two"), ("c", None), ("d", [1.0, 2.0])):
        writer = ResultWriter(out)
        writer_row = {"id": own, "finished": own, "value": value, f"only_{own}": 1.0}
        (out / PARTS).mkdir(parents=True, exist_ok=True)
        writer.add([writer_row])
        writer.close()
    found = {row["id"]: row for row in read_table(out).to_pylist()}
    assert {own: row["value"] for own, row in found.items()} == {
        "a": "1.5",
        "b": "two",
        "c": None,
        "d": "[1.0, 2.0]",
    }
    assert found["b"]["only_b"] == 1.0 and found["b"]["only_a"] is None


def test_rows_wait_in_memory_while_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    (out / PARTS).mkdir(parents=True)
    writer = ResultWriter(out)
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    writer.add([{"id": "a", "finished": "1"}])
    writer.flush()
    assert writer.error is not None and not list((out / PARTS).glob("*.parquet"))
    monkeypatch.setattr(os, "fsync", real)
    writer.add([{"id": "b", "finished": "2"}])
    writer.close()
    assert {row["id"] for row in read_table(out).to_pylist()} == {"a", "b"}


def test_a_writer_on_a_full_disk_is_not_the_songs_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collections import namedtuple

    from neural_mastering.audio_io.writer import AtomicWriter, output_format
    from neural_mastering.batch.errors import PASSING, kind_of

    path = tmp_path / "m.wav"
    writer = AtomicWriter(path, output_format(path, "24", 24, False, None), 44_100, 2)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(1, 1, 0))
    monkeypatch.setattr(writer._file, "write", lambda _: (_ for _ in ()).throw(RuntimeError("short")))
    with pytest.raises(InputError) as caught:
        writer.write(np.zeros((2, 100)))
    assert kind_of(caught.value) == "disk_full" and "disk_full" in PASSING
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(1 << 40, 1, 1 << 40))
    writer = AtomicWriter(path, output_format(path, "24", 24, False, None), 44_100, 2)
    monkeypatch.setattr(writer._file, "write", lambda _: (_ for _ in ()).throw(RuntimeError("short")))
    with pytest.raises(InputError) as caught:
        writer.write(np.zeros((2, 100)))
    assert kind_of(caught.value) == "system"


PROGRAM = """
import sys
from pathlib import Path
from neural_mastering.batch.engines.local import LocalEngine
from neural_mastering.batch.manifest import read_manifest
from neural_mastering.batch.request import BatchRequest
from neural_mastering.batch.run import run_batch
songs = read_manifest(sys.argv[1]).songs
request = BatchRequest("measure", songs, Path(sys.argv[2]), function="benchmarks.batch_faults:behave")
run_batch(request, LocalEngine(2))
"""


def workers() -> set[int]:
    """Processes that do the work of batches."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"neural_mastering.batch.worker" in line:
            found.add(int(process.name))
    return found


def children(parent: int) -> set[int]:
    return {own for own in workers() if f"\nPPid:\t{parent}\n" in _status(own)}


def _status(process: int) -> str:
    try:
        return Path(f"/proc/{process}/status").read_text()
    except OSError:
        return ""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_run_leaves_no_workers_and_a_rerun_completes_it(
    asked: Ask, tries: Tries, tmp_path: Path
) -> None:
    words = {"s00": "hang"} | {f"s{i:02d}": "slow" for i in range(1, 12)}  # one would never end by itself
    request = asked(words)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "manifest.csv"), str(request.out)]
    process = subprocess.Popen(command)
    own: set[int] = set()
    until = time.monotonic() + 120.0
    while tries() < 5 and time.monotonic() < until:
        own |= children(process.pid)
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while own & workers() and time.monotonic() < until:
        time.sleep(0.02)
    assert own and not own & workers()
    begun = tries()
    (tmp_path / "s00").write_text("slow")
    outcome = run_batch(request, LocalEngine(2))
    assert outcome.failed == 0 and len(rows(request)) == 12
    assert all(row["status"] == "done" for row in rows(request).values())
    assert tries() <= 12 + begun  # whatever had no row was begun again, and nothing else
    assert not list((request.out / "scratch").glob("*"))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_polite_stop_keeps_what_is_done_and_says_how_to_go_on(asked: Ask, tmp_path: Path) -> None:
    rate = 8000
    for number in range(40):
        soundfile.write(tmp_path / f"{number:02d}.wav", np.full((rate, 2), 0.1), rate)
    manifest = tmp_path / "songs.csv"
    manifest.write_text("path\n" + "".join(f"{number:02d}.wav\n" for number in range(40)))
    command = [
        sys.executable,
        "-m",
        "neural_mastering.cli.batch",
        "measure",
        str(manifest),
        "-o",
        str(tmp_path / "o"),
    ]
    process = subprocess.Popen([*command, "--jobs", "1"], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120.0
    scratch = tmp_path / "o" / "scratch"
    while not (scratch.exists() and list(scratch.iterdir())) and time.monotonic() < until:
        time.sleep(0.01)
    own = children(process.pid)
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "goes on from here" in said and "Traceback" not in said
    assert own and not own & workers()
