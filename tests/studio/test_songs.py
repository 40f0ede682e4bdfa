"""Songs by name instead of upload, changed files, long files in flat memory."""

import time
from pathlib import Path

import pytest
from nm_test_memory import grown_mb
from nm_test_studio import Studio, write_mix

RATE = 44_100


def measured(studio: Studio) -> list[str]:
    """The songs' ids, once none is being measured."""
    end = time.monotonic() + 90
    while any(each["state"] == "measuring" for each in studio.get("/songs")) and time.monotonic() < end:
        time.sleep(0.05)
    songs = studio.get("/songs")
    assert {each["state"] for each in songs} == {"ready"}
    return [each["id"] for each in songs]


def test_songs_on_the_command_line_stay_where_they_are(tmp_path: Path) -> None:
    one = write_mix(tmp_path / "one.wav", seconds=4.0, seed=20)
    two = write_mix(tmp_path / "two.flac", seconds=4.0, seed=21)
    with Studio(tmp_path / "project", str(two), str(one)) as studio:
        ids = measured(studio)
        assert [each["name"] for each in studio.get("/songs")] == ["two.flac", "one.wav"]
        assert not list((tmp_path / "project").rglob("source"))
        assert studio.client.get(f"/songs/{ids[0]}/audio").content == two.read_bytes()
        assert studio.client.delete(f"/songs/{ids[0]}").status_code == 200
    assert two.exists()


def test_a_mix_that_is_exported_again_keeps_its_decisions(tmp_path: Path) -> None:
    path = write_mix(tmp_path / "mix.wav", seconds=4.0, seed=22)
    with Studio(tmp_path / "project", str(path)) as studio:
        [song] = measured(studio)
        document = studio.get("/project")
        document["songs"][0]["settings"]["style"] = "rock"
        assert studio.put("/project", document).status_code == 200
        write_mix(path, seconds=4.0, seed=23)
        refused = studio.client.post(f"/songs/{song}/decide", json={})
        assert refused.status_code == 422 and "has changed" in refused.json()["error"]
        path.rename(tmp_path / "away.wav")
        gone = studio.client.post(f"/songs/{song}/render", json={})
        assert gone.status_code == 422 and "not there any more" in gone.json()["error"]
        (tmp_path / "away.wav").rename(path)
    with Studio(tmp_path / "project", str(path)) as studio:
        [again] = measured(studio)
        assert again != song
        assert studio.get("/project")["songs"][0]["settings"]["style"] == "rock"
        assert studio.done(f"/songs/{again}/decide", {})["controls"]


def test_a_shared_folder_is_used_without_copying(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    song = write_mix(shared / "mix.wav", seconds=4.0, seed=24)
    bundled = Path(__file__).parents[2] / "neural_mastering" / "assets" / "styles"
    (shared / "mine.json").write_bytes((bundled / "rock.json").read_bytes())
    (tmp_path / "secret.wav").write_bytes(song.read_bytes())
    (shared / "link.wav").symlink_to(tmp_path / "secret.wav")
    with Studio(tmp_path / "project", "--folder", str(shared)) as studio:
        assert [(each["name"], each["kind"]) for each in studio.get("/folder")] == [
            ("mine.json", "style"),
            ("mix.wav", "audio"),
        ]
        added = studio.post("/folder/mix.wav", None)
        assert studio.wait(added["job"])["state"] == "done"
        own = studio.done(f"/songs/{added['id']}/decide", {"style": "mine.json"})
        rock = studio.done(f"/songs/{added['id']}/decide", {"style": "rock"})
        assert own["controls"] == rock["controls"]
        assert not list((tmp_path / "project").rglob("*.wav"))
        for name in ("link.wav", "mine.json", "..%2fsecret.wav", "nothing.wav"):
            assert studio.client.post(f"/folder/{name}").status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "minutes"), [(".wav", 60), (".mp3", 8)])
def test_memory_stays_flat_over_a_long_song(tmp_path: Path, suffix: str, minutes: int) -> None:
    """An hour of stereo is 1.3 GB as floats; upload, measurement, preview and page hold little of that.

    While an hour is measured, the worker needs 160 MB for the envelopes of all of it, and gives them back. The tab
    takes about 70 MB for any song that isn't a few seconds long: 68 for 8 minutes, 78 for an hour.
    """
    grown = grown_mb(tmp_path, suffix, minutes)
    assert max(grown["server"], grown["workers"]) < 60.0
    assert grown["tab"] < 120.0
