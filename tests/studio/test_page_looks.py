"""What the studio's page is for everybody: contrast, names and roles, focus, widths, motion, and odd content."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
from nm_test_browser import Browser
from nm_test_person import Person
from nm_test_studio import Studio
from numpy.typing import NDArray

from neural_mastering.audio_io.block import blocks_of
from neural_mastering.controls import controls_of
from neural_mastering.metering.meter import Meter
from neural_mastering.studio.sections import sections_of

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "neural_mastering" / "studio" / "static"
LONG = "A name that goes on and on, feat. everybody (final) (final 2) [really final] & 'quoted' 日本 96k 24bit.wav"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two songs, one with a long name."""
    folder = tmp_path_factory.mktemp("looks")
    audio, rate = soundfile.read(ROOT / "neural_mastering/assets/demo/s3_rock.ogg", frames=6 * 44_100)
    soundfile.write(folder / LONG, audio, rate, subtype="PCM_24")
    soundfile.write(folder / "second.wav", audio[::-1] * 0.5, rate, subtype="PCM_16")
    return folder


@pytest.fixture(scope="module")
def running(folder: Path, browser: Browser, spare: Studio) -> Iterator[Studio]:
    spare.clear()
    for name in (LONG, "second.wav"):
        spare.upload(folder / name)
    yield spare
    browser.call("Page.navigate", url="about:blank")


@pytest.fixture
def person(browser: Browser, running: Studio) -> Iterator[Person]:
    """Somebody in front of a song with all stages, 20 bands, a word, and every part open."""
    someone = Person(browser)
    yield someone
    assert [text for text in browser.complaints() if "409 (Conflict)" not in text] == []


FULL = """(() => {
  const { store } = studio;
  const add = (name) => {
    const list = document.querySelector("#stages select");
    list.value = name;
    list.dispatchEvent(new Event("change"));
  };
  store.editControls((controls) => {
    for (let i = controls.eq.length; i < 20; i++)
      controls.eq.push({ kind: "peak", frequency_hz: 30 * 1.38 ** i, gain_db: 3 * Math.sin(i), q: 2 });
  });
  for (const { name } of store.catalogue.stages) if (!store.session.used.stages[name]) add(name);
  document.querySelectorAll("details").forEach((node) => (node.open = true));
})()"""


TREE = {
    "design_rate_hz": 44_100.0,
    "eq": [
        {"kind": "low_shelf", "frequency_hz": 60.0, "gain_db": -5.0, "q": 0.7},
        {"kind": "peak", "frequency_hz": 3_000.0, "gain_db": 8.0, "q": 4.0},
        {"kind": "high_shelf", "frequency_hz": 9_000.0, "gain_db": 4.0, "q": 0.7},
    ],
    "gain_db": -2.0,
    "stages": {},
    "residual": None,
    "residual_amount": 1.0,
    "words": {},
}


def integrated_lufs(audio: NDArray[np.float64]) -> float:
    """Of (channel, time) at 44.1 kHz."""
    meter = Meter(44_100, len(audio), with_true_peak=False)
    for block in blocks_of(audio.astype(np.float32)):
        meter.push(block)
    return meter.finish().lufs


def open_full(person: Person, running: Studio, width: int = 1440, dark: bool = True) -> None:
    person.open(running.url, width=width, dark=dark)
    person.decided()
    person.run(FULL)
    person.until("studio.store.sections.stages.find((stage) => stage.name === 'eq').sos.length >= 20")
    person.until("document.querySelectorAll('#stages article').length >= 7")


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_contrast(person: Person, running: Studio, dark: bool) -> None:
    open_full(person, running, dark=dark)
    seen, poor = person.run((ROOT / "tests" / "support" / "contrast.js").read_text("utf-8"))
    assert seen > 150 and poor == []
    ink, paper = person.run(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        ".map((c) => c.match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0))"
    )
    assert (paper < 150 < 600 < ink) if dark else (ink < 150 < 600 < paper)


