"""nm-master on files and disks that are not as they should be: a clear word, and nothing half done."""

import os
import pickle
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from nm_test_signals import heed_interrupts

from neural_mastering.cli.master import invoke

RATE = 44_100
RNG = np.random.default_rng(0)


def noise(seconds: float, rate: int = RATE, channels: int = 2) -> np.ndarray:
    time = np.arange(round(seconds * rate))[:, None] / rate
    return 0.1 * RNG.standard_normal((time.size, channels)) * (0.4 + np.exp(-9 * (time % 0.4)))


def hold(sample: float) -> np.ndarray:
    audio = noise(1.0)
    audio[20_000, 1] = sample
    return audio


ODD = {
    "a tenth of a second": (noise(0.1), RATE, "PCM_16", "shorter than 0.4 s"),
    "one sample": (noise(1 / RATE), RATE, "PCM_16", "shorter than 0.4 s"),
    "a second": (noise(1.0), RATE, "PCM_16", "shorter than 3 s"),
    "silence": (np.zeros((RATE, 2)), RATE, "PCM_16", "silent"),
    "nearly silent": (1e-5 * noise(1.0), RATE, "FLOAT", "−70 LUFS"),
    "clipped": (np.clip(30 * noise(1.0), -1, 1), RATE, "PCM_16", "clipping"),
    "over full scale": (20 * noise(1.0), RATE, "FLOAT", "exceed full scale"),
    "DC offset": (noise(1.0) + 0.2, RATE, "PCM_24", "DC offset"),
    "mono": (noise(1.0, channels=1), RATE, "PCM_24", "mono"),
    "twice the same": (
        np.repeat(noise(1.0, channels=1), 2, axis=1),
        RATE,
        "PCM_24",
        "both channels are identical",
    ),
    "one channel missing": (noise(1.0) * [1, 0], RATE, "PCM_24", "right channel is silent"),
    "inverted": (noise(1.0, channels=1) * [1, -0.9], RATE, "PCM_24", "inverted"),
    "mastered already": (np.tanh(8 * noise(3.0)), RATE, "PCM_16", "mastered already"),
    "8 kHz": (noise(1.0, 8000), 8000, "PCM_16", ""),
    "192 kHz": (noise(1.0, 192_000), 192_000, "PCM_24", ""),
    "odd rate": (noise(1.0, 37_800), 37_800, "PCM_24", ""),
    "8 bit": (noise(1.0), RATE, "PCM_U8", "only 8 bits"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_audio_is_mastered_with_a_word(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audio, rate, subtype, word = ODD[kind]
    source = tmp_path / "in.wav"
    soundfile.write(source, audio, rate, subtype=subtype)
    for suffix in ("wav", "flac"):
        assert invoke([str(source), "-o", str(tmp_path / f"out.{suffix}")]) == 0
        captured = capsys.readouterr()
        assert word in captured.err and "Traceback" not in captured.err
        out, out_rate = soundfile.read(tmp_path / f"out.{suffix}", always_2d=True)
        assert out.shape == audio.shape and out_rate == rate and np.isfinite(out).all()
        assert np.abs(out).max() <= 10 ** (-1 / 20)


REFUSED = {
    "NaN": (lambda p: soundfile.write(p, hold(np.nan), RATE, subtype="FLOAT"), "0.454 s"),
    "infinity": (lambda p: soundfile.write(p, hold(-np.inf), RATE, subtype="DOUBLE"), "not numbers"),
    "nonsense numbers": (lambda p: soundfile.write(p, hold(1e30), RATE, subtype="FLOAT"), "isn't audio"),
    "surround": (lambda p: soundfile.write(p, noise(0.5, channels=6), RATE), "6 channels"),
    "a rate of 4 kHz": (lambda p: soundfile.write(p, noise(0.5, 4000), 4000), "4000 Hz"),
    "zero bytes": (lambda p: p.write_bytes(b""), "empty"),
    "no samples": (lambda p: soundfile.write(p, np.zeros((0, 2)), RATE), "no audio"),
    "text": (lambda p: p.write_text("not audio at all"), "can't be read"),
    "a cut header": (lambda p: p.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00"), "can't be read"),
    "a folder": (lambda p: p.mkdir(), "is a folder"),
    "nothing": (lambda p: None, "does not exist"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_mastered_is_refused(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, word = REFUSED[kind]
    source = tmp_path / "in.wav"
    make(source)
    assert invoke([str(source), "-o", str(tmp_path / "out.wav"), "--json", str(tmp_path / "n.json")]) != 0
    captured = capsys.readouterr()
    assert word in captured.err and "Traceback" not in captured.err and captured.err.startswith("nm-master: ")
    assert {p.name for p in tmp_path.iterdir()} <= {"in.wav"}


def test_a_file_cut_off_in_its_samples_is_used_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for suffix in ("wav", "flac"):
        source = tmp_path / f"in.{suffix}"
        soundfile.write(source, noise(2.0), RATE, subtype="PCM_16")
        data = source.read_bytes()
        source.write_bytes(data[: len(data) // 2])
        code = invoke([str(source), "-o", str(tmp_path / f"out_{suffix}.wav")])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        if code == 0:
            frames = soundfile.info(tmp_path / f"out_{suffix}.wav").frames
            assert 0.4 * 2 * RATE < frames < 0.6 * 2 * RATE
        else:
            assert "damaged" in captured.err and not (tmp_path / f"out_{suffix}.wav").exists()


def test_a_malicious_checkpoint_is_refused_and_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return (Path.write_text, (tmp_path / "owned", "yes"))

    checkpoint = tmp_path / "evil.ckpt"
    checkpoint.write_bytes(pickle.dumps(Evil()))
    source = tmp_path / "in.wav"
    soundfile.write(source, noise(1.0), RATE)
    assert invoke([str(source), "-o", str(tmp_path / "out.wav"), "--model", str(checkpoint)]) != 0
    assert "checkpoint" in capsys.readouterr().err
    assert not (tmp_path / "owned").exists() and not (tmp_path / "out.wav").exists()


def run_process(arguments: list[str], **settings: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "neural_mastering.cli.master", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings)  # type: ignore[call-overload]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a small disk: the same error from the same call."""
    source = tmp_path / "in.wav"
    soundfile.write(source, noise(4.0), RATE, subtype="PCM_24")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    for output in ("out.wav", "out.flac"):
        process = run_process([str(source), "-o", str(tmp_path / output)], preexec_fn=limit)
        _, err = process.communicate(timeout=120)
        assert process.returncode != 0 and "can't be written" in err and "Traceback" not in err
        assert [p.name for p in tmp_path.iterdir()] == ["in.wav"]


def test_a_folder_without_permission(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    source, locked = tmp_path / "in.wav", tmp_path / "locked"
    soundfile.write(source, noise(1.0), RATE)
    locked.mkdir(mode=0o500)
    assert invoke([str(source), "-o", str(locked / "out.wav")]) != 0
    assert "permission" in capsys.readouterr().err


def test_a_read_only_file_system_or_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """/proc takes no files, not even from root."""
    source = tmp_path / "in.wav"
    soundfile.write(source, noise(1.0), RATE)
    assert invoke([str(source), "-o", "/proc/out.wav"]) != 0
    err = capsys.readouterr().err
    assert "can't be" in err and "Traceback" not in err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_midway(tmp_path: Path, how: signal.Signals) -> None:
    """No file under the final name; after Ctrl-C and a polite end no draft either."""
    source, out = tmp_path / "in.wav", tmp_path / "out"
    soundfile.write(source, np.tile(noise(10.0), (20, 1)), RATE, subtype="PCM_16")
    out.mkdir()
    process = run_process(
        [str(source), "-o", str(out / "master.flac"), "--model", "none"], preexec_fn=heed_interrupts
    )
    deadline = time.monotonic() + 60
    while not list(out.glob(".*.part")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    assert process.poll() is None, "it ended before it could be stopped"
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0 and "Traceback" not in err
    assert not (out / "master.flac").exists()
    if how != signal.SIGKILL:
        assert list(out.iterdir()) == [] and process.returncode == 130 and "stopped" in err
    # the next run is not bothered by what was left
    assert invoke([str(_short(tmp_path)), "-o", str(out / "master.flac")]) == 0


def run_code(code: str) -> "subprocess.CompletedProcess[str]":
    """A Python of its own, which heeds Ctrl-C."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=50, check=False, preexec_fn=heed_interrupts
    )


def test_an_interrupt_that_is_swallowed_comes_again() -> None:
    """Python forgets what is raised while an object is thrown away."""
    code = (
        "import os, signal, time\n"
        "from neural_mastering.cli.interruption import listen_to_signals\n"
        "class Swallows:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(0.1)\n"
        "listen_to_signals()\n"
        "Swallows()\n"
        "print('going on', flush=True)\n"
        "time.sleep(60)\n"
    )
    done = run_code(code)
    assert done.stdout == "going on\n" and done.returncode not in (0, None)
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("asked", [False, True])
def test_what_an_interrupt_became_is_not_shown_as_an_error(asked: bool) -> None:
    """Within the import of compiled modules a KeyboardInterrupt comes out as an ImportError."""
    code = (
        "import os, signal, sys, typer\n"
        "from neural_mastering.cli.interruption import listen_to_signals\n"
        "from neural_mastering.cli.invocation import invoke_command\n"
        "app = typer.Typer(pretty_exceptions_enable=False)\n"
        "@app.command()\n"
        "def load():\n"
        "    try:\n"
        f"        os.kill(os.getpid(), signal.SIGINT) if {asked} else None\n"
        "    except KeyboardInterrupt:\n"
        "        pass\n"
        "    raise ImportError('numpy._core.multiarray failed to import')\n"
        "listen_to_signals()\n"
        "sys.exit(invoke_command(app, 'nm-load', []))\n"
    )
    done = run_code(code)
    if asked:
        assert done.returncode == 130 and done.stderr.startswith("nm-load: stopped")
        assert "Traceback" not in done.stderr
    else:
        assert done.returncode == 1 and "multiarray failed to import" in done.stderr


def _short(folder: Path) -> Path:
    path = folder / "short.wav"
    soundfile.write(path, noise(1.0), RATE)
    return path


def test_a_small_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real tmpfs of 1 MB, where mounting is allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a tmpfs isn't allowed here")
    try:
        source = tmp_path / "in.wav"
        soundfile.write(source, noise(8.0), RATE, subtype="PCM_24")
        assert invoke([str(source), "-o", str(disk / "out.wav")]) != 0
        assert "disk is full" in capsys.readouterr().err
        assert list(disk.iterdir()) == []
        # a small song still fits afterwards
        soundfile.write(source, noise(1.0), RATE, subtype="PCM_24")
        assert invoke([str(source), "-o", str(disk / "out.wav")]) == 0
    finally:
        subprocess.run(["umount", str(disk)], check=False)


@pytest.mark.parametrize("content", [b"only a note\n" * 20, bytes(4_000), RNG.bytes(4_000)])
def test_what_is_only_called_mp3_gets_one_line(
    content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The decoder's own notes go to the file descriptor of standard error."""
    (tmp_path / "song.mp3").write_bytes(content)
    assert invoke([str(tmp_path / "song.mp3")]) == 2
    told = capfd.readouterr()
    assert (
        len(told.err.splitlines()) == 1 and "song.mp3 can't be read as audio" in told.err and told.out == ""
    )


def test_a_wav_file_that_is_called_mp3_is_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "song.wav", noise(1.0), RATE, subtype="PCM_24")
    (tmp_path / "song.wav").rename(tmp_path / "song.mp3")
    assert invoke([str(tmp_path / "song.mp3"), "-o", str(tmp_path / "out.wav"), "--model", "none"]) == 0
    assert "Illegal" not in capfd.readouterr().err
