"""Which of the wishes sets the tone, and that they all end in one equaliser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import sosfilt

from neural_mastering.controls import Bands, ChainControls, EqBand, save_controls
from neural_mastering.dsp import rbj
from neural_mastering.dsp.third_octaves import BROAD, octave_smoothed
from neural_mastering.errors import InputError
from neural_mastering.metering.profile import profile_of
from neural_mastering.rendering import Options, master, suggest
from neural_mastering.rendering.outputs.tone import tone_notes
from neural_mastering.rendering.reference.shares import EXACT
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.tone.choose import chosen_style
from neural_mastering.rendering.tone.tone import LEFT_ALONE

RATE = 44_100
Audio = np.ndarray


def song(seconds: float = 12.0, tilt: float = 1.0, seed: int = 0, beat_hz: float = 2.0) -> Audio:
    """Filtered noise with a beat, (channel, time); a tilt of 0 is white, of 1 pink."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal((2, count)), axis=1)
    at_hz = np.maximum(np.fft.rfftfreq(count, 1.0 / RATE), 20.0)
    noise = np.fft.irfft(spectrum * (at_hz / 100.0) ** (-0.5 * tilt), count, axis=1)
    time = np.arange(count) / RATE
    audio = noise * (0.3 + np.exp(-6.0 * ((time * beat_hz) % 1.0)))
    audio -= audio.mean(axis=1, keepdims=True)  # an offset would be removed
    return np.asarray(0.1 * audio / audio.std())


def test_what_else_sets_the_tone_goes_before_auto(tmp_path: Path) -> None:
    assert chosen_style(Options()) == "auto"
    assert chosen_style(Options(words={"warm": 0.5})) == "auto"  # words join what is there
    assert chosen_style(Options(model="none")) is None
    assert chosen_style(Options(model="modest-eq-2")) is None
    assert chosen_style(Options(controls=tmp_path / "c.yaml")) is None
    assert chosen_style(Options(references=((tmp_path / "r.wav", 1.0),))) is None
    asked: tuple[dict[str, Any], ...] = ({"model": "none"}, {"controls": tmp_path / "c.yaml"})
    for others in asked:
        assert chosen_style(Options(style="rock", **others)) == "rock"


def test_by_default_the_song_is_moved_within_bounds_and_the_report_says_why(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "dull.wav", song(tilt=1.8).T, RATE, subtype="FLOAT")
    options = Options(report=tmp_path / "report", json=tmp_path / "n.json", max_reduction_db=24.0)
    result = master(tmp_path / "dull.wav", tmp_path / "out.wav", options)
    move = result.tone.move
    assert move is not None and move.normal is not None
    assert 0.1 < move.rms_db < 6.0 and np.abs(move.curve_db).max() <= 6.0
    assert result.tone.origin.kind == "style" and 0 < len(result.controls.eq) <= 10
    assert {"intensity", "equaliser"} <= {note.kind for note in result.actions}
    page = (tmp_path / "report" / "report.html").read_text()
    assert "The song among songs like this" in page and "Against normal" in page


@pytest.mark.parametrize("style", ["auto", "rock"])
def test_the_brighter_the_song_the_less_treble_it_gets(style: str) -> None:
    treble = [
        float(suggest((song(tilt=tilt), RATE), style=style).curve_db[-8:-2].mean())
        for tilt in (2.0, 1.0, 0.0)
    ]
    assert treble[0] - 0.1 > treble[1]
    # noise as bright as this is unlike any song, and an odd song is followed less
    assert treble[0] - 0.1 > treble[2]


def test_more_intensity_moves_further() -> None:
    sizes = []
    for intensity in (0.0, "gentle", "balanced", "strong"):
        found = suggest((song(tilt=0.2), RATE), style="rock", intensity=intensity)
        sizes.append(0.0 if found.move is None else found.move.rms_db)
    assert sizes[0] == 0.0 and sizes == sorted(sizes) and sizes[-1] > 1.5 * sizes[1]


