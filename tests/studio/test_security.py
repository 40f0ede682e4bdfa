"""Attacks on the server: from other pages, other names, without the token, with paths, sizes and patience."""

import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import httpx
import mutagen.flac
import pytest
from nm_test_studio import Studio, write_mix

from neural_mastering.errors import InputError
from neural_mastering.studio.project import safe_name, safe_stem
from neural_mastering.studio.shared_folder import SharedFolder

NASTY = (
    "../../../../etc/passwd.wav",
    "..\\..\\windows\\system32\\evil.wav",
    "/etc/cron.d/evil.wav",
    "C:\\evil.wav",
    "<script>alert(1)</script>.wav",
    '"><img src=x onerror=alert(1)>.wav',
    "a\r\nSet-Cookie: x=y.wav",
    "nul\x00byte.wav",
    ".hidden.wav",
    "\u202egnp.wav",
    "x" * 5000 + ".wav",
    "söng – 日本 🎵.wav",
)


@pytest.fixture(scope="module")
def walled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A server of its own, which takes up to 20 MB."""
    with Studio(tmp_path_factory.mktemp("walled") / "project", "--max-upload-gb", "0.02") as running:
        yield running


@pytest.fixture
def stranger(walled: Studio) -> Iterator[httpx.Client]:
    """A client without the cookie."""
    with httpx.Client(base_url=walled.base, timeout=30) as client:
        yield client


def paths(studio: Studio) -> list[tuple[str, str]]:
    """Every route of the API, and those beside it."""
    described = studio.get("/openapi.json")["paths"]
    found = [(method.upper(), path) for path, methods in described.items() for method in methods]
    beside = ("/", "/docs", "/openapi.json", "/static/index.html", "/nothing")
    return [*found, *(("GET", path) for path in beside)]


def test_nothing_answers_without_the_token(walled: Studio, stranger: httpx.Client) -> None:
    tried = paths(walled)
    assert len(tried) > 25
    for method, path in tried:
        answer = stranger.request(method, path)
        assert answer.status_code == 401 and list(answer.json()) == ["error"], (method, path)
    for headers in (
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Cookie": f"nm_studio_{walled.base.rpartition(':')[2]}=wrong"},
        {"Cookie": "nm_studio_0=" + walled.token},
    ):
        assert stranger.get("/songs", headers=headers).status_code == 401
    assert stranger.get("/?token=wrong").status_code == 401
    assert stranger.get(f"/songs?token={walled.token}").status_code == 401
    assert stranger.get("/songs", headers={"Authorization": f"Bearer {walled.token}"}).status_code == 200


def test_the_cookie_is_strict_and_hidden_from_scripts(walled: Studio) -> None:
    answer = httpx.get(walled.url)
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "domain" not in cookie


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "0.0.0.0", "", "[::1]"]
)
def test_a_name_that_is_not_ours_is_refused(walled: Studio, host: str) -> None:
    """DNS rebinding: a foreign name that resolves to this computer."""
    port = walled.base.rpartition(":")[2]
    for name in (host, f"{host}:{port}"):
        if name in (f"127.0.0.1:{port}", f"localhost:{port}"):
            continue
        answer = walled.client.get("/songs", headers={"Host": name})
        assert answer.status_code in (400, 403), name
    assert walled.client.get("/songs", headers={"Host": f"localhost:{port}"}).status_code == 200


def test_two_hosts_are_refused(walled: Studio) -> None:
    port = int(walled.base.rpartition(":")[2])
    request = f"GET /songs HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(request.encode())
        assert raw.recv(100).split()[1] in (b"400", b"403")


def test_another_page_is_refused_even_with_the_cookie(walled: Studio) -> None:
    port = int(walled.base.rpartition(":")[2])
    for origin in (
        "https://evil.example",
        "null",
        f"http://127.0.0.1:{port + 1}",
        f"https://127.0.0.1:{port}",
    ):
        for method, path in (
            ("GET", "/songs"),
            ("POST", "/songs?name=a.wav"),
            ("DELETE", "/songs/0"),
            ("PUT", "/project"),
        ):
            answer = walled.client.request(method, path, headers={"Origin": origin})
            assert answer.status_code == 403, (origin, method)
    for site in ("cross-site", "same-site"):
        assert walled.client.get("/songs", headers={"Sec-Fetch-Site": site}).status_code == 403
    own = {"Origin": walled.base, "Sec-Fetch-Site": "same-origin"}
    assert walled.client.get("/songs", headers=own).status_code == 200
    assert "access-control-allow-origin" not in walled.client.get("/songs", headers=own).headers


def test_every_answer_carries_the_policy(walled: Studio, stranger: httpx.Client) -> None:
    for answer in (
        walled.client.get("/songs"),
        walled.client.get("/docs"),
        stranger.get("/"),
        walled.client.get("/no"),
    ):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in answer.headers


def test_only_this_computer_is_listened_to(walled: Studio) -> None:
    port = int(walled.base.rpartition(":")[2])
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    own = [row[1] for row in listening if row[3] == "0A" and int(row[1].split(":")[1], 16) == port]
    assert own == [f"0100007F:{port:04X}"]


@pytest.mark.parametrize("name", NASTY)
def test_a_name_never_leaves_its_folder(walled: Studio, name: str, tmp_path: Path) -> None:
    kept = safe_name(name)
    assert "/" not in kept and "\\" not in kept and not kept.startswith(".") and kept.isprintable()
    assert len(kept.encode()) < 255
    mix = write_mix(tmp_path / "a.wav", seconds=1.0, seed=abs(hash(name)) % 1000 + 10)
    added = walled.client.post("/songs", params={"name": name}, content=mix.read_bytes())
    assert added.status_code == 202, added.text
    shown = walled.get(f"/songs/{added.json()['id']}")
    assert shown["name"] == kept
    assert not any("evil" in str(path) for path in Path("/etc").glob("cron.d/*"))
    walled.client.delete(f"/songs/{added.json()['id']}")


def test_names_that_are_no_audio_are_refused(walled: Studio) -> None:
    for name in ("a.html", "..wav", "a.wav.exe", "", "wav", "a.svg", "../", "a.nmstudio"):
        answer = walled.client.post("/songs", params={"name": name}, content=b"x")
        assert answer.status_code == 422, name
        with pytest.raises(InputError):
            safe_name(name)


@pytest.mark.parametrize("name", [n.removesuffix(".wav") for n in NASTY] + ["-rf", "--overwrite"])
def test_the_name_of_a_master_stays_in_its_job(walled: Studio, name: str) -> None:
    kept = safe_stem(name)
    assert "/" not in kept and "\\" not in kept and kept[0] not in ".-" and kept.isprintable()


def test_a_script_in_a_name_comes_back_as_text(walled: Studio, tmp_path: Path) -> None:
    mix = write_mix(tmp_path / "a.wav", seconds=4.0, seed=77)
    song = walled.upload(mix, "<script>alert(1)</script>.wav")
    shown = walled.client.get(f"/songs/{song}")
    assert shown.headers["content-type"] == "application/json"
    result = walled.done(
        f"/songs/{song}/render", {"settings": {}, "report": True, "name": "<img src=x onerror=a()>"}
    )
    report = next(each["name"] for each in result["files"] if each["name"].endswith("report.html"))
    page = walled.client.get(f"/jobs/{walled.job}/files/{quote(report)}")
    assert page.headers["content-disposition"].startswith("attachment")
    assert page.headers["content-type"] == "application/octet-stream"
    assert "<script>alert" not in page.text and "<img src=x" not in page.text
    walled.client.delete(f"/songs/{song}")


def test_a_script_in_a_tag_comes_back_as_text(walled: Studio, tmp_path: Path) -> None:
    path = write_mix(tmp_path / "t.flac", seconds=4.0, seed=83)
    tags = mutagen.flac.FLAC(path)
    for name in ("title", "artist", "album", "comment"):
        tags[name] = "</script><script>alert(1)</script>"
    tags.save()
    song = walled.upload(path)
    assert "<script>" not in walled.client.get(f"/songs/{song}").text
    result = walled.done(f"/songs/{song}/render", {"settings": {"format": "flac"}, "report": True})
    for each in result["files"]:
        answer = walled.client.get(f"/jobs/{walled.job}/files/{quote(each['name'])}")
        assert answer.headers["content-disposition"].startswith("attachment")
        if each["kind"] == "report":
            assert "<script>alert" not in answer.text
        if each["kind"] == "audio":
            (tmp_path / "master.flac").write_bytes(answer.content)
    assert mutagen.flac.FLAC(tmp_path / "master.flac")["title"] == ["</script><script>alert(1)</script>"]
    walled.client.delete(f"/songs/{song}")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%00",
        "/songs/../project.json/waveform",
        "/songs/..%2f..%2fproject.json/waveform",
        "/songs/%2e%2e/audio",
        "/jobs/../../etc/files/passwd",
    ],
)
def test_paths_lead_nowhere(walled: Studio, path: str) -> None:
    port = int(walled.base.rpartition(":")[2])
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {walled.token}\r\n"
        "Connection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(request.encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split()[1] in (b"404", b"400", b"405", b"422"), answer[:200]
    assert b"root:" not in answer and b"create_app" not in answer


def test_files_of_a_job_are_those_of_its_list(walled: Studio, tmp_path: Path) -> None:
    song = walled.upload(write_mix(tmp_path / "b.wav", seconds=2.0, seed=78))
    walled.done(f"/songs/{song}/render", {"settings": {}})
    for name in ("../../project.json", "..%2f..%2fproject.json", "/etc/passwd", "%2fetc%2fpasswd"):
        assert walled.client.get(f"/jobs/{walled.job}/files/{name}").status_code == 404
    walled.client.delete(f"/songs/{song}")


def test_no_path_of_a_page_is_opened(walled: Studio, tmp_path: Path) -> None:
    secret = write_mix(tmp_path / "secret.wav", seconds=2.0, seed=79)
    style = Path(__file__).parents[2] / "neural_mastering" / "assets" / "styles" / "rock.json"
    song = walled.upload(write_mix(tmp_path / "c.wav", seconds=4.0, seed=80))
    for settings in (
        {"style": str(style)},
        {"model": str(tmp_path / "model.ckpt")},
        {"model": "../../x"},
        {"references": [str(secret)]},
        {"references": [f"file://{secret}"]},
    ):
        for route in ("decide", "proposals", "render", "preview", "command"):
            body = settings if route in ("decide", "proposals") else {"settings": settings, "frames": 100}
            if route in ("render", "command"):
                body.pop("frames", None)
            answer = walled.client.post(f"/songs/{song}/{route}", json=body)
            assert answer.status_code == 422, (route, settings)
    assert walled.client.post(f"/songs/{song}/compare", json={"style": str(style)}).status_code == 422
    document = walled.get("/project")
    for each in document["songs"]:
        each["path"] = str(secret)
    document["songs"].append({**document["songs"][0], "id": "f" * 16})
    walled.client.put("/project", json=document)
    walled.post("/project/open", document)
    after = walled.get("/project")
    assert [each["path"] for each in after["songs"]] == [None] * len(after["songs"])
    assert "f" * 16 not in [each["id"] for each in after["songs"]]
    walled.client.delete(f"/songs/{song}")


def test_a_shared_folder_gives_its_own_files_only(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    write_mix(outside / "secret.wav", seconds=1.0)
    write_mix(inside / "song.wav", seconds=1.0)
    (inside / "link.wav").symlink_to(outside / "secret.wav")
    (inside / "folder.wav").mkdir()
    (inside / "deeper").symlink_to(outside)
    (inside / "alias.wav").symlink_to(inside / "song.wav")
    shared = SharedFolder(inside)
    assert [each["name"] for each in shared.listing()] == ["alias.wav", "song.wav"]
    for name in (
        "link.wav",
        "../outside/secret.wav",
        "deeper/secret.wav",
        str(outside / "secret.wav"),
        "folder.wav",
        "",
    ):
        assert shared.find(name, "audio") is None
    assert shared.find("song.wav", "audio") == (inside / "song.wav").resolve()
    assert SharedFolder(None).listing() == []


def test_too_large_is_refused_before_it_is_read(walled: Studio) -> None:
    port = int(walled.base.rpartition(":")[2])
    head = (
        f"POST /songs?name=a.wav HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {walled.token}\r\n"
        f"Content-Length: {10 << 30}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(head.encode() + b"x" * 100)
        assert raw.recv(1000).split()[1] == b"413"


def test_too_large_without_saying_so_ends_at_the_limit(walled: Studio) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"\0" * (1 << 20)

    try:
        answer = walled.client.post("/songs", params={"name": "a.wav"}, content=endless())
        assert answer.status_code == 413
    except (httpx.WriteError, httpx.ReadError):
        pass  # the connection was closed while the rest was on its way
    assert not list(Path(walled.log.parent).rglob("*.upload"))


def test_bodies_of_json_have_a_limit(walled: Studio) -> None:
    body = b'{"style": "' + b"a" * (20 << 20) + b'"}'
    try:
        answer = walled.client.put("/project", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
    except (httpx.WriteError, httpx.ReadError):
        pass
    assert walled.client.get("/songs").status_code == 200


def test_a_slow_client_is_let_go_and_harms_nobody(tmp_path: Path) -> None:
    with Studio(tmp_path / "slow", "--upload-timeout-s", "1") as studio:
        port = int(studio.base.rpartition(":")[2])
        head = (
            f"POST /songs?name=a.wav HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {studio.token}\r\n"
            "Content-Length: 1000000\r\n\r\nabc"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            raw.sendall(head.encode())
            assert studio.get("/songs") == []  # answered while the other is waited for
            assert raw.recv(1000).split()[1] == b"408"
        assert not list((tmp_path / "slow").rglob("*.upload"))


def test_a_hundred_unfinished_requests_keep_nobody_waiting(walled: Studio) -> None:
    port = int(walled.base.rpartition(":")[2])
    before = walled.get("/songs")
    with ExitStack() as open_ones:
        for _ in range(100):
            raw = open_ones.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            raw.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1")
        started = time.monotonic()
        assert walled.get("/songs") == before and time.monotonic() - started < 2.0


def test_a_client_that_hangs_up_leaves_nothing(walled: Studio) -> None:
    port = int(walled.base.rpartition(":")[2])
    head = (
        f"POST /songs?name=a.wav HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {walled.token}\r\n"
        "Content-Length: 1000000\r\n\r\nabc"
    )
    before = walled.get("/songs")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(head.encode())
        time.sleep(0.2)
    end = time.monotonic() + 10
    while list(walled.log.parent.rglob("*.upload")) and time.monotonic() < end:
        time.sleep(0.05)
    assert not list(walled.log.parent.rglob("*.upload")) and walled.get("/songs") == before


def test_fifty_uploads_at_once_arrive(walled: Studio, tmp_path: Path) -> None:
    walled.clear()
    data = write_mix(tmp_path / "a.wav", seconds=1.0).read_bytes()
    # a WAV file may end in anything: fifty contents
    contents = [data + bytes([n]) * 2 for n in range(50)]

    def send(number: int) -> int:
        headers = {"Authorization": f"Bearer {walled.token}"}
        with httpx.Client(base_url=walled.base, timeout=60, headers=headers) as client:
            return client.post(
                "/songs", params={"name": f"{number}.wav"}, content=contents[number]
            ).status_code

    with ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(send, range(50)))
    assert codes == [202] * 50
    songs = walled.get("/songs")
    assert len(songs) == 50 and {each["state"] for each in songs} <= {"measuring", "ready"}
    assert not list(walled.log.parent.rglob("*.upload"))
    kept = {path.read_bytes() for path in walled.log.parent.rglob("source/*.wav")}
    assert kept == set(contents)
    first = next(each["job"] for each in songs if each["state"] == "measuring")
    assert walled.wait(first)["state"] == "done"
    walled.clear()  # the others need not be measured


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"style":' * 50_000,
        b'{"target": NaN}',
        b'{"density": Infinity}',
        b'{"words": {"warm": NaN}}',
        b'{"max_reduction_db": 1e999}',
        b'{"sample_rate_hz": 99999999999999999999999}',
        b'{"style": "\\ud800"}',
        b'{"intensity": true, "target": []}',
        b"\xff\xfe",
        b"null",
        b"",
    ],
)
def test_malformed_json_is_one_sentence(walled: Studio, body: bytes, tmp_path: Path) -> None:
    song = walled.upload(write_mix(tmp_path / "d.wav", seconds=2.0, seed=81))
    headers = {"Content-Type": "application/json"}
    answer = walled.client.post(f"/songs/{song}/decide", content=body, headers=headers)
    assert answer.status_code in (400, 422) and list(answer.json()) == ["error"], answer.text
    document = b'{"version": 1, "view": {"x": ' + (body or b"NaN") + b"}}"
    saved = walled.client.put("/project", content=document, headers=headers)
    assert saved.status_code in (200, 400, 422), saved.text
    assert walled.client.get("/project").status_code == 200
    wrapped = b'{"controls": null, "settings": ' + (body or b"1") + b"}"
    answer = walled.client.post(f"/songs/{song}/render", content=wrapped, headers=headers)
    assert answer.status_code in (202, 400, 422), answer.text
    if answer.status_code == 202:
        assert body == b"null"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_playlist_in_an_audio_file_s_clothes_opens_nothing(walled: Studio, tmp_path: Path) -> None:
    secret = write_mix(tmp_path / "secret.wav", seconds=2.0, seed=82)
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"
    for name, text in (
        ("a.m4a", playlist.format(f"file://{secret}")),
        ("b.mp4", playlist.format("http://127.0.0.1:9/x.ts")),
        ("c.mka", f"ffconcat version 1.0\nfile '{secret}'\n"),
    ):
        added = walled.client.post("/songs", params={"name": name}, content=text.encode()).json()
        state = walled.wait(added["job"])
        assert state["state"] == "failed" and "can't be decoded" in state["error"], name
        walled.client.delete(f"/songs/{added['id']}")


def test_nothing_is_pickled() -> None:
    package = Path(__file__).parents[2] / "neural_mastering" / "studio"
    for file in package.rglob("*.py"):
        text = file.read_text()
        assert (
            "pickle" not in text
            and "eval(" not in text
            and "exec(" not in text.replace("subprocess_exec(", "")
        )
