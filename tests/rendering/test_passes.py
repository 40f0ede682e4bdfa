"""What a master costs in passes and bytes: guards that need no clock."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.count_master import counted
from neural_mastering.rendering import Options, master

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
