"""What can be carried over is, key by key; the rest is named; equal input gives equal bytes."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen import id3
from mutagen.apev2 import APEv2, APEValue
from mutagen.asf import ASFByteArrayAttribute, ASFDWordAttribute, ASFUnicodeAttribute
from mutagen.flac import FLAC, Picture
from mutagen.mp4 import MP4FreeForm

from neural_mastering.audio_io.tag_names import ID3_OF_VORBIS, MP4_OF_VORBIS, VORBIS_OF_ASF
from neural_mastering.audio_io.tag_writer import LARGEST_FLAC_BLOCK, write_tags
from neural_mastering.audio_io.tags import Tags, _from_ape, _from_asf, _from_mp4, picture_of, read_tags

NmMaster = Callable[..., tuple[int, str, str]]
CONTAINERS = {
    "WAV": ".wav",
    "AIFF": ".aiff",
    "FLAC": ".flac",
    "MP3": ".mp3",
    "VORBIS": ".ogg",
    "OPUS": ".opus",
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def empty_file(container: str, folder: Path) -> Path:
    path = folder / f"empty{CONTAINERS[container]}"
    subtypes = {"MP3": "MPEG_LAYER_III", "VORBIS": "VORBIS", "OPUS": "OPUS"}
    forms = {"VORBIS": "OGG", "OPUS": "OGG"}
    audio = np.zeros((4_800, 2))
    soundfile.write(
        path, audio, 48_000, format=forms.get(container, container), subtype=subtypes.get(container)
    )
    return path


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_named_tag_survives_every_container(container: str, tmp_path: Path) -> None:
    text = {name: [f"{name} 1"] for name in (*ID3_OF_VORBIS, *MP4_OF_VORBIS, "mood", "barcode")}
    text |= {"date": ["2024-05-06"], "tracknumber": ["3/12"], "bpm": ["128"], "artist": ["Eins", "Zwei"]}
    text |= {"compilation": ["1"], "discnumber": ["1/2"], "genre": ["Dub"], "language": ["deu"]}
    path = empty_file(container, tmp_path)
    assert write_tags(path, container, Tags(dict(text), [picture_of(PNG, "image/png")])) == ()
    found = read_tags(path)
    assert found.text == text
    assert [picture.data for picture in found.pictures] == [PNG]


@pytest.mark.parametrize("name", ["Gefühl", "", "a=b", "~x", "a\nb", "日本"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_a_name_that_a_container_can_t_hold_costs_nothing_else(
    name: str, container: str, tmp_path: Path
) -> None:
    path = empty_file(container, tmp_path)
    tags = Tags({"title": ["Lied"], name: ["x"], "artist": ["Wer"]}, [picture_of(PNG, "image/png")])
    lost = write_tags(path, container, tags)
    found = read_tags(path)
    assert found.text["title"] == ["Lied"] and found.text["artist"] == ["Wer"] and len(found.pictures) == 1
    is_id3 = container in ("WAV", "AIFF", "MP3")
    assert len(lost) == (0 if is_id3 else 1)
    assert all(repr(name) in text for text in lost)


def test_a_picture_that_is_too_large_for_flac_is_named(tmp_path: Path) -> None:
    path = empty_file("FLAC", tmp_path)
    pictures = [picture_of(bytes(LARGEST_FLAC_BLOCK), "image/png"), picture_of(PNG, "image/png")]
    lost = write_tags(path, "FLAC", Tags({"title": ["Lied"]}, pictures))
    assert lost == ("a picture of 17 MB",)
    assert FLAC(path)["title"] == ["Lied"] and len(FLAC(path).pictures) == 1


def test_id3_frames_without_a_name_elsewhere_are_named(
    song: Path, nm_master: NmMaster, tmp_path: Path
) -> None:
    file: Any = mutagen.File(song)  # pyright: ignore[reportPrivateImportUsage]
    file.add_tags()
    file.tags.add(id3.TIT2(encoding=3, text=["Lied"]))  # pyright: ignore[reportPrivateImportUsage]
    file.tags.add(id3.PRIV(owner="me", data=b"1"))  # pyright: ignore[reportPrivateImportUsage]
    file.tags.add(id3.TXXX(encoding=3, desc="Gefühl", text=["x"]))  # pyright: ignore[reportPrivateImportUsage]
    file.save()
    code, _, err = nm_master(song, "-o", tmp_path / "out.flac")
    assert code == 0 and "not carried over into out.flac" in err and "PRIV" in err and "gefühl" in err
    assert FLAC(tmp_path / "out.flac")["title"] == ["Lied"]
    code, _, err = nm_master(song, "-o", tmp_path / "out.wav")
    assert code == 0 and "not carried" not in err
    held: Any = mutagen.File(tmp_path / "out.wav")  # pyright: ignore[reportPrivateImportUsage]
    assert {"TIT2", "TXXX:Gefühl"} < set(held.tags) and any(key.startswith("PRIV") for key in held.tags)


def test_mp4_tags_are_read() -> None:
    tags = Tags()
    source = {key: ["x"] for name, key in MP4_OF_VORBIS.items() if name not in ("bpm", "compilation")}
    source |= {"trkn": [(3, 12)], "disk": [(1, 0)], "tmpo": [128], "cpil": True, "\xa9too": ["an encoder"]}
    source |= {"----:com.apple.iTunes:ISRC": [MP4FreeForm(b"DEA120300001")], "rtng": [1]}
    _from_mp4(source, tags)
    expected = {name: ["x"] for name in MP4_OF_VORBIS} | {"tracknumber": ["3/12"], "discnumber": ["1"]}
    assert tags.text == expected | {"bpm": ["128"], "compilation": ["1"], "isrc": ["DEA120300001"]}
    assert tags.foreign == ["rtng"]


def test_ape_tags_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ape"
    path.write_bytes(b"")
    ape = APEv2()
    ape["Title"], ape["Track"], ape["Year"], ape["Artist"] = "Lied", "3/12", "2024", ["Eins", "Zwei"]
    ape["Cover Art (Front)"] = APEValue(b"cover.png\0" + PNG, 1)
    ape["Thing"] = APEValue(b"\1\2", 1)
    ape.save(path)
    tags = Tags()
    _from_ape(APEv2(path), tags)
    expected = {"title": ["Lied"], "tracknumber": ["3/12"], "date": ["2024"], "artist": ["Eins", "Zwei"]}
    assert tags.text == expected
    assert [(p.data, p.mime, p.type) for p in tags.pictures] == [(PNG, "image/png", 3)]
    assert tags.foreign == ["Thing"]


def test_asf_tags_are_read() -> None:
    picture = struct.pack("<bi", 3, len(PNG)) + "image/png\0cover\0".encode("utf-16-le") + PNG
    source: dict[str, list[Any]] = {
        key: [ASFUnicodeAttribute(f"{name} 1")] for key, name in VORBIS_OF_ASF.items()
    }
    source["Author"] = [ASFUnicodeAttribute("Eins"), ASFUnicodeAttribute("Zwei")]
    source["WM/Picture"] = [ASFByteArrayAttribute(picture)]
    source |= {"WM/EncodingSettings": [ASFUnicodeAttribute("x")], "Odd": [ASFDWordAttribute(1)]}
    del source["author"]
    tags = Tags()
    _from_asf(source, tags)
    assert tags.text == {n: [f"{n} 1"] for n in VORBIS_OF_ASF.values()} | {"artist": ["Eins", "Zwei"]}
    assert [(p.data, p.mime, p.desc) for p in tags.pictures] == [(PNG, "image/png", "cover")]
    assert tags.foreign == ["Odd"]


@pytest.mark.parametrize("suffix", [".flac", ".wav", ".mp3"])
def test_equal_input_gives_equal_bytes_and_comment_and_description_survive(
    suffix: str, music: np.ndarray, nm_master: NmMaster, tmp_path: Path
) -> None:
    source = tmp_path / "full.flac"
    soundfile.write(source, music[:30_000], 44_100)
    file = FLAC(source)
    for name in ("title", "comment", "description", "mood", "isrc", "composer", "label", "xyz", "abc"):
        file[name] = f"{name} 1"
    picture = Picture()
    picture.data, picture.mime, picture.type = PNG, "image/png", 3
    file.add_picture(picture)
    file.save()
    written = []
    for i in range(3):
        code, _, _ = nm_master(source, "-o", tmp_path / f"{i}{suffix}")
        assert code == 0
        written.append((tmp_path / f"{i}{suffix}").read_bytes())
    assert written[0] == written[1] == written[2]
    assert read_tags(tmp_path / f"0{suffix}").text == read_tags(source).text
