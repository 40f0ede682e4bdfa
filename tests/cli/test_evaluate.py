"""nm-eval from the command line: a whole evaluation, and every kind of bad input."""

import csv
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

sys.path.append(str(Path(__file__).parent / "support"))

import nm_eval_world as world  # pyright: ignore[reportMissingImports]

from neural_mastering.cli import evaluate as command

PICTURES = ("phase_1C_eq_curve.png", "phase_1C_metrics.png", "phase_1C_bands.png")


pytestmark = pytest.mark.xdist_group("evaluated run")  # what all of them need is made once


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs, a run and a cache; names with spaces."""
    place = tmp_path_factory.mktemp("nm eval")
    world.make_pairs(place / "my pairs")
    world.make_run(place / "my run 1c")
    return place


@pytest.fixture
def nm_eval(monkeypatch: pytest.MonkeyPatch, place: Path) -> Callable[..., int]:
    """Run nm-eval; returns the exit code."""

    def run(*arguments: str | Path) -> int:
        texts = ["nm-eval", *map(str, arguments)]
        if "inspect" not in texts and "--cache-dir" not in texts and len(texts) > 2:
            texts += ["--cache-dir", str(place / "cache")]
        monkeypatch.setattr(sys, "argv", texts)
        try:
            command.main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return run


@pytest.fixture(scope="module")
def evaluated(place: Path) -> Path:
    """One evaluation with everything, shared by the tests that look at it."""
    masters = place / "their masters"
    masters.mkdir()
    for name in world.NAMES[2:]:
        shutil.copy(place / "my pairs" / "mastered" / f"{name}.wav", masters / f"{name}.wav")
    out = place / "results 1"
    arguments = ["--checkpoint", place / "my run 1c", "--data", place / "my pairs", "--split", "test"]
    arguments += [
        "--systems",
        f"their chain={masters}",
        "--out",
        out,
        "--segments",
        "2",
        "--segment-s",
        "1.5",
    ]
    arguments += ["--cache-dir", place / "cache", "--jobs", "1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nm-eval", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            command.main()
    assert not stop.value.code
    return out


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_a_row_a_song_and_system(evaluated: Path) -> None:
    rows = _rows(evaluated / "metrics.csv")
    systems = ["identity", "loudness", "average_eq", "spectral_match", "phase_1c", "their_chain"]
    assert [(r["song"], r["system"]) for r in rows] == [(n, s) for n in ("söng 4", "söng 5") for s in systems]
    by_system = {row["system"]: row for row in rows[:6]}
    assert float(by_system["their_chain"]["mr_stft"]) == 0.0  # it is the target
    assert float(by_system["their_chain"]["snr"]) == 100.0
    matched = [
        column for column in rows[0] if column.endswith("_matched") and not column.startswith("true_peak")
    ]
    for column in matched:  # loudness alone is the identity, once the loudness is matched
        assert float(by_system["loudness"][column]) == pytest.approx(
            float(by_system["identity"][column]), abs=2e-3
        )
    # all songs share one correction, so the average EQ is nearly the answer
    assert float(by_system["average_eq"]["ltas_error"]) < 0.25 * float(
        by_system["identity"]["ltas_error_matched"]
    )
    assert {row["system"] for row in _rows(evaluated / "segments.csv")} == set(systems)


def test_metrics_json_has_intervals_differences_and_ablations(evaluated: Path) -> None:
    content = json.loads((evaluated / "metrics.json").read_text())
    whole = content["whole_songs"]
    assert (whole["songs"], whole["groups"]) == (2, 1)
    assert whole["best_baseline"]["ltas_error_matched"] == "average_eq"
    score = whole["systems"]["their_chain"]["ltas_error_matched"]
    assert score["mean"] == 0.0 and score["low"] is None  # one group: no interval
    assert score["difference_to_best_baseline"]["mean"] < 0 and score["songs_improved"] == 2
    assert {row["ablation"] for row in content["ablations"]} == {
        "shuffled_z",
        "no_residual",
        "gates_open",
        "no_eq",
        "no_gain",
    }
    assert "2 songs" in content["facts"]["baselines learned from"]
    assert content["models"][0]["phase"] == "1C" and content["metrics"]["ltas_error"]["unit"] == "dB"
    assert any("One group" in warning for warning in content["warnings"])


def test_pictures_tables_and_page_are_there(evaluated: Path) -> None:
    for name in PICTURES:
        assert (evaluated / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and (
            evaluated / name
        ).stat().st_size > 9000
    page = (evaluated / "report.html").read_text(encoding="utf-8")
    assert "their chain" in page and "söng 5" in page and "neuralMastering" in page
    bands = _rows(evaluated / "bands.csv")
    assert [row["band"] for row in bands] == list("123456")
    controls = _rows(evaluated / "controls.csv")
    for band in bands:
        is_open = sum(int(row["open"]) for row in controls if row["band"] == band["band"])
        assert int(band["open_songs"]) == is_open
    assert not [path for path in evaluated.parent.iterdir() if path.name.startswith(".")]  # no draft is left


def test_the_page_shows_names_and_true_minus_signs(evaluated: Path) -> None:
    """Where files lie is nobody's business who gets the page; metrics.json says it."""
    page = (evaluated / "report.html").read_text(encoding="utf-8")
    assert str(evaluated.parent) not in page
    content = json.loads((evaluated / "metrics.json").read_text())
    assert content["data"] == str(evaluated.parent / "my pairs")
    assert content["models"][0]["checkpoint"].startswith(str(evaluated.parent))
    shown = re.sub(r"<(script|style|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    texts = re.findall(r">([^<>]+)<", shown)
    assert sum("−" in text for text in texts) > 20
    assert [text for text in texts if re.search(r"(?<![\w-])-\d", text)] == []


def test_results_are_not_overwritten_silently(
    evaluated: Path, nm_eval: Callable[..., int], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (evaluated / "notes.txt").write_text("mine")
    before = (evaluated / "metrics.json").stat().st_mtime_ns
    arguments = [
        "--data",
        place / "my pairs",
        "--split",
        "all",
        "--song",
        "söng 2",
        "--no-report",
        "--segments",
        "0",
    ]
    arguments += ["--systems", f"their chain={place / 'their masters'}", "--out", evaluated, "--no-peers"]
    assert nm_eval(*arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (evaluated / "metrics.json").stat().st_mtime_ns == before
    copy = place / "results 2"
    shutil.copytree(evaluated, copy)
    arguments[arguments.index(evaluated)] = copy
    assert nm_eval(*arguments, "--overwrite", "--quiet") == 0
    assert (copy / "notes.txt").read_text() == "mine"
    assert {row["song"] for row in _rows(copy / "metrics.csv")} == {"söng 2"}
    assert not (copy / "bands.csv").exists() and not list(copy.glob("*.png"))  # of the earlier evaluation
    assert not (copy / "report.html").exists()


@pytest.mark.slow
def test_several_processes_give_the_same_numbers(
    evaluated: Path, nm_eval: Callable[..., int], place: Path
) -> None:
    out = place / "two processes"
    arguments = [
        "--checkpoint",
        place / "my run 1c",
        "--data",
        place / "my pairs",
        "--out",
        out,
        "--jobs",
        "2",
    ]
    assert nm_eval(*arguments, "--segments", "0", "--no-ablations", "--no-report", "-q") == 0
    wanted = {(r["song"], r["system"]): r for r in _rows(evaluated / "metrics.csv")}
    for row in _rows(out / "metrics.csv"):
        for column, value in row.items():
            if column not in ("name", "kind", "song", "group", "system") and value:
                other = float(wanted[row["song"], row["system"]][column])
                assert float(value) == pytest.approx(other, rel=2e-3, abs=2e-3), column


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "{pairs}", "--out", "{out}"], "--checkpoint RUN_OR_CKPT or --systems"),
        (["--checkpoint", "{run}"], "--data DIR and --out DIR"),
        (["--checkpoint", "{run}/nothing", "--data", "{pairs}", "--out", "{out}"], "does not exist"),
        (
            ["--checkpoint", "{pairs}/manifest.csv", "--data", "{pairs}", "--out", "{out}"],
            "could not be read",
        ),
        (["--checkpoint", "{run}", "--data", "{run}/nowhere", "--out", "{out}"], "no data folder"),
        (
            ["--checkpoint", "{run}", "--data", "{pairs}", "--out", "{out}", "--split", "tset"],
            "must be one of",
        ),
        (["--checkpoint", "{run}", "--data", "{pairs}", "--out", "{out}", "--song", "x"], "is called 'x'"),
        (["--systems", "nofolder", "--data", "{pairs}", "--out", "{out}"], "expected NAME=DIR"),
        (["--systems", "a={run}/none", "--data", "{pairs}", "--out", "{out}"], "no folder"),
        (["--systems", "identity={pairs}/mastered", "--data", "{pairs}", "--out", "{out}"], "two rows"),
        (
            ["--checkpoint", "{run}", "--data", "{pairs}", "--out", "{out}", "--sample-rate", "48000"],
            "trained at",
        ),
        (["--checkpoint", "{run}", "--data", "{pairs}", "--out", "{pairs}/manifest.csv"], "is a file"),
    ],
)
def test_bad_input_is_explained_in_a_line(
    arguments: list[str],
    words: str,
    nm_eval: Callable[..., int],
    place: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {"pairs": place / "my pairs", "run": place / "my run 1c", "out": tmp_path / "out"}
    assert nm_eval(*(argument.format(**names) for argument in arguments)) == 2
    error = capsys.readouterr().err
    assert words in error and "Traceback" not in error
    assert error.splitlines()[-1].startswith("nm-eval: ")
    assert not (tmp_path / "out").exists() and not list(tmp_path.iterdir())


def test_a_leaky_test_split_is_refused(
    nm_eval: Callable[..., int], place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaky = world.make_run(tmp_path / "leaky", trained_on=("söng 4",))
    code = nm_eval("--checkpoint", leaky, "--data", place / "my pairs", "--out", tmp_path / "out")
    assert code == 2 and "'söng 4'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_interrupted_evaluation_leaves_nothing(
    nm_eval: Callable[..., int], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("neural_mastering.evaluation.evaluate.draw_pictures", stop)
    arguments = ["--checkpoint", place / "my run 1c", "--data", place / "my pairs", "--out", tmp_path / "out"]
    assert nm_eval(*arguments, "--segments", "0", "--no-ablations", "-q", "--song", "söng 4") == 130
    assert not list(tmp_path.iterdir())


def test_data_at_another_rate_are_resampled_and_said_so(
    nm_eval: Callable[..., int], place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "48k"
    shutil.copytree(place / "my pairs", root)
    for path in root.rglob("söng 4.wav"):
        samples, _ = soundfile.read(path, dtype="float32")
        soundfile.write(path, samples, 48_000, subtype="PCM_24")
    arguments = [
        "--checkpoint",
        place / "my run 1c",
        "--data",
        root,
        "--out",
        tmp_path / "out",
        "--song",
        "söng 4",
    ]
    assert nm_eval(*arguments, "--segments", "0", "--no-ablations", "--no-report", "--no-peers") == 0
    assert "48000 Hz are resampled to 44100 Hz" in capsys.readouterr().err


def test_inspect_says_what_a_checkpoint_is(
    nm_eval: Callable[..., int], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nm_eval("inspect", place / "my run 1c") == 0
    text = capsys.readouterr().out
    for words in (
        "1C (1c), epoch 3, step 40",
        "gates choose 2 to 6 bands",
        "low shelf",
        "Hz (",
        "2 songs in 1 group",
    ):
        assert words in text
    assert nm_eval("inspect", place / "my run 1c", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    parameters = content["parameters"]
    assert parameters["total"] == sum(count for part, count in parameters.items() if part != "total")
    assert {line["name"] for line in content["controls"]} == {"frequency", "gain", "q"}
    assert nm_eval("inspect", place / "nothing here") == 2
    assert "does not exist" in capsys.readouterr().err


def test_help_does_not_wait_for_torch() -> None:
    import subprocess

    code = (
        "import sys; sys.argv = ['nm-eval', '--help']\n"
        "from neural_mastering.cli.evaluate import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--checkpoint" in result.stdout and result.stdout.strip().endswith("False")