def test_every_width_fits(person: Person, running: Studio) -> None:
    open_full(person, running)
    for width in (360, 390, 600, 768, 1024, 1152, 1440, 1920, 2560):
        person.tab.size(width, 900)
        assert person.run("document.documentElement.scrollWidth") <= width
        cut = person.run(
            """[...document.querySelectorAll("button, .tile b, .tile dt, h2, legend, output, .number input")]
              .filter((node) => node.checkVisibility() && node.id !== "song-title" && !node.matches(".song-name"))
              .filter((node) => {
                const box = node.getBoundingClientRect();
                const isOutside = box.right > innerWidth + 1 || box.left < -1;
                const isBox = getComputedStyle(node).display !== "inline";
                return box.width && (isOutside || (isBox && node.scrollWidth > node.clientWidth + 1));
              }).map((node) => node.outerHTML.slice(0, 90))"""
        )
        assert cut == [], width


def test_names_and_roles(person: Person, running: Studio) -> None:
    """What a screen reader meets: each control has a name, ids are unique, headings and landmarks are there."""
    open_full(person, running)
    person.tab.call("Accessibility.enable")
    nodes = person.tab.call("Accessibility.getFullAXTree")["nodes"]
    person.tab.call("Accessibility.disable")
    operable = (
        "button",
        "slider",
        "checkbox",
        "radio",
        "combobox",
        "textbox",
        "spinbutton",
        "link",
        "switch",
    )
    found = [node for node in nodes if node.get("role", {}).get("value") in operable and not node["ignored"]]
    nameless = [node for node in found if not node.get("name", {}).get("value", "").strip()]
    assert len(found) > 100 and nameless == []
    roles = [node.get("role", {}).get("value") for node in nodes if not node["ignored"]]
    assert roles.count("main") == 1 and "banner" in roles
    assert roles.count("slider") >= 20 + 2  # bands, place in the song, volume
    levels = [
        prop["value"]["value"]
        for node in nodes
        if node.get("role", {}).get("value") == "heading" and not node["ignored"]
        for prop in node["properties"]
        if prop["name"] == "level"
    ]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert (
        person.run(
            "(() => { const ids = [...document.querySelectorAll('[id]')].map((n) => n.id);"
            "return ids.filter((id, i) => ids.indexOf(id) !== i); })()"
        )
        == []
    )
    references = person.run(
        "[...document.querySelectorAll('[aria-describedby], [aria-labelledby]')].flatMap((n) =>"
        "[n.getAttribute('aria-describedby'), n.getAttribute('aria-labelledby')]).filter(Boolean)"
        ".filter((id) => !document.getElementById(id))"
    )
    assert references == []


def test_every_stop_of_tab_is_visible(person: Person, running: Studio) -> None:
    """Tab goes through the whole page once, and each stop has an outline and lies in the window."""
    person.open(running.url)
    person.decided()
    person.run("document.activeElement.blur()")
    stops = []
    for _ in range(120):
        person.key("Tab")
        name, outlined, inside = person.run(
            """(() => {
              const node = document.activeElement;
              const style = getComputedStyle(node);
              const box = node.getBoundingClientRect();
              const shown = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
              const isOutlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
              return [node === document.body ? "" : node.outerHTML.slice(0, 60), isOutlined, shown];
            })()"""
        )
        if name == "":
            break
        assert outlined and inside, name
        stops.append(name)
    assert len(stops) > 50


def test_no_motion_where_none_is_wanted(person: Person, running: Studio) -> None:
    person.open(running.url, calm=True)
    person.decided()
    person.run("studio.store.setSong({ id: 'waiting', name: 'waiting', state: 'measuring', share: 0 })")
    assert person.run("document.getAnimations().length") == 0
    person.look(dark=True, calm=False)
    person.until("document.getAnimations().length > 0")  # the bar of the song that waits
    person.run("studio.store.removeSong('waiting')")


def test_long_names_stay_in_their_place(person: Person, running: Studio) -> None:
    person.open(running.url, width=360)
    person.decided()
    name = running.get("/songs")[0]["name"]
    assert person.text("#song-title") == name
    assert person.run("document.documentElement.scrollWidth") <= 360
    assert person.run("document.querySelector('.song-name').title") == name


