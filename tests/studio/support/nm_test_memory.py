"""How much memory a long song takes: the server, its workers and the tab, over what a short song takes."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import soundfile
from nm_test_browser import Browser, find_chromium
from nm_test_person import Person
from nm_test_studio import RATE, Studio, write_mix

COMPRESSED = {
    "design_rate_hz": 44_100.0,
    "eq": [],
    "stages": {
        "compressor": {
            **{"threshold_db": -5.0, "ratio": 2.0, "attack_ms": 5.0, "release_ms": 100.0, "knee_db": 6.0},
            **{"makeup_db": 0.0, "mix": 1.0, "sidechain_hz": 0.0, "link_max": 0.0, "input_lufs": -20.0},
        }
    },
}
REGION_S = 10
IDLE_S = 2.0
"""After which a worker has given back what it doesn't need."""


def resident_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024.0


def children(process: int) -> list[int]:
    """Its children, and theirs."""
    own = [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return [*own, *(each for child in own for each in children(child))]


def write_long(path: Path, minutes: int) -> Path:
    """Stereo noise."""
    piece = (0.05 * np.random.default_rng(0).standard_normal((60 * RATE, 2))).astype(np.float32)
    with soundfile.SoundFile(path, "w", RATE, 2) as file:
        for _ in range(minutes):
            file.write(piece)
    return path


def grown_mb(folder: Path, suffix: str, minutes: int) -> dict[str, float]:
    """Upload a long song, measure it, hear a part, play it in a tab; by how much each process has grown, in MB.

    A short song went the same way before, so that libraries are loaded.
    """
    long, short = write_long(folder / f"long{suffix}", minutes), write_mix(folder / "short.wav", seconds=12.0)
    with Studio(folder / "project") as studio:
        song = _used(studio, short, 0)
        program = find_chromium()
        tab = None if program is None else Browser(program, folder / "profile")
        try:
            page = 0.0 if tab is None else _page_mb(studio, tab, song, 1.0)
            processes = [studio.process.pid, *children(studio.process.pid)]
            time.sleep(IDLE_S)
            before = [resident_mb(process) for process in processes]
            song = _used(studio, long, 30 * minutes * RATE)
            samples = studio.client.get(f"/songs/{song}/pcm?start={40 * minutes * RATE}&frames=1000000")
            assert len(samples.content) == 8_000_000
            found = {} if tab is None else {"tab": _page_mb(studio, tab, song, 60.0 * minutes) - page}
            time.sleep(IDLE_S)
            grown = [resident_mb(process) - mb for process, mb in zip(processes, before, strict=True)]
        finally:
            if tab is not None:
                tab.close()
    return {"server": grown[0], "workers": max(grown[1:]), **found}


def _used(studio: Studio, path: Path, start: int) -> str:
    """A song sent piece by piece, measured, and heard from a sample on."""

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece

    headers = {"Authorization": f"Bearer {studio.token}"}
    with httpx.Client(base_url=studio.base, timeout=600, headers=headers) as client:
        added = client.post("/songs", params={"name": path.name}, content=pieces()).json()
        assert studio.wait(added["job"], 1_200.0)["state"] == "done"
        body = {"start": start, "frames": REGION_S * RATE, "controls": COMPRESSED}
        client.post(f"/songs/{added['id']}/preview", json=body).raise_for_status()
    return added["id"]


def _page_mb(studio: Studio, tab: Browser, song: str, seconds: float) -> float:
    """Of the page once it shows the song and has played at 20 places of it."""
    person = Person(tab)
    person.open(studio.url)
    person.run(f"studio.store.select('{song}')")
    person.decided(300.0)
    person.run("studio.sound.play()")
    for place in np.linspace(0.0, 0.9 * seconds, 20):
        person.run(f"studio.sound.seek({place})")
        time.sleep(0.3)
    person.run("studio.sound.pause()")
    tab.call("HeapProfiler.collectGarbage")
    pages = [
        each for each in children(tab.pid) if b"--type=renderer" in Path(f"/proc/{each}/cmdline").read_bytes()
    ]
    return max(resident_mb(page) for page in pages)
