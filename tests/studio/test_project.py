"""What a person has done is kept: through kill −9, a second tab, a moved file, and in a project file."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from nm_test_studio import Studio

from neural_mastering.cli.invocation import invoke_command
from neural_mastering.cli.studio import app
from neural_mastering.errors import InputError
from neural_mastering.studio.documents import ProjectDocument
from neural_mastering.studio.folders import project_folder
from neural_mastering.studio.project import Project, read_document

CONTROLS = {
    "design_rate_hz": 44_100.0,
    "eq": [{"kind": "peak", "frequency_hz": 1234.5, "gain_db": 1.5, "q": 0.9}],
    "gain_db": 0.0,
    "stages": {},
    "residual": None,
    "residual_amount": 1.0,
    "words": {},
}


def test_kill_9_loses_nothing(tmp_path: Path, mix: Path, other: Path) -> None:
    folder = tmp_path / "project"
    first = Studio(folder)
    ids = [first.upload(mix), first.upload(other)]
    first.put("/songs/order", ids[::-1])
    document = first.get("/project")
    document["songs"][0] |= {
        "settings": {**document["songs"][0]["settings"], "style": "rock", "target": -11.5},
        "controls": CONTROLS,
        "snapshots": {"A": {"settings": document["songs"][0]["settings"], "controls": CONTROLS}},
        "undo": [{"settings": document["songs"][0]["settings"], "controls": None}],
    }
    document |= {"view": {"zoom": 3}, "album": {"mode": True}}
    saved = first.put("/project", document, **{"If-Match": str(document["revision"])})
    assert saved.status_code == 200 and saved.headers["etag"] == f'"{document["revision"] + 1}"'
    # half of the next state is on its way, and a render is running, when the power goes
    running = first.post(f"/songs/{ids[0]}/render", {"settings": {"also": ["mp3"]}})["id"]
    while first.get(f"/jobs/{running}")["state"] == "waiting":
        time.sleep(0.01)
    children = Path(f"/proc/{first.process.pid}/task/{first.process.pid}/children").read_text().split()
    assert children
    first.kill()
    end = time.monotonic() + 10  # its workers end with it
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{child}").exists() for child in children)

    with Studio(folder) as second:
        found = second.get("/project")
        assert found == saved.json()
        assert [each["id"] for each in second.get("/songs")] == ids[::-1]
        assert {each["state"] for each in second.get("/songs")} == {"ready"}
        assert second.get(f"/songs/{ids[0]}")["readings"]["lufs"] < 0
        leftovers = [
            path.name for path in folder.rglob("*") if path.name.endswith((".part", ".upload", ".f32"))
        ]
        assert leftovers == []


@pytest.mark.slow
def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path) -> None:
    """Saves follow one another as fast as they go when the process is killed in the middle of one."""
    studio = Studio(tmp_path / "project")
    acknowledged = 0

    def save() -> None:
        nonlocal acknowledged
        with contextlib.suppress(httpx.TransportError):
            while True:
                view = {"count": acknowledged + 1, "text": "x" * 200_000}
                if studio.put("/project", {"view": view}).status_code == 200:
                    acknowledged += 1

    saver = threading.Thread(target=save)
    saver.start()
    while acknowledged < 20:
        time.sleep(0.001)
    studio.process.kill()
    saver.join()
    studio.kill()
    with Studio(tmp_path / "project") as again:
        assert again.get("/project")["view"]["count"] in (acknowledged, acknowledged + 1)


def test_a_worker_that_dies_is_replaced(fresh: Studio, mix: Path) -> None:
    song = fresh.upload(mix)
    children = Path(f"/proc/{fresh.process.pid}/task/{fresh.process.pid}/children").read_text().split()
    job = fresh.post(f"/songs/{song}/decide", {"style": "rock"})["id"]
    for child in children:
        subprocess.run(["kill", "-9", child], check=True)
    state = fresh.wait(job)
    assert state["state"] == "done" or "worker process ended" in state["error"]
    assert fresh.done(f"/songs/{song}/decide", {"style": "pop"})["controls"]


def test_two_tabs_agree(studio: Studio, song: str) -> None:
    revisions: list[int] = []
    seen = threading.Event()

    def watch() -> None:
        with studio.client.stream("GET", "/project/events") as events:
            for line in events.iter_lines():
                if line.startswith("data: "):
                    revisions.append(int(line.removeprefix("data: ")))
                    if len(revisions) >= 2:
                        seen.set()
                        return

    watcher = threading.Thread(target=watch)
    watcher.start()
    while not revisions:
        time.sleep(0.01)
    mine, theirs = studio.get("/project"), studio.get("/project")
    mine["view"] = {"tab": 1}
    assert studio.put("/project", mine, **{"If-Match": f'"{mine["revision"]}"'}).status_code == 200
    assert seen.wait(10) and revisions[1] == revisions[0] + 1
    watcher.join()
    theirs["view"] = {"tab": 2}
    refused = studio.put("/project", theirs, **{"If-Match": str(theirs["revision"])})
    assert refused.status_code == 409 and refused.json()["view"] == {"tab": 1}
    again = studio.put("/project", theirs, **{"If-Match": str(refused.json()["revision"])})
    assert again.status_code == 200 and again.json()["view"] == {"tab": 2}


def test_nonsense_is_not_saved(studio: Studio, song: str) -> None:
    before = studio.get("/project")
    for change in (
        {"version": 2},
        {"songs": [{**before["songs"][0], "controls": {**CONTROLS, "gain_db": 1e9}}]},
        {"songs": [{**before["songs"][0], "settings": {"reverb": 1}}]},
        {"songs": [{**before["songs"][0], "id": "../../etc"}]},
        {"colour": "red"},
    ):
        answer = studio.put("/project", {**before, **change})
        assert answer.status_code == 422 and list(answer.json()) == ["error"], change
    assert studio.put("/project", before, **{"If-Match": "newest"}).status_code == 422
    assert studio.get("/project") == before
    for order in ([], [song, song], ["0" * 16]):
        assert studio.put("/songs/order", order).status_code == 422


def test_a_project_file_reopens_with_the_files_it_names(tmp_path: Path, mix: Path, other: Path) -> None:
    near = tmp_path / "near.wav"
    shutil.copy(mix, near)
    with Studio(tmp_path / "one", str(near)) as studio:
        song = studio.get("/songs")[0]["id"]
        uploaded = studio.upload(other)
        document = studio.get("/project")
        document["songs"][0]["controls"] = CONTROLS
        studio.put("/project", document)
        kept = tmp_path / "mine.nmstudio"
        answer = studio.client.get("/project/file")
        assert answer.headers["content-disposition"].startswith("attachment")
        kept.write_bytes(answer.content)
    with Studio(tmp_path / "two", str(kept)) as studio:
        found = studio.get("/project")
        assert [each["id"] for each in found["songs"]] == [song]
        assert found["songs"][0]["controls"] == CONTROLS and found["songs"][0]["path"] == str(near)
        missing = studio.post("/project/open", json.loads(kept.read_text()))["missing"]
        assert [each["id"] for each in missing] == [uploaded]
    near.write_bytes(other.read_bytes())
    assert invoke_command(app, "nm-studio", [str(kept), "--project", str(tmp_path / "three")]) == 2


def test_a_folder_belongs_to_one_server(studio: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    folder = studio.log.with_suffix("")
    assert invoke_command(app, "nm-studio", ["--no-browser", "--project", str(folder)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "another nm-studio works on" in said.err and said.err.count("\n") == 1


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], studio: Studio) -> None:
    port = studio.base.rpartition(":")[2]
    project = ["--project", str(tmp_path / "p")]
    (tmp_path / "bad.nmstudio").write_text("{}{")
    (tmp_path / "file").write_text("")
    for arguments, word in (
        ([str(tmp_path / "none.wav"), *project], "none.wav"),
        ([str(tmp_path / "none.nmstudio"), *project], "none.nmstudio"),
        ([str(tmp_path / "bad.nmstudio"), *project], "no project of nm-studio"),
        ([str(tmp_path / "file"), *project], "expected an audio file"),
        (["--no-browser", "--port", port, *project], "--port"),
        (["--folder", str(tmp_path / "nowhere"), *project], "--folder"),
        (["--project", str(tmp_path / "file")], "can't be used"),
        (["--max-upload-gb", "-1"], "max-upload-gb"),
    ):
        assert invoke_command(app, "nm-studio", arguments) == 2, arguments
        said = capsys.readouterr()
        assert said.out == "" and word in said.err and said.err.count("\n") == 1, said.err


def test_ctrl_c_stops_politely(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "neural_mastering.cli.studio",
        "--no-browser",
        "--project",
        str(tmp_path / "p"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert out == "" and err == "nm-studio: stopped; everything is saved\n" and process.returncode == 0


def test_it_stops_politely_while_a_page_is_open(tmp_path: Path, mix: Path) -> None:
    """A page listens for what other tabs save, and may wait for a preview."""
    with Studio(tmp_path / "p", str(mix)) as open_one:
        with (
            httpx.Client(base_url=open_one.base, cookies=open_one.client.cookies, timeout=30) as tab,
            tab.stream("GET", "/project/events") as events,
        ):
            lines = events.iter_lines()
            assert next(lines).startswith("data: ")
            open_one.process.send_signal(signal.SIGINT)
            assert [line for line in lines if line] == []  # ends, and is not cut off
            assert open_one.process.wait(timeout=20) == 0
        assert open_one.log.read_text() == "nm-studio: stopped; everything is saved\n"


def test_the_same_songs_have_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    one, two = Path("a mix.wav"), Path("b.wav")
    assert project_folder([one]) == project_folder([one.resolve()])
    assert project_folder([one]) != project_folder([two]) != project_folder([one, two])
    assert project_folder([]).is_relative_to(tmp_path) or sys.platform != "linux"


def test_a_project_holds_a_hundred_songs(tmp_path: Path) -> None:
    project = Project(tmp_path / "p")
    for number in range(100):
        project.add(f"{number}.wav", f"{number:064x}"[::-1], "song")
    with pytest.raises(InputError, match="100 songs"):
        project.add("one.wav", "f" * 64, "song")
    project.close()
    assert len(read_document(tmp_path / "p" / "project.json").songs) == 100


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    document = ProjectDocument(view={"a": [1, "ü"]})
    path = tmp_path / "x.nmstudio"
    path.write_text(document.model_dump_json())
    assert read_document(path) == document
    path.write_text('{"version": 1, "revision": 1, "songs": [{"id": "x"}]}')
    with pytest.raises(InputError, match=r"songs\.0"):
        read_document(path)
    path.write_text(" " * (9 << 20))
    with pytest.raises(InputError, match="larger than 8 MB"):
        read_document(path)
