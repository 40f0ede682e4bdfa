"""nm-data check and align, as a user meets them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.cli.data import main

RATE = 22_050


@pytest.fixture
def nm_data(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run nm-data in this process; returns the exit code."""

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["nm-data", *arguments])
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return run


def put(root: Path, name: str, seed: int, late: int = 0) -> None:
    rng = np.random.default_rng(seed)
    song = 0.1 * rng.standard_normal((3 * RATE, 2)) * np.repeat(rng.uniform(0.2, 1, 30), RATE // 10)[:, None]
    master = np.roll(0.8 * np.tanh(4 * song), late, axis=0)
    for side, audio in (("unmastered", song), ("mastered", master)):
        (root / side).mkdir(parents=True, exist_ok=True)
        soundfile.write(root / side / f"{name}.wav", audio, RATE, subtype="PCM_16")


def test_check_then_align_then_check(
    nm_data: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out, report = tmp_path / "my pairs", tmp_path / "repaired", tmp_path / "report [1].json"
    put(root, "a=b [é] (v2)", 0)
    put(root, "late [b]", 1, late=441)
    assert nm_data("check", str(root), "--json", str(report), "--jobs", "1") == 1
    text = capsys.readouterr().out
    assert "a=b [é] (v2)" in text and "late [b]" in text and "441.0" in text and "nm-data align" in text
    entries = {entry["name"]: entry for entry in json.loads(report.read_text())}
    found = entries["late [b]"]
    assert found["delay_samples"] == pytest.approx(441, abs=0.1)
    assert found["verdict"].startswith("fixable: the mastered side is 441.0")
    assert (found["polarity"], found["channels_swapped"]) == (1, False)
    assert abs(found["drift_ppm"]) < 1
    assert entries["a=b [é] (v2)"]["verdict"] == "ok"

    assert nm_data("align", str(root), "--out", str(out), "--jobs", "1") == 0
    assert "1 repaired, 1 copied, 0 left out" in capsys.readouterr().out
    assert nm_data("check", str(out), "--quiet", "--jobs", "1") == 0
    assert capsys.readouterr().out == ""


def test_mistakes_are_explained(
    nm_data: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, words in (
        (["check", str(tmp_path / "nowhere")], "no data folder"),
        (["check", str(tmp_path)], "no folder unmastered/"),
        (["check", str(tmp_path), "--json", str(tmp_path / "no" / "x.json")], "no folder"),
        (["align", str(tmp_path), "--out", str(tmp_path / "out")], "no folder unmastered/"),
        (["align", str(tmp_path)], "--out"),
    ):
        assert nm_data(*arguments) == 2
        error = capsys.readouterr().err
        assert words in error and "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_training_refuses_pairs_out_of_place_and_says_what_repairs_them(tmp_path: Path) -> None:
    from neural_mastering.data import DataError, PairedDataModule

    root = tmp_path / "pairs"
    for number in range(3):
        put(root, f"song {number}", number, late=30 if number == 1 else 0)
    settings = {"sample_rate": RATE, "segment_s": 1.0, "test_fraction": 0.0, "cache_dir": tmp_path / "cache"}
    for _ in range(2):  # the second time from what was kept
        with pytest.raises(DataError, match=r"1 of 3 pairs.*'song 1' .*nm-data align '.*' --out"):
            PairedDataModule(root, **settings).setup()
    assert len(PairedDataModule(root, check=False, **settings).train_songs) == 2


def test_pairs_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from neural_mastering.data import PairedDataModule
    from neural_mastering.data.audit import training

    root = tmp_path / "pairs"
    for number in range(2):
        put(root, f"song {number}", number)
    settings = {"sample_rate": RATE, "segment_s": 1.0, "test_fraction": 0.0, "cache_dir": tmp_path / "cache"}
    measured: list[str] = []
    relate = training.relate
    monkeypatch.setattr(training, "relate", lambda one, two: measured.append("") or relate(one, two))
    PairedDataModule(root, **settings).setup()
    assert len(measured) == 2
    PairedDataModule(root, **settings).setup()
    assert len(measured) == 2
    put(root, "song 1", 5)
    os.utime(root / "mastered" / "song 1.wav", (1, 1))
    PairedDataModule(root, **settings).setup()
    assert len(measured) == 3


@pytest.mark.slow
def test_ctrl_c_ends_without_a_traceback(tmp_path: Path) -> None:
    for number in range(40):
        put(tmp_path, f"song {number}", number)
    command = [sys.executable, "-m", "neural_mastering.cli.data", "check", str(tmp_path), "--jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(8)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in error
