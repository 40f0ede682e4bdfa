"""Sentences about stages, from the catalogue's titles and units."""

import numpy as np

from neural_mastering.rendering.outputs.stage_sentences import stage_sentences
from neural_mastering.rendering.stages.record import StageRecord

COMPRESSOR = {
    "threshold_db": -8.0, "ratio": 2.5, "attack_ms": 10.0, "release_ms": 120.0, "knee_db": 6.0, "makeup_db": 1.5,
    "mix": 0.8, "sidechain_hz": 80.0, "link_max": 0.0, "input_lufs": -18.0,
}  # fmt: skip


def sentences(name: str, **fields: object) -> list[str]:
    return stage_sentences([StageRecord(name, **fields)])  # type: ignore[arg-type]


def test_a_compressor_with_its_reduction() -> None:
    """The settings that no row shows (side chain, link, loudness) are left out."""
    reduction_db = np.array([0.0, 0.5, 3.2, 1.0])
    settings, reduction = sentences(
        "compressor", settings=COMPRESSOR, reduction_db=reduction_db, change_db=-reduction_db
    )
    assert settings == (
        "the compressor: threshold −8.0 dB from the song's loudness, ratio 2.5, attack 10.0 ms, release 120 ms, "
        "knee 6.0 dB, make-up +1.5 dB, mix 80 %"
    )
    assert "3.2 dB" in reduction and not reduction.endswith(".")


def test_bands_of_a_stage_are_listed() -> None:
    bands = {**COMPRESSOR, "crossovers_hz": (150.0, 2_500.0), "ratio": (1.5, 2.0, 3.0)}
    sentence, _ = sentences("compressor", settings=bands)
    assert "bands split at 150 Hz and 2.5 kHz" in sentence and "ratio 1.5 / 2.0 / 3.0" in sentence


def test_width_with_what_became_of_the_side() -> None:
    settings = {"width": 1.3, "bass_frequency_hz": 110.0, "bass_amount": 0.6}
    (sentence,) = sentences("stereo", settings=settings, side_change_db=1.24)
    assert sentence == (
        "the stereo width: width 1.30, bass below 110 Hz, side's bass turned down by 60 %; the side's level "
        "changed by +1.2 dB"
    )
    (mono,) = sentences("stereo", settings={**settings, "bass_amount": 0.0})
    assert "turned down" not in mono and "level changed" not in mono


def test_the_chains_limiter() -> None:
    settings = {
        "threshold_db": -3.0,
        "ceiling_db": -1.0,
        "release_ms": 100.0,
        "amount": 0.5,
        "lookahead_ms": 5.0,
    }
    sentence, _ = sentences("chain_limiter", settings=settings)
    assert sentence == (
        "the limiter of the chain: threshold −3.0 dBTP, raised to −1.0 dBTP, release 100 ms, amount 50 %"
    )


def test_saturation_says_what_it_adds() -> None:
    """Mean as power: −20 and −40 dB are −22.97 dB together; points of silence do not count."""
    settings = {"drive_db": 6.0, "shape": 0.25, "bias": -0.1, "mix": 1.0}
    added_db = np.array([-40.0, -120.0, -20.0])
    (sentence,) = sentences("saturation", settings=settings, added_db=added_db, change_db=0.0 * added_db)
    assert sentence.startswith(
        "the saturation: drive 6.0 dB, shape 0.25 (0 soft, 1 hard), bias −0.10, mix 100 %; what it adds lies "
        "23.0 dB below the music on average, 20.0 dB at the most (at "
    )
    (silent,) = sentences("saturation", settings=settings)
    assert silent.endswith("mix 100 %")


def test_stages_without_settings_are_told_elsewhere() -> None:
    assert stage_sentences([StageRecord("eq"), StageRecord("residual", seconds=1.0)]) == []
