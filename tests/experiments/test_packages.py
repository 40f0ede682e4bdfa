"""The rules for studies: packages that are run by `python -m`, without tricks with the path or private names."""

import ast
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "experiments"
FILES = sorted(STUDIES.rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(STUDIES.rglob("*.md"))]
SHARED = "experiments.common"


def _name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imports(file: Path) -> set[str]:
    """Modules of the studies that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{file}: relative import"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & {_name(f) for f in FILES if f.name != "__init__.py"}


IMPORTS = {_name(file): _imports(file) for file in FILES}
RUNNABLE = {_name(f).removesuffix(".__main__") for f in FILES if 'if __name__ == "__main__"' in f.read_text()}


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_no_paths_by_hand_and_no_private_names(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute):
            assert not (node.attr == "path" and ast.unparse(node.value) == "sys"), "sys.path"
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            of_a_named_tuple = node.attr in ("_fields", "_asdict")
            assert own or not private or of_a_named_tuple, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names} - {"__version__"}
            assert not any(name.startswith("_") for name in names), ast.unparse(node)


@pytest.mark.parametrize("name", sorted(IMPORTS))
def test_studies_import_themselves_and_what_is_shared(name: str) -> None:
    own = ".".join(name.split(".")[:2])
    for other in IMPORTS[name]:
        assert other.startswith((f"{own}.", f"{SHARED}.")), f"{name} imports {other}"


def test_no_circles() -> None:
    left = {name: set(others) for name, others in IMPORTS.items()}
    while left:
        free = {name for name, others in left.items() if not others & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {name: others for name, others in left.items() if name not in free}


@pytest.mark.parametrize("name", sorted(RUNNABLE))
def test_each_study_explains_itself(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m NAME --help` shows the command as it is typed."""
    module = importlib.import_module(f"{name}.__main__" if (ROOT / Path(*name.split("."))).is_dir() else name)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0
    assert re.search(rf"python -m {re.escape(name)}(\s|$)", capsys.readouterr().out)


def _commands() -> list[tuple[str, str]]:
    """(page, module) of each `python -m experiments.…` that a page or docstring names."""
    texts = [(page, page.read_text(encoding="utf-8")) for page in (*PAGES, *FILES)]
    found = [(p, m) for p, text in texts for m in re.findall(r"python -m (experiments[\w.]*)", text)]
    named = {(str(page.relative_to(ROOT)), module.rstrip(".")) for page, module in found}
    return sorted((page, module) for page, module in named if module.islower())  # NAME stands for any


def test_commands_on_the_pages_exist() -> None:
    commands = _commands()
    assert len({module for _, module in commands}) >= 15
    unknown = [(page, module) for page, module in commands if module not in RUNNABLE]
    assert not unknown
    for page in PAGES:
        stale = re.findall(r"python experiments/\S+", page.read_text(encoding="utf-8"))
        assert not stale, (page, stale)


def test_every_study_says_how_to_run_it() -> None:
    for folder in sorted(path.parent for path in STUDIES.glob("*/README.md")):
        name = f"experiments.{folder.name}"
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert re.search(rf"python -m {name}[\s.`]", text), folder
        for block in re.findall(r"^```bash\n(.*?)^```$", text, re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                shlex.split(line, comments=True)
