"""The house rules: imports point left, and models need neither Lightning nor Hydra."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "neural_mastering"

# Each layer may import itself and everything in earlier layers; names in one layer are siblings that may not.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("units", "shapes", "output", "chance", "errors", "atomic"),
    ("dsp",),
    ("processors", "losses", "metrics", "data"),
    ("models",),
    ("words", "reporting"),
    ("rendering", "training"),
    ("evaluation",),
    ("config",),
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
