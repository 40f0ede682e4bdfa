"""What a master costs in passes and bytes: guards that need no clock."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.count_master import counted
from neural_mastering.rendering import Options, master
from neural_mastering.rendering.delivery import gain_search

RATE = 44_100
SECONDS = 6


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Stereo noise that a limiter has something to do with."""
    rng = np.random.default_rng(3)
    noise = 0.1 * rng.standard_normal((SECONDS * RATE, 2)).cumsum(axis=0) * 0.02
    noise += 0.05 * rng.standard_normal(noise.shape)
    path = tmp_path / "song.wav"
    soundfile.write(path, noise - noise.mean(axis=0), RATE, subtype="PCM_16")
    return path


SOURCE_BYTES = SECONDS * RATE * 2 * 2
BUFFER_BYTES = SECONDS * RATE * 2 * 4


@pytest.mark.parametrize("model", ["modest-eq-2", None], ids=["model", "style"])
def test_the_song_is_decoded_once_to_be_measured_and_heard_and_once_to_be_rendered(
    model: str | None, song: Path, tmp_path: Path
) -> None:
    with counted() as counts:
        result = master(song, tmp_path / "out.wav", Options(target="-24", model=model))
    assert len(result.controls.eq)
    assert counts.source.passes == 2 and counts.source.bytes_moved == 2 * SOURCE_BYTES
    assert counts.buffer_written.bytes_moved == BUFFER_BYTES
    assert counts.master.passes == result.delivery.passes
    # each delivery reads the buffer once; the search for the limiter reads its passages from it
    assert result.delivery.passes <= counts.buffer_read.passes <= result.delivery.passes + 1
    assert counts.master.bytes_moved == result.delivery.passes * SECONDS * RATE * 2 * 3


def test_an_untouched_tone_needs_no_buffer(song: Path, tmp_path: Path) -> None:
    with counted() as counts:
        result = master(song, tmp_path / "out.wav", Options(target="-20", model="none"))
    assert counts.buffer_written.bytes_moved == counts.buffer_read.bytes_moved == 0
    assert counts.source.passes <= 2 + result.delivery.passes
    assert not any(size == 4096 for size in counts.ffts)  # nobody listens


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_flac_is_decoded_once(suffix: str, song: Path, tmp_path: Path) -> None:
    """What it decodes to is kept; a WAV file is read again, which costs no more than reading the buffer."""
    audio, rate = soundfile.read(song, dtype="int16")
    source = tmp_path / f"again{suffix}"
    soundfile.write(source, audio, rate, subtype="PCM_16")
    with counted() as counts:
        result = master(source, tmp_path / "out.wav", Options(target="-20", model="none"))
    is_flac = suffix == ".flac"
    assert counts.source.passes == (1 if is_flac else 1 + result.delivery.passes)
    assert counts.buffer_written.bytes_moved == (BUFFER_BYTES if is_flac else 0)
    master(song, tmp_path / "expected.wav", Options(target="-20", model="none"))
    assert (tmp_path / "out.wav").read_bytes() == (tmp_path / "expected.wav").read_bytes()


def test_the_gain_is_found_with_few_forecasts(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain bisection needs nearly twice as many, for the same file."""

    def halved(excess: Callable[[float], float], low: float, high: float, halvings: int) -> float:
        for _ in range(halvings):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if excess(middle) > 0.0 else (middle, high)
        return low

    with counted() as counts:
        result = master(song, tmp_path / "out.wav", Options(target="-9", model="none"))
    assert float(result.delivery.reduction_db.max()) > 1.0  # there is something to predict
    monkeypatch.setattr(gain_search, "bisected", halved)
    with counted() as plain:
        master(song, tmp_path / "plain.wav", Options(target="-9", model="none"))
    assert 0 < counts.forecasts <= 0.6 * plain.forecasts
    assert (tmp_path / "out.wav").read_bytes() == (tmp_path / "plain.wav").read_bytes()


def test_a_styles_spectra_are_transformed_once(song: Path, tmp_path: Path) -> None:
    """Left and right in long windows, mid in long ones and mid and side in short ones, half overlapped."""
    with counted() as counts:
        master(song, tmp_path / "out.wav", Options(target="keep", ceiling="off"))
    frames = SECONDS * RATE
    inspected = frames // 16_384
    long, short = frames // 8_192 - 1, frames // 1_024 - 1
    assert counts.ffts[2_048] == 2 * short
    assert counts.ffts[16_384] == 2 * long + long + 2 * inspected


def test_ffts_of_a_model_are_those_of_its_frames(song: Path, tmp_path: Path) -> None:
    """Mid and side, windows of 5 s of which the last ends with the song."""
    with counted() as counts:
        master(song, tmp_path / "out.wav", Options(target="keep", ceiling="off", model="modest-eq-2"))
    frames = (5 * RATE - 4096) // 1024 + 1
    assert counts.ffts[4096] == 2 * 2 * frames


@pytest.mark.parametrize("options", [["--model", "modest-eq-2"], [], ["--model", "none", "--word", "warm"]])
def test_no_master_without_a_network_loads_torch(options: list[str], song: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from neural_mastering.cli.master import invoke\n"
        "code = invoke(sys.argv[1:])\n"
        "print(code, *(m for m in ('torch', 'scipy.signal', 'scipy.stats', 'matplotlib') if m in sys.modules))"
    )
    command = [sys.executable, "-c", code, str(song), "-o", str(tmp_path / "out.wav"), "-q", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0"], done.stderr
