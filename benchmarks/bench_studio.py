"""nm-studio as a person feels it: from a drag to the ear, a stretch with every stage, a song measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks._timing import Row, as_table
from neural_mastering.controls import Bands, ChainControls, EqBand
from neural_mastering.studio.sections import sections_of

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "studio" / "support"))

from nm_test_browser import Browser, find_chromium
from nm_test_person import Person
from nm_test_studio import Studio

TITLE = "nm-studio: a 4-minute song, 44.1 kHz stereo, 24 bit; headless Chromium on the same machine"

MOVES = 200
MOVE_MS = 60.0
SONG_S, REGION_S = 240.0, 10.0
DEMO = "s3_rock.ogg"


def run(moves: int = MOVES) -> list[Row]:
    """One row for each thing that a person waits for."""
    with tempfile.TemporaryDirectory() as folder:
        song = _long_song(Path(folder) / "song.wav", SONG_S)
        rows = [_help(), *_songs(Path(folder), song)]
        with Studio(Path(folder) / "project") as studio:
            song_id = studio.upload(song)
            rows += [_region(studio, song_id)]
            rows += _in_the_page(studio, Path(folder) / "profile", moves)
    return rows


def _long_song(path: Path, seconds: float) -> Path:
    """A demo song, repeated."""
    with as_file(files("neural_mastering.assets.demo").joinpath(DEMO)) as file:
        audio, rate = soundfile.read(file, always_2d=True)
    times = int(np.ceil(seconds * rate / len(audio)))
    soundfile.write(path, np.tile(audio, (times, 1))[: round(seconds * rate)], rate, subtype="PCM_24")
    return path


def _row(
    what: str, values_s: Sequence[float], limit_s: float, note: str = "", busy_s: float | None = None
) -> Row:
    """Wall time; `busy_s` is the processor time of the server and its workers."""
    low, high = np.percentile(values_s, [50, 95])
    return {
        "what": what,
        "times": str(len(values_s)),
        "median": _shown(low),
        "95 %": _shown(high),
        "largest": _shown(max(values_s)),
        "wanted": f"< {_shown(limit_s)}",
        "processor": "" if busy_s is None else _shown(busy_s),
        "note": note,
    }


def _shown(seconds: float) -> str:
    return f"{1e3 * seconds:.0f} ms" if seconds < 1.0 else f"{seconds:.2f} s"


def _timed(what: Callable[[], Any]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def _busy_s(process: int) -> float:
    """Processor time of a process and everything that it has started, in seconds."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        number = int(stat.parent.name)
        if process in (number, int(fields[1])):
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _help() -> Row:
    command = [sys.executable, "-m", "neural_mastering.cli.studio", "--help"]
    times = [_timed(lambda: subprocess.run(command, capture_output=True, check=True)) for _ in range(6)]
    return _row("nm-studio --help", times[1:], 0.4)


def _songs(folder: Path, song: Path) -> Iterator[Row]:
    """A fresh server: until it answers, and until its first song is measured."""
    begun, measured, busy = [], [], []
    for number in range(3):
        started = time.perf_counter()
        with Studio(folder / f"fresh {number}") as studio:
            begun.append(time.perf_counter() - started)
            studio.get("/catalogue")
            time.sleep(5.0)  # as long as a person needs to find a file: the worker has loaded its libraries
            before = _busy_s(studio.process.pid)
            measured.append(_timed(lambda studio=studio: _until_drawn(studio, song)))
            busy.append(_busy_s(studio.process.pid) - before)
    yield _row("from the command to an answer", begun, 5.0, "Python, NumPy and numba are loaded")
    yield _row("a song sent, measured and its waveform there", measured, 4.0, "", float(np.median(busy)))


def _until_drawn(studio: Studio, song: Path) -> None:
    song_id = studio.upload(song)
    studio.get(f"/songs/{song_id}")
    assert studio.client.get(f"/songs/{song_id}/waveform").content[:4] == b"NMWF"


def _controls(studio: Studio, song_id: str) -> dict[str, Any]:
    """What the song needs, and every further stage, in the middle of its range."""
    lufs = studio.get(f"/songs/{song_id}")["readings"]["lufs"]
    controls = studio.done(f"/songs/{song_id}/decide", {})["controls"]
    controls["stages"] = {
        "compressor": {
            **{"input_lufs": lufs, "crossovers_hz": [150.0, 1_000.0, 6_000.0]},
            **{"threshold_db": [-8.0] * 4, "ratio": [2.0] * 4, "attack_ms": [10.0] * 4},
            **{"release_ms": [150.0] * 4, "knee_db": [6.0] * 4, "makeup_db": [1.0] * 4, "mix": 1.0},
        },
        "saturation": {"input_lufs": lufs, "drive_db": 6.0, "shape": 0.4, "bias": 0.0, "mix": 0.3},
        "stereo": {"width": 1.1, "bass_frequency_hz": 120.0, "bass_amount": 0.5},
    }
    return controls