def test_style_reference_words_and_controls_end_in_one_equaliser(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "reference.wav", song(tilt=0.5, seed=1, beat_hz=1.7).T, RATE)
    mine = ChainControls(eq=Bands.of([EqBand("peak", 300.0, -4.0, 1.0)]))
    save_controls(mine, tmp_path / "mine.yaml")
    asked = suggest(
        (song(tilt=1.2), RATE),
        style="rock",
        references=[tmp_path / "reference.wav"],
        words={"warm": 0.5},
        controls=tmp_path / "mine.yaml",
    )
    assert set(asked.parts) == {"rock", "reference reference.wav"}
    assert 0 < len(asked.controls.eq) <= 10
    assert asked.tone.words is not None and asked.tone.reference is not None
    # what the equaliser does is what all of them want together
    wanted = asked.curve_db + asked.tone.words.request.curve_db
    error = (asked.applied_db - wanted)[BROAD]
    assert np.sqrt(np.mean((error - error.mean()) ** 2)) < 0.6
    # and the person's own cut is in it
    without = suggest((song(tilt=1.2), RATE), style="rock", references=[tmp_path / "reference.wav"])
    assert asked.curve_db[11] < without.curve_db[11] - 1.0


def test_with_a_style_too_the_equaliser_does_what_the_stages_of_the_reference_leave(tmp_path: Path) -> None:
    audio = song(tilt=1.0)
    mid, side = 0.5 * (audio[0] + audio[1]), 0.5 * (audio[0] - audio[1])
    side = np.asarray(sosfilt(rbj.sections(("high_shelf",), [2_000.0], [9.0], [0.7], RATE), side))
    wide, narrow = np.stack([mid + side, mid - side]), song(tilt=1.0, seed=1, beat_hz=1.7)
    narrow[1] = 0.9 * narrow[0]
    soundfile.write(tmp_path / "reference.wav", narrow.T, RATE)
    references = [tmp_path / "reference.wav"]
    asked = suggest((wide, RATE), style="rock", references=references, match=EXACT)
    assert asked.tone.reference is not None and "stereo" in asked.controls.stages
    stages = build_stages(asked.controls, RATE, 2)
    out = np.concatenate(list(run_stages(stages, [wide])), axis=1)
    before, after = profile_of([wide], RATE), profile_of([out], RATE)
    change_db = octave_smoothed(after.levels_db - before.levels_db)
    error = (change_db - octave_smoothed(asked.curve_db))[BROAD]
    equaliser = (octave_smoothed(asked.applied_db) - octave_smoothed(asked.curve_db))[BROAD]
    assert equaliser.std() > 1.0  # the stages do that much of it
    assert error.std() < 0.35 * equaliser.std()


def test_a_reference_is_followed_though_no_mistakes_are_assumed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "reference.wav", song(tilt=0.5, seed=1, beat_hz=1.7).T, RATE)
    asked = suggest(
        (song(tilt=1.2), RATE), style="rock", references=[tmp_path / "reference.wav"], intensity=0.0
    )
    assert set(asked.parts) == {"reference reference.wav"}
    assert asked.curve_db[-6] - asked.curve_db[6] > 1.0  # brighter, as the reference is