def test_response_agrees_with_the_renderer(person: Person, running: Studio, folder: Path) -> None:
    """The drawn curve against the bands' closed form, and the peaks of the waveform against the file's."""
    controls = controls_of(TREE)
    hz = np.geomspace(20.0, 20_000.0, 60)
    person.open(running.url)
    person.decided()
    sections = sections_of(controls, 44_100)["stages"][0].get("sos")
    drawn = person.run(
        f"""(async () => {{
          const {{ levelDb }} = await import("/static/js/response.js");
          return [...levelDb({json.dumps(sections)}, {json.dumps(hz.tolist())}, 44100)];
        }})()"""
    )
    assert np.abs(np.array(drawn) - controls.eq.level_db(hz, 44_100.0)).max() < 1e-6

    song = running.get("/songs")[0]["id"]
    audio, _ = soundfile.read(folder / LONG, always_2d=True)
    low, high = person.run(
        f"""(async () => {{
          const {{ decodeWaveform, peaksBetween }} = await import("/static/js/waveform.js");
          const answer = await fetch("/songs/{song}/waveform");
          const peaks = peaksBetween(decodeWaveform(await answer.arrayBuffer()), 0, {len(audio)}, 40);
          return peaks.map((row) => [...row]);
        }})()"""
    )
    edges = np.linspace(0.0, len(audio), 41)
    step, bin_ = 1 / 127, 1_024  # peaks are eight bits, and their bins straddle the columns' ends
    for i, (least, most) in enumerate(zip(low, high, strict=True)):
        inner = audio[int(edges[i]) + bin_ : int(edges[i + 1]) - bin_]
        outer = audio[max(0, int(edges[i]) - bin_) : int(edges[i + 1]) + bin_]
        assert inner.max() - step <= most <= outer.max() + step
        assert outer.min() - step <= least <= inner.min() + step


def test_matching_goes_by_loudness(person: Person, running: Studio) -> None:
    """What before and after are matched by, against the meter, for noise with the slope of music."""
    white = np.random.default_rng(2).standard_normal((2, 20 * 44_100))
    noise = np.asarray(scipy.signal.lfilter([0.05, -0.0495], [1.0, -0.997], white, axis=1))
    chain = sections_of(controls_of(TREE), 44_100)
    with_a0 = [[*row[:3], 1.0, *row[3:]] for row in chain["stages"][0].get("sos", [])]
    louder = np.asarray(scipy.signal.sosfilt(with_a0, noise, axis=1)) * 10 ** (TREE["gain_db"] / 20)
    hz = 1_000.0 * 2.0 ** (np.arange(-17, 14) / 3)
    z = np.exp(-2j * np.pi * hz / 44_100)
    level_db = 20 * np.log10(np.abs((0.05 - 0.0495 * z) / (1.0 - 0.997 * z))) + 10 * np.log10(hz)
    spectrum = {"hz": hz.tolist(), "level_db": level_db.tolist()}
    person.open(running.url)
    change, gains = person.run(
        f"""(async () => {{
          const {{ loudnessChange, matchedGains }} = await import("/static/js/matched.js");
          const change = loudnessChange({json.dumps(spectrum)}, {json.dumps(chain["stages"])}, 44100);
          return [change, matchedGains(change)];
        }})()"""
    )
    measured = [integrated_lufs(each) for each in (noise, louder)]
    assert change == pytest.approx(measured[1] - measured[0], abs=0.1)
    assert measured[0] + gains["before"] == pytest.approx(measured[1] + gains["after"], abs=0.1)
    assert max(gains.values()) <= 0.0


def tokens(text: str) -> dict[str, tuple[str, str]]:
    """Colours by name: (light, dark)."""
    pairs = re.findall(r"(--[\w-]+): light-dark\((#\w+), (#\w+)\)", text)
    return {name: (light, dark) for name, light, dark in pairs}


def test_colours_are_the_reports() -> None:
    own = tokens((STATIC / "css" / "tokens.css").read_text())
    report = (ROOT / "neural_mastering" / "reporting" / "page.css").read_text()
    light, dark = (dict(re.findall(r"(--[\w-]+): (#\w+)", part)) for part in report.split("@media")[:2])
    shared = [name for name in own if name in light]
    assert len(shared) >= 16
    assert {name: own[name] for name in shared} == {name: (light[name], dark[name]) for name in shared}


UNSAFE = r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function"


def test_scripts_are_small_and_safe() -> None:
    """No file grows beyond 300 lines, none writes markup, none asks another computer for anything."""
    scripts = sorted([*(STATIC / "js").glob("*.js"), *(STATIC / "css").glob("*.css"), STATIC / "index.html"])
    assert len(scripts) > 25
    for script in scripts:
        text = script.read_text("utf-8")
        assert len(text.splitlines()) <= 300, script.name
        assert not re.search(UNSAFE, text), script.name
        foreign = [url for url in re.findall(r"https?://[^\s\"'`)]+", text) if "w3.org" not in url]
        assert foreign == [], script.name
