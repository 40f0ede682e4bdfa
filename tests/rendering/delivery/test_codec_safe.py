"""The ceiling after encoders, by an independent decoder; how it is looked for, by a made-up encoder."""

import errno
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from neural_mastering import notes
from neural_mastering.audio_io.file_format import FORMATS, Encoding, parse_encodings, why_unavailable
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.errors import InputError
from neural_mastering.rendering.delivery import codec_reading, codec_safe
from neural_mastering.rendering.delivery.ceiling_meter import CeilingReading, read_ceiling
from neural_mastering.rendering.delivery.codec_reading import CodecReading
from neural_mastering.rendering.delivery.codec_safe import (
    CLOSE_DB,
    FURTHER_PASSES,
    CeilingAttempt,
    next_lowering_db,
)
from neural_mastering.rendering.delivery.deliverables import Deliverables
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master
from neural_mastering.rendering.result import MasterResult
from tests.rendering.conftest import DEMO_SONGS, RATE, music

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def asked(also: str = "", check: str = "", safe: str = "") -> Deliverables:
    def parsed(text: str, lossy_only: bool = True) -> tuple[Encoding, ...]:
        return parse_encodings([part for part in text.split(",") if part], "", lossy_only)

    return Deliverables(also=parsed(also, lossy_only=False), check=parsed(check), safe=parsed(safe))


def by_ffmpeg(path: Path, tmp_path: Path) -> tuple[float, float]:
    """LUFS and dBTP of what ffmpeg decodes, by the tensor meters."""
    wav = tmp_path / "decoded by ffmpeg.wav"
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(path), "-c:a", "pcm_f32le", str(wav)]
    subprocess.run(command, check=True)
    samples, rate = soundfile.read(wav, always_2d=True)
    tensor = torch.from_numpy(np.ascontiguousarray(samples.T))[None]
    return integrated_loudness(tensor, rate).item(), true_peak_db(tensor, rate).item()


def loud(write_song: Callable[..., Path], song: int = 2, seconds: float = 2.5) -> Path:
    audio = np.array(soundfile.read(DEMO_SONGS[song], frames=round(seconds * RATE), always_2d=True)[0].T)
    return write_song(audio, subtype="FLOAT")


@needs_ffmpeg
def test_all_encoders_keep_the_ceiling_for_another_decoder(
    write_song: Callable[..., Path], tmp_path: Path
) -> None:
    names = "mp3:128,opus:96,vorbis:128,aac:128"
    options = Options(
        model="none",
        target="-10",
        max_reduction_db=12.0,
        deliverables=asked(safe=names, also=names),
        json=tmp_path / "out.json",
    )
    result = master(loud(write_song, seconds=1.5), tmp_path / "out.wav", options)
    assert 0.2 < result.lowered_db < 6.0
    assert not notes.has(result.warnings, "codec_ceiling_not_kept")
    written = sorted(path.name for path in tmp_path.glob("out.*"))
    assert written == ["out.json", "out.m4a", "out.mp3", "out.ogg", "out.opus", "out.wav"]
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert len(numbers["codecs"]) == 4 and numbers["delivery"]["ceiling_lowered_db"] == result.lowered_db
    for row in numbers["codecs"]:
        lufs, peak_db = by_ffmpeg(tmp_path / row["file"], tmp_path)
        assert row["promised"] and row["true_peak_db"] <= -1.0
        # another decoder of Opus differs by up to 0.01 of full scale
        assert peak_db <= -1.0 + (0.1 if row["codec"] == "opus" else 0.01)
        assert peak_db == pytest.approx(row["true_peak_db"], abs=0.1)
        assert lufs == pytest.approx(row["lufs"], abs=0.05)
        assert lufs == pytest.approx(result.result.lufs, abs=0.2)
    # no more than needed: the worst one is near the ceiling
    assert max(row["over_ceiling_db"] for row in numbers["codecs"]) >= -3 * CLOSE_DB


def test_a_check_changes_nothing(write_song: Callable[..., Path], tmp_path: Path) -> None:
    source = loud(write_song)
    plain = master(source, tmp_path / "a.wav", Options(model="none", target="-10"))
    checked = master(
        source,
        tmp_path / "b.wav",
        Options(model="none", target="-10", bits=None, deliverables=asked(check="mp3:128,vorbis:128")),
    )
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert checked.delivery.passes == plain.delivery.passes and checked.lowered_db == 0.0
    assert [codec.encoding.name for codec in checked.codecs] == ["mp3:128", "vorbis:128"]
    assert any(codec.is_over for codec in checked.codecs)
    assert notes.has(checked.warnings, "codec_over") and not notes.has(plain.warnings, "codec_over")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "b.wav", "song.wav"]


