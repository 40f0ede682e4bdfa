"""The documentation site: links work there as in the repository, and what is broken fails the build."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("mkdocs", reason="extra docs is not installed")

BUILD = "import build_site; build_site.PACKAGES = ('losses',); raise SystemExit(build_site.main())"
"""A site with a short API reference."""


def _module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_names_that_share_a_line_get_a_line_each() -> None:
    import griffe

    separated = _module(ROOT / "docs" / "site" / "shared_lines.py").separated
    args = "Args:\n    low_hz, high_hz: ends of\n        the range.\n    q: of a, b: both."
    text = f"One.\n\n{args}\n\nThen a, b: as before."
    assert separated(text) == (
        "One.\n\nArgs:\n    low_hz: ends of\n        the range.\n    high_hz: ends of\n        the range.\n"
        "    q: of a, b: both.\n\nThen a, b: as before."
    )
    sections = griffe.Docstring(separated(text)).parse("google")
    assert [parameter.name for parameter in sections[1].value] == ["low_hz", "high_hz", "q"]


def test_a_link_to_a_folder_leads_to_its_page(tmp_path: Path) -> None:
    on_site = _module(ROOT / "docs" / "build_site.py").on_site
    for page in ("study/README.md", "notes/0001-first.md", "notes/0002-second.md"):
        (tmp_path / page).parent.mkdir(exist_ok=True)
        (tmp_path / page).write_text("# A page")
    (tmp_path / "code").mkdir()
    text = "[a](study) [b](notes/) [c](study/README.md#x) [d](https://e.org/study) [e](code) [f](nowhere)"
    assert on_site(text, tmp_path / "README.md") == (
        "[a](study/README.md) [b](notes/0001-first.md) [c](study/README.md#x) [d](https://e.org/study) "
        "[e](code) [f](nowhere)"
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository without its history, environment and outputs."""
    target = tmp_path_factory.mktemp("site") / "repository"
    left_out = shutil.ignore_patterns(
        ".*", "build", "dist", "runs", "outputs", "multirun", "tests", "__pycache__"
    )
    shutil.copytree(ROOT, target, ignore=left_out)
    return target


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "before", "after", "message"),
    [
        ("README.md", "", "", ""),
        ("README.md", "](docs/training.md)", "](docs/drilling.md)", "docs/drilling.md"),
        ("README.md", "](docs/training.md)", "](docs/training.md#nowhere)", "#nowhere"),
        ("mkdocs.yml", "      - Words: docs/words.md\n", "", "docs/words.md"),
        ("neural_mastering/losses/weighted_sum.py", "        terms: name", "        term: name", "'term'"),
    ],
    ids=["sound", "link", "anchor", "page outside the navigation", "parameter"],
)
def test_what_is_broken_fails_the_build(copy: Path, file: str, before: str, after: str, message: str) -> None:
    path = copy / file
    sound = path.read_text(encoding="utf-8")
    assert before in sound
    try:
        path.write_text(sound.replace(before, after), encoding="utf-8")
        build = subprocess.run(
            [sys.executable, "-c", BUILD], cwd=copy / "docs", capture_output=True, text=True, check=False
        )
    finally:
        path.write_text(sound, encoding="utf-8")
    output = build.stdout + build.stderr
    if message:
        assert build.returncode == 1 and message in output, output
    else:
        assert (
            build.returncode == 0 and (copy / "build" / "site" / "api" / "losses" / "lufs.html").is_file()
        ), output


@pytest.mark.slow
def test_pages_fetch_nothing_from_elsewhere(copy: Path) -> None:
    """No script, style, font or picture of another host; links for people may lead anywhere."""
    subprocess.run([sys.executable, "-c", BUILD], cwd=copy / "docs", capture_output=True, check=True)
    found = {
        (page.name, link)
        for page in (copy / "build" / "site").rglob("*.html")
        for link in re.findall(
            r"<(?:script|img|link|iframe)\b[^>]*(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)",
            page.read_text(encoding="utf-8"),
        )
    }
    assert not found
