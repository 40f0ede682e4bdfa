from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from neural_mastering.batch.manifest import read_manifest
from neural_mastering.errors import InputError
from neural_mastering.notes import has


def written(tmp_path: Path, text: str, name: str = "songs.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def test_csv_and_parquet_give_the_same_songs(tmp_path: Path) -> None:
    rows = [
        {"path": "a.wav", "target": "club", "isrc": None},
        {"path": "s3://b/c.flac", "target": None, "isrc": "X1"},
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "songs.parquet")
    csv = written(tmp_path, "\ufeffPath;target;isrc\r\na.wav;club;\r\n s3://b/c.flac ;;X1\r\n")
    assert read_manifest(csv).songs == read_manifest(tmp_path / "songs.parquet").songs
    first, second = read_manifest(csv).songs
    assert first.location == str(tmp_path / "a.wav")
    assert second.location == "s3://b/c.flac"
    assert (first.target, second.target, second.isrc) == ("club", None, "X1")


def test_an_id_is_of_path_isrc_and_occurrence_alone(tmp_path: Path) -> None:
    one = read_manifest(written(tmp_path, "path,target\na.wav,club\na.wav,spotify\nb.wav,\n")).songs
    two = read_manifest(written(tmp_path, "path,target\nb.wav,club\na.wav,-9\na.wav,-12\n")).songs
    assert len({song.id for song in one}) == 3
    assert {song.id for song in one} == {song.id for song in two}


def test_repeated_rows_count_once_and_are_said(tmp_path: Path) -> None:
    manifest = read_manifest(written(tmp_path, "path,isrc\na.wav,X\na.wav,X\na.wav,Y\n\n"))
    assert [song.isrc for song in manifest.songs] == ["X", "Y"]
    assert has(manifest.notes, "repeated")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file\na.wav\n", "no column 'path'"),
        ("path,targt\na.wav,club\n", "meant to be 'target'"),
        ("path,target\n,club\n", "row 2: there is no path"),
        ("path\n", "names no songs"),
        ("", "no column 'path'"),
        ("path,path\na,b\n", "twice"),
        ("path,isrc\na.wav,X,Y\n", "3 cells under 2 columns"),
    ],
)
def test_what_can_not_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_manifest(written(tmp_path, text))


def test_other_columns_are_left_alone_and_said(tmp_path: Path) -> None:
    assert has(read_manifest(written(tmp_path, "path,bpm\na.wav,120\n")).notes, "columns")


def test_no_table_at_all_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"path\n\xff\xfe.wav\n")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 not")
    for name in ("x.csv", "x.parquet", "none.csv"):
        with pytest.raises(InputError):
            read_manifest(tmp_path / name)