def test_clipped_samples_are_counted(write_song: Callable[..., Path], tmp_path: Path) -> None:
    options = Options(
        model="none",
        target="-9",
        ceiling="0",
        max_reduction_db=12.0,
        deliverables=asked(also="mp3:128"),
    )
    result = master(loud(write_song), tmp_path / "a.wav", options)
    (codec,) = result.codecs
    decoded, _ = soundfile.read(tmp_path / "a.mp3", always_2d=True)
    assert codec.reading.clipped_samples == np.count_nonzero(np.abs(decoded) > 1.0) > 0
    assert codec.readings.true_peak_db > 0.0


@pytest.mark.parametrize("name", ["m.mp3", "m.opus", "m.ogg"])
def test_a_lossy_master_keeps_its_own_ceiling(
    name: str, write_song: Callable[..., Path], tmp_path: Path
) -> None:
    """Without being asked: the promise of a master holds for the file that was named."""
    result = master(loud(write_song), tmp_path / name, Options(model="none", target="-11"))
    samples, rate = soundfile.read(tmp_path / name, always_2d=True)
    tensor = torch.from_numpy(np.ascontiguousarray(samples.T))[None]
    assert true_peak_db(tensor, rate).item() <= -1.0
    lufs = integrated_loudness(tensor, rate).item()
    assert result.result.lufs == pytest.approx(lufs, abs=1e-3)
    if result.delivery.limited_by is None:
        assert lufs == pytest.approx(-11.0, abs=0.2)
    assert len(samples) == round(2.5 * rate)


def test_ceiling_off_lowers_nothing(write_song: Callable[..., Path], tmp_path: Path) -> None:
    result = master(loud(write_song), tmp_path / "m.mp3", Options(model="none", target="-9", ceiling="off"))
    assert result.lowered_db == 0.0 and result.result.true_peak_db > 0.0
    assert not result.codecs[0].promised and not result.codecs[0].is_over
    assert not notes.has(result.warnings, "codec_over")
    with pytest.raises(InputError, match="can't be used with --ceiling off"):
        Options(ceiling="off", deliverables=asked(safe="mp3"))


def test_a_missing_encoder_is_refused_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    why_unavailable.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    try:
        for where in ("safe", "also"):
            with pytest.raises(InputError, match="AAC needs ffmpeg, which isn't installed"):
                asked(**{where: "aac"})
        assert [e.name for e in asked(check="aac,mp3").check] == ["aac:256", "mp3:320"]
    finally:
        why_unavailable.cache_clear()


