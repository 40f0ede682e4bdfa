"""From a mix to a master on the studio's page, as a person would: by mouse, and by keyboard alone."""

import io
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from nm_test_browser import Browser
from nm_test_person import ALT, CTRL, SHIFT, Person
from nm_test_studio import Studio

from neural_mastering.controls import controls_of, scaled

DEMO = Path(__file__).parents[2] / "neural_mastering" / "assets" / "demo"


def wav(path: Path, song: str, seconds: float = 10.0) -> Path:
    """One of the bundled songs as a 24-bit file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    audio, rate = soundfile.read(DEMO / f"{song}.ogg", frames=round(seconds * 44_100))
    soundfile.write(path, audio, rate, subtype="PCM_24")
    return path


@pytest.fixture(scope="module")
def song_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wav(tmp_path_factory.mktemp("mixes") / "My song (mix 3).wav", "s3_rock")


@pytest.fixture
def served(fresh: Studio, browser: Browser) -> Iterator[Studio]:
    """An empty project; the tab leaves before it is emptied again."""
    yield fresh
    browser.call("Page.navigate", url="about:blank")


@pytest.fixture
def person(browser: Browser) -> Iterator[Person]:
    """Somebody at an empty tab; what a page complained about fails the test, but for a save that came second."""
    yield Person(browser)
    assert [text for text in browser.complaints() if "409 (Conflict)" not in text] == []


def the_same_by_command(served: Studio, person: Person, song_file: Path, folder: Path) -> None:
    """The downloaded master is the file that the shown command makes from the song and the downloaded controls."""
    person.until("!document.querySelector('.result').hidden", 120.0)
    rows = "[...document.querySelectorAll('.files a')]"
    links = person.run(f"{rows}.map((a) => [a.download, a.getAttribute('href')])")
    files = {name: served.client.get(href).content for name, href in links}
    (folder / song_file.name).write_bytes(song_file.read_bytes())
    for name, content in files.items():
        if name.endswith(".yaml"):
            (folder / name).write_bytes(content)
    person.until("document.querySelector('.command code').textContent.startsWith('nm-master')")
    command = shlex.split(person.text(".command code"))
    assert command[0] == "nm-master"
    program = [sys.executable, "-m", "neural_mastering.cli.master"]
    subprocess.run([*program, *command[1:], "--quiet"], cwd=folder, check=True, timeout=120)
    masters = [name for name in files if name.endswith(".wav")]
    assert len(masters) == 1
    assert (folder / masters[0]).read_bytes() == files[masters[0]]
    assert files[masters[0]] != song_file.read_bytes()


def first_band(person: Person) -> dict[str, float]:
    return person.run("studio.store.session.used.eq[0]")


def test_by_mouse(person: Person, served: Studio, song_file: Path, tmp_path: Path) -> None:
    person.open(served.url)
    assert person.text("main").startswith("Drop a mix here")  # and nothing else
    assert person.run("[...document.querySelectorAll('.panel')].every((panel) => !panel.checkVisibility())")
    person.drop("#welcome", song_file)
    person.decided()
    assert person.text("#song-title") == song_file.name
    song = served.get("/songs")[0]["id"]
    lufs = served.get(f"/songs/{song}")["readings"]["lufs"]
    assert f"\u2212{abs(lufs):.1f}" in person.text(".tiles")

    decided = first_band(person)
    person.choose("#sound select", "rock")
    person.until("studio.store.session.settings.style === 'rock'")
    person.decided()
    assert first_band(person) != decided

    before = first_band(person)
    person.drag(".eq-handle", 60, -40)
    after = first_band(person)
    assert after["frequency_hz"] > 1.2 * before["frequency_hz"] and after["gain_db"] > before["gain_db"] + 1.0
    shown = person.run("document.querySelector('.eq-handle').getAttribute('aria-valuetext')")
    assert f"{abs(after['gain_db']):.1f}" in shown
    person.wheel(".eq-handle", -120)
    assert first_band(person)["q"] > after["q"]

    person.click("[aria-label^='Undo']")  # the wheel
    assert first_band(person) == after
    person.click("[aria-label^='Undo']")  # the whole drag is one step
    assert first_band(person) == before
    person.click("[aria-label^='Redo']")
    assert first_band(person) == after
    person.click(".eq-handle", clicks=2)  # back to what was decided
    assert first_band(person) == before
    person.click("[aria-label^='Undo']")

    person.click("#render")
    the_same_by_command(served, person, song_file, tmp_path)


def test_by_keyboard_alone(person: Person, served: Studio, song_file: Path, tmp_path: Path) -> None:
    person.open(served.url)
    person.pick_by_keyboard("Choose files", song_file)
    person.decided()

    person.run("document.activeElement.blur()")
    person.tab_to("Skip to the equaliser")
    person.tab_to("Compare with")
    for _ in range(3):
        person.key("ArrowDown")
    person.until("studio.store.session.settings.style !== null")
    person.decided()
    person.tab_to("Band 1")
    before = first_band(person)
    for _ in range(4):
        person.key("ArrowUp")
    person.key("ArrowRight")
    person.key("PageDown")
    after = first_band(person)
    assert after["gain_db"] == pytest.approx(before["gain_db"] + 2.0, abs=0.01)
    assert after["frequency_hz"] == pytest.approx(before["frequency_hz"] * 2 ** (1 / 12), rel=1e-3)
    person.key("z", CTRL)
    person.key("z", CTRL)
    assert first_band(person)["frequency_hz"] == pytest.approx(before["frequency_hz"], rel=1e-3)
    person.key("z", CTRL | SHIFT)
    assert first_band(person)["frequency_hz"] == pytest.approx(after["frequency_hz"], rel=1e-3)

    person.key("n")
    assert person.focused() == "Band 2"
    person.key("p")
    person.tab_to("Gain")  # the number of the chosen band
    person.write("-3,5")
    person.key("Enter")
    assert first_band(person)["gain_db"] == -3.5
    person.tab_to("Render the master")
    person.key("Enter")
    the_same_by_command(served, person, song_file, tmp_path)
    person.run("document.querySelector('.result').focus()")
    person.tab_to("My song")
    assert person.run("document.activeElement.tagName") == "A"


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("album")
    songs = [wav(folder / f"{name}.wav", name) for name in ("s3_rock", "s5_house")]
    with Studio(folder / "project", *map(str, songs)) as running:
        yield running
        browser.call("Page.navigate", url="about:blank")


@pytest.fixture
def two_songs(person: Person, album: Studio) -> Iterator[Person]:
    """Somebody before an album of two songs, as it was when it was opened first."""
    person.open(album.url)
    fresh = "{ settings: studio.store.catalogue.defaults, controls: null }"
    person.run(f"studio.store.order.forEach((id) => studio.store.sessionOf(id).apply({fresh}))")
    person.run("studio.store.emit('session')")
    person.until(
        "fetch('/project').then((r) => r.json()).then(({ songs }) => songs.every(({ settings, controls }) =>"
        "controls === null && JSON.stringify(settings) === JSON.stringify(studio.store.catalogue.defaults)))"
    )
    person.decided()
    person.until("[...studio.store.songs.values()].every((song) => song.readings)")
    time.sleep(0.6)  # the answer to the last save, and what follows it, reach the page
    yield person


CURVE = """import("/static/js/response.js").then(({ levelDb }) => {
  const hz = Array.from({ length: 60 }, (_, i) => 20 * 2 ** (i / 6));
  return [...levelDb(studio.store.sections.stages.find(({ name }) => name === "eq").sos, hz, 44100)];
})"""
"""What the equaliser does, from 20 Hz to 18 kHz."""


def test_the_chain_is_edited_and_survives_the_page(two_songs: Person, album: Studio) -> None:
    person = two_songs
    person.choose("#stages select", "compressor")
    person.until("document.querySelector('#stages [aria-label=compressor]')")
    lufs = person.run("studio.store.song.readings.lufs")
    compressor = person.run("studio.store.session.used.stages.compressor")
    assert compressor["input_lufs"] == pytest.approx(lufs, abs=3.0)
    person.run("document.querySelector('#stages details').open = true")
    person.run("document.querySelector('#stages .fields input').focus()")
    person.write("-12")
    person.key("Enter")
    assert person.run("studio.store.session.used.stages.compressor.threshold_db") == -12
    person.click("[aria-label='Compressor on']")
    assert person.run("studio.store.session.settings.skip") == ["compressor"]
    person.until("document.querySelector('.saved').textContent === 'Saved'")
    person.until("fetch('/project').then((r) => r.json()).then((p) => p.songs[0].settings.skip.length === 1)")
    person.open(album.url)
    person.decided()
    assert person.run("studio.store.session.used.stages.compressor.threshold_db") == -12
    assert person.run("studio.store.session.settings.skip") == ["compressor"]
    person.click("[aria-label='Remove the compressor']")
    person.until("!document.querySelector('#stages [aria-label=compressor]')")


def labelled(label: str) -> str:
    """The field that a label names."""
    return (
        f"[...document.querySelectorAll('#deliver label')].find((l) => l.textContent === '{label}').control"
    )


def test_ends_bass_and_gaps(two_songs: Person, album: Studio) -> None:
    person = two_songs
    settings = "studio.store.session.settings"
    person.run("document.querySelectorAll('#deliver details').forEach((more) => (more.open = true))")
    for label, text in (("Fade out", "1.5"), ("Below", None)):
        if text is None:
            person.run(f"{labelled('Bass to the middle')}.click()")
            assert person.run(f"{settings}.bass_mono_hz") == 120
            text = "95"
        person.run(f"{labelled(label)}.focus()")
        person.write(text)
        person.key("Enter")
    person.run(f"{labelled('Trim the ends')}.click()")
    assert person.run(f"[{settings}.fade_out, {settings}.bass_mono_hz, {settings}.trim]") == [1.5, 95, True]
    curve = labelled("Fade out: curve")
    person.run(f"{curve}.value = 'linear'")
    person.run(f"{curve}.dispatchEvent(new Event('change'))")
    assert person.run(f"{settings}.fade_out") == "1.5:linear"
    person.run(f"{labelled('Set the gaps')}.click()")
    person.run(f"{labelled('Silence between songs')}.focus()")
    person.write("3")
    person.key("Enter")
    person.until("document.querySelector('.saved').textContent === 'Saved'")
    person.until("fetch('/project').then((r) => r.json()).then((p) => p.album.gap_s === 3)")
    person.open(album.url)
    person.decided()
    assert person.run(f"[{settings}.fade_out, studio.store.album.gap_s]") == ["1.5:linear", 3]
    person.until(
        "document.querySelector('#deliver .command code').textContent.includes('--fade-out 1.5:linear')"
    )


def test_another_tab_is_followed(two_songs: Person, album: Studio) -> None:
    person = two_songs
    project = album.get("/project")
    song = next(each for each in project["songs"] if each["id"] == project["view"]["current"])
    song["settings"]["density"] = "dense"
    assert album.put("/project", project).status_code == 200
    person.until("studio.store.session.settings.density === 'dense'", 15.0)
    assert person.run("document.querySelector('#sound [aria-checked=true] + *') !== null")
    person.run("studio.store.editSettings((settings) => (settings.density = 'balanced'))")
    person.until(
        "fetch('/project').then((r) => r.json())"
        ".then((p) => p.songs.every((s) => s.settings.density === 'balanced'))"
    )


SLOW_ANSWERS = """(() => {
  const plain = window.fetch;
  window.fetch = async (url, options) => {
    const answer = await plain(url, options);
    if (options?.method === "PUT") await new Promise((ready) => setTimeout(ready, 3000));
    return answer;
  };
})()"""


def test_what_another_tab_saves_while_a_save_runs_is_not_missed(two_songs: Person, album: Studio) -> None:
    person = two_songs
    current = album.get("/project")["view"]["current"]

    def saved() -> dict[str, Any]:
        return next(each for each in album.get("/project")["songs"] if each["id"] == current)["settings"]

    person.run(SLOW_ANSWERS)
    person.run("studio.store.editSettings((settings) => (settings.fade_out = '2:linear'))")
    until = time.monotonic() + 30.0
    while saved()["fade_out"] != "2:linear" and time.monotonic() < until:
        time.sleep(0.05)
    project = album.get("/project")  # the page still waits for its answer
    next(each for each in project["songs"] if each["id"] == current)["settings"]["density"] = "dense"
    assert album.put("/project", project).status_code == 200
    person.until("studio.store.session.settings.density === 'dense'", 15.0)
    assert saved()["fade_out"] == "2:linear"


def test_what_two_tabs_change_at_once_is_kept(two_songs: Person, album: Studio) -> None:
    person = two_songs
    project = album.get("/project")
    current = person.run("studio.store.currentId")  # also where the server does not know of it yet
    song = next(each for each in project["songs"] if each["id"] == current)
    song["settings"]["density"] = "dense"
    person.run("studio.store.editSettings((settings) => (settings.max_reduction_db = 3))")  # not saved yet
    assert album.put("/project", project).status_code == 200
    person.until("studio.store.session.settings.density === 'dense'", 15.0)
    assert person.run("studio.store.session.settings.max_reduction_db") == 3
    person.until(
        "fetch('/project').then((r) => r.json()).then(({ songs }) =>"
        "songs.some((s) => s.settings.density === 'dense' && s.settings.max_reduction_db === 3))",
        15.0,
    )


def test_snapshots_keep_what_was_done_in_them(two_songs: Person) -> None:
    person = two_songs
    person.click("#tools [role=radio]:nth-child(2)")
    person.run("document.querySelector('.eq-handle').focus()")
    first = first_band(person)
    person.key("ArrowUp")
    edited = first_band(person)
    assert edited != first
    person.click("#tools [role=radio]:nth-child(1)")
    assert first_band(person) == first
    person.click("#tools [role=radio]:nth-child(2)")
    assert first_band(person) == edited
    person.click("#tools [role=radio]:nth-child(1)")


def test_order_by_keyboard(two_songs: Person, album: Studio) -> None:
    person = two_songs
    order = album.get("/project")["order"]
    person.run("document.querySelector('.song-name').focus()")
    person.key("ArrowDown", ALT)
    person.until(f"studio.store.order.join() === {json.dumps(','.join(order[::-1]))}")
    person.until(f"fetch('/songs').then((r) => r.json()).then((s) => s[0].id === {json.dumps(order[1])})")
    assert person.focused().startswith("s3_rock")
    person.key("ArrowUp", ALT)
    person.until(f"fetch('/songs').then((r) => r.json()).then((s) => s[0].id === {json.dumps(order[0])})")


def test_order_by_mouse(two_songs: Person, album: Studio) -> None:
    person = two_songs
    order = album.get("/project")["order"]
    first, second = (f'.song-row[data-id="{song}"]' for song in order)
    person.tab.call("Input.setInterceptDrags", enabled=True)
    try:
        person.carry(first, second)
        person.until(f"studio.store.order.join() === {json.dumps(','.join(order[::-1]))}")
        person.until(f"fetch('/songs').then((r) => r.json()).then((s) => s[0].id === {json.dumps(order[1])})")
        assert (
            person.run("[...document.querySelectorAll('.song-row')].map((row) => row.dataset.id)")
            == order[::-1]
        )
        assert person.run("document.querySelectorAll('.song-row.over, .song-row.moving').length") == 0
        person.carry(first, second)
        person.until(f"fetch('/songs').then((r) => r.json()).then((s) => s[0].id === {json.dumps(order[0])})")
    finally:
        person.tab.call("Input.setInterceptDrags", enabled=False)


BUSY = """(async () => {
  const engine = await studio.sound.ready();
  const moves = new Map();
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message, ...more) {
    if (message.body) moves.set(message.id, { since: performance.timeOrigin + performance.now() });
    return postMessage.call(this, message, ...more);
  };
  engine.on("applied", ({ id, wallMs }) => moves.has(id) && (moves.get(id).heard = wallMs));
  document.addEventListener("pointermove", () => {
    const end = performance.now() + 1500;
    while (performance.now() < end);
    globalThis.ended ??= performance.timeOrigin + performance.now();
  }, { once: true });
  globalThis.moves = moves;
  await studio.sound.play();
})()"""
"""What draws a move takes 1.5 s."""


def test_a_drag_is_heard_while_the_page_is_busy(two_songs: Person) -> None:
    person = two_songs
    person.run(BUSY)
    person.drag(".eq-handle", 30, -30, steps=1)
    person.until("globalThis.ended && [...moves.values()].every(({ heard }) => heard)", 20.0)
    first = person.run("[...moves.values()][0]")
    assert first["since"] < first["heard"] < person.run("ended")
    used = person.run("studio.store.session.used")
    person.until("studio.store.sections.stages[0].sos.length")
    person.settled(used)
    person.run("studio.sound.pause()")


HELD = """(async () => {
  const engine = await studio.sound.ready();
  const applied = [];
  await studio.sound.play();
  await engine.settled();
  engine.on("applied", ({ id }) => applied.push(id));
  const { hear } = await import("/static/js/live.js");
  const controls = structuredClone(studio.store.session.used);
  const sent = [];
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message, ...more) {
    sent.push(message.id);
    return postMessage.call(this, message, ...more);
  };
  for (let n = 1; n <= 40; n++) {
    controls.gain_db = -n / 10;
    hear(controls);
  }
  globalThis.heard = () => [...sent.keys()].filter((place) => applied.includes(sent[place]));
})()"""


def test_the_latest_move_wins(two_songs: Person) -> None:
    """Of forty moves at once the first and the last are heard: nothing queues up behind a slow answer."""
    person = two_songs
    person.run(HELD)
    last = 10.0 ** (-4.0 / 20.0)
    gain = "studio.store.sections.stages.find(({ name }) => name === 'gain').gain"
    person.until(f"Math.abs({gain} - {last}) < 1e-9")
    person.until("heard().includes(39)")
    assert person.run("heard()") == [0, 39]
    person.run("studio.sound.pause()")


@pytest.mark.parametrize("edited", [False, True])
def test_what_is_heard_is_as_strong_as_what_is_rendered(
    two_songs: Person, album: Studio, edited: bool
) -> None:
    """Strengths weaken what was decided, and what was edited by hand, once; the page shows it at full strength."""
    person = two_songs
    if edited:
        stereo = "{ width: 1.5, bass_frequency_hz: 100, bass_amount: 0.5 }"
        edit = f"c.eq[0].gain_db = 5; c.stages.stereo = {stereo}"
        person.run(f"studio.store.editControls((c) => {{ {edit}; }})")
    full = person.run("studio.store.session.used")
    strength = "s.strength = { eq: 0.5, stereo: 0.25 }; s.overall_strength = 0.75"
    person.run(f"studio.store.editSettings((s) => {{ {strength}; }})")
    person.decided()
    assert person.run("studio.store.session.used.eq") == full["eq"]
    weak = scaled(controls_of(full), {"eq": 0.5, "gain": 0.75, **({"stereo": 0.25} if edited else {})})
    person.settled(weak.as_dict())
    song = person.run("studio.store.currentId")
    settings = person.run("studio.store.session.settings")
    controls = person.run("studio.store.session.controls")
    result = album.done(f"/songs/{song}/render", {"controls": controls, "settings": settings})
    assert "eq=0.5" in result["command"]
    gains = [
        [band["gain_db"] for band in tree["eq"]] for tree in (result["summary"]["controls"], weak.as_dict())
    ]
    assert gains[0] == pytest.approx(gains[1], abs=2e-3)


def test_only_some_stages(two_songs: Person, album: Studio) -> None:
    person = two_songs
    person.run("document.querySelector('#sound details').open = true")
    boxes = person.run("[...document.querySelectorAll('.only label')].map((label) => label.innerText.trim())")
    person.click(f".only label:nth-of-type({1 + boxes.index('Limiter')}) input")
    assert person.run("studio.store.session.settings.only") == ["limiter"]
    person.decided()
    assert person.run("studio.store.session.used.eq.length") > 0  # still there to be seen
    person.until("studio.store.sections.stages[0].sos.every((row) => row.join() === '1,0,0,0,0')")
    person.until("document.querySelector('.command code').textContent.includes('--only limiter')")
    person.click("#eq .stage-tools [aria-label='Equaliser on']")
    assert person.run("studio.store.session.settings.only") == ["limiter", "eq"]
    person.until("studio.store.sections.stages[0].sos.some((row) => row.join() !== '1,0,0,0,0')")


def test_three_proposals(two_songs: Person) -> None:
    person = two_songs
    person.click("#sound .panel-tools button")
    person.until("document.querySelectorAll('dialog .proposal').length === 3")
    largest = [
        float(text.split("at most ")[1].split("\u00a0")[0].replace("\u2212", "-"))
        for text in person.run("[...document.querySelectorAll('.proposal .hint')].map((p) => p.innerText)")
    ]
    assert abs(largest[0]) < abs(largest[1]) < abs(largest[2])
    person.click("dialog input[type=checkbox]")  # blind: neither names nor curves
    text = person.text("dialog .proposals")
    assert "Gentle" not in text and "Strong" not in text and "X" in text
    assert person.run("document.querySelectorAll('dialog canvas').length") == 0
    person.click("dialog input[type=checkbox]")
    person.click("dialog .proposal:nth-child(3) > button:last-child")
    assert person.run("studio.store.session.settings.intensity") == "strong"
    person.until("!document.querySelector('dialog')")
    person.key("z", CTRL)
    assert person.run("studio.store.session.settings.intensity") == "balanced"


def test_playing_and_the_exact_loop(two_songs: Person) -> None:
    person = two_songs
    person.run("document.activeElement.blur()")
    person.key(" ")
    person.until("studio.sound.playing && studio.sound.position > 0.3", 20.0)
    person.key("1")
    assert person.run("studio.sound.engine.heard") == "before"
    person.key("e")
    person.until("studio.sound.region", 30.0)
    region = person.run("({ lufs: studio.sound.region.lufs, before: studio.sound.region.beforeLufs })")
    assert region["lufs"] == pytest.approx(-14.0, abs=1.5) and region["lufs"] > region["before"] + 3.0
    assert "limiter" in person.run("Object.keys(studio.sound.meters)")
    person.key("2")
    assert person.run("studio.sound.engine.heard") == "after"
    person.key("e")
    assert person.run("studio.sound.region") is None
    person.run("document.querySelector('.wave').focus()")
    person.run("studio.sound.seek(2)")
    person.key("i")
    person.key("ArrowRight")  # 2 s on
    person.key("o")
    begin, end = person.run("studio.sound.loop")
    assert begin == pytest.approx(2.0, abs=0.3) and end == pytest.approx(begin + 2.0, abs=0.3)
    person.key("l")
    assert person.run("studio.sound.loop") is None
    person.key(" ")
    assert person.run("studio.sound.playing") is False


def test_abx(two_songs: Person) -> None:
    person = two_songs
    person.run(
        "[...document.querySelectorAll('.transport button')].find((b) => b.innerText === 'ABX').click()"
    )
    person.until("!document.querySelector('.listening').hidden", 20.0)
    for _ in range(3):
        person.run("[...document.querySelectorAll('.answers button')][0].click()")
    buttons = "[...document.querySelectorAll('.test button')]"
    person.run(f"{buttons}.find((b) => b.innerText.startsWith('Finish')).click()")
    assert "of 3 right" in person.text(".listening")
    person.run(f"{buttons}.find((b) => b.innerText === 'Done').click()")
    assert person.run("document.querySelector('.listening').hidden")
    person.run("studio.sound.pause()")


def test_a_reference_is_followed_and_stays_out_of_the_album(two_songs: Person, tmp_path: Path) -> None:
    person = two_songs
    alone = person.run("studio.store.session.used.eq")
    person.drop(".drop", wav(tmp_path / "a song I like.wav", "s8_folk"))
    person.until("studio.store.session.settings.references.length === 1", 60.0)
    person.decided()
    assert person.run("studio.store.session.used.eq") != alone
    assert "a song I like.wav" in person.text(".references")
    assert person.run("document.querySelectorAll('.song-row').length") == 2
    assert person.run("document.querySelector('.match').checkVisibility()")
    assert not person.run("document.querySelector('.references .number').checkVisibility()")
    person.drop(".drop", wav(tmp_path / "another.wav", "s5_house", 5.0))
    person.until("studio.store.session.settings.references.length === 2", 60.0)
    person.decided()
    both = person.run("studio.store.session.used.eq")
    person.run("document.querySelector('.references [aria-label=\"Weight of another.wav\"]').focus()")
    person.key("ArrowUp")
    person.until("studio.store.session.settings.references[1].endsWith('=1.5')")
    person.decided()
    assert person.run("studio.store.session.used.eq") != both
    assert person.focused() == "Weight of another.wav"
    person.click('[aria-label="Don\'t follow another.wav"]')
    person.until("studio.store.session.settings.references.length === 1")
    person.decided()
    person.settled(person.run("studio.store.session.used"))
    full = person.run(CURVE)
    person.run("document.querySelector('.match input').focus()")
    for _ in range(8):
        person.key("ArrowLeft")  # the tone: from 60 to 20 %
    person.until("Math.abs(studio.store.session.settings.match.tone - 0.2) < 1e-6")
    person.decided()
    person.settled(person.run("studio.store.session.used"))
    less = person.run(CURVE)
    assert np.std(less) < 0.75 * np.std(full)
    person.click("[aria-label^='Don']")
    person.decided()
    assert person.run("studio.store.session.used.eq") == alone


def test_an_album_keeps_its_relations(two_songs: Person, album: Studio) -> None:
    person = two_songs
    for song in person.run("studio.store.order"):  # an equaliser would change the relations
        person.run(f"studio.store.select('{song}')")
        person.decided()
        person.choose("#sound select", "none")
        person.until("studio.store.session.settings.model === 'none'")
        person.decided()
    person.click("#render-album")
    person.until("document.querySelectorAll('.files a').length >= 2", 120.0)
    rows = "[...document.querySelectorAll('.files a')]"
    links = person.run(f"{rows}.map((a) => [a.download, a.getAttribute('href')])")
    masters = [io.BytesIO(album.client.get(href).content) for name, href in links if name.endswith(".wav")]
    assert len(masters) == 2
    mixes = [soundfile.read(album_file)[0] for album_file in sorted(Path(album.log).parent.glob("s*.wav"))]
    before = [float(np.sum(mix**2)) for mix in mixes]  # sums: a gap may follow a song
    after = [float(np.sum(soundfile.read(master)[0] ** 2)) for master in masters]
    assert after[1] / after[0] == pytest.approx(before[1] / before[0], rel=0.03)
    assert after[0] != pytest.approx(before[0], rel=0.01)
    text = person.text(".result pre")
    assert text.startswith("nm-master s3_rock.wav s5_house.wav -o masters/ --album --controls controls")


def test_a_project_file_is_taken_over(two_songs: Person, album: Studio, tmp_path: Path) -> None:
    person = two_songs
    project = album.client.get("/project/file").json()
    song = next(each for each in project["songs"] if each["id"] == project["view"]["current"])
    song["settings"]["intensity"] = "gentle"
    stranger = {**song, "id": "0123456789abcdef", "name": "not here.wav"}
    file = tmp_path / "mine.nmstudio"
    file.write_text(json.dumps({**project, "songs": [*project["songs"], stranger]}))
    person.drop("#songs", file)
    person.until("studio.store.session.settings.intensity === 'gentle'", 20.0)
    person.until("document.querySelectorAll('#alerts .alert').length === 1")
    assert "not here.wav" in person.alerts()[0]
    person.click("#alerts button")


def test_many_songs_at_once(person: Person, served: Studio, tmp_path: Path) -> None:
    """More than a browser holds connections to one server."""
    person.open(served.url)
    songs = [wav(tmp_path / f"{n:02d}.wav", "s3_rock", 3.0 + 0.1 * n) for n in range(9)]
    person.drop("#welcome", *songs)
    person.until("[...studio.store.songs.values()].filter((song) => song.readings).length === 9", 120.0)
    names = person.run("studio.store.order.map((id) => studio.store.songs.get(id).name)")
    assert names == [song.name for song in songs]
    person.decided()


def test_refusals_are_one_plain_sentence(two_songs: Person, tmp_path: Path) -> None:
    person = two_songs
    text = tmp_path / "notes.txt"
    text.write_text("no music")
    person.drop("#songs", text)
    person.until("document.querySelectorAll('#alerts .alert').length === 1")
    assert person.alerts()[0].count("notes.txt") == 1 and "expected an audio file" in person.alerts()[0]
    broken = tmp_path / 'a "quoted" & bold name.wav'
    broken.write_bytes(np.random.default_rng(1).bytes(4_000))
    person.click("#alerts button")
    assert person.alerts() == []
    person.drop("#songs", broken)
    person.until("[...studio.store.songs.values()].some((song) => song.state === 'failed')", 30.0)
    said = person.run("[...document.querySelectorAll('.song-row small.bad')].map((node) => node.innerText)")
    assert len(said) == 1 and "Traceback" not in said[0] and "can't be read" in said[0]
    assert str(tmp_path) not in said[0] and "/" not in said[0].split("can't be read")[0]
    person.run("document.querySelector('.song-row:last-child .song-tools button:last-child').click()")
    person.until("document.querySelectorAll('.song-row').length === 2")
    person.tab.events[:] = [e for e in person.tab.events if "422" not in json.dumps(e)]  # the refusal itself


def test_songs_with_hardly_anything_in_them(person: Person, served: Studio, tmp_path: Path) -> None:
    """Silence, a third of a second, mono at 96 kHz: the page says what it knows, and each can be rendered."""
    noise = 0.1 * np.random.default_rng(3).standard_normal((96_000 * 5, 1))
    soundfile.write(tmp_path / "silence.wav", np.zeros((3 * 44_100, 2)), 44_100)
    soundfile.write(tmp_path / "short.wav", noise[:13_230].repeat(2, axis=1), 44_100)
    soundfile.write(tmp_path / "mono & -- $(name).flac", noise, 96_000)
    names = {path.name: served.upload(path) for path in sorted(tmp_path.iterdir())}
    spectra = {
        name: served.get(f"/songs/{song}/spectrum")["fine"]["level_db"] for name, song in names.items()
    }
    assert not any(level is not None for level in spectra["silence.wav"])
    assert all(any(level is not None for level in spectra[name]) for name in names if name != "silence.wav")
    person.open(served.url)
    said = {}
    for name, song in names.items():
        person.run(f"studio.store.select('{song}')")
        person.decided()
        person.until("!document.querySelector('#render').disabled")
        person.click("#render")
        person.until("!document.querySelector('.result').hidden", 120.0)
        said[name] = person.text(".result p")
        href = person.run("document.querySelector('.files a').getAttribute('href')")
        made = soundfile.info(io.BytesIO(served.client.get(href).content))
        source = soundfile.info(tmp_path / name)
        assert (made.frames, made.samplerate, made.channels) == (
            source.frames,
            source.samplerate,
            source.channels,
        )
    assert "silent" in said["silence.wav"] and "too short for a loudness" in said["short.wav"]
    assert "−14.0 LUFS" in said["mono & -- $(name).flac"]
    assert person.alerts() == []
    person.tab.events[:] = [e for e in person.tab.events if "422" not in json.dumps(e)]  # nothing to compare
    # the command is what the server said, and no line of it ends inside of an option that fits
    person.run(f"studio.store.select('{names['mono & -- $(name).flac']}')")
    person.until("document.querySelector('.command code').textContent.includes('mono')")
    shown = person.run("document.querySelector('.command code').textContent")
    assert shlex.split(shown)[:3] == ["nm-master", "mono & -- $(name).flac", "-o"]
    broken = person.run(
        """(() => {
          const pre = document.querySelector(".command pre");
          const style = getComputedStyle(pre);
          const line = parseFloat(style.lineHeight);
          const width = pre.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
          return [...pre.querySelectorAll(".option")].filter((node) => {
            const box = node.getBoundingClientRect();
            return box.height > 1.5 * line && box.width < 0.75 * width;
          }).map((node) => node.textContent);
        })()"""
    )
    assert broken == [] and shown.count("\n") == 0


def test_without_an_audio_device(two_songs: Person) -> None:
    person = two_songs
    person.choose("#sound select", "rock")  # has bands to move
    person.until("studio.store.session.settings.style === 'rock'")
    person.decided()
    person.run("globalThis.AudioContext = function () { throw new Error('no device'); }")
    person.click(".play")
    person.until("document.querySelectorAll('#alerts .alert').length === 1")
    assert "No audio device" in person.alerts()[0]
    assert person.run("document.querySelector('.play').disabled")
    person.until("document.querySelector('.eq-handle') !== null")
    person.run("document.querySelector('.eq-handle').focus()")
    before = first_band(person)
    person.key("ArrowUp")
    assert first_band(person) != before
    person.key("z", CTRL)
