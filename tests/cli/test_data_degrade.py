"""nm-data degrade as people type it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from neural_mastering.cli.data import main
from neural_mastering.data.degradation import song as song_module
from neural_mastering.data.pairing import find_pairs

RATE = 22_050
Run = Callable[..., int]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    root = tmp_path / "my music (2024) [flac]"
    rng = np.random.default_rng(0)
    for number in range(3):
        album = root / f"Ålbum = {number}"
        album.mkdir(parents=True)
        soundfile.write(album / "söng, one.flac", 0.1 * rng.standard_normal((RATE, 2)), RATE)
    return root


@pytest.fixture
def nm_data(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run nm-data in this process; returns the exit code."""

    def run(*arguments: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["nm-data", *map(str, arguments)])
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return run


def test_pairs_are_made_and_found_again(music: Path, tmp_path: Path, nm_data: Run, capsys: Any) -> None:
    out = tmp_path / "pairs é"
    command = ("degrade", music, "--out", out, "--preset", "light", "--jobs", "1")
    assert nm_data(*command) == 0
    said = capsys.readouterr()
    assert "3 pairs made, 0 kept, 0 tracks failed" in said.out and "1 validation" in said.out
    assert "\x1b" not in said.out + said.err  # no terminal, no colours
    assert len(find_pairs(out)) == 3
    assert nm_data(*command) == 0
    assert "0 pairs made, 3 kept" in capsys.readouterr().out
    assert nm_data(*command, "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_a_bad_file_gives_code_1_and_the_rest(music: Path, tmp_path: Path, nm_data: Run, capsys: Any) -> None:
    (music / "broken.wav").write_text("no audio")
    assert nm_data("degrade", music, "--out", tmp_path / "out", "--jobs", "1", "-q") == 1
    said = capsys.readouterr()
    assert said.out == "" and "broken.wav gave no pair" in said.err and "Traceback" not in said.err
    assert len(find_pairs(tmp_path / "out")) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("MUSIC", "--out", "OUT", "--preset", "strong"), "no preset 'strong'"),
        (("nowhere", "--out", "OUT"), "there is no folder"),
        (("MUSIC", "--out", "MUSIC"), "lies in the folder of the music"),
        (("MUSIC",), "--out"),
        (("MUSIC", "--out", "OUT", "--jobs", "-1"), "jobs"),
        (("MUSIC", "--out", "OUT", "--test-fraction", "1.5"), "must leave songs for training"),
    ],
)
def test_mistakes_are_explained(
    arguments: tuple[str, ...], words: str, music: Path, tmp_path: Path, nm_data: Run, capsys: Any
) -> None:
    names = {"MUSIC": str(music), "OUT": str(tmp_path / "out")}
    assert nm_data("degrade", *(names.get(a, a) for a in arguments)) == 2
    said = capsys.readouterr()
    assert words in said.err and "Traceback" not in said.err + said.out
    assert not (tmp_path / "out").exists()


def test_ctrl_c_leaves_no_half_file_and_says_how_to_go_on(
    music: Path, tmp_path: Path, nm_data: Run, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = song_module._quantised

    def interrupted(audio: np.ndarray, file: Any) -> np.ndarray:
        if "Ålbum = 1" in str(file.path):
            raise KeyboardInterrupt
        return real(audio, file)

    monkeypatch.setattr(song_module, "_quantised", interrupted)
    out = tmp_path / "out"
    assert nm_data("degrade", music, "--out", out, "--jobs", "1") == 130
    said = capsys.readouterr()
    assert "Run the same command again" in said.err and "Traceback" not in said.err
    assert not list(out.rglob("*.part")) and not (out / "manifest.csv").exists()
    assert [p.name for p in (out / "mastered").iterdir()] == ["Ålbum = 0__söng, one.flac"]
    monkeypatch.setattr(song_module, "_quantised", real)
    assert nm_data("degrade", music, "--out", out, "--jobs", "1") == 0
    assert "2 pairs made, 1 kept" in capsys.readouterr().out


@pytest.mark.slow
def test_several_processes_give_the_same_bytes_and_stop_at_once(music: Path, tmp_path: Path) -> None:
    soundfile.write(
        music / "long.flac",
        0.1 * np.random.default_rng(1).standard_normal((600 * RATE, 2)),
        RATE,
        subtype="PCM_16",
    )
    command = [
        sys.executable,
        "-m",
        "neural_mastering.cli.data",
        "degrade",
        str(music),
        "--jobs",
        "2",
        "--out",
    ]
    process = subprocess.Popen(
        [*command, str(tmp_path / "broken")], stderr=subprocess.PIPE, start_new_session=True
    )
    parts = tmp_path / "broken" / "unmastered"
    until = time.monotonic() + 120.0
    while not list(parts.glob(".long*.part")) and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130 and b"Traceback" not in errors
    assert not list((tmp_path / "broken").rglob("*.part"))
    for out, jobs in (("broken", "2"), ("whole", "1")):
        subprocess.run([*command[:-2], jobs, "--out", str(tmp_path / out)], check=True, capture_output=True)
    files = [
        {p.name: p.read_bytes() for p in sorted((tmp_path / out).rglob("*")) if p.is_file()}
        for out in ("broken", "whole")
    ]
    assert files[0] == files[1] and len(files[0]) == 6  # 4 names on two sides share names; 2 manifests


def test_help_needs_no_torch() -> None:
    code = (
        "import sys\nsys.argv = ['nm-data', 'degrade', '--help']\nfrom neural_mastering.cli.data import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nprint('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip().endswith("False") and "--preset" in result.stdout