def test_a_check_says_which_encoder_is_missing(
    write_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    why_unavailable.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    try:
        result = master(
            write_song(music(1.0)), tmp_path / "m.wav", Options(deliverables=asked(check="aac,mp3"))
        )
    finally:
        why_unavailable.cache_clear()
    assert [codec.encoding.name for codec in result.codecs] == ["mp3:320"]
    assert notes.has(result.warnings, "codec_unavailable")


def test_a_full_disk_is_said(
    write_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(codec_reading, "encode", full)
    source = write_song(music(0.6))
    with pytest.raises(InputError, match="the disk is full"):
        master(source, tmp_path / "m.wav", Options(model="none", deliverables=asked(safe="mp3")))
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]
    result = master(source, tmp_path / "m.wav", Options(model="none", deliverables=asked(check="mp3")))
    (note,) = (note for note in result.warnings if note.kind == "codec_unavailable")
    assert "the disk is full" in note.text and not result.codecs


class TestSearch:
    """`deliver_safely` with a made-up encoder that adds `adds(lowered)` dB to the peaks."""

    def run(
        self,
        adds: Callable[[float], float],
        write_song: Callable[..., Path],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> tuple[MasterResult, list[float]]:
        tried: list[float] = []

        def read(samples: object, encoding: object, ceiling_db: float) -> CodecReading:
            lowered = ceiling_db - samples.ceiling_db  # pyright: ignore[reportAttributeAccessIssue]
            tried.append(lowered)
            readings = read_of["input"]
            return CodecReading(encoding, CeilingReading(readings, adds(lowered) - lowered, 0))  # pyright: ignore[reportArgumentType]

        source = write_song(music(1.0))
        read_of = {"input": master(source, tmp_path / "plain.wav", Options(model="none")).result}
        monkeypatch.setattr(codec_safe, "read_codec", read)
        options = Options(model="none", deliverables=asked(safe="mp3"))
        return master(source, tmp_path / "safe.wav", options), tried

    @pytest.mark.parametrize("needed_db", [0.3, 1.7, 4.0])
    @pytest.mark.parametrize("grows", [0.0, 0.3, -0.3])
    def test_it_lowers_by_what_is_needed_and_no_more(
        self,
        needed_db: float,
        grows: float,
        write_song: Callable[..., Path],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Overshoot that grows with the limiter's work, or shrinks: exactly `needed_db` is right."""
        result, tried = self.run(
            lambda lowered: needed_db + grows * (lowered - needed_db), write_song, tmp_path, monkeypatch
        )
        assert len(tried) <= 1 + FURTHER_PASSES
        assert needed_db <= result.lowered_db <= needed_db + 2 * CLOSE_DB
        assert result.result.true_peak_db <= -1.0 - result.lowered_db + 1e-6
        assert not notes.has(result.warnings, "codec_ceiling_not_kept")

    def test_nothing_is_given_up_for_nothing(
        self, write_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result, tried = self.run(lambda lowered: -0.01, write_song, tmp_path, monkeypatch)
        assert tried == [0.0] and result.lowered_db == 0.0

    def test_a_peak_that_the_limiter_never_meets_costs_loudness(
        self, write_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It follows the level alone: 0.4 dB over at -14 LUFS, whatever the ceiling."""

        def read(samples: Any, encoding: Encoding, ceiling_db: float) -> CodecReading:
            readings = read_ceiling(
                samples.blocks(), samples.sample_rate, samples.channels, ceiling_db
            ).readings
            return CodecReading(encoding, CeilingReading(readings, 0.4 + readings.lufs + 14.0, 0))

        monkeypatch.setattr(codec_safe, "read_codec", read)
        options = Options(model="none", deliverables=asked(safe="mp3"))
        result = master(write_song(music(1.0)), tmp_path / "safe.wav", options)
        assert not notes.has(result.warnings, "codec_ceiling_not_kept")
        assert notes.has(result.warnings, "target_not_reached")
        assert result.delivery.limited_by == "encoder"
        assert -14.75 < result.result.lufs <= -14.4

    def test_a_promise_that_cannot_be_kept_is_said(
        self, write_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result, tried = self.run(lambda lowered: lowered + 1.0, write_song, tmp_path, monkeypatch)
        assert len(tried) == 1 + FURTHER_PASSES
        (note,) = (note for note in result.warnings if note.kind == "codec_ceiling_not_kept")
        assert "MP3 320 kbit/s" in note.text
        assert not list(tmp_path.glob(".*"))


def attempts(*tried: tuple[float, float]) -> list[CeilingAttempt]:
    return [CeilingAttempt(lowered, 0.0, over) for lowered, over in tried]


def test_the_next_step_stays_inside_the_bracket() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        first = float(rng.uniform(0.01, 4.0))
        tried = attempts((0.0, first))
        for _ in range(FURTHER_PASSES):
            lowered, quieter = next_lowering_db(tried)
            safe = [attempt.lowered_db for attempt in tried if attempt.over_db <= 0.0]
            if not safe and len(tried) == FURTHER_PASSES:  # the last pass: down, from the best
                best = min(tried, key=lambda attempt: attempt.over_db)
                assert lowered - best.lowered_db == pytest.approx(quieter) and quieter > best.over_db
                break
            assert quieter == 0.0
            assert lowered > max(attempt.lowered_db for attempt in tried if attempt.over_db > 0.0)
            assert not safe or lowered < min(safe)
            over = first - lowered * float(rng.uniform(0.7, 1.2))
            if over > 0.0 and safe and lowered >= min(safe):
                break
            tried += attempts((lowered, over))


def test_an_encoder_without_order_still_gets_a_step() -> None:
    assert 0.0 < next_lowering_db(attempts((0.0, 0.5), (0.54, -0.4), (0.3, -0.3)))[0] < 0.3
    assert next_lowering_db(attempts((0.0, 0.5), (0.54, -0.2), (0.6, 0.1))) == pytest.approx((0.27, 0.0))


def test_where_limiting_does_not_help_the_best_try_is_turned_down() -> None:
    assert next_lowering_db(attempts((0.0, 0.03), (0.07, 0.03))) == pytest.approx((0.13, 0.13))


def test_every_lossy_format_is_covered() -> None:
    assert {name for name, form in FORMATS.items() if form.is_lossy} == {"mp3", "vorbis", "opus", "aac"}
