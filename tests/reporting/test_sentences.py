"""Sentences made from planted numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
from nm_test_reports import EqBand

from neural_mastering.notes import Note, texts
from neural_mastering.reporting.master_data import Delivery, Reduction, ReportReadings
from neural_mastering.reporting.report_data import Chart, ChartLine, EqCurve
from neural_mastering.reporting.sentences import (
    band_words,
    eq_words,
    master_actions,
    reduction_sentence,
    tone_sentence,
)

BEFORE = ReportReadings(-20.2, -16.0, -14.0, 8.0, -3.0, 17.2, -6.0, 0.61)
AFTER = ReportReadings(-14.0, -11.0, -9.0, 6.5, -1.02, 12.98, -4.5, 0.5)
SPOTIFY = Delivery("spotify", -14.0, -1.0)


def test_every_number_of_the_chain_is_told() -> None:
    at = np.array([20.0, 60.0, 1_000.0, 2_500.0, 20_000.0])
    eq = EqCurve(
        at,
        np.array([1.0, 3.2, 0.0, -1.84, 0.5]),
        (
            EqBand("peak", 2_500.0, -1.84, 0.9),
            EqBand("low_shelf", 60.0, 3.2, 0.7),
            EqBand("peak", 500.0, 0.01, 1.0),
        ),
    )
    reduction = Reduction(
        "limiter", np.arange(10) * 7.0, np.array([0.0, 0.0, 2.14, 0.0, 0.86, 0, 0, 0, 0, 0])
    )
    stages = [Note("stage", "the compressor slept")]
    found = master_actions(BEFORE, AFTER, SPOTIFY, 6.2, eq, stages, [reduction])
    assert [(note.kind, note.text) for note in found] == [
        (
            "equaliser",
            "Equaliser, 2 bands: +3.2 dB low shelf at 60 Hz; −1.8 dB at 2.5 kHz (Q 0.90). "
            "The total response lies between −1.8 dB (at 2.5 kHz) and +3.2 dB (at 60 Hz).",
        ),
        ("stage", "The compressor slept."),
        ("level", "The level was raised by 6.2 dB."),
        (
            "limiter",
            "The limiter took off at most 2.1 dB (at 0:14), 0.3 dB on average; it worked during 20 % of the song.",
        ),
        (
            "loudness",
            "Integrated loudness went from −20.2 to −14.0 LUFS; the target of −14.0 LUFS (spotify) is met to "
            "0.00 LU.",
        ),
        ("true_peak", "The highest true peak is −1.02 dBTP, 0.02 dB under the ceiling of −1.0 dBTP."),
        (
            "dynamics",
            "Dynamics: the loudness range went from 8.0 to 6.5 LU, the distance from peak to loudness (PLR) "
            "from 17.2 to 13.0 dB.",
        ),
        ("image", "Stereo image: side against mid rose by 1.5 dB, correlation from 0.61 to 0.50."),
    ]


def test_the_balance_of_tone_leaves_the_level_out() -> None:
    spectra = Chart(
        [50.0, 100.0, 500.0, 8_000.0],
        [
            ChartLine("before", [-30.0, -30.0, -30.0, -50.0], "before"),
            ChartLine("after", [-21.5, -22.5, -24.0, -46.0], "result"),
        ],
    )
    assert tone_sentence(spectra) == (
        "Balance of tone, the mean change left out: +1.5 dB below 150 Hz, −0.5 dB 150 Hz to 2 kHz and "
        "−2.5 dB above 2 kHz."
    )
    assert tone_sentence(replace(spectra, lines=spectra.lines[:1])) == ""


def test_what_did_not_happen_is_said_too() -> None:
    told = texts(master_actions(BEFORE, BEFORE, Delivery("keep", None, None), -0.02))
    assert told[0] == "Tone was left alone: no equaliser ran."
    assert told[1] == "The level was left as it was."
    assert told[2].endswith("LUFS; no other loudness was asked for (keep).")
    assert told[3] == "The highest true peak is −3.00 dBTP; the ceiling was off."
    assert "changed by less than 0.1 dB" in told[-1]
    flat = EqCurve([20.0, 20_000.0], [0.0, 0.01])
    told = texts(master_actions(BEFORE, BEFORE, SPOTIFY, 0.0, flat))
    assert told[0] == "The equaliser is flat: tone was left alone."
    assert reduction_sentence(Reduction("limiter", [0.0], [0.0])) == "The limiter had nothing to do."
    assert reduction_sentence(Reduction("limiter", [], [])) == "The limiter had nothing to do."


@pytest.mark.parametrize(
    "lufs, peak, loudness, ceiling",
    [
        (-14.8, -1.0, "0.8 LU below the target", "0.00 dB under the ceiling"),
        (-13.5, -0.7, "0.5 LU above the target", "0.30 dB over the ceiling"),
        (-14.1, -2.0, "is met to 0.10 LU", "1.00 dB under the ceiling"),
    ],
)
def test_a_missed_target_is_not_called_met(lufs: float, peak: float, loudness: str, ceiling: str) -> None:
    after = replace(AFTER, lufs=lufs, true_peak_db=peak)
    told = " ".join(texts(master_actions(BEFORE, after, SPOTIFY, 6.2)))
    assert loudness in told and ceiling in told


def test_silence_and_missing_readings_make_no_nonsense() -> None:
    nothing = ReportReadings(-math.inf, -math.inf, -math.inf, 0.0, -math.inf, math.nan, math.nan, math.nan)
    told = " ".join(texts(master_actions(nothing, nothing, SPOTIFY, math.nan)))
    assert "silent" in told and "nan" not in told and "inf" not in told


def test_bands_and_curves_in_words() -> None:
    assert band_words(EqBand("high_shelf", 8_000.0, -0.5, 0.7)) == "−0.5 dB high shelf at 8 kHz"
    assert band_words(EqBand("peak", 440.0, 1.25, 2.0)) == "+1.2 dB at 440 Hz (Q 2.00)"
    # what nobody hears does not count
    assert eq_words(EqCurve([5.0, 100.0, 1_000.0, 30_000.0], [-9.0, 1.0, -1.0, 9.0])) == (
        "between −1.0 dB (at 1 kHz) and +1.0 dB (at 100 Hz)"
    )


def test_the_verdict_is_on_what_the_file_was_to_measure() -> None:
    """A target of −14 LUFS for a mono file that two loudspeakers play: −17.01 in the file are right."""
    aimed = replace(SPOTIFY, aimed_lufs=-17.01)
    met = texts(master_actions(BEFORE, replace(AFTER, lufs=-17.0), aimed, 3.2))
    assert any(
        "the −17.0 LUFS that the target of −14.0 LUFS (spotify) means for this file are met" in t for t in met
    )
    missed = texts(master_actions(BEFORE, AFTER, aimed, 6.2))
    assert any("3.0 LU above the −17.0 LUFS that the target of −14.0 LUFS (spotify)" in t for t in missed)
