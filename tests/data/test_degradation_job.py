"""From a folder of music to a folder of pairs."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from neural_mastering.data.degradation import DegradationChain, kernels, load_preset
from neural_mastering.data.degradation import job as job_module
from neural_mastering.data.degradation import song as song_module
from neural_mastering.data.degradation.job import DegradeJob
from neural_mastering.data.degradation.records import JOURNAL, read_degradations, read_records
from neural_mastering.data.degradation.song import CEILING_DBFS, song_seed
from neural_mastering.data.errors import DataError
from neural_mastering.data.music import find_music
from neural_mastering.data.pairing import find_pairs
from neural_mastering.dsp.loudness import integrated_loudness

RATE = 22_050


def song(
    seconds: float = 1.2, rate: int = RATE, channels: int = 2, seed: int = 0, level: float = 0.1
) -> np.ndarray:
    """Noise with a beat."""
    time = np.arange(round(seconds * rate)) / rate
    beat = 0.2 + (np.sin(2 * np.pi * 4.0 * time) > 0)
    return level * np.random.default_rng(seed).standard_normal((len(time), channels)) * beat[:, None]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    root = tmp_path / "music"
    for number, album in enumerate(("Album A", "Album A", "Émile [live] = 1", "c")):
        (root / album).mkdir(parents=True, exist_ok=True)
        soundfile.write(root / album / f"träck {number} (v1).flac", song(seed=number), RATE, subtype="PCM_16")
    return root


def make(music: Path, out: Path, preset: str = "heavy", **settings) -> job_module.Outcome:
    return DegradeJob(music, out, load_preset(preset), **settings).run()


def contents(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_pairs_hold_what_the_manifest_says(music: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    outcome = make(music, out)
    assert len(outcome.made) == 4 and not outcome.failed
    pairs = {pair.name: pair for pair in find_pairs(out)}
    truth = read_degradations(out)
    assert set(pairs) == set(truth) == set(outcome.records)
    assert "Album A__träck 0 (v1)" in pairs and pairs["Album A__träck 0 (v1)"].group == "Album A"
    for name, pair in pairs.items():
        before, rate = soundfile.read(pair.unmastered.path, always_2d=True)
        after, _ = soundfile.read(pair.mastered.path, always_2d=True)
        source, _ = soundfile.read(music / outcome.records[name]["source"], always_2d=True)
        np.testing.assert_array_equal(after, source)  # 16 bits fit into 24
        assert soundfile.info(pair.unmastered.path).subtype == "PCM_24" and rate == RATE
        # The recorded parameters, applied to the target, give the input to the last bit of 24.
        made = DegradationChain(truth[name], 2)(np.ascontiguousarray(after.T)) * 10 ** (
            truth[name].gain_db / 20
        )
        assert np.abs(made.T - before).max() <= 0.51 / 2**23
        lufs = float(integrated_loudness(torch.from_numpy(before.T.copy())[None], RATE))
        assert lufs == pytest.approx(truth[name].level_lufs, abs=0.01) and -24.0 <= lufs <= -18.0
        assert lufs == pytest.approx(outcome.records[name]["input_lufs"], abs=0.01)
        assert 20 * np.log10(np.abs(before).max()) <= CEILING_DBFS + 0.001


def test_the_draw_belongs_to_the_seed_and_the_name(music: Path, tmp_path: Path) -> None:
    make(music, tmp_path / "one")
    first = contents(tmp_path / "one" / "unmastered")
    soundfile.write(music / "c" / "another.wav", song(seed=9), RATE)
    (music / "c" / "träck 3 (v1).flac").rename(music / "c" / "renamed.flac")
    make(music, tmp_path / "two")
    second = contents(tmp_path / "two" / "unmastered")
    kept = [name for name in first if name in second]
    assert len(kept) == 3 and all(first[name] == second[name] for name in kept)
    one, two = (read_degradations(tmp_path / n) for n in ("one", "two"))
    assert one["c__träck 3 (v1)"].level_lufs != two["c__renamed"].level_lufs
    make(music, tmp_path / "other seed", seed=1)
    assert not set(contents(tmp_path / "other seed" / "unmastered").values()) & set(second.values())
    assert one["Album A__träck 0 (v1)"].level_lufs == pytest.approx(
        load_preset("heavy").draw(song_seed(0, "Album A__träck 0 (v1)")).level_lufs
    )


def test_the_same_bytes_each_time_and_nothing_is_made_twice(music: Path, tmp_path: Path, monkeypatch) -> None:
    make(music, tmp_path / "a")
    make(music, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    monkeypatch.setattr(song_module, "_make", lambda *a: pytest.fail("made again"))
    again = make(music, tmp_path / "a")
    assert len(again.kept) == 4 and not again.made
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_only_what_changed_or_is_damaged_is_made_again(music: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    make(music, out)
    before = contents(out)
    soundfile.write(music / "c" / "träck 3 (v1).flac", song(seed=7), RATE)
    (out / "mastered" / "Album A__träck 1 (v1).flac").write_bytes(b"junk")
    (out / "unmastered" / "Album A__träck 0 (v1).flac").unlink()
    outcome = make(music, out)
    assert len(outcome.made) == 3 and len(outcome.kept) == 1
    changed = {name for name, value in contents(out).items() if before[name] != value}
    sides = {f"{side}/c__träck 3 (v1).flac" for side in ("unmastered", "mastered")}
    assert changed == {*sides, "manifest.csv", "degradation.jsonl"}


def test_a_killed_run_goes_on(music: Path, tmp_path: Path, monkeypatch) -> None:
    make(music, tmp_path / "whole")
    real, done = song_module._make, []

    def dies(task, source_hash):
        if len(done) == 2:
            (tmp_path / "broken" / "mastered" / ".half.flac.123.part").write_bytes(b"half a file")
            raise KeyboardInterrupt
        done.append(task.track.name)
        return real(task, source_hash)

    monkeypatch.setattr(song_module, "_make", dies)
    with pytest.raises(KeyboardInterrupt):
        make(music, tmp_path / "broken")
    with (tmp_path / "broken" / JOURNAL).open("a") as journal:
        journal.write('{"name": "torn')
    assert not (tmp_path / "broken" / "manifest.csv").exists()
    monkeypatch.setattr(song_module, "_make", real)
    outcome = make(music, tmp_path / "broken")
    assert sorted(outcome.kept) == sorted(done) and len(outcome.made) == 2
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def test_bad_files_are_named_and_the_others_go_on(music: Path, tmp_path: Path) -> None:
    bad = music / "bad"
    bad.mkdir()
    audio = song()
    audio[RATE // 2, 1] = np.nan
    soundfile.write(bad / "nan.wav", audio, RATE, subtype="FLOAT")
    soundfile.write(bad / "short.wav", song(0.3), RATE)
    soundfile.write(bad / "silent.wav", np.zeros((RATE, 2)), RATE)
    soundfile.write(bad / "slow.wav", song(rate=6_000), 6_000)
    soundfile.write(bad / "three.wav", song(channels=3), RATE)
    (bad / "text.flac").write_text("not audio")
    good = (music / "c" / "träck 3 (v1).flac").read_bytes()
    (bad / "cut.flac").write_bytes(good[: len(good) // 2])
    outcome = make(music, tmp_path / "pairs")
    reasons = {path.stem: reason for path, reason in outcome.failed}
    assert len(outcome.made) == 4 and len(reasons) == 7
    for name, words in (
        ("nan", "NaN or infinite samples at 0.500 s"),
        ("short", "shorter than 0.4 s"),
        ("silent", "it is silent"),
        ("slow", "6000 Hz"),
        ("three", "3 channels"),
        ("text", "cannot be read as audio"),
        ("cut", "is damaged"),
    ):
        assert words in reasons[name]
    assert len(find_pairs(tmp_path / "pairs")) == 4
    assert not list((tmp_path / "pairs").rglob("*.part"))


def test_a_track_that_went_bad_loses_its_old_pair(music: Path, tmp_path: Path) -> None:
    make(music, tmp_path / "pairs")
    (music / "c" / "träck 3 (v1).flac").write_bytes(b"broken since")
    outcome = make(music, tmp_path / "pairs")
    assert len(outcome.failed) == 1 and len(outcome.kept) == 3
    assert "c__träck 3 (v1)" not in read_degradations(tmp_path / "pairs")
    assert len(find_pairs(tmp_path / "pairs")) == 3


@pytest.mark.parametrize(
    ("suffix", "subtype", "rate", "channels"),
    [(".wav", "PCM_24", 48_000, 1), (".wav", "FLOAT", 96_000, 2), (".aiff", "PCM_16", 8_000, 2),
     (".ogg", "VORBIS", 44_100, 2), (".mp3", "MPEG_LAYER_III", 44_100, 1), (".FLAC", "PCM_16", 11_025, 2)],
)  # fmt: skip
def test_every_format_and_rate(tmp_path: Path, suffix: str, subtype: str, rate: int, channels: int) -> None:
    (tmp_path / "m").mkdir()
    kind = "FLAC" if suffix == ".FLAC" else None
    soundfile.write(
        tmp_path / "m" / f"a{suffix}", song(0.8, rate, channels), rate, subtype=subtype, format=kind
    )
    outcome = make(tmp_path / "m", tmp_path / "pairs")
    assert outcome.made == ("a",)
    (pair,) = find_pairs(tmp_path / "pairs")
    info = soundfile.info(pair.unmastered.path)
    assert (info.samplerate, info.channels, info.subtype, info.format) == (rate, channels, "PCM_24", "FLAC")
    truth = read_degradations(tmp_path / "pairs")["a"]
    assert truth.sample_rate == rate and all(band.frequency_hz <= 0.45 * rate for band in truth.bands)


def test_samples_beyond_full_scale_lower_the_target_and_stay_in_the_record(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    audio = song(level=0.6)
    assert np.abs(audio).max() > 1.3
    soundfile.write(tmp_path / "m" / "loud.wav", audio, RATE, subtype="FLOAT")
    make(tmp_path / "m", tmp_path / "pairs", "light")
    (record,) = read_records(tmp_path / "pairs" / "degradation.jsonl", False)
    after, _ = soundfile.read(tmp_path / "pairs" / "mastered" / "loud.flac", always_2d=True)
    assert 20 * np.log10(np.abs(after).max()) == pytest.approx(CEILING_DBFS, abs=1e-4)
    np.testing.assert_allclose(
        after, audio.astype("float32") * 10 ** (record["target_gain_db"] / 20), atol=1e-6
    )
    truth = read_degradations(tmp_path / "pairs")["loud"]
    made = DegradationChain(truth, 2)(np.ascontiguousarray(after.T)) * 10 ** (truth.gain_db / 20)
    before, _ = soundfile.read(tmp_path / "pairs" / "unmastered" / "loud.flac", always_2d=True)
    np.testing.assert_allclose(made.T, before, atol=2e-6)


def test_high_peaks_leave_out_the_upward_expansion_and_never_clip(tmp_path: Path) -> None:
    """Clicks 32 dB above the loudness: the level cannot be reached without clipping."""
    (tmp_path / "m").mkdir()
    for number in range(6):
        audio = song(2.0, seed=number, level=0.01)
        audio[RATE // 2 :: RATE // 2] = 0.9
        soundfile.write(tmp_path / "m" / f"{number}.wav", audio, RATE, subtype="FLOAT")
    make(tmp_path / "m", tmp_path / "pairs")
    drawn = [load_preset("heavy").draw(song_seed(0, str(n))).upward.ratio for n in range(6)]
    assert max(drawn) > 1.0
    for record in read_records(tmp_path / "pairs" / "degradation.jsonl", False):
        assert record["degradation"]["upward"]["ratio"] == 1.0
        assert record["input_peak_db"] == pytest.approx(CEILING_DBFS, abs=1e-6)
        assert record["input_lufs"] < record["degradation"]["level_lufs"] - 3.0


def test_memory_is_bounded_by_the_piece(tmp_path: Path, monkeypatch) -> None:
    largest = 0
    real = kernels.cascade

    def watched(audio, sections, state):
        nonlocal largest
        largest = max(largest, audio.shape[1])
        real(audio, sections, state)

    monkeypatch.setattr(kernels, "cascade", watched)
    (tmp_path / "m").mkdir()
    soundfile.write(tmp_path / "m" / "long.flac", song(20.0, seed=1), RATE, subtype="PCM_16")
    make(tmp_path / "m", tmp_path / "pairs")
    assert 0 < largest <= 1 << 16


def test_splits_in_the_manifest_are_kept_when_music_is_added(tmp_path: Path) -> None:
    music, out = tmp_path / "music", tmp_path / "pairs"
    for album in range(4):
        (music / f"album {album}").mkdir(parents=True)
        soundfile.write(music / f"album {album}" / "a.wav", song(0.5, seed=album), RATE)
    first = {n: r["split"] for n, r in make(music, out, "light").records.items()}
    assert set(first.values()) == {"train", "validation", "test"}
    for album in range(4, 12):
        (music / f"album {album}").mkdir()
        soundfile.write(music / f"album {album}" / "a.wav", song(0.5, seed=album), RATE)
    soundfile.write(music / "album 1" / "b.wav", song(0.5, seed=50), RATE)
    second = {n: r["split"] for n, r in make(music, out, "light").records.items()}
    assert all(second[name] == split for name, split in first.items())
    assert second["album 1__b"] == second["album 1__a"]
    assert {pair.split for pair in find_pairs(out)} == {"train", "validation", "test"}


def test_a_manifest_of_the_music_names_groups_and_splits(music: Path, tmp_path: Path) -> None:
    (music / "manifest.csv").write_text(
        "file,package,split\n"
        "Album A/träck 0 (v1).flac,game,train\n./Album A/träck 1 (v1).flac,game,train\n"
        "c/träck 3 (v1).flac,other,validation\nÉmile [live] = 1/träck 2 (v1).flac,third,test\n"
    )
    tracks = {track.name: track for track in find_music(music)}
    assert tracks["game__träck 1 (v1)"].group == "game" and tracks["third__träck 2 (v1)"].split == "test"
    pairs = {pair.name: (pair.group, pair.split) for pair in _made_pairs(music, tmp_path)}
    assert pairs["other__träck 3 (v1)"] == ("other", "validation")


def _made_pairs(music: Path, tmp_path: Path):
    make(music, tmp_path / "pairs", "light")
    return find_pairs(tmp_path / "pairs")


def test_folders_that_cannot_be_used(music: Path, tmp_path: Path) -> None:
    preset = load_preset("light")
    with pytest.raises(DataError, match="there is no folder"):
        DegradeJob(tmp_path / "nowhere", tmp_path / "out", preset)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no audio files"):
        DegradeJob(tmp_path / "empty", tmp_path / "out", preset)
    with pytest.raises(DataError, match="lies in the folder of the music"):
        DegradeJob(music, music / "pairs", preset)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("precious")
    with pytest.raises(DataError, match="holds something else already"):
        DegradeJob(music, tmp_path / "full", preset)
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.doc"]
    make(music, tmp_path / "pairs", "light")
    for other in (DegradeJob, lambda *a: DegradeJob(*a, seed=3)):
        with pytest.raises(DataError, match="preset light, seed 0, which are not"):
            other(music, tmp_path / "pairs", load_preset("heavy") if other is DegradeJob else preset)
    soundfile.write(music / "c" / "TRÄCK 3 (v1).wav", song(), RATE)
    with pytest.raises(DataError, match=r"two files would both be named"):
        DegradeJob(music, tmp_path / "new", preset)


def test_long_names_are_shortened_to_different_ones(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    for end in ("x", "y"):
        soundfile.write(tmp_path / "m" / ("é" * 110 + end + ".wav"), song(0.5), RATE)
    names = [track.name for track in find_music(tmp_path / "m")]
    assert len(set(names)) == 2 and all(len(name.encode()) <= 180 for name in names)
    assert len(make(tmp_path / "m", tmp_path / "pairs").made) == 2


def test_records_without_nan_are_strict_json(music: Path, tmp_path: Path) -> None:
    make(music, tmp_path / "pairs")

    def refuse(value: str) -> None:
        raise AssertionError(f"not JSON: {value}")

    for line in (tmp_path / "pairs" / "degradation.jsonl").read_text().splitlines():
        record = json.loads(line, parse_constant=refuse)
        assert record["degradation"]["gain_db"] is not None
    with pytest.raises(DataError, match="name a folder that nm-data degrade has finished"):
        read_degradations(music)
    assert dataclasses.is_dataclass(next(iter(read_degradations(tmp_path / "pairs").values())))
