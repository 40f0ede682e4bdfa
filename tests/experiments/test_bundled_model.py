"""What the recipe of the bundled model rests on: licences, features under filters, folds, confidence, tests."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from scipy.signal import butter, sosfilt

from experiments.bundled_model.calibration import confidence
from experiments.bundled_model.features import mel_powers
from experiments.bundled_model.features.analysis import analyse_windows
from experiments.bundled_model.features.degraded_excerpts import DegradedExcerpt
from experiments.bundled_model.features.simulation import Simulator
from experiments.bundled_model.features.windows import Windows
from experiments.bundled_model.release.held_out_table import METRICS, summarise
from experiments.bundled_model.release.masters import SHIPPED
from experiments.bundled_model.release.significance import cluster_p, holm
from experiments.bundled_model.training.finetune import music_without
from experiments.bundled_model.training.folds import FOLDS, fold_of
from experiments.bundled_model.training.skill import predict
from experiments.common.csv_files import write_rows
from experiments.common.licences import Terms, simple_part, terms_of
from neural_mastering.data.degradation import load_preset
from neural_mastering.data.degradation.chain import DegradationChain
from neural_mastering.data.degradation.parameters import NO_EXPANSION, Degradation, DegradationBand
from neural_mastering.dsp.biquad import equalize
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.metrics.signal import Signal
from neural_mastering.metrics.suite import measure
from neural_mastering.models import Confidence, MasteringModel, load_model
from neural_mastering.models.encoders import LogMel

RATE = 44_100

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: © 2010 A. Maker
License: GPL-2+

Files: data/music/*
Copyright: 2011 B. Composer
           2012 C. Composer
License: CC-BY-SA-3.0

Files: data/music/odd.ogg
Copyright: D. Other
License: GPL-3 or CC-BY-3.0
"""


def _terms(path: Path, source_path: str) -> Terms:
    found = terms_of(path, source_path)
    assert found is not None
    return found


def test_the_last_matching_stanza_counts(tmp_path: Path) -> None:
    path = tmp_path / "copyright"
    path.write_text(COPYRIGHT)
    assert _terms(path, "/usr/share/x/readme").licence == "GPL-2+"
    music = _terms(path, "/usr/share/games/x/data/music/a.ogg")
    assert music.licence == "CC-BY-SA-3.0" and music.author == "2011 B. Composer 2012 C. Composer"
    assert _terms(path, "/usr/share/games/x/data/music/odd.ogg").author == "D. Other"
    path.write_text("This package was debianized by somebody.")
    assert terms_of(path, "/usr/share/x/readme") is None


@pytest.mark.parametrize(
    ("licence", "part"),
    [
        ("CC-BY-SA-3.0+", "CC-BY-SA-3.0+"),
        ("GPL-3 or CC-BY-3.0", "CC-BY-3.0"),
        ("GPL-2+ OR CC-BY-SA", "CC-BY-SA"),
        ("Expat or GPL-2 or GPL-3", "Expat"),
        ("BSD-2-Clause", "BSD-2-Clause"),
        ("public-domain", "public-domain"),
        ("CC0-1.0", "CC0-1.0"),
        ("CC-BY-3.0 and GPL-2+", None),
        ("CC-BY-NC-3.0", None),
        ("CC-BY-ND-4.0", None),
        ("GPL-2+", None),
        ("Battle-Tanks-License", None),
    ],
)
def test_simple_licences(licence: str, part: str | None) -> None:
    simple = ["CC0", "public-domain", "Expat", "MIT", "BSD", "CC-BY", "CC-BY-SA"]
    assert simple_part(licence, simple) == part


