"""Files elsewhere, against a server that speaks S3."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neural_mastering.batch.engines.local import LocalEngine
from neural_mastering.batch.errors import kind_of
from neural_mastering.batch.request import BatchRequest, SongLimits
from neural_mastering.batch.results import read_table
from neural_mastering.batch.run import run_batch
from neural_mastering.batch.song import Song
from neural_mastering.batch.storage import (
    DownloadSizeError,
    StorageError,
    deliver,
    digest_of,
    fetch,
    is_url,
    stamp_of,
    stamps_of,
)
from neural_mastering.errors import InputError

Ask = Callable[..., BatchRequest]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of moto's server."""
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    pytest.importorskip("s3fs", reason="the extra s3 is not installed")
    found = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    found.start()
    host, port = found.get_host_and_port()
    yield f"http://{host}:{port}"
    found.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A file system with an empty bucket `label`; credentials come from the environment alone."""
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem(skip_instance_cache=True)
    system.mkdir("label")
    yield system
    system.rm("label", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_download_is_the_object_and_its_digest(bucket: Any, tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    bucket.pipe_file("label/a b.FLAC", data)
    copy = fetch("s3://label/a b.FLAC", tmp_path, 10_000_000)
    assert copy.path.read_bytes() == data and copy.path.name == "source.flac"
    assert copy.content == digest_of(copy.path)


def test_a_download_that_is_too_large_is_refused_and_leaves_nothing(bucket: Any, tmp_path: Path) -> None:
    bucket.pipe_file("label/a.wav", bytes(5000))
    with pytest.raises(DownloadSizeError) as caught:
        fetch("s3://label/a.wav", tmp_path, 4999)
    assert kind_of(caught.value) == "too_large" and not list(tmp_path.iterdir())


def test_stamps_change_with_the_object_and_a_folder_is_listed_once(bucket: Any) -> None:
    for i in range(5):
        bucket.pipe_file(f"label/{i}.wav", b"one")
    places = [f"s3://label/{i}.wav" for i in range(5)] + ["s3://label/none.wav"]
    first = stamps_of(places)
    assert first["s3://label/none.wav"] is None and stamp_of("s3://label/none.wav") is None
    assert first["s3://label/1.wav"] == stamp_of("s3://label/1.wav")
    bucket.pipe_file("label/1.wav", b"two")
    changed = stamps_of(places)
    assert [place for place in places if first[place] != changed[place]] == ["s3://label/1.wav"]


def test_a_large_upload_is_whole_or_not_there(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    data = bytes(range(256)) * (12 << 12)  # 12 MiB: three parts
    file = tmp_path / "m.wav"
    file.write_bytes(data)
    real, real_put = s3fs.S3FileSystem._call_s3, s3fs.S3FileSystem._put_file

    async def in_parts(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await real_put(self, *args, chunksize=5 << 20, **kwargs)

    async def fails(self: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if method == "complete_multipart_upload":
            raise OSError("gone")
        return await real(self, method, *args, **kwargs)

    monkeypatch.setattr(s3fs.S3FileSystem, "_put_file", in_parts)
    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", fails)
    with pytest.raises(StorageError):
        deliver(file, "s3://label/masters", "m.wav")
    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", real)
    bucket.invalidate_cache()
    assert not bucket.exists("label/masters/m.wav") and file.exists()
    deliver(file, "s3://label/masters", "m.wav")
    bucket.invalidate_cache()
    assert bucket.cat_file("label/masters/m.wav") == data


@pytest.mark.slow
def test_a_batch_reads_from_a_bucket_and_remembers(bucket: Any, asked: Ask) -> None:
    for name in ("a", "b", "c"):
        bucket.pipe_file(f"label/in/{name}.txt", b"good")
    songs = tuple(
        Song(name * 16, f"s3://label/in/{name}.txt", f"s3://label/in/{name}.txt") for name in "abcd"
    )
    request = replace(asked({"x": "good"}), songs=songs, limits=SongLimits(60.0, 0))
    outcome = run_batch(request, LocalEngine())
    assert (outcome.done, dict(outcome.kinds)) == (3, {"missing": 1})
    bucket.pipe_file("label/in/b.txt", b"good again")
    assert run_batch(request, LocalEngine()).reasons == {
        "done": 2,
        "file changed": 1,
        "failed, tried again": 1,
    }
    assert len(read_table(request.out)) == 4


def test_a_url_with_a_password_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    for url in ("https://user:secret@host/a.wav", "ftp://user:secret@host/a.wav"):
        with pytest.raises(InputError) as caught:
            fetch(url, tmp_path, 100)
        assert "secret" not in str(caught.value)


def test_a_protocol_that_nobody_speaks_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be opened"):
        fetch("nonsense://a/b.wav", tmp_path, 100)
    assert is_url("s3://a") and not is_url("C:\\a") and not is_url("/a://b")


def test_files_here_are_moved_whole(tmp_path: Path) -> None:
    file = tmp_path / "made.wav"
    file.write_bytes(b"new")
    (tmp_path / "masters").mkdir()
    (tmp_path / "masters" / "m.wav").write_bytes(b"old")
    deliver(file, str(tmp_path / "masters"), "m.wav")
    assert (tmp_path / "masters" / "m.wav").read_bytes() == b"new" and not file.exists()
    assert [f.name for f in (tmp_path / "masters").iterdir()] == ["m.wav"]
