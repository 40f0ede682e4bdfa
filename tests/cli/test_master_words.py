"""nm-master --word and --list-words, from the arguments to the files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.cli.master import invoke
from neural_mastering.controls import load_controls
from neural_mastering.words import word_table

RATE = 44_100
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    path, rng = tmp_path / "my söng = [1].wav", np.random.default_rng(0)
    time = np.arange(round(1.5 * RATE)) / RATE
    audio = 0.1 * rng.standard_normal((time.size, 2)) * (0.3 + np.exp(-10 * (time % 0.5)))[:, None]
    soundfile.write(path, audio, RATE, subtype="PCM_24")
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run nm-master in this process: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = invoke([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


def test_words_end_up_in_every_file(run: Run, mix: Path, tmp_path: Path) -> None:
    numbers, controls, report = tmp_path / "n.json", tmp_path / "c.yaml", tmp_path / "report"
    code, out, _ = run(
        *(mix, "-o", tmp_path / "master.wav", "--model", "none"),
        *("--word", "warm=0.5", "--word", "bright=-0.3"),
        *("--json", numbers, "--save-controls", controls, "--report", report),
    )
    assert code == 0
    assert "Tone by words alone" in out and "one was left alone" not in out
    assert "Warm +0.5: agreement r = 0.22 over 384 contributions by 9 people (SAFE, full mixes)" in out
    words = json.loads(numbers.read_text())["words"]
    assert [(entry["word"], entry["strength"]) for entry in words["words"]] == [
        ("warm", 0.5),
        ("bright", -0.3),
    ]
    assert words["words"][0]["n"] == 384 and "Stables" in words["words"][0]["citation"]
    assert words["fit_rms_db"] < 0.1 and words["fit_max_db"] < 0.7
    table = word_table().words
    expected = 0.5 * table["warm"].shape_db - 0.3 * table["bright"].shape_db
    np.testing.assert_allclose(words["asked_db"], expected, atol=0.003)
    np.testing.assert_allclose(words["applied_db"][3:], expected[3:], atol=0.3)
    saved = load_controls(controls)
    assert saved.words == {"warm": 0.5, "bright": -0.3} and 0 < len(saved.eq) <= 6
    assert saved.gain_db == pytest.approx(words["loudness_compensation_db"])
    page = (report / "report.html").read_text(encoding="utf-8")
    assert 'id="words"' in page and "What the words change" in page and "Stables" in page
    shown = json.loads((report / "report.json").read_text())["words"]
    assert [entry["n"] for entry in shown["words"]] == [384, 376]
    assert shown["loudness_compensation_db"] == pytest.approx(saved.gain_db)


def test_saved_controls_give_the_same_master_without_asking_again(
    run: Run, mix: Path, tmp_path: Path
) -> None:
    controls = tmp_path / "c.yaml"
    words = ("--model", "none", "--word", "clear=0.8")
    assert run(mix, "-o", tmp_path / "a.wav", *words, "--save-controls", controls)[0] == 0
    assert run(mix, "-o", tmp_path / "b.wav", "--controls", controls)[0] == 0
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_zero_is_bit_exact_and_a_word_alone_is_a_half(run: Run, mix: Path, tmp_path: Path) -> None:
    assert run(mix, "-o", tmp_path / "plain.wav")[0] == 0
    assert run(mix, "-o", tmp_path / "zero.wav", "--word", "warm=0")[0] == 0
    assert (tmp_path / "plain.wav").read_bytes() == (tmp_path / "zero.wav").read_bytes()
    assert run(mix, "-o", tmp_path / "half.wav", "--word", "warm")[0] == 0
    assert run(mix, "-o", tmp_path / "same.wav", "--word", "warm=.5")[0] == 0
    assert (tmp_path / "half.wav").read_bytes() == (tmp_path / "same.wav").read_bytes()
    assert (tmp_path / "half.wav").read_bytes() != (tmp_path / "plain.wav").read_bytes()


def test_opposites_get_a_warning(run: Run, mix: Path, tmp_path: Path) -> None:
    code, _, err = run(mix, "-o", tmp_path / "o.wav", "--word", "warm=0.5", "--word", "bright=0.5")
    assert code == 0 and "warning: warm +0.5 and bright +0.5 largely cancel" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cold=0.5"], "people disagree about it: agreement r = 0.06"),
        (["harsh"], "16 contributions in SocialEQ"),
        (["full"], "too little evidence: 5 contributions by 3 people"),
        (["warmer"], "did you mean warm?"),
        (["wobbly=1"], "known words: warm, bright"),
        (["warm=1.5"], "-1 to 1"),
        (["warm=a lot"], "such as warm=0.5"),
        (["punchy=-0.5"], "no opposite"),
        (["warm=0.5", "--word", "warm=0.2"], "there twice"),
        (["warm", "--skip", "eq"], "needs the stage eq"),
    ],
)
def test_refusals_write_nothing(
    run: Run, mix: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    code, out, err = run(mix, "-o", tmp_path / "out.wav", "--word", *arguments)
    assert code == 2 and message in err and not out
    assert [path.name for path in tmp_path.iterdir()] == [mix.name]


def test_presets_are_labelled(run: Run, mix: Path, tmp_path: Path) -> None:
    code, out, _ = run(
        mix, "-o", tmp_path / "o.wav", "--word", "glue=0.8", "--model", "none", "--report", tmp_path / "r"
    )
    assert code == 0 and "low evidence: 3 settings" in out
    shown = json.loads((tmp_path / "r" / "report.json").read_text())["words"]
    assert shown["words"][0]["tier"] == "low" and not np.any(shown["asked_db"])


def test_the_list_shows_words_with_evidence(run: Run) -> None:
    code, out, _ = run("--list-words")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    for name, word in word_table().words.items():
        assert str(word.evidence.n) in lines[name] and f"{word.evidence.agreement:.2f}" in lines[name]
        assert word.tier in lines[name]
    assert "low evidence" in out and "cold (disagree)" in out


def test_several_songs(run: Run, mix: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(mix.read_bytes())
    code, _, _ = run(mix, other, "-o", tmp_path / "out", "--word", "dark=0.3", "--json", tmp_path / "n")
    assert code == 0
    found = [json.loads(path.read_text())["words"]["words"][0] for path in (tmp_path / "n").iterdir()]
    assert [entry["word"] for entry in found] == ["dark", "dark"]