@pytest.mark.parametrize("stereo", ["wide", "mono"])
def test_filters_in_the_domain_of_features_are_those_of_audio(stereo: str) -> None:
    """Noise with a codec's edge at 12 kHz, filtered as audio and as features: within tenths of a dB.

    Above the edge, and in the side of a mono song, there is nothing to filter: features stay at their floor. (Were
    they shifted, they would tell the answer.)
    """
    rng = np.random.default_rng(0)
    edge = butter(16, 12_000, fs=RATE, output="sos")
    left, right = (np.asarray(sosfilt(edge, rng.standard_normal(6 * RATE))) for _ in range(2))
    audio = 0.1 * np.stack((left, left if stereo == "mono" else right))
    encoder = LogMel(z_size=8, channels=4, dilations=(1,))
    simulator = Simulator(encoder, load_preset("medium"))
    bands = (
        DegradationBand("low_shelf", 150.0, 7.0, 0.7),
        DegradationBand("peak", 900.0, -5.0, 1.0),
        DegradationBand("high_shelf", 4000.0, 8.0, 0.7),
    )
    drawn = Degradation(NO_EXPANSION, NO_EXPANSION, 10.0, 100.0, 1.0, bands, None, -20.0, RATE, -20.0)

    def analysed(signal: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(signal).float()[None, :, RATE:]
        level = 10.0 ** ((-23.0 - float(integrated_loudness(x, RATE))) / 20.0)
        with torch.inference_mode():
            return encoder.features(x * level)[1]

    before, after = analysed(audio), analysed(DegradationChain(drawn, 2)(audio.copy()))
    count = encoder.bands
    mean = 10.0 ** ((before[:, :count] * 10.0 + encoder.reference_db.float()) / 10.0)
    side = 10.0 ** ((before[:, count : 2 * count] * 20.0 + encoder.reference_db.float()) / 10.0)
    k_levels = (mean + side) * simulator.k_weights
    filters = simulator.filter_levels.of([drawn])
    found = simulator.filtered(before, k_levels / k_levels.sum(dim=1, keepdim=True), filters.bands_db)
    scale = torch.tensor([10.0, 20.0]).repeat_interleave(count).repeat(2)
    error_db = (found - after)[0, : 4 * count] * scale
    moved_db = (after - before)[0, : 4 * count] * scale
    assert float(moved_db.abs().max()) > 5.0
    assert float(error_db.square().mean().sqrt()) < 0.4
    assert float(error_db.abs().max()) < 2.0  # the mel bands across the codec's edge
    if stereo == "mono":
        torch.testing.assert_close(
            found[:, count : 2 * count], before[:, count : 2 * count], atol=1e-3, rtol=0.0
        )


def test_holm_and_the_sign_test() -> None:
    """Holm's example by hand; four groups with equal sums can be matched by 2 of 16 sign patterns only."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    difference = np.array([-1.0, -1.0, -1.0, -1.0])
    assert cluster_p(difference, ["a", "b", "c", "d"]) == pytest.approx(2 / 16)
    assert cluster_p(np.array([1.0, -1.0]), ["a", "b"]) == 1.0


def test_folds_keep_games_apart_and_leave_the_test_out(tmp_path: Path) -> None:
    """Each game is unknown to exactly one fold; the music of a fold has none of its games in training."""
    games = [f"game{i}" for i in range(13)]
    folds = fold_of(games * 3)
    assert set(folds) == set(games) and folds == fold_of(games[::-1])
    sizes = np.bincount(list(folds.values()))
    assert sizes.size == FOLDS and sizes.max() - sizes.min() <= 1

    music = tmp_path / "music"
    splits = {"a": "train", "b": "train", "c": "validation", "d": "test"}
    lines = ["file,group,split"]
    for game, split in splits.items():
        (music / game).mkdir(parents=True)
        (music / game / "song.flac").write_bytes(game.encode())
        lines.append(f"{game}/song.flac,{game},{split}")
    (music / "manifest.csv").write_text("\n".join(lines) + "\n")
    folder = music_without({"b", "c"}, music, tmp_path / "fold")
    rows = (folder / "manifest.csv").read_text().splitlines()[1:]
    assert rows == ["a/song.flac,a,train", "b/song.flac,b,validation", "c/song.flac,c,validation"]
    assert (folder / "b" / "song.flac").read_bytes() == b"b" and not (folder / "d").exists()


def test_the_confidence_is_the_boldest_that_is_safe() -> None:
    """Large moves are right and small ones wrong, in proportion: the doubt must tell them apart."""
    strengths = np.array(confidence.STRENGTHS)

    def row(move_db: float, slope: float) -> confidence.Row:
        return confidence.Row("m", "g", "s", 0, move_db, 0.0, list(1.0 + slope * strengths))

    good, bad = [row(6.0, -0.5)] * 8, [row(1.0, 1.0)] * 8
    own, nothing, strength = confidence.followed([good[0], bad[0]], Confidence(0.8, 3.0))
    np.testing.assert_allclose(strength, [0.8 * 36 / 45, 0.8 * 1 / 10])
    np.testing.assert_allclose(own, [1 - 0.5 * strength[0], 1 + strength[1]])
    np.testing.assert_array_equal(nothing, [1.0, 1.0])
    found = confidence.fit({"mix": good + bad})
    # bad songs are followed to scale/(1 + e²) ≤ 0.05: with e = 5 dB any scale is safe, with 4 dB up to 0.85
    assert found["doubt_db"] in (4.0, 5.0) and found["mix"]["worse_90"] <= 1.05
    best = max(s * 36 / (36 + e * e) for s, e in ((0.85, 4.0), (1.0, 5.0)))
    assert found["mix"]["change"] == pytest.approx(
        (-0.5 * best + found["scale"] / (1 + found["doubt_db"] ** 2)) / 2, abs=0.01
    )
    # a second preset on which all moves are wrong holds everything back
    held = confidence.fit({"mix": good + bad, "light": [row(6.0, 1.0)] * 8}, ("mix", "light"))
    assert held["light"]["worse_90"] <= 1.05 and held["light"]["used"] <= 0.05 < found["mix"]["used"]


def test_strengths_are_measured_as_nm_eval_does() -> None:
    """Untouched and at full strength, against the metrics' own suite and the equaliser by itself."""
    model = load_model("modest-eq-2").eval()
    assert isinstance(model, MasteringModel)
    generator = torch.Generator().manual_seed(0)
    wanted = 0.05 * torch.randn(2, 10 * RATE, generator=generator)
    low = torch.from_numpy(np.array(sosfilt(butter(1, 400, fs=RATE, output="sos"), wanted.numpy()))).float()
    drawn = Degradation(NO_EXPANSION, NO_EXPANSION, 10.0, 100.0, 1.0, (), None, -20.0, RATE, -20.0)
    pair = DegradedExcerpt({"group": "g", "file": "f"}, 0, wanted, 0.3 * (low + 0.1 * wanted), drawn)
    analysed = analyse_windows(model, pair)
    move_db, _, found = confidence.at_strengths(model, pair, analysed)
    assert move_db > 1.0 and len(found) == len(confidence.STRENGTHS)

    count = round(confidence.SECONDS * RATE)
    start = (wanted.shape[-1] - count) // 2
    source, target = (x[None, :, start : start + count] for x in (pair.audio, wanted))
    logits = predict(model, analysed.features, torch.full((len(analysed.power),), analysed.lufs))
    eq = model.eq_head.decode(logits.mean(analysed.power)).eq
    with torch.no_grad():
        full = equalize(
            source, eq["frequency_hz"], eq["gain_db"], eq["q"], RATE, kinds=model.eq_head.eq.kinds
        )
    for value, made in ((found[0], source), (found[-1], full)):
        expected = measure(Signal(made, RATE), Signal(target, RATE))["mr_stft_matched"]
        assert value == pytest.approx(expected, rel=1e-3)
    assert abs(found[-1] - found[0]) > 0.01


def test_windows_of_songs_keep_their_song_and_order() -> None:
    """Item i of a planted table belongs to song index[i]; its values say which item it was."""
    index = torch.tensor([0, 0, 1, 2, 2, 2])
    items = torch.arange(6.0)
    first = Windows(items[:, None], items[:, None], items, index, items[:, None])
    chosen = first.of_songs([2, 0])
    assert chosen.index.tolist() == [1, 1, 0, 0, 0] and chosen.song_lufs.tolist() == [0, 1, 3, 4, 5]
    both = first.joined(chosen, songs=3)
    assert len(both) == 11 and both.index.tolist() == [0, 0, 1, 2, 2, 2, 4, 4, 3, 3, 3]
    assert both.of_songs([4]).features.flatten().tolist() == [0.0, 1.0]


def test_song_powers_in_pieces_are_those_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces of 7 frames against the encoder on the song at once; the file that is kept gives the same back."""
    encoder = LogMel(z_size=8, channels=4, dilations=(1,))
    samples = 0.1 * np.random.default_rng(0).standard_normal((RATE, 2))
    soundfile.write(tmp_path / "song.flac", samples, RATE, subtype="PCM_24")
    monkeypatch.setattr(mel_powers, "FRAMES_AT_ONCE", 7)
    song = mel_powers.load(tmp_path / "song.flac", encoder, tmp_path / "cache", "song", "group")
    read = torch.from_numpy(soundfile.read(tmp_path / "song.flac", dtype="float32")[0].T.copy())[None]
    whole = encoder.mel_powers(read)
    for key in ("mid", "side", "cross", "peak", "power"):
        torch.testing.assert_close(getattr(song, key), getattr(whole, key)[0], rtol=1e-5, atol=1e-9)
    assert song.lufs == pytest.approx(float(integrated_loudness(read, RATE)), abs=1e-6)
    # K-weighted power of stationary noise is its loudness, but for windows and gates
    assert -0.691 + 10.0 * np.log10(float(song.k_power.mean())) == pytest.approx(song.lufs, abs=0.2)
    again = mel_powers.load(tmp_path / "song.flac", encoder, tmp_path / "cache", "song", "group")
    assert again.name == "song" and torch.equal(again.k_power, song.k_power) and again.lufs == song.lufs


def test_the_held_out_table_says_what_was_planted(tmp_path: Path) -> None:
    """The model halves every error of three games but for one song, which it makes a tenth worse."""
    folder = tmp_path / "nm-eval"
    folder.mkdir()
    songs = [(f"{game}{i}", game) for game in "abc" for i in range(2)]
    rows = [
        {
            "song": song,
            "group": game,
            "name": name,
            **dict.fromkeys(METRICS, factor if song != "c1" else other),
        }
        for name, factor, other in (("identity", 2.0, 2.0), (SHIPPED, 1.0, 2.2), ("average EQ*", 2.0, 2.0))
        for song, game in songs
    ]
    write_rows(folder / "metrics.csv", rows)
    lines = summarise(folder).splitlines()
    assert lines[0] == "6 songs of 3 groups."
    row = next(line for line in lines if line.startswith(f"| {SHIPPED} "))
    assert "| 1.200 | -40.0 % [" in row and row.endswith(
        "| 0.800 |"
    )  # the 90 % point: halfway from 0.5 to 1.1
    assert "| 0.500 [0.500, " in row
    test = next(line for line in lines if line.startswith(f"- {SHIPPED} against identity"))
    # 2 of the 8 patterns of signs are as extreme; Holm triples it over the three metrics
    assert "MR-STFT -0.8000 [" in test and "p = 0.2500, after Holm 0.7500, better on 5 of 6" in test
    found = json.loads((tmp_path / "summary.json").read_text())
    assert found["songs"] == 6 and found["mr_stft_ratio"]["largest"] == pytest.approx(1.1)
    assert found["against_identity"]["mr_stft_matched"]["change"] == pytest.approx(-0.4)
