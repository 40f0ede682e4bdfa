"""What README.md and docs/ say can be done: commands compose, paths and names exist, Python blocks run."""

import importlib
import importlib.util
import itertools
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString
from omegaconf import OmegaConf
from typer.testing import CliRunner

from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import validated
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.models import CHECKPOINT_KEY, build

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HELP = ROOT / "conf" / "train.yaml"
PACKAGE = ROOT / "neural_mastering"
PLUGINS = {"optuna": "hydra_optuna_sweeper", "submitit": "hydra_submitit_launcher"}


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def _prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def _commands() -> Iterator[tuple[str, str]]:
    """(page, command) of each nm-train line; in the help text a description follows after two spaces."""
    for page in PAGES:
        for block in _blocks(page, "bash"):
            for line in block.splitlines():
                if line.startswith("nm-train "):
                    yield page.name, line
    for line in re.findall(r"^ +(nm-train [+\-\w].*)$", HELP.read_text(encoding="utf-8"), re.M):
        yield HELP.name, re.split(r" {2,}", line)[0]


COMMANDS = list({shlex.join(shlex.split(c, comments=True)): (page, c) for page, c in _commands()}.values())
"""Each once: the last page that has it."""


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """YAML blocks that begin with `# FOLDER/FILE.yaml`, as files."""
    for page in PAGES:
        for block in _blocks(page, "yaml"):
            name = re.match(r"# (\S+\.yaml)\n", block)
            if name:
                file = tmp_path / name.group(1)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block, encoding="utf-8")
    return tmp_path


def _overrides(command: str, folder: Path) -> list[str]:
    """What the command overrides, each sweep at its first value."""
    words = shlex.split(command, comments=True)[1:]
    overrides = []
    while words:
        word = words.pop(0)
        if word == "--config-dir":
            overrides.append(f"hydra.searchpath=['file://{folder / words.pop(0)}']")
        elif not word.startswith("-"):
            parsed = OverridesParser.create().parse_override(word)
            if parsed.is_sweep_override():
                assert "-m" in command.split(), f"{word} is a sweep and needs -m"
                word = f"{word.partition('=')[0]}={next(parsed.sweep_string_iterator())}"
            overrides.append(word)
    return overrides


def test_there_are_commands_to_check() -> None:
    assert {"README.md", "training.md", "data.md", "chain.md", "train.yaml", "words.md"} == {
        page for page, _ in _commands()
    }
    assert len(COMMANDS) > 25


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=[f"{p}: {c}" for p, c in COMMANDS])
def test_commands_compose(page: str, command: str, own_folder: Path) -> None:
    for name, plugin in PLUGINS.items():
        if f"+sweep={name}" in command and importlib.util.find_spec(f"hydra_plugins.{plugin}") is None:
            pytest.skip(f"{plugin} is not installed (extra: {name})")
    overrides = [o for o in _overrides(command, own_folder) if o != "+experiment=NAME"]
    composed = compose(overrides)
    config = validated(composed)
    for override in overrides:
        parsed = OverridesParser.create().parse_override(override)
        if (
            re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", override.partition("=")[0])
            and not override.startswith("hydra.")
            and not parsed.is_sweep_override()
        ):
            value = parsed.value()
            wanted = value.text if isinstance(value, QuotedString) else value
            assert OmegaConf.select(composed, parsed.get_key_element()) == wanted, override
    if "--config-dir" not in command:
        if any(o.startswith("loss") for o in overrides):
            build(config.loss, path="loss", packages=None)
        if any(o.startswith(("model", "eq_engine")) for o in overrides):
            build_model(config.model)