def test_none_leaves_the_tone_alone(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mix.wav", song(3.0).T, RATE, subtype="PCM_24")
    options = Options(model="none", target="keep", ceiling="off", bits="24")
    result = master(tmp_path / "mix.wav", tmp_path / "out.wav", options)
    assert result.tone.origin == LEFT_ALONE and result.tone.move is None and not len(result.controls.eq)
    one, other = (soundfile.read(tmp_path / name, dtype="int32")[0] for name in ("mix.wav", "out.wav"))
    assert np.array_equal(one, other)


def test_strength_scales_the_result() -> None:
    whole = suggest((song(tilt=0.2), RATE), style="rock")
    half = suggest((song(tilt=0.2), RATE), style="rock", overall_strength=0.5)
    np.testing.assert_allclose(half.controls.eq.gain_db, 0.5 * whole.controls.eq.gain_db)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_is_said_of_the_equaliser_is_what_it_does(share: float, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mix.wav", song(tilt=0.2).T, RATE, subtype="PCM_24")
    options = Options(style="rock", strength={"eq": share}, target="keep", ceiling="off")
    tone = master(tmp_path / "mix.wav", tmp_path / "out.wav", options).tone
    assert tone.move is not None and tone.move.rms_db > 1.0
    said = str(tone_notes(tone)[0])
    asked = f"{tone.move.rms_db:.1f} dB"
    used = tone.applied_db[tone.move.known]
    assert share * tone.move.rms_db == pytest.approx(
        np.sqrt(np.mean(used**2)), abs=0.25
    )  # as far as bands fit
    if share == 0.0:
        assert said.endswith(f"would move it by {asked}, but was left out") and len(tone_notes(tone)) == 1
    else:
        assert f"moves it by {share * tone.move.rms_db:.1f} dB" in said
        assert ("50 % of" in said) == (share == 0.5)
        assert all("moved by" in str(note) for note in tone_notes(tone)[1:])


def test_a_style_that_cannot_be_followed_is_named(tmp_path: Path) -> None:
    time = np.arange(10 * RATE) / RATE
    soundfile.write(tmp_path / "sine.wav", 0.3 * np.sin(2 * np.pi * 1000.0 * time), RATE, subtype="FLOAT")
    tone = master(tmp_path / "sine.wav", tmp_path / "out.wav", Options(style="rock")).tone
    said = "; ".join(map(str, (tone.origin, *tone.actions)))
    assert "the style rock moved nothing" in said and "third octaves hold sound" in said
    assert "too short" not in said


def test_level_and_rate_do_not_change_the_move(tmp_path: Path) -> None:
    import soxr

    audio = song(tilt=0.5)
    plain = suggest((audio, RATE)).curve_db
    np.testing.assert_allclose(suggest((0.1 * audio, RATE)).curve_db, plain, atol=0.05)
    faster = soxr.resample(audio.T, RATE, 96_000, quality="VHQ").T
    np.testing.assert_allclose(suggest((faster, 96_000)).curve_db, plain, atol=0.4)


def test_same_inputs_same_curve() -> None:
    one, other = (suggest((song(tilt=0.5), RATE), style="auto") for _ in range(2))
    assert one.controls == other.controls


@pytest.mark.parametrize(
    "audio",
    [
        song(0.3),
        song(3.0),
        np.zeros((2, 5 * RATE)),
        song(8.0)[:1],
        1e-6 * song(6.0),
        np.ones((2, 6 * RATE)) * 0.3,
    ],
    ids=["0.3 s", "3 s", "silence", "mono", "very quiet", "constant"],
)
def test_awkward_songs_are_finite_and_within_bounds(audio: Audio) -> None:
    for style in ("auto", "rock"):
        found = suggest((audio, RATE), style=style, intensity=6.0)
        assert np.isfinite(found.curve_db).all() and np.abs(found.curve_db).max() <= 6.0
        assert all(np.isfinite(value).all() for value in found.parts.values())
        assert np.isfinite(found.controls.eq.gain_db).all()


def test_mistakes_are_explained(write_song: Callable[..., Path]) -> None:
    path = write_song(song(2.0))
    with pytest.raises(InputError, match="there is no style"):
        suggest(path, style="rokc")
    with pytest.raises(InputError, match="--intensity"):
        suggest(path, intensity="huge")
    with pytest.raises(InputError, match="--intensity"):
        suggest(path, intensity=7.0)
    with pytest.raises(InputError, match="transpose"):
        suggest((song(2.0).T, RATE))
