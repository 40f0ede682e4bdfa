"""Both pages opened from disk in headless Chromium: players, blind tests, the list of songs, colour schemes."""

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nm_test_browser import Browser
from nm_test_reports import METRICS, SYSTEMS, eval_report, master_report, summary
from numpy.typing import NDArray

from neural_mastering.reporting.eval_report import EvalReport, SongEntry, SystemEntry, write_eval_report
from neural_mastering.reporting.master_report import write_master_report
from neural_mastering.reporting.report_data import Chart, ChartLine, Clip

RATE = 44_100
TONE_HZ = 441.0


def tone(level_db: float, seconds: float = 4.0) -> NDArray[np.float64]:
    """A sine in both channels, with a click at 1 s that tells where the clip stands in time."""
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * TONE_HZ * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave])


@pytest.fixture(scope="module")
def master(song: tuple[NDArray[np.float32], int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = master_report(*song, title="Söng [1] = 'a'")
    clips = [Clip("before", tone(-26.0), RATE, "before"), Clip("after", tone(-10.0), RATE)]
    return write_master_report(replace(report, clips=clips), tmp_path_factory.mktemp("master page"))


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six songs, three sources each, in Ogg Vorbis; errors and names in different orders."""
    clips = [Clip("before", tone(-26.0), RATE, "before"), Clip("target", tone(-12.0), RATE, "target")]
    clips.append(Clip("phase 1A", tone(-10.0), RATE))
    errors = [3.0, 1.0, 5.0, math.nan, 4.0, 2.0]
    songs = [
        SongEntry(
            f"{'abcxyz'[i]} song",
            f"group {i % 2}",
            {"identity": {"ltas_db": 3.0}, "1a": {"ltas_db": errors[i]}},
            spectra=Chart([100.0, 1_000.0, 10_000.0], [ChartLine("before", [-20.0, -30.0, -40.0], "before")]),
            short_term=Chart([3.0, 4.0], [ChartLine("before", [-20.0, -21.0], "before")]),
            clips=clips,
        )
        for i in range(6)
    ]
    report = eval_report(songs, 6, audio_budget_mb=4.5)
    return write_eval_report(report, tmp_path_factory.mktemp("eval page"))


@pytest.fixture
def tab(browser: Browser) -> Iterator[Browser]:
    """The browser; what a page complained about, or asked of a network, fails the test that opened it."""
    yield browser
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith("file:")] == []
    assert len(browser.requests()) <= 1


def fresh(tab: Browser, page: Path, **options: object) -> None:
    tab.open(page, **options)  # type: ignore[arg-type]
    tab.run("neuralMastering.log.clear()")


def fill(tab: Browser, selector: str, value: str, event: str) -> None:
    """Give a field a value, as a user would."""
    field = f"document.querySelector({json.dumps(selector)})"
    tab.run(f"{field}.value = {json.dumps(value)}")
    tab.run(f"{field}.dispatchEvent(new Event('{event}'))")


PLAYER = "neuralMastering.Player.all[0]"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_pages_fit_the_window(tab: Browser, master: Path, evaluation: Path, width: int, dark: bool) -> None:
    for page in (master, evaluation):
        fresh(tab, page, width=width, dark=dark)
        tab.run("document.querySelectorAll('details.more').forEach((d) => (d.open = true))")
        tab.run("document.querySelector('.song')?.setAttribute('open', '')")
        assert tab.run("document.documentElement.scrollWidth") <= width
        ink, paper = tab.run(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
            ".map((c) => c.match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0))"
        )
        assert (paper < 150 < 600 < ink) if dark else (ink < 150 < 600 < paper)


def test_all_text_has_contrast(tab: Browser, master: Path, evaluation: Path) -> None:
    """WCAG AA, 4.5 : 1, of every text against the nearest opaque background, in both colour schemes."""
    script = (Path(__file__).parents[1] / "support" / "contrast.js").read_text("utf-8")
    for page in (master, evaluation):
        for dark in (False, True):
            fresh(tab, page, dark=dark)
            tab.run("document.querySelector('.song')?.setAttribute('open', '')")
            seen, poor = tab.run(script)
            assert seen > 100 and poor == []


def test_switching_keeps_the_position(tab: Browser, master: Path) -> None:
    fresh(tab, master)
    tab.run(f"{PLAYER}.toggle()")
    tab.wait_for(f"{PLAYER}.position > 0.5")
    positions = tab.run(
        f"""(() => {{
          const player = {PLAYER};
          const voices = player.mixer.voices;
          return [1, 0, 1].map((button) => {{
            const before = player.position;
            player.select(button);
            const same = player.mixer.voices === voices;
            return [before, player.position, same, player.sources[player.heard].name];
          }});
        }})()"""
    )
    for (before, after, same_voices, name), expected in zip(
        positions, ("after", "before", "after"), strict=True
    ):
        assert 0.0 <= after - before < 0.05 and same_voices and name == expected
    before = tab.run(f"{PLAYER}.position")
    tab.run(f"{PLAYER}.pause()")
    paused = tab.run(f"{PLAYER}.position")
    assert paused >= before and tab.run(f"{PLAYER}.position") == paused
    tab.run(f"{PLAYER}.select(0)")
    assert tab.run(f"{PLAYER}.position") == paused
    tab.run(f"{PLAYER}.toggle()")
    tab.wait_for(f"{PLAYER}.position > {paused} + 0.1")
    tab.run(f"{PLAYER}.pause()")


def render(tab: Browser, actions: str, seconds: float = 2.0) -> NDArray[np.float64]:
    """What a listener would hear from the page's own mixer; `actions` may use `at(time, what)`."""
    samples = tab.run(
        f"""(async () => {{
          const player = {PLAYER};
          const {{ Mixer, decodeBase64 }} = neuralMastering;
          const context = new OfflineAudioContext(1, {round(seconds * RATE)}, {RATE});
          const texts = [...player.root.querySelectorAll("script.clip")];
          const buffers = await Promise.all(texts.map((t) => context.decodeAudioData(decodeBase64(t.textContent))));
          const mixer = new Mixer(context, buffers);
          mixer.levels = player.sources.map((s) => s.matched_db);
          const at = (time, what) => context.suspend(time).then(() => {{ what(mixer); context.resume(); }});
          {actions}
          mixer.start();
          const out = (await context.startRendering()).getChannelData(0);
          return Array.from(out, (v) => Math.round(v * 1e7));
        }})()"""
    )
    return np.array(samples) / 1e7


def test_a_switch_makes_no_sound(tab: Browser, master: Path) -> None:
    """Two copies of one tone, 16 dB apart: matched, a switch between them must leave the tone as it is."""
    fresh(tab, master)
    heard = render(
        tab, "at(0.5, (m) => m.select(1)); at(1.1, (m) => m.select(0)); at(1.4, (m) => m.select(1));"
    )
    expected = tone(-26.0)[0, : heard.size]  # the level of the quietest: no source is amplified
    np.testing.assert_allclose(heard, expected, atol=3e-4 * 10 ** (-26 / 20) + 4e-5)
    unmatched = render(
        tab, "mixer.levels = player.sources.map((s) => s.true_db); at(0.5, (m) => m.select(1));"
    )
    step_db = 20 * np.log10(np.abs(unmatched[-RATE // 2 :]).max() / np.abs(unmatched[: RATE // 4]).max())
    assert step_db == pytest.approx(16.0, abs=0.05)


def test_a_loop_and_a_seek_land_on_the_sample(tab: Browser, master: Path) -> None:
    fresh(tab, master)
    looped = render(tab, "mixer.offset = 3.5;", seconds=1.0)
    source = tone(-26.0)[0]
    np.testing.assert_allclose(looped[: RATE // 2], source[round(3.5 * RATE) :], atol=5e-5)
    np.testing.assert_allclose(looped[RATE // 2 + 10 :], source[10 : RATE // 2], atol=5e-5)


def test_sources_stay_in_step_through_the_lossy_codec(tab: Browser, evaluation: Path) -> None:
    fresh(tab, evaluation)
    first = render(tab, "", 1.0)
    for source in (1, 2):
        other = render(tab, f"mixer.heard = {source};", 1.0)
        lag = np.argmax(np.correlate(other[2000:2400], first[2000 - 50 : 2400 + 50], "valid")) - 50
        assert abs(int(lag)) == 0
        assert np.sqrt(np.mean(other**2)) == pytest.approx(np.sqrt(np.mean(first**2)), rel=0.02)


def test_keys_work_the_player(tab: Browser, master: Path) -> None:
    fresh(tab, master)
    tab.press(" ", "Space", " ")
    tab.wait_for(f"{PLAYER}.playing")
    tab.press("2", "Digit2", "2")
    assert tab.run(f"{PLAYER}.sources[{PLAYER}.heard].name") == "after"
    tab.press("m", "KeyM", "m")
    assert tab.run(f"{PLAYER}.matched.checked") is False
    levels = tab.run(f"{PLAYER}.mixer.levels")
    assert max(levels) == 0.0 and levels == tab.run(f"{PLAYER}.sources.map((s) => s.true_db)")
    tab.press("m", "KeyM", "m")
    assert tab.run(f"{PLAYER}.mixer.levels") == tab.run(f"{PLAYER}.sources.map((s) => s.matched_db)")
    tab.press(" ", "Space", " ")
    assert tab.run(f"{PLAYER}.playing") is False
    tab.run(f"{PLAYER}.seek(1.0); document.querySelector('.source').focus()")
    tab.press("ArrowRight")
    assert tab.run(f"{PLAYER}.position") == pytest.approx(3.0, abs=0.01)
    tab.press("ArrowLeft")
    assert tab.run(f"{PLAYER}.position") == pytest.approx(1.0, abs=0.01)
    tab.press("ArrowDown")
    assert tab.run("document.activeElement.textContent").startswith("1before")
    tab.press("l", "KeyL", "l")
    assert tab.run(f"{PLAYER}.mixer.loop") is False


def test_without_a_loop_the_end_is_the_end(tab: Browser, master: Path) -> None:
    fresh(tab, master)
    tab.run(f"{PLAYER}.loop.click(); {PLAYER}.seek(3.7); {PLAYER}.toggle()")
    tab.wait_for(f"{PLAYER}.playing")
    tab.wait_for(f"!{PLAYER}.playing", 10)
    assert tab.run(f"{PLAYER}.position") == 0.0
    assert tab.run("document.querySelector('.play').getAttribute('aria-label')") == "Play"


def test_blind_comparison_hides_shuffles_and_logs(tab: Browser, evaluation: Path) -> None:
    fresh(tab, evaluation, fragment="#song-1")
    player = "neuralMastering.Player.all[1]"
    assert tab.run("document.querySelector('#song-1').open")
    names = ["before", "target", "phase 1A"]
    orders = []
    for trial in range(12):
        tab.run(f"{player}.root.querySelector('.start-blind').click()")
        shown = tab.run(f"{player}.box.innerHTML + {player}.root.querySelector('.test').innerHTML")
        assert not any(name in shown for name in names) and "dB" not in shown and "c-result" not in shown
        assert tab.run(f"[...{player}.box.children].map((b) => b.textContent)") == ["1A", "2B", "3C"]
        assert tab.run(f"{player}.matched.checked && {player}.matched.disabled")
        order = tab.run(f"{player}.order")
        orders.append(tuple(order))
        choice = trial % 3
        tab.run(
            f"{player}.select({choice}); {player}.root.querySelector('.test input').value = 'note, \"{trial}\"'"
        )
        tab.run(f"{player}.root.querySelectorAll('.answer')[{choice}].click()")
        entry = tab.run("neuralMastering.log.entries.at(-1)")
        assert entry["choice"] == names[order[choice]] and entry["choice_label"] == "ABC"[choice]
        assert entry["labels"] == {"ABC"[i]: names[k] for i, k in enumerate(order)}
        assert (
            entry["song"] == "b song"
            and entry["mode"] == "preference"
            and entry["note"] == f'note, "{trial}"'
        )
        told = tab.run(f"{player}.root.querySelector('.revealed').textContent")
        assert f"You preferred {names[order[choice]]}" in told
        tab.run(f"[...{player}.root.querySelectorAll('.test button')].at(-1).click()")
        assert tab.run(f"[...{player}.box.children].map((b) => b.querySelector('span').textContent)") == names
    assert len(set(orders)) > 1 and all(sorted(o) == [0, 1, 2] for o in orders)
    assert tab.run("document.querySelector('#listening-log .count').textContent") == "12 choices logged."


def test_the_log_downloads_as_json_and_csv_and_outlives_a_reload(
    tab: Browser, evaluation: Path, tmp_path: Path
) -> None:
    fresh(tab, evaluation)
    tab.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    for note in ("=1+1", 'two "words", and a line'):
        tab.run("document.querySelector('.start-blind').click()")
        tab.run(f"document.querySelector('.test input').value = {json.dumps(note)}")
        tab.run(f"{PLAYER}.root.querySelectorAll('.answer')[3].click()")
        tab.run(f"[...{PLAYER}.root.querySelectorAll('.test button')].at(-1).click()")
    fresh_entries = tab.run("neuralMastering.log.entries")
    tab.open(evaluation)
    assert tab.run("neuralMastering.log.entries") == fresh_entries
    for kind in ("json", "csv"):
        tab.run(f"document.querySelector('#listening-log .{kind}').click()")
    deadline = 200
    while len([f for f in tmp_path.iterdir() if f.suffix in (".json", ".csv")]) < 2 and deadline:
        tab.run("new Promise((done) => setTimeout(done, 50))")
        deadline -= 1
    saved = {f.suffix: f for f in tmp_path.iterdir()}
    document = json.loads(saved[".json"].read_text("utf-8"))
    assert document["choices"] == fresh_entries and document["title"] == "Phases 1A and 1C on demo songs"
    assert document["report"] and saved[".json"].name == f"listening-{document['report']}.json"
    rows = list(csv.DictReader(io.StringIO(saved[".csv"].read_text("utf-8"), newline="")))
    assert [r["choice"] for r in rows] == ["no preference"] * 2
    assert rows[0]["note"] == "'=1+1"  # a spreadsheet must not run it
    assert rows[1]["note"] == 'two "words", and a line'
    assert json.loads(rows[0]["labels"]) == fresh_entries[0]["labels"]


def test_abx_counts_what_was_heard_right(tab: Browser, master: Path) -> None:
    fresh(tab, master)
    tab.run("document.querySelector('.start-abx').click()")
    right, hidden = 0, []
    for trial in range(10):
        labels = tab.run(f"[...{PLAYER}.box.children].map((b) => b.textContent)")
        assert labels == ["1A: before", "2B: after", "3X"]
        order = tab.run(f"{PLAYER}.order")
        assert order[:2] == [0, 1] and order[2] in (0, 1)
        hidden.append(order[2])
        answer = order[2] if trial < 8 else 1 - order[2]
        assert "right" not in tab.run(f"{PLAYER}.root.querySelector('.test').textContent").replace(
            "Right answers", ""
        )
        tab.run(f"{PLAYER}.root.querySelectorAll('.answer')[{answer}].click()")
        right += answer == order[2]
        entry = tab.run("neuralMastering.log.entries.at(-1)")
        assert entry["correct"] == (answer == order[2]) and entry["trial"] == trial + 1
    tab.run(f"[...{PLAYER}.root.querySelectorAll('.test button')].at(-1).click()")
    told = tab.run(f"{PLAYER}.root.querySelector('.revealed').textContent")
    assert told.startswith("8 of 10 right.") and "in 5 % of such tests" in told
    assert tab.run(
        "[neuralMastering.guessing(8, 10), neuralMastering.guessing(0, 7), neuralMastering.guessing(5, 5)]"
    ) == (pytest.approx([56 / 1024, 1.0, 1 / 32]))
    assert 0 < sum(hidden) < 10  # all alike once in 512 runs


def test_chance_is_fair(tab: Browser, master: Path) -> None:
    """Each of 6 orders of 3 sources, 600 draws: within 5 standard deviations."""
    fresh(tab, master)
    draws = tab.run("Array.from({ length: 600 }, () => neuralMastering.shuffled([0, 1, 2]).join(''))")
    counts = Counter(draws)
    assert len(counts) == 6 and all(abs(c - 100) < 5 * math.sqrt(600 * 5 / 36) for c in counts.values())


def test_the_time_each_source_was_heard_is_logged(tab: Browser, master: Path) -> None:
    fresh(tab, master)
    tab.run(f"document.querySelector('.start-blind').click(); {PLAYER}.toggle()")
    tab.wait_for(f"{PLAYER}.playing && {PLAYER}.position > 0.6")
    tab.run(f"{PLAYER}.select(1)")
    tab.run("new Promise((done) => setTimeout(done, 300))")
    order = tab.run(f"{PLAYER}.order")
    tab.run(f"{PLAYER}.root.querySelectorAll('.answer')[1].click(); {PLAYER}.pause()")
    entry = tab.run("neuralMastering.log.entries.at(-1)")
    names = ["before", "after"]
    assert entry["seconds_heard"][names[order[0]]] >= 0.5 and entry["seconds_heard"][names[order[1]]] >= 0.2
    assert entry["switches"] == 1


def test_the_list_of_songs_is_searched_and_sorted(tab: Browser, evaluation: Path) -> None:
    fresh(tab, evaluation)
    shown = "[...document.querySelectorAll('.song')].filter((s) => !s.hidden)"
    order = f"{shown}.map((s) => s.dataset.name[0]).join('')"
    assert tab.run(order) == "abcxyz"
    options = tab.run(
        "[...document.querySelectorAll('select.order option')].map((o) => [o.textContent, o.value])"
    )
    by_name = dict(options)
    fill(tab, "select.order", by_name["LTAS error, phase 1A: worst first"], "change")
    assert tab.run(order) == "cyazbx"  # 5, 4, 3, 2, 1, not known
    fill(tab, "input[type=search]", "SONG 1", "input")
    assert tab.run(order) == "zbx"
    assert tab.run("document.querySelector('.found').textContent") == "3 of 6 songs"
    tab.run("document.querySelector('.next').click(); document.querySelector('.next').click()")
    opened = "[...document.querySelectorAll('.song[open]')].map((s) => s.dataset.name)"
    tab.wait_for(f"{opened}.join() === 'b song'")


def test_songs_are_decoded_when_played_and_forgotten_when_closed(tab: Browser, evaluation: Path) -> None:
    fresh(tab, evaluation, fragment="#song-0")
    loaded = "neuralMastering.Player.all.map((p) => p.mixer !== null)"
    assert tab.run(loaded) == [False] * 6
    tab.run(f"{PLAYER}.toggle()")
    tab.wait_for(f"{PLAYER}.playing")
    assert tab.run(loaded) == [True] + [False] * 5
    tab.run("document.querySelector('#song-2').open = true")
    tab.wait_for(f"!{PLAYER}.playing")
    assert tab.run(loaded) == [False] * 6
    tab.run("neuralMastering.Player.all[2].toggle()")
    tab.wait_for("neuralMastering.Player.all[2].playing")
    tab.run("neuralMastering.Player.all[1].toggle()")
    tab.wait_for("neuralMastering.Player.all[1].playing")
    assert tab.run("neuralMastering.Player.all.map((p) => p.playing)") == [False, True] + [False] * 4


def test_a_click_on_a_heading_sorts_a_table(tab: Browser, evaluation: Path) -> None:
    fresh(tab, evaluation)
    column = "[...document.querySelector('#table-0 tbody').rows].map((r) => Number(r.cells[1].dataset.value))"
    given = tab.run(column)
    assert given == [summary("As rendered", 24, 9).cells[s.key, METRICS[0].key].mean for s in SYSTEMS]
    for expected in (sorted(given), sorted(given, reverse=True), given):
        tab.run("document.querySelectorAll('#table-0 thead .sort')[1].click()")
        assert tab.run(column) == expected


def test_hostile_names_do_not_run(browser: Browser, nasty: tuple[str, ...], tmp_path: Path) -> None:
    clips = [Clip(name, tone(-20.0, 1.0), RATE) for name in nasty]
    systems = [SystemEntry(name, name, note=name) for name in nasty]
    entry = SongEntry(nasty[0], nasty[1], {n: {"ltas_db": 1.0} for n in nasty}, clips=clips, notes=nasty)
    report = EvalReport(
        nasty[4], systems, [], 1, [entry], METRICS[:1], {"a": nasty[0]}, nasty, warnings=nasty
    )
    page = write_eval_report(report, tmp_path)
    browser.open(page)
    browser.run(
        "globalThis.hacked = () => { globalThis.broken = true; }; document.querySelector('.song').open = true"
    )
    browser.run(
        f"document.querySelector('.start-blind').click(); {PLAYER}.root.querySelector('.answer').click()"
    )
    assert browser.run("globalThis.broken ?? false") is False
    assert browser.run("document.querySelectorAll('main img, svg[onload]').length") == 0
    assert sorted(browser.run("Object.values(neuralMastering.log.entries.at(-1).labels)")) == sorted(nasty)
    assert browser.run("document.querySelector('#listening-log td').textContent") == nasty[0]
    assert browser.complaints() == []


def test_the_policy_holds_even_if_a_script_got_in(browser: Browser, master: Path) -> None:
    browser.open(master)
    refused = browser.run("fetch('https://example.org/').then(() => 'sent', () => 'refused')")
    for element, field, value in (
        ("script", "textContent", "globalThis.broken = 1"),
        ("img", "src", "https://example.org/a.png"),
    ):
        made = f"Object.assign(document.createElement('{element}'), {{ {field}: '{value}' }})"
        browser.run(f"document.body.append({made})")
    assert refused == "refused" and browser.run("globalThis.broken ?? 0") == 0
    assert sum("Content Security Policy" in text for text in browser.complaints()) >= 2