def _typer_commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in _blocks(page, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                if re.match(r"nm-(master|data|eval|batch) ", line):
                    yield page.name, line


@pytest.mark.parametrize(("page", "command"), list(_typer_commands()))
def test_options_of_the_other_commands_exist(page: str, command: str) -> None:
    """Every option and sub-command that a page types is one that --help names."""
    tool, *words = shlex.split(command, comments=True)
    module = importlib.import_module(f"neural_mastering.cli.{ {'eval': 'evaluate'}.get(tool[3:], tool[3:]) }")
    subcommands = ("check", "align", "degrade", "inspect", "pack", "master", "measure", "evaluate")
    subcommand = [words[0]] if words[0] in subcommands else []
    assert subcommand or tool not in ("nm-data", "nm-batch"), f"{tool} has no {words[0]}"
    shown = CliRunner().invoke(module.app, [*subcommand, "--help"], prog_name=tool, env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", shown.output))
    for word in itertools.takewhile(lambda word: word != "--", words):
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in known, f"{page}: {tool} {' '.join(subcommand)} has no {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if "://" not in link:
            assert (page.parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_names_exist(page: Path) -> None:
    """In backticks: paths that begin in the repository or end in .py, and dotted names of the package."""
    top = {p.name for p in ROOT.iterdir() if p.is_dir()} - {"build", "checkpoints", "runs"}
    for text in re.findall(r"`([^`\n]+)`", _prose(page)):
        for word in text.split():
            is_path = re.fullmatch(r"[\w.-]+(/[\w.-]*)+", word) is not None
            if is_path and (word.split("/")[0] in top or word.endswith(".py")):
                assert any((root / word).exists() for root in (ROOT, PACKAGE)), word
        dotted = re.match(r"neural_mastering(\.\w+)+", text)
        if dotted:
            _import(dotted.group())


def _import(name: str) -> object:
    """A module, or an attribute of one."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return getattr(importlib.import_module(module), attribute)


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        text = "\n".join([*_blocks(page, "bash"), *re.findall(r"`([^`\n]+)`", _prose(page))])
        for target in re.findall(r"\bmake ([\w-]+)", text):
            assert target in targets, f"{page.name}: make {target}"


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the blocks name: a run, a package of one's own and a song."""
    folder = tmp_path_factory.mktemp("readme")
    config = validated(compose(["+phase=1c"])).model
    model = build_model(config)
    state = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    checkpoint = folder / "runs/1c/DATE/checkpoints/best.ckpt"
    checkpoint.parent.mkdir(parents=True)
    torch.save({CHECKPOINT_KEY: {"model": config}, "state_dict": state}, checkpoint)
    swell = 0.2 + 0.8 * torch.linspace(0.0, 1.0, 3 * 44_100)[:, None]
    soundfile.write(folder / "song.wav", 0.1 * (swell * torch.randn(3 * 44_100, 2)).numpy(), 44_100)
    return folder


RUNNABLE = [
    (page.name, block) for page in PAGES for block in _blocks(page, "python") if block.startswith("# runs\n")
]
"""Blocks whose first line says so."""


@pytest.mark.parametrize(("page", "block"), RUNNABLE, ids=[f"{p}: {b.split()[3]}" for p, b in RUNNABLE])
def test_python_blocks_run(page: str, block: str, run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a reader would run them: any error fails; what some of them must bring about is tested below."""
    monkeypatch.chdir(run_folder)
    Path("song_master.wav").unlink(missing_ok=True)
    exec(compile(block, page, "exec"), {"__name__": "block"})


def test_a_file_is_mastered_as_the_readme_says(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = next(block for page, block in RUNNABLE if page == "README.md" and "rendering import" in block)
    monkeypatch.chdir(run_folder)
    Path("song_master.wav").unlink(missing_ok=True)
    exec(compile(block, "README.md", "exec"), {"__name__": "block"})
    written, rate = soundfile.read("song_master.wav", dtype="float32")
    audio = torch.from_numpy(written.T.copy())[None]
    assert rate == 44_100 and soundfile.info("song_master.wav").subtype == "PCM_24"
    assert float(integrated_loudness(audio, rate)) == pytest.approx(-14.0, abs=0.1)
    assert float(true_peak_db(audio, rate).max()) <= -1.0


def test_a_part_of_ones_own_trains_and_loads_by_name(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The encoder of docs/training.md, through its YAML and into a model."""
    block = next(block for _, block in RUNNABLE if "# my_package.py" in block)
    (own_folder / "my_package.py").write_text(block, encoding="utf-8")
    monkeypatch.syspath_prepend(own_folder)
    command = next(command for _, command in COMMANDS if "--config-dir" in command)
    config = validated(compose(_overrides(command, own_folder))).model
    assert config["encoder"]["_target_"] == "my_package.MyEncoder"
    model = build(config, packages=("neural_mastering", "my_package"))
    audio = 0.1 * torch.randn(2, 2, 22_050)
    model(audio).audio.square().mean().backward()
    assert model.encoder.linear.weight.shape == (512, 2)
    sys.modules.pop("my_package", None)


def test_tables_are_replaced_between_their_markers_only() -> None:
    spec = importlib.util.spec_from_file_location("build_tables", ROOT / "docs" / "build_tables.py")
    assert spec is not None and spec.loader is not None
    build_tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build_tables)
    page = "before\n<!-- a:begin -->\nold\n<!-- a:end -->\nafter\n"
    assert build_tables.replace_between(page, "a", "new\n") == page.replace("old", "new")
    for broken in ("<!-- a:begin -->", "<!-- a:end --> <!-- a:begin -->", page + page):
        with pytest.raises(ValueError, match="a:begin"):
            build_tables.replace_between(broken, "a", "new")
