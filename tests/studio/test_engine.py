"""The browser's live chain and player in headless Chromium, against the renderer and against sums in numpy."""

import base64
import json
import math
from collections.abc import Iterator

import numpy as np
import pytest
import scipy.signal
from nm_test_browser import Browser
from nm_test_site import Site, serve
from numpy.typing import NDArray

from neural_mastering.audio_io.block import blocks_of, joined
from neural_mastering.controls import Bands, ChainControls, EqBand
from neural_mastering.controls.catalogue import Values
from neural_mastering.metering.meter import Meter
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.studio.sections import sections_of

FADE_S, GLIDE_S = 0.005, 0.002
RATE = 44_100
FADE = math.floor(FADE_S * RATE + 0.5)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


@pytest.fixture
def tab(browser: Browser, site: Site) -> Iterator[Browser]:
    browser.go(site.url)
    yield browser
    assert browser.complaints() == []


def noise(seconds: float, rate: int, channels: int = 2, seed: int = 0) -> NDArray[np.float32]:
    """Pink-ish noise, partly common to both channels."""
    white = np.random.default_rng(seed).standard_normal((channels, round(seconds * rate)))
    white[-1] = 0.6 * white[0] + 0.8 * white[-1]
    pink = np.asarray(scipy.signal.lfilter([0.05, -0.0495], [1.0, -0.997], white, axis=1))
    return (0.2 * pink / pink.std()).astype(np.float32)


def samples(text: str) -> NDArray[np.float64]:
    """(2, time) from base64."""
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(2, -1).astype(np.float64)


def about(song: NDArray[np.float32], rate: int) -> str:
    """The song as the engine wants it."""
    return json.dumps({"sample_rate": rate, "channels": len(song), "frames": song.shape[1]})


def heard(
    tab: Browser, site: Site, song: NDArray[np.float32], rate: int, actions: str, seconds: float | None = None
) -> NDArray[np.float64]:
    """What the engine plays in an offline context; `actions` use `engine` and `at(time, what)`."""
    site.song = song
    length = song.shape[1] if seconds is None else round(seconds * rate)
    script = f"neuralMastering.heard({about(song, rate)}, {length}, (engine, at) => {{ {actions} }})"
    return samples(tab.run(script))


def random_controls(seed: int, design_rate_hz: float) -> ChainControls:
    rng = np.random.default_rng(seed)

    def bands(count: int) -> Bands:
        hz = np.sort(np.exp(rng.uniform(np.log(30.0), np.log(15_000.0), count)))
        kinds = ["low_shelf", *["peak"] * (count - 2), "high_shelf"]
        q = np.where(np.arange(count) % (count - 1) == 0, 0.7, rng.uniform(0.5, 5.0, count))
        return Bands.of(
            EqBand(kind, float(f), float(g), float(x))  # type: ignore[arg-type]
            for kind, f, g, x in zip(kinds, hz, rng.uniform(-12.0, 12.0, count), q, strict=True)
        )

    mid, side = bands(5), bands(5)
    stages: dict[str, Values] = {
        "mid_side_eq": {
            "bands": 5.0,
            "design_rate_hz": design_rate_hz,
            **{
                f"{part}_{key}": tuple(getattr(of, key).tolist())
                for part, of in (("mid", mid), ("side", side))
                for key in ("frequency_hz", "gain_db", "q")
            },
        },
        "stereo": {
            "width": float(rng.uniform(0.0, 2.0)),
            "bass_frequency_hz": float(rng.uniform(20.0, 300.0)),
            "bass_amount": float(rng.uniform(0.0, 1.0)),
        },
    }
    return ChainControls(design_rate_hz, bands(8), float(rng.uniform(-6.0, 6.0)), stages)