def _region(studio: Studio, song_id: str) -> Row:
    rate = studio.get(f"/songs/{song_id}")["sample_rate"]
    body = {
        "controls": _controls(studio, song_id),
        "settings": {"target": "-9"},
        "frames": round(REGION_S * rate),
    }
    times, busy = [], []
    for number in range(8):
        body["start"] = round((20.0 + 20.0 * number) * rate)
        before = _busy_s(studio.process.pid)
        times.append(
            _timed(lambda: studio.client.post(f"/songs/{song_id}/preview", json=body).raise_for_status())
        )
        busy.append(_busy_s(studio.process.pid) - before)
    what = "10 s through compressor in 4 bands, saturation, width, limiter"
    return _row(what, times[1:], 1.5, "after a first one", float(np.median(busy[1:])))


def _in_the_page(studio: Studio, profile: Path, moves: int) -> list[Row]:
    """A band dragged by the mouse; the audio thread says when it first used the coefficients of each move."""
    program = find_chromium()
    if program is None:
        print("the page is left out: there is no Chromium")
        return []
    tab, rows = Browser(program, profile), []
    try:
        person = Person(tab)
        ready = [_timed(lambda: person.open(studio.url)) for _ in range(4)]
        rows.append(_row("the page, until it can be used", ready[1:], 1.0))
        person.decided()
        song_id = studio.get("/songs")[0]["id"]
        rows += _costs(tab, {**studio.get(f"/songs/{song_id}"), "id": song_id})
        script = Path(__file__).with_name("studio_drag.js").read_text("utf-8").strip()
        tab.run(f"({script})()")
        for name, is_busy in (("", False), (", while a master is rendered", True)):
            times, handled, trips = _moved(person, studio, moves, is_busy)
            rows.append(_row(f"a band dragged, until its filters are heard{name}", times, 0.05))
            rows.append(_row(f"of that, until the page hears of the pointer{name}", handled, 0.05))
            rows.append(_row(f"of that, until the server has answered{name}", trips, 0.05))
        rows.append(_row("latency of the audio device, on top", [tab.run("drag.engine.latency")], 0.2))
    finally:
        tab.close()
    return rows


def _costs(tab: Browser, song: dict[str, Any]) -> Iterator[Row]:
    """The audio thread against the clock."""
    rng = np.random.default_rng(0)
    hz = np.geomspace(30.0, 16_000.0, 20)
    eq = Bands.of(EqBand("peak", float(f), float(rng.uniform(-6.0, 6.0)), 1.0) for f in hz)
    stages = {"stereo": {"width": 1.2, "bass_frequency_hz": 120.0, "bass_amount": 0.5}}
    sections = json.dumps(sections_of(ChainControls(eq=eq, gain_db=1.0, stages=stages), song["sample_rate"]))
    script = Path(__file__).with_name("studio_cost.js").read_text("utf-8").strip()
    for alternatives in (0, 3):
        shares = [tab.run(f"({script})({json.dumps(song)}, {sections}, {alternatives})") for _ in range(5)]
        what = f"audio thread for 1 s: 20 bands, gain and width, {1 + alternatives} chains at once"
        yield _row(what, shares, 1.0)


def _moved(person: Person, studio: Studio, moves: int, is_busy: bool) -> list[list[float]]:
    """Seconds from each of so many pointer events to the sound, to the page's script, and of the requests."""
    rng = np.random.default_rng(0)
    song_id = studio.get("/songs")[0]["id"]
    job = None
    x, y = person.place(".eq-handle")
    box = "document.querySelector('.eq-handles').getBoundingClientRect()"
    left, top, width, height = person.run(f"(({{ x, y, width, height }}) => [x, y, width, height])({box})")
    person.mouse("mousePressed", x, y)
    person.run("drag.times.length = drag.handled.length = drag.trips.length = 0")
    for count in range(moves):
        if is_busy and count % 10 == 0 and (job is None or _is_over(studio, job)):
            job = studio.post(f"/songs/{song_id}/render", {"settings": {"target": "-9"}})["id"]
        x, y = (float(v) for v in rng.uniform(0.1, 0.9, 2))
        person.mouse("mouseMoved", left + x * width, top + y * height)
        time.sleep(MOVE_MS / 1000.0)
    time.sleep(0.5)
    measured = person.run("[drag.times, drag.handled, drag.trips]")
    person.mouse("mouseReleased", left + x * width, top + y * height)
    if job is not None:
        studio.client.delete(f"/jobs/{job}")
    if len(measured[0]) < moves:
        print(f"{moves - len(measured[0])} of {moves} moves were overtaken by the next one")
    return [[t / 1e3 for t in row] for row in measured]


def _is_over(studio: Studio, job: str) -> bool:
    return studio.get(f"/jobs/{job}")["state"] not in ("waiting", "running")


if __name__ == "__main__":
    print(as_table(run()))
