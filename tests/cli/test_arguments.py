"""Arguments that would be taken as names of files: empty ones, options, dashes."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer

from neural_mastering.cli import batch, bundle, data, evaluate, learn, master, studio, style
from neural_mastering.cli.arguments import check_arguments
from neural_mastering.cli.invocation import invoke_command
from neural_mastering.errors import InputError

RATE = 44_100
APPS = {"batch": batch, "bundle": bundle, "data": data, "eval": evaluate, "learn": learn, "studio": studio}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a song whose name begins with a dash, and one whose name does not."""
    monkeypatch.chdir(tmp_path)
    noise = 0.1 * np.random.default_rng(0).standard_normal((RATE, 2))
    for name in ("song.wav", "-dash song.wav"):
        soundfile.write(tmp_path / name, noise, RATE, subtype="PCM_24")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ([""], "argument 1 is empty"),
        (["-o", "", "song.wav"], "argument 2 after -o is empty"),
        (["song.wav", "--report", ""], "argument 3 after --report is empty"),
        (["song.wav", "--report="], "--report= has an empty value"),
        (["--", ""], "argument 2 after -- is empty"),
        (["song.wav", "--json", "-q"], "--json needs a value, but -q is an option"),
        (["-o", "--json", "x"], "-o needs a value, but --json is an option"),
        (["song.wav", "-o", "-"], "-o -: audio and files don't go to standard output"),
        (["song.wav", "--report", "-"], "--report -: audio and files"),
        (["song.wav", "song.wav", "-o", "a/", "--json", "-"], "would both become"),
        (["song.wav", "-dash song.wav"], "('-dash song.wav' is a file: write './-dash song.wav', or put --"),
    ],
)
def test_what_is_no_name_of_a_file_is_refused_and_nothing_is_written(
    typed: list[str], expected: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(here.iterdir())
    assert master.invoke(typed) == 2
    told = capsys.readouterr()
    assert expected in told.err and told.out == "" and len(told.err.splitlines()) == 1
    assert sorted(here.iterdir()) == before


def test_names_with_dashes_can_be_written_as_the_messages_say(here: Path) -> None:
    plain = ["--model", "none", "--json", "./-q"]
    assert master.invoke([*plain, "-o", "a.wav", "./-dash song.wav"]) == 0
    assert master.invoke([*plain, "-o", "b.wav", "--overwrite", "--", "-dash song.wav"]) == 0
    assert json.loads((here / "-q").read_text(encoding="utf-8"))["files"]["output"] == "b.wav"


def test_json_with_a_dash_prints_the_numbers_and_nothing_else(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert master.invoke(["song.wav", "-o", "a.wav", "--model", "none", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["files"]["output"] == "a.wav"
    assert not (here / "-").exists()
    assert master.invoke(["song.wav", "./-dash song.wav", "-o", "out/", "--json", "-"]) == 2
    assert "numbers of one song" in capsys.readouterr().err


@pytest.mark.parametrize("name", APPS)
def test_every_program_refuses_an_empty_argument(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke_command(APPS[name].app, f"nm-{name}", [""]) == 2
    assert "argument 1 is empty" in capsys.readouterr().err


def test_options_of_a_group_and_of_its_command_are_known() -> None:
    command = typer.main.get_command(style.app)
    with pytest.raises(InputError, match="--style needs a value, but -q is an option"):
        check_arguments(command, ["compare", "song.wav", "--style", "-q"])
    check_arguments(command, ["compare", "song.wav", "-s", "-14", "-q", "--json", "-"])
    group = typer.main.get_command(evaluate.app)
    with pytest.raises(InputError, match="--out needs a value, but --data is an option"):
        check_arguments(group, ["--out", "--data", "x"])


@pytest.mark.parametrize("module", [data, evaluate, style])
def test_a_group_without_arguments_prints_its_help(
    module: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke_command(module.app, "nm-group", []) == 2  # pyright: ignore[reportAttributeAccessIssue]
    assert len(capsys.readouterr().err.splitlines()) > 5
