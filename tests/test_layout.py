"""The house rules: imports point left, and models need neither Lightning nor Hydra."""

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "neural_mastering"

# Each layer may import itself and everything in earlier layers; names in one layer are siblings that may not.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "units",
        "shapes",
        "output",
        "errors",
        "chance",
        "atomic",
        "notes",
        "allocator",
        "compile_cache",
        "worker_pool",
    ),
    ("dsp",),
    ("controls", "audio_io"),
    ("metering",),
    ("normality", "numeric"),
    ("engineer",),
    ("processors", "losses", "metrics", "data"),
    ("models",),
    ("styles", "words", "reporting"),
    ("rendering", "training"),
    ("evaluation",),
    ("learning",),
    ("config", "batch"),
    ("studio",),
    ("cli",),
)
INTEROP_MAY_IMPORT = {*LAYERS[0], "dsp", "losses", "processors", "interop"}
OUTSIDERS = {
    "lightning": ("training/", "data/datamodule.py", "cli/", "config/"),
    "hydra": ("config/", "cli/"),
    "omegaconf": ("config/", "cli/"),
}


def _layer(name: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if name in layer)


def _imports(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: relative import"
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


FILES = sorted(f for f in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_point_left(file: Path) -> None:
    relative = file.relative_to(PACKAGE)
    own = relative.parts[0].removesuffix(".py")
    if own in ("__init__", "assets"):
        return
    for name in _imports(file):
        parts = name.split(".")
        if parts[0] != "neural_mastering" or len(parts) < 2 or parts[1] in ("assets", "__version__"):
            continue
        other = parts[1]
        if own == "interop":
            assert other in INTEROP_MAY_IMPORT, f"{relative} imports {name}"
        elif other != own:
            assert other != "interop", f"{relative} imports {name}: interop is a leaf"
            assert _layer(other) < _layer(own) or own in LAYERS[0], f"{relative} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_frameworks_stay_in_their_rooms(file: Path) -> None:
    relative = str(file.relative_to(PACKAGE))
    for name in _imports(file):
        rooms = OUTSIDERS.get(name.split(".")[0])
        assert rooms is None or relative.startswith(rooms), f"{relative} imports {name}"


def _circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import one another, directly or over others (Tarjan's strong components)."""
    found: list[list[str]] = []
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == index[name]:
            place = stack.index(name)
            if len(stack) - place > 1:
                found.append(sorted(stack[place:]))
            del stack[place:]

    for name in graph:
        if name not in index:
            visit(name)
    return found


def _import_graph(package: Path) -> dict[str, set[str]]:
    """Which module of a package imports which, at any depth: in functions and for types only, too."""
    modules = {}
    for file in package.rglob("*.py"):
        parts = (package.name, *file.relative_to(package).with_suffix("").parts)
        modules[".".join(parts).removesuffix(".__init__")] = file
    graph: dict[str, set[str]] = {}
    for name, file in modules.items():
        found = _imports(file)
        exact = {other for other in found if other in modules}
        # `from a.b import c` names the module a.b.c where there is one, else something in a.b
        packages = {other for other in exact if any(more.startswith(f"{other}.") for more in exact)}
        graph[name] = exact - packages - {name}
    return graph


def test_no_circles_even_inside_a_package() -> None:
    assert not _circles(_import_graph(PACKAGE))


def test_a_planted_circle_is_found(tmp_path: Path) -> None:
    package = tmp_path / "house"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("def f():\n    from house.two import g\n    return g\n")
    (package / "two.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import house.three\n"
    )
    (package / "three.py").write_text("from house import one\n")
    assert _circles(_import_graph(package)) == [["house.one", "house.three", "house.two"]]
    (package / "two.py").write_text("")
    assert not _circles(_import_graph(package))


def _late_imports_without_a_reason(file: Path) -> list[int]:
    """Lines of imports inside functions that neither carry a comment nor follow one, or such an import."""
    text = file.read_text()
    lines = text.splitlines()
    late = {
        line
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    found = []
    for line in sorted(late):
        first = line
        while first - 1 in late or not lines[first - 2].strip():
            first -= 1
        block = [lines[n - 1] for n in range(first, line + 1)]
        if not any("  # " in text for text in block) and not lines[first - 2].strip().startswith("#"):
            found.append(line)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_an_import_inside_a_function_gives_its_reason(file: Path) -> None:
    assert not _late_imports_without_a_reason(file), "say what heavy import is avoided, or move it to the top"


def test_a_late_import_without_a_reason_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    import json\n    return json\n")
    given = "def f():\n    import torch  # seconds\n    import numpy\n    return torch, numpy\n"
    (tmp_path / "b.py").write_text(given)
    assert _late_imports_without_a_reason(tmp_path / "a.py") == [2]
    assert not _late_imports_without_a_reason(tmp_path / "b.py")


def test_models_import_neither_lightning_nor_hydra() -> None:
    code = (
        "import sys, neural_mastering.models, neural_mastering.losses, neural_mastering.processors\n"
        "print(sorted(m for m in ('lightning', 'hydra', 'omegaconf', 'wandb') if m in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_no_file_is_a_drawer_for_everything() -> None:
    long = {str(f.relative_to(PACKAGE)): n for f in FILES if (n := len(f.read_text().splitlines())) > 300}
    assert not long, f"one noun a file; over 300 lines: {long}"
