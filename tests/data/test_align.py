"""Mending: what is written is aligned, never filled, repeatable, and the originals stay."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.data import alignment_folder
from neural_mastering.data.alignment_folder import align_folder
from neural_mastering.data.alignment_render import AlignmentPlan, render
from neural_mastering.data.audio_file import probe
from neural_mastering.data.audit.side import ArraySide
from neural_mastering.data.errors import DataError
from neural_mastering.data.pairing import find_pairs

RATE = 22_050


def music(seconds: float, seed: int) -> np.ndarray:
    """Noise bursts below 8 kHz over tones, (time, 2)."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal((frames, 2)), axis=0)
    spectrum[np.fft.rfftfreq(frames, 1 / RATE) > 8_000] = 0
    noise = np.fft.irfft(spectrum, frames, axis=0)
    envelope = np.repeat(rng.uniform(0.2, 1.0, round(seconds * 8) + 1), RATE // 8 + 1)[:frames]
    return 0.08 * noise * envelope[:, None]


def mastered(song: np.ndarray) -> np.ndarray:
    return 0.8 * np.tanh(3 * song)


def late(audio: np.ndarray, samples: float) -> np.ndarray:
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(audio)) * samples)[:, None]
    return np.fft.irfft(np.fft.rfft(audio, axis=0) * turn, len(audio), axis=0)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Six pairs: fine, late by a fraction, inverted and swapped, drifting, cut short, and one that is hopeless."""
    root = tmp_path / "my pairs [v=1] é"
    for side in ("unmastered", "mastered"):
        (root / side).mkdir(parents=True)

    def put(name: str, before: np.ndarray, after: np.ndarray) -> None:
        soundfile.write(root / "unmastered" / f"{name}.wav", before, RATE, subtype="PCM_24")
        soundfile.write(root / "mastered" / f"{name}.flac", after, RATE, subtype="PCM_24")

    songs = [music(5.0, seed) for seed in range(7)]
    put("fine", songs[0], mastered(songs[0]))
    put("late", songs[1], late(mastered(songs[1]), 333.37))
    put("turned", songs[2], -mastered(songs[2])[:, ::-1])
    put("drifting", songs[3], resampled_by(mastered(songs[3]), 90e-6))
    put("short", songs[4], mastered(songs[4])[:80_000])
    put("hopeless", songs[5], mastered(songs[6]))
    rows = [f"{name},g {name},train" for name in ("fine", "late", "turned", "drifting", "short", "hopeless")]
    (root / "manifest.csv").write_text("name,group,split\n" + "\n".join(rows) + "\n")
    return root


def resampled_by(audio: np.ndarray, drift: float) -> np.ndarray:
    """Slower by a share, through a grid sixteen times finer."""
    padded = np.pad(audio, ((0, 4000), (0, 0)))
    fine = np.fft.irfft(np.fft.rfft(padded, axis=0), 16 * len(padded), axis=0) * 16
    place = np.arange(len(audio)) / (1 + drift) * 16
    whole = np.floor(place).astype(int)
    rest = (place - whole)[:, None]
    return fine[whole] * (1 - rest) + fine[whole + 1] * rest


def hashes(folder: Path) -> dict[str, str]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_a_folder_is_mended(pairs: Path, tmp_path: Path) -> None:
    originals, out = hashes(pairs), tmp_path / "out"
    records = {record.name: record for record in align_folder(pairs, out)}
    assert hashes(pairs) == originals
    assert [name for name, record in records.items() if not record.outputs] == ["hopeless"]
    # whole: training opens it, and both sides hold the same samples but for the mastering
    assert {p.name: p.group for p in find_pairs(out)} == {n: f"g {n}" for n in records if n != "hopeless"}
    for name in ("late", "turned", "drifting", "short"):
        before, _ = soundfile.read(out / "unmastered" / f"{name}.flac")
        after, _ = soundfile.read(out / "mastered" / f"{name}.flac")
        assert before.shape == after.shape and len(before) > 70_000
        assert np.abs(before[:3]).max() > 0 and np.abs(before[-3:]).max() > 0  # nothing filled in
        error = mastered(before) - after
        # a delay of 0.03 samples would leave −30 dB of this noise, one sample 0 dB
        assert 10 * np.log10(np.mean(error**2) / np.mean(after**2)) < -30, name
    with (out / "manifest.csv").open() as handle:
        rows = {row["file"]: row for row in csv.DictReader(handle)}
    assert abs(float(rows["late.flac"]["residual_delay_samples"])) < 0.02
    assert abs(float(rows["drifting.flac"]["residual_end_delay_samples"])) < 0.1
    assert rows["fine.wav"]["action"] == "copied"
    assert rows["fine.wav"]["unmastered_sha256"] == rows["fine.wav"]["source_unmastered_sha256"]
    assert rows["late.flac"]["mastered_sha256"] == hashes(out)["mastered/late.flac"]
    entries = [json.loads(line) for line in (out / "align.jsonl").read_text().splitlines()]
    assert [e["name"] for e in entries if e["action"] == "left out"] == ["hopeless"]

    # the mastered side is only cut: its samples are those of the original
    cut, _ = soundfile.read(out / "mastered" / "late.flac", dtype="int32")
    whole, _ = soundfile.read(pairs / "mastered" / "late.flac", dtype="int32")
    first = int(
        next(w for w in records["late"].done if "from sample" in w).split("from sample ")[1].split()[0]
    )
    np.testing.assert_array_equal(cut, whole[first : first + len(cut)])

    # again into the same folder, and into another: the same bytes, and nothing is measured anew
    first_run = hashes(out)
    align_folder(pairs, out)
    assert hashes(out) == first_run
    align_folder(pairs, tmp_path / "other")
    assert hashes(tmp_path / "other") == first_run


def test_a_stopped_run_goes_on(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("drifting", "short", "hopeless", "fine"):
        for side, suffix in (("unmastered", "wav"), ("mastered", "flac")):
            (pairs / side / f"{name}.{suffix}").unlink()
    rows = (pairs / "manifest.csv").read_text().splitlines()
    (pairs / "manifest.csv").write_text(
        "\n".join(r for r in rows if r[:4] in ("name", "late", "turn")) + "\n"
    )
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    align_folder(pairs, whole)

    calls: list[Path] = []

    def killed(plan: AlignmentPlan, before: object, after: object, drafts: tuple[Path, Path]) -> object:
        calls.append(drafts[0])
        if len(calls) == 2:
            drafts[0].write_bytes(b"half a file")
            raise KeyboardInterrupt
        return render(plan, before, after, drafts)  # type: ignore[arg-type]

    monkeypatch.setattr(alignment_folder, "render", killed)
    with pytest.raises(KeyboardInterrupt):
        align_folder(pairs, stopped)
    files = {p.name for p in (stopped / "unmastered").iterdir()} | {
        p.name for p in (stopped / "mastered").iterdir()
    }
    assert files == {"late.flac"}, "only whole files"
    audits: list[str] = []
    monkeypatch.setattr(alignment_folder, "audit_pair", lambda files: audits.append(files.name))
    align_folder(pairs, stopped)
    assert audits == [] and len(calls) == 3, "what was done is not done again"
    assert hashes(stopped) == hashes(whole)


def test_folders_that_must_not_be_written(pairs: Path, tmp_path: Path) -> None:
    for out in (pairs, pairs / "out", pairs.parent):
        with pytest.raises(DataError, match="outside"):
            align_folder(pairs, out)
    other = tmp_path / "holiday pictures"
    other.mkdir()
    (other / "beach.jpg").touch()
    with pytest.raises(DataError, match="something else"):
        align_folder(pairs, other)
    assert [p.name for p in other.iterdir()] == ["beach.jpg"]


@pytest.mark.parametrize("delay", [0.25, -7.5, 1000.125])
def test_a_fractional_shift_is_that_of_the_spectrum(delay: float, tmp_path: Path) -> None:
    # nothing above 0.4 of the rate, and nothing at the ends, since the shift through the spectrum is circular
    time = np.arange(2 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * f * time + f) for f in (57.0, 441.0, 3_001.0, 8_700.0))
    song = (0.1 * tones * np.hanning(time.size))[:, None].repeat(2, axis=1)
    for name, audio in (("before", song), ("after", late(song, delay))):
        soundfile.write(tmp_path / f"{name}.wav", audio, RATE, subtype="PCM_24")
    drafts = (tmp_path / "one.flac", tmp_path / "two.flac")
    done = render(AlignmentPlan(delay), probe(tmp_path / "before.wav"), probe(tmp_path / "after.wav"), drafts)
    one, two = (soundfile.read(draft)[0] for draft in drafts)
    assert len(one) == len(two) == done.frames
    middle = slice(2000, -2000)
    assert np.abs(one[middle] - two[middle]).max() < 3e-6


def test_nothing_clips(tmp_path: Path) -> None:
    square = np.sign(np.sin(2 * np.pi * 441 * np.arange(RATE) / RATE))[:, None] * 0.999
    for name in ("before", "after"):
        soundfile.write(tmp_path / f"{name}.wav", square, RATE, subtype="PCM_24")
    drafts = (tmp_path / "one.flac", tmp_path / "two.flac")
    done = render(
        AlignmentPlan(0.5, source=(0,), sign=(1,)),
        probe(tmp_path / "before.wav"),
        probe(tmp_path / "after.wav"),
        drafts,
    )
    assert done.gain_before_db < -0.5 and done.gain_after_db == 0.0
    assert np.abs(soundfile.read(drafts[0])[0]).max() < 1.0


def test_array_side_reads_what_it_holds() -> None:
    song = music(0.1, 0).astype(np.float32)
    np.testing.assert_array_equal(ArraySide(song, RATE).read(10, 20), song[10:30].T)
