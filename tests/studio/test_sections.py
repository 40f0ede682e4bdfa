"""Live sections: run by scipy in float64 they are the renderer; in bands they have its levels."""

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from neural_mastering.audio_io.block import blocks_of, joined
from neural_mastering.controls import Bands, ChainControls, EqBand
from neural_mastering.controls.catalogue import Values
from neural_mastering.dsp.crossover import magnitudes
from neural_mastering.dsp.sections import sections_response
from neural_mastering.errors import InputError
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.studio.sections import LiveChain, Section, sections_of
from neural_mastering.studio.side_bands import side_bands_gain, side_bands_sections

EQ = Bands.of(
    [
        EqBand("low_shelf", 90.0, 4.0, 0.7),
        EqBand("peak", 400.0, 0.0, 1.0),
        EqBand("peak", 2_500.0, -5.0, 2.0),
        EqBand("high_shelf", 9_000.0, 3.0, 0.7),
    ]
)
MID_SIDE: Values = {
    "bands": 3.0,
    "design_rate_hz": 44_100.0,
    "mid_frequency_hz": (100.0, 900.0, 8_000.0),
    "mid_gain_db": (2.0, -4.0, 1.0),
    "mid_q": (0.7, 1.5, 0.7),
    "side_frequency_hz": (150.0, 1_500.0, 9_000.0),
    "side_gain_db": (-6.0, 0.0, 4.0),
    "side_q": (0.7, 1.0, 0.7),
}
WIDTH: Values = {"width": 1.4, "bass_frequency_hz": 150.0, "bass_amount": 0.7}


def song(rate: int, seconds: float = 2.0) -> NDArray[np.float64]:
    rng = np.random.default_rng(3)
    return np.asarray(0.1 * rng.standard_normal((2, round(seconds * rate))).astype(np.float32), np.float64)


def played(chain: LiveChain, audio: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the audio thread should do with it."""

    def run(rows: list[Section] | None, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        if not rows:
            return signal
        table = np.array([[*row[:3], 1.0, *row[3:]] for row in rows])
        return np.asarray(scipy.signal.sosfilt(table, signal, axis=-1))

    for stage in chain["stages"]:
        audio = run(stage.get("sos"), audio) * stage.get("gain", 1.0)
        mid, side = 0.5 * (audio[0] + audio[1]), 0.5 * (audio[0] - audio[1])
        mid, side = run(stage.get("mid"), mid), run(stage.get("side"), side)
        audio = np.stack([mid + side, mid - side])
    return audio


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
def test_live_sections_are_the_renderer(rate: int) -> None:
    controls = ChainControls(44_100.0, EQ, -2.5, {"stereo": WIDTH, "mid_side_eq": MID_SIDE})
    if rate == 22_050:  # a band above half the rate can't be played
        controls = ChainControls(44_100.0, EQ.only([0, 1, 2]), -2.5, {"stereo": WIDTH})
    audio = song(rate)
    expected = joined(run_stages(build_stages(controls, rate, 2), blocks_of(audio)), 2)
    got = played(sections_of(controls, rate), audio)
    error = np.linalg.norm(got - expected) / np.linalg.norm(expected)
    assert error < 1e-5  # the renderer cuts the width's impulse response at −110 dB
    assert np.linalg.norm(expected - audio) > 0.1 * np.linalg.norm(audio)


def test_stages_come_in_the_order_of_the_chain_and_the_rest_is_named() -> None:
    controls = ChainControls(
        stages={
            "stereo": WIDTH,
            "compressor": {"mix": 1.0},
            "saturation": {"mix": 0.0},
            "mid_side_eq": MID_SIDE,
            "chain_limiter": {"amount": 0.5},
        },
        residual="a model",
    )
    chain = sections_of(controls, 44_100)
    assert [stage["name"] for stage in chain["stages"]] == ["eq", "gain", "stereo", "mid_side_eq"]
    assert [stage["kind"] for stage in chain["stages"]] == ["lr", "gain", "width", "ms"]
    assert chain["not_live"] == ["compressor", "chain_limiter", "residual"]  # an idle stage is nobody's


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_bands_keep_their_places_at_0_db(rate: int) -> None:
    """Coefficients are ramped from answer to answer: a band must not slide into its neighbour's place."""
    rows = sections_of(ChainControls(eq=EQ), rate)["stages"][0].get("sos", [])
    assert len(rows) >= 4 and rows[1] == [1.0, 0.0, 0.0, 0.0, 0.0]
    for place in (0, 2, 3):
        alone = ChainControls(eq=EQ.only([place])).eq_sections(rate)[0]
        assert np.allclose(rows[place], [*alone[:3], *alone[4:]], atol=1e-3)


@pytest.mark.parametrize("rate", [44_100, 96_000])
@pytest.mark.parametrize("seed", range(6))
def test_width_in_bands_has_the_renderers_levels(rate: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    crossovers = np.sort(np.exp(rng.uniform(np.log(80.0), np.log(12_000.0), 1 + seed % 4)))
    widths = rng.uniform(0.0, 2.0, len(crossovers) + 1)
    widths[rng.integers(len(widths))] = 0.0
    at_hz = np.geomspace(10.0, 0.45 * rate, 300)
    expected = widths @ magnitudes(crossovers.tolist(), at_hz, rate)
    assert np.allclose(
        side_bands_gain(widths.tolist(), crossovers.tolist(), at_hz, rate), expected, atol=1e-9
    )
    sections = side_bands_sections(widths.tolist(), crossovers.tolist(), rate)
    assert np.allclose(np.abs(sections_response(sections, at_hz, rate)), expected, atol=1e-6)
    for row in sections:
        assert np.abs(np.roots(row[3:])).max() < 1.0
    stage: Values = {"width": tuple(widths.tolist()), "crossovers_hz": tuple(crossovers.tolist())}
    chain = sections_of(ChainControls(stages={"stereo": stage}), rate)
    assert chain["fitted"]["stereo"] < 0.001 and len(chain["stages"][2].get("side", [])) == 2 * len(
        crossovers
    )


def test_all_widths_at_0_is_mono() -> None:
    stage: Values = {"width": (0.0, 0.0), "crossovers_hz": (500.0,)}
    audio = song(44_100, 0.2)
    got = played(sections_of(ChainControls(stages={"stereo": stage}), 44_100), audio)
    assert np.allclose(got, audio.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ({"stereo": {"width": 1.0}}, "needs bass_frequency_hz"),
        ({"stereo": {"width": 1.0, "bass_frequency_hz": 30_000.0, "bass_amount": 0.0}}, "got 30000"),
        ({"stereo": {"width": (1.0,), "crossovers_hz": (500.0,)}}, "expected 2 widths"),
        ({"stereo": {"width": 1.0, "crossovers_hz": (500.0,)}}, "expected a list"),
        ({"mid_side_eq": {**MID_SIDE, "mid_q": (0.7,)}}, "as many frequencies"),
        ({"mid_side_eq": {**MID_SIDE, "mid_q": (0.7, -1.0, 0.7)}}, "above 0"),
        ({"reverb": {}}, "does not have"),
    ],
)
def test_what_can_not_be_built_is_said_in_one_line(stages: dict[str, Values], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        sections_of(ChainControls(stages=stages), 44_100)
    assert "\n" not in str(caught.value)
