import unicodedata
from dataclasses import replace
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from neural_mastering.batch.names import master_names, safe_name
from neural_mastering.batch.song import Song

TEXTS = st.text(max_size=300) | st.sampled_from(
    ["..", "/", "a/../../b", "C:\\x", "con", "nul.txt", ". .", "é", "é"]
)


def song(number: int, **said: str) -> Song:
    return Song(f"{number:016x}", f"{number}.wav", said.pop("location", f"/music/{number}.wav"), **said)


@given(TEXTS)
def test_a_name_is_one_harmless_part_of_a_path(text: str) -> None:
    name = safe_name(text)
    assert name and len(name.encode()) <= 125
    assert PurePosixPath(name).parts == (name,) and name not in (".", "..")
    assert not any(c in '\\/:*?"<>|' or ord(c) < 32 for c in name)
    assert name == name.strip(" .") and safe_name(name) == name


@given(st.lists(st.tuples(TEXTS, st.none() | TEXTS), max_size=12))
def test_no_two_songs_share_a_name_whatever_they_are_called(said: list[tuple[str, str | None]]) -> None:
    songs = [song(i, title=title, album=album) for i, (title, album) in enumerate(said)]  # pyright: ignore[reportArgumentType]
    names = master_names(songs)
    folded = [unicodedata.normalize("NFC", name.casefold()) for name in names.values()]
    assert len(set(folded)) == len(songs)
    assert all(
        len(PurePosixPath(name).parts) == (1 if s.album is None else 2)
        for s, name in zip(songs, names.values(), strict=True)
    )
    assert master_names(songs[::-1]) == names


def test_an_isrc_names_a_song_before_its_title_and_its_file() -> None:
    own = song(1, title="Title", isrc="DEX123")
    assert master_names([own])[own.id] == "DEX123"
    assert master_names([replace(own, isrc=None)])[own.id] == "Title"
    assert master_names([replace(own, isrc=None, title=None)])[own.id] == "1"


def test_a_title_that_imitates_another_songs_name_gets_its_own() -> None:
    songs = [song(1, title="x"), song(2, title="X"), song(3, title=f"x {1:016x}"[:10])]
    names = master_names(songs)
    assert len({name.casefold() for name in names.values()}) == 3


def test_songs_of_different_albums_whose_names_look_alike_stay_apart() -> None:
    songs = [song(1, title="x", album="a/b"), song(2, title="x", album="a:b")]
    names = master_names(songs)
    assert len({PurePosixPath(name).parent for name in names.values()}) == 2