def rendered(controls: ChainControls, song: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """By the renderer of nm-master, before the delivery."""
    stages = build_stages(controls, rate, len(song))
    return joined(run_stages(stages, blocks_of(song)), len(song))


def error_db(got: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    return float(20 * np.log10(np.linalg.norm(got - expected) / np.linalg.norm(expected)))


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_live_chain_is_the_renderer(tab: Browser, site: Site, rate: int, seed: int) -> None:
    song, controls = noise(1.5, rate, seed=seed), random_controls(seed, 44_100.0)
    chain = sections_of(controls, rate)
    assert chain["not_live"] == [] and chain["fitted"] == {}
    got = heard(tab, site, song, rate, f"engine.setSections({json.dumps(chain)}); engine.listen('after');")
    begun = round(FADE_S * rate)
    expected = rendered(controls, song, rate)
    assert error_db(got[:, begun:], expected[:, begun:]) < -80.0
    assert error_db(got[:, begun:], song[:, begun:].astype(float)) > -20.0  # the chain does something


def test_mono_gets_the_curve_of_the_mid_on_both_sides(tab: Browser, site: Site) -> None:
    song, controls = noise(1.0, RATE, channels=1), random_controls(4, RATE)
    script = f"engine.setSections({json.dumps(sections_of(controls, RATE))}); engine.listen('after');"
    got = heard(tab, site, song, RATE, script)
    np.testing.assert_array_equal(got[0], got[1])
    assert error_db(got[:1, 300:], rendered(controls, song, RATE)[:, 300:]) < -80.0


def test_before_and_after_share_one_clock(tab: Browser, site: Site) -> None:
    """Each sample of a switch is the same sample of the song in both, mixed over 5 ms, each with its own gain."""
    song = noise(1.0, RATE)
    chain = sections_of(ChainControls(gain_db=6.0), RATE)
    got = heard(
        tab,
        site,
        song,
        RATE,
        f"engine.setSections({json.dumps(chain)}); engine.setMatched(-1, -7);"
        "at(0.3, () => engine.listen('after')); at(0.6, () => engine.listen('before'));",
    )
    fade = FADE
    quantum = 128
    first, second = (-(-round(s * RATE) // quantum) * quantum for s in (0.3, 0.6))
    time = np.arange(song.shape[1])
    share = np.clip((time - first + 1) / fade, 0, 1) - np.clip((time - second + 1) / fade, 0, 1)
    # 10^((6 − 7)/20) and 10^(−1/20) are the same: the switch must not be heard at all
    start = np.clip((time + 1) / fade, 0, 1)
    np.testing.assert_allclose(got, song * 10 ** (-1 / 20) * start, atol=2e-6)
    loud = heard(
        tab,
        site,
        song,
        RATE,
        f"engine.setSections({json.dumps(chain)}); engine.setMatched(0, 0);"
        "at(0.3, () => engine.listen('after')); at(0.6, () => engine.listen('before'));",
    )
    expected = song * start * (1 + share * (10 ** (6 / 20) - 1))
    np.testing.assert_allclose(loud, expected, atol=2e-6)


def click(audio: NDArray[np.float64]) -> float:
    """Loudest sample above 5 kHz where only a low tone should be."""
    high = np.asarray(
        scipy.signal.sosfilt(scipy.signal.butter(8, 5_000, "high", fs=RATE, output="sos"), audio)
    )
    return float(np.abs(high[:, RATE // 10 :]).max())


STEPS = {
    "gain": (ChainControls(gain_db=-6.0), ChainControls(gain_db=6.0)),
    "a band's gain": tuple(
        ChainControls(eq=Bands.of([EqBand("low_shelf", 150.0, gain, 0.7)])) for gain in (-9.0, 9.0)
    ),
    "a band's frequency": tuple(
        ChainControls(eq=Bands.of([EqBand("peak", hz, 12.0, 4.0)])) for hz in (90.0, 200.0)
    ),
    "a band more": tuple(
        ChainControls(
            eq=Bands.of([EqBand("peak", 120.0, 9.0, 2.0), EqBand("low_shelf", 200.0, -6.0, 0.7)][:n])
        )
        for n in (1, 2)
    ),
    "a stage more": tuple(
        ChainControls(stages=stages)
        for stages in ({}, {"stereo": {"width": 0.2, "bass_frequency_hz": 200.0, "bass_amount": 0.8}})
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_a_control_makes_no_click(tab: Browser, site: Site, name: str) -> None:
    """A 120 Hz tone, and a control that jumps there and back while it plays: what appears above 5 kHz.

    The witness is the same jump without gliding: new sections from one sample to the next.
    """
    time = np.arange(RATE) / RATE
    song = np.stack([0.5 * np.sin(2 * np.pi * 120 * time), 0.5 * np.sin(2 * np.pi * 120 * time + 1)])
    one, two = (json.dumps(sections_of(controls, RATE)) for controls in STEPS[name])
    got = heard(
        tab,
        site,
        song.astype(np.float32),
        RATE,
        f"engine.setSections({one}); engine.listen('after');"
        f"at(0.4, () => engine.setSections({two})); at(0.7, () => engine.setSections({one}));",
    )
    early, late = (rendered(controls, song.astype(np.float32), RATE) for controls in STEPS[name])
    inside = (time >= 0.4) & (time < 0.7)
    abrupt = np.where(inside, late, early)
    assert np.abs(got - abrupt)[:, round(0.36 * RATE) : round(0.39 * RATE)].max() < 1e-5
    assert click(abrupt) > 0.003, "the jump itself must be heard for this test to mean anything"
    assert click(got) < 2e-4  # −68 dB below the tone's peak
    settled = (time > 0.69) & (time < 0.70)
    assert np.abs(got - late)[:, settled].max() < 5e-3  # it has arrived


def test_coefficients_follow_through_two_one_poles_from_the_next_quantum_on(tab: Browser, site: Site) -> None:
    """A gain that turns back while it moves, against scipy's filter on its aims."""
    song = np.full((2, RATE // 2), 0.25, np.float32)
    chains = [json.dumps(sections_of(ChainControls(gain_db=db), RATE)) for db in (0.0, 6.0, -6.0)]
    got = heard(
        tab,
        site,
        song,
        RATE,
        f"engine.setSections({chains[0]}); engine.listen('after'); at(0.2, () => engine.setSections({chains[1]}));"
        f"at(0.203, () => engine.setSections({chains[2]}));",
    )
    first, second = (-(-round(s * RATE) // 128) * 128 for s in (0.2, 0.203))
    aims = np.ones(song.shape[1])
    aims[first:second], aims[second:] = 10 ** (6 / 20), 10 ** (-6 / 20)
    factor = 1 - np.exp(-1 / (GLIDE_S * RATE))
    for _ in range(2):
        aims, _ = scipy.signal.lfilter([factor], [1.0, factor - 1.0], aims, zi=[1.0 - factor])
    assert 1.0 < aims[second:].max() < 10 ** (6 / 20)
    np.testing.assert_allclose(got[0, 300:], 0.25 * aims[300:], atol=1e-6)


def test_a_loop_and_a_seek_leave_no_gap(tab: Browser, site: Site) -> None:
    """Positions told from the samples: each is where the song would be; jumps take 5 ms."""
    frames = 6 * RATE
    song = np.stack([np.arange(frames) / frames, np.full(frames, 0.5)]).astype(np.float32)
    got = heard(
        tab,
        site,
        song,
        RATE,
        "engine.setLoop(1.0, 1.5); engine.seek(1.2); at(1.6, () => { engine.setLoop(null); engine.seek(5.0); });",
        seconds=2.2,
    )
    fade = FADE
    np.testing.assert_allclose(got[1, fade:], 0.5, atol=1e-6)  # never a gap
    place = got[0] * frames
    jump = -(-round(1.6 * RATE) // 128) * 128
    time = np.arange(jump)
    expected = RATE + (0.2 * RATE + time) % (RATE // 2)
    since = (0.2 * RATE + time) % (RATE // 2)
    steady = (time > fade) & ((since > fade) | (time < 0.3 * RATE))
    np.testing.assert_allclose(place[:jump][steady], expected[steady], atol=0.1)
    np.testing.assert_allclose(place[jump + fade :], 5 * RATE + np.arange(fade, place.size - jump), atol=0.1)


def test_a_pause_fades_and_goes_on_where_it_stopped(tab: Browser, site: Site) -> None:
    frames = 3 * RATE
    song = np.tile(np.arange(1, frames + 1) / frames, (2, 1)).astype(np.float32)
    got = heard(
        tab,
        site,
        song,
        RATE,
        "at(0.3, () => engine.pause()); at(0.5, () => engine.play());"
        "at(0.8, () => { engine.pause(); engine.seek(2.0); }); at(1.0, () => engine.play());",
        seconds=1.3,
    )[0]
    place = got * frames
    stopped, again, second, third = (-(-round(s * RATE) // 128) * 128 for s in (0.3, 0.5, 0.8, 1.0))
    assert np.all(got[stopped + FADE : again] == 0.0) and np.all(got[second + FADE : third] == 0.0)
    np.testing.assert_allclose(place[stopped - 1], stopped, atol=0.1)
    np.testing.assert_allclose(
        place[again + FADE], stopped + 2 * FADE, atol=2.0
    )  # the fade out was heard, too
    np.testing.assert_allclose(place[third + FADE], 2 * RATE + FADE + 1, atol=1.0)
    assert np.abs(np.diff(got)).max() < 1.1 / FADE


def test_the_servers_region_takes_the_live_chains_place(tab: Browser, site: Site) -> None:
    song = np.full((2, RATE), 0.25, np.float32)
    start, frames = 10_000, 12_000
    chain = sections_of(ChainControls(gain_db=-6.0), RATE)
    got = heard(
        tab,
        site,
        song,
        RATE,
        f"engine.setSections({json.dumps(chain)}); engine.listen('after'); engine.setMatched(0, 2);"
        f"engine.setRegion(new Float32Array({2 * frames}).fill(0.8), {start}, -4);",
    )
    live, region = 0.25 * 10 ** (-4 / 20), 0.8 * 10 ** (-4 / 20)
    fade = FADE
    time = np.arange(RATE)
    inside = np.clip(np.minimum(time - start + 1, start + frames - time) / fade, 0, 1)
    expected = live + inside * (region - live)
    np.testing.assert_allclose(got[0, 300:], expected[300:], atol=1e-6)


def test_regions_come_go_and_change_without_a_step(tab: Browser, site: Site) -> None:
    """Over a constant: another region, another gain of it, none; each arrives, and no sample jumps."""
    song = np.full((2, RATE), 0.25, np.float32)
    got = heard(
        tab,
        site,
        song,
        RATE,
        f"const one = new Float32Array({2 * RATE}).fill(0.5); const two = new Float32Array({2 * RATE}).fill(-0.8);"
        "engine.listen('after'); engine.setRegion(one, 0);"
        "at(0.2, () => engine.setRegion(two, 0)); at(0.4, () => engine.setRegion(two, 0, -6));"
        "at(0.6, () => engine.setRegion(null)); at(0.8, () => engine.setRegion(null, 0, -3));",
    )[0]
    reached = [got[round(s * RATE)] for s in (0.19, 0.39, 0.59, 0.79, 0.95)]
    np.testing.assert_allclose(reached, [0.5, -0.8, -0.8 * 10 ** (-6 / 20), 0.25, 0.25], atol=1e-5)
    assert np.abs(np.diff(got[FADE:])).max() < 1.4 / FADE


def test_a_region_of_another_chain_is_not_heard(tab: Browser, site: Site) -> None:
    """While a band is dragged the live chain is heard; what the server rendered with the old one must go."""
    song = np.full((2, RATE), 0.25, np.float32)
    one, two = (json.dumps(sections_of(ChainControls(gain_db=db), RATE)) for db in (0.0, 6.0))
    got = heard(
        tab,
        site,
        song,
        RATE,
        f"const old = new Float32Array({2 * RATE}).fill(0.5); const fresh = new Float32Array({2 * RATE}).fill(0.7);"
        f"engine.listen('after'); engine.setSections({one}); engine.setRegion(old, 0);"
        f"at(0.2, () => {{ engine.setSections({one}); engine.setRegion(old, 0); }});"
        f"at(0.4, () => {{ engine.setSections({two}); engine.setRegion(old, 0, 1); }});"
        "at(0.7, () => engine.setRegion(fresh, 0));",
    )[0]
    reached = [got[round(s * RATE)] for s in (0.19, 0.39, 0.65, 0.9)]
    np.testing.assert_allclose(reached, [0.5, 0.5, 0.25 * 10 ** (6 / 20), 0.7], atol=1e-5)


def test_alternatives_are_heard_like_the_master(tab: Browser, site: Site) -> None:
    song = np.full((2, RATE), 0.25, np.float32)
    chains = [json.dumps(sections_of(ChainControls(gain_db=db), RATE)) for db in (-6.0, 3.0)]
    got = heard(
        tab,
        site,
        song,
        RATE,
        f"engine.setAlternatives(2); engine.setSections({chains[0]}, 0); engine.setSections({chains[1]}, 1);"
        "engine.setMatched(0, 0, 6, -3); engine.listen(0); at(0.5, () => engine.listen(1));",
    )
    np.testing.assert_allclose(got[:, 300:], 0.25, atol=1e-6)


def test_what_has_not_come_yet_is_waited_for(tab: Browser, site: Site) -> None:
    """A slow server: the song stops with a fade and goes on where it stopped; no sample is skipped."""
    site.song = np.tile(np.arange(1, 4 * RATE + 1) / (4 * RATE), (2, 1)).astype(np.float32)
    script = f"neuralMastering.heardLate({about(site.song, RATE)}, {3 * RATE}, 1.5)"
    text, told = tab.run(script)
    got = samples(text)[0]
    assert told == [True, False]
    place = got * 4 * RATE
    silent = np.flatnonzero(got == 0.0)
    assert silent[-1] < 1.51 * RATE and silent[0] < 32_768  # one chunk was there
    stopped, again = silent[0], silent[-1] + 1
    fade = FADE
    assert place[again + fade] == pytest.approx(stopped + fade + 1, abs=2)
    assert place[-1] == pytest.approx(stopped + (got.size - again), abs=2)


def test_memory_is_flat_for_an_hour(tab: Browser) -> None:
    """Play through an hour at 44.1 kHz, with seeks and a loop: the audio thread never holds more than 16 chunks."""
    held, most, delivered, missing = tab.run("neuralMastering.anHour()")
    assert held <= 16 and most <= 17 and delivered > 4_800 and missing == 0


def test_it_plays_in_real_time_and_says_where_it_is(tab: Browser, site: Site) -> None:
    site.song = noise(20.0, RATE)
    tab.run(f"neuralMastering.playNow({about(site.song, RATE)})")
    tab.wait_for("engine.position > 0.3")
    tab.run("engine.seek(12.0)")
    assert 12.0 <= tab.run("engine.position") < 12.5
    tab.wait_for("engine.position > 12.2")
    tab.run("engine.pause()")
    paused = tab.run("engine.position")
    tab.run("new Promise((done) => setTimeout(done, 200))")
    assert tab.run("engine.position") == pytest.approx(paused, abs=0.1)
    assert tab.run("engine.latency") > 0.0
    tab.run("engine.seek(19.8); engine.play()")
    tab.wait_for("ends === 1", 10)
    assert tab.run("[engine.position, engine.isPlaying]") == [0.0, False]
    tab.run("engine.close()")


def test_another_rate_and_numbers_that_are_none_are_refused(tab: Browser) -> None:
    said = tab.run("neuralMastering.refusals()")
    assert said == [
        "the audio context runs at 44100 Hz, the song at 48000 Hz",
        "the stage eq has coefficients that are not numbers",
    ]


def test_blind_tests_run_on_the_engine(tab: Browser, site: Site) -> None:
    """The report's own blind comparison, with the engine as its player."""
    site.song = noise(1.0, RATE)
    tab.run(f"neuralMastering.compareBlind({about(site.song, RATE)})")
    assert tab.run("shown.at(-1).names") == ["A", "B", "C"]
    order = tab.run("player.order")
    assert sorted(order) == [0, 1, 2]
    tab.run("player.select(2)")
    assert tab.run("engine.heard") == ["before", "after", 0][order[2]]
    tab.run("document.querySelectorAll('#player .answer')[2].click()")
    entry = tab.run("entries[0]")
    names = ["mix", "master", "gentle"]
    assert entry["choice"] == names[order[2]] and entry["switches"] == 1 and entry["matched_lufs"] == -20
    assert entry["labels"] == {"ABC"[i]: names[k] for i, k in enumerate(order)}


def test_gains_bring_songs_to_the_quietest(tab: Browser) -> None:
    assert tab.run("neuralMastering.matchedDb(-20, -14, -16.5)") == [0, -6, -3.5]
    assert tab.run("neuralMastering.matchedDb(-20, -Infinity)") == [0, 0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_page_matches_what_our_meter_reads(tab: Browser, seed: int) -> None:
    """The change of loudness by the live chain, which matched gains undo, against the renderer's output metered."""
    song = np.asarray(noise(12.0, RATE, seed=seed), np.float64)
    controls = random_controls(seed, RATE)
    lufs = []
    for audio in (song, rendered(controls, song.astype(np.float32), RATE)):
        meter = Meter(RATE, 2, with_true_peak=False)
        for block in blocks_of(audio):
            meter.push(block)
        lufs.append(meter.finish().lufs)
    hz, power = scipy.signal.welch(song, RATE, nperseg=1 << 14)
    centres = 20.0 * 2 ** (np.arange(121) / 12)
    total = np.cumsum(power.sum(axis=0))
    bands = np.diff(np.interp(20.0 * 2 ** ((np.arange(122) - 0.5) / 12), hz, total))
    spectrum = {
        "fine": {"hz": centres.tolist(), "level_db": (10 * np.log10(bands)).tolist()},
        "side_share": float(((song[0] - song[1]) ** 2).sum() / (2 * (song**2).sum())),
    }
    stages = sections_of(controls, RATE)["stages"]
    change = tab.run(
        'import("/static/js/matched.js").then(({ loudnessChange }) => '
        f"loudnessChange({json.dumps(spectrum)}, {json.dumps(stages)}, {RATE}))"
    )
    assert abs(lufs[1] - lufs[0]) > 0.5
    assert change == pytest.approx(lufs[1] - lufs[0], abs=0.2)
