"""Build the documentation site into build/site: python docs/build_site.py.

The Markdown of the repository is gathered in build/site_source in the repository's own layout, so that a link works
in both places; pages of the API reference are added from the package tree. A broken link, a page that is not in the
navigation, or a docstring that does not fit its signature fails the build.
"""

import ast
import logging
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "build" / "site_source"
FOLDERS = ("docs", "experiments", "benchmarks", "neural_mastering/assets")
SUFFIXES = {".md", ".png", ".svg", ".csv", ".css", ".ipynb"}
PACKAGES = ("dsp", "controls", "processors", "losses", "metrics", "models", "rendering")
"""Packages that the API reference shows, where they exist; compiled kernels are left out."""
LEAVES = ("shapes", "units", "output", "errors", "notes")
"""Modules beside them, where they exist."""
SHOW_ALL = "    options: {show_if_no_docstring: true}\n"


def gathered() -> Iterator[Path]:
    """Pages, pictures and tables of the repository that belong to the site."""
    yield from (*sorted(ROOT.glob("*.md")), ROOT / "LICENSE")
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*")):
            hidden = any(part.startswith((".", "_")) for part in file.relative_to(ROOT).parts)
            if file.suffix in SUFFIXES and not hidden:
                yield file


def on_site(text: str, page: Path) -> str:
    """The page with links to folders as links to what the site shows of them."""

    def target(match: re.Match[str]) -> str:
        link = match[1]
        folder = (page.parent / link).resolve()
        if "://" in link or not folder.is_dir():
            return match[0]
        if (folder / "README.md").is_file():
            return f"]({link.rstrip('/')}/README.md)"
        first = min(folder.glob("*.md"), default=None)
        return match[0] if first is None else f"]({link.rstrip('/')}/{first.name})"

    return re.sub(r"\]\(([^)#\s]+)\)", target, text)


def title_of(page: Path) -> str:
    """The first heading of a page."""
    found = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.M)
    return re.sub(r"[`*]", "", found[1]) if found else page.stem


def section(pages: Sequence[Path]) -> list[dict[str, str]]:
    """Navigation entries of pages."""
    return [{title_of(page): page.relative_to(ROOT).as_posix()} for page in pages]


def write_module(page: Path, dotted: str, rest: str = "") -> str:
    """Write the page of a module; returns its place in the site."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"# {dotted}\n\n::: {dotted}\n{rest}", encoding="utf-8")
    return page.relative_to(SOURCE).as_posix()


def write_package(folder: Path, name: str) -> list[Any]:
    """Write the pages of a package's modules below `folder`; returns their navigation entries."""
    package = ROOT / "neural_mastering" / name
    dotted = f"neural_mastering.{name.replace('/', '.')}"
    entries: list[Any] = []
    lines = []
    for child in sorted(package.iterdir()):
        if child.is_dir() and (child / "__init__.py").is_file():
            entries.append({child.name: write_package(folder / child.name, f"{name}/{child.name}")})
            lines.append(f"- [{child.name}]({child.name}/index.md): {summary(child / '__init__.py')}")
        elif child.suffix == ".py" and not child.stem.startswith("_") and not child.stem.endswith("_kernels"):
            entries.append({child.stem: write_module(folder / f"{child.stem}.md", f"{dotted}.{child.stem}")})
            lines.append(f"- [{child.stem}]({child.stem}.md): {summary(child)}")
    options = "    options: {members: false}\n\n"
    index = write_module(folder / "index.md", dotted, options + "\n".join(lines) + "\n")
    return [{"Contents": index}, *entries]


def summary(module: Path) -> str:
    """The first paragraph of a module's docstring."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def stage() -> list[Any]:
    """Fill build/site_source; returns the navigation entries that mkdocs.yml does not name."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for file in gathered():
        copy = SOURCE / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".md":
            copy.write_text(on_site(file.read_text(encoding="utf-8"), file), encoding="utf-8")
        else:
            shutil.copyfile(file, copy)
    present = [name for name in PACKAGES if (ROOT / "neural_mastering" / name / "__init__.py").is_file()]
    api: list[Any] = [
        {name: write_module(SOURCE / "api" / f"{name}.md", f"neural_mastering.{name}", SHOW_ALL)}
        for name in LEAVES
        if (ROOT / "neural_mastering" / f"{name}.py").is_file()
    ]
    api += [{name: write_package(SOURCE / "api" / name, name)} for name in present]
    return [
        {"Decisions": section(sorted((ROOT / "docs" / "decisions").glob("*.md")))},
        {"Studies": section(sorted((ROOT / "experiments").rglob("README.md")))},
        {"API": api},
    ]


def main() -> int:
    """Build; 1 where anything was warned of."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort
    from mkdocs.utils import CountHandler

    warnings = CountHandler()
    warnings.setLevel(logging.WARNING)
    for handler in (warnings, logging.StreamHandler()):
        logging.getLogger("mkdocs").addHandler(handler)
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    added = stage()
    config = load_config(str(ROOT / "mkdocs.yml"), strict=True)
    config.nav = [*(config.nav or []), *added]
    try:
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
        config.plugins.on_shutdown()
    except Abort as error:
        print(error, file=sys.stderr)
        return 1
    print(f"built {Path(config.site_dir).relative_to(ROOT)}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
