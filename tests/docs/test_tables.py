"""Tables in docs/ say what the code says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from neural_mastering.config.compose import compose
from neural_mastering.config.schema import validated
from neural_mastering.models import build

DOCS = Path(__file__).parents[2] / "docs"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_tables", DOCS / "build_tables.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build_tables = _load()


@pytest.mark.parametrize("name", sorted(build_tables.TABLES))
def test_a_table_is_current(name: str) -> None:
    page, make = build_tables.TABLES[name]
    text = page.read_text(encoding="utf-8")
    assert build_tables.replace_between(text, name, make()) == text, "run: make docs"


def test_the_equaliser_table_reads_the_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """A default that changes shows: nothing is typed into the table."""
    changes = [
        f"model.eq_head.eq.{setting}" for setting in ("overlap=0.5", "low_shelf_hz=[31,222]", "q_high=7")
    ]

    def changed(overrides: tuple[str, ...]) -> object:
        return compose([*overrides, *changes])

    before = build_tables.equaliser()
    monkeypatch.setattr(build_tables, "compose", changed)
    after = build_tables.equaliser()
    for old, new in (
        ("by a quarter of", "by half of"),
        ("25 … 250 Hz", "31 … 222 Hz"),
        ("0.5 … 5 ", "0.5 … 7 "),
    ):
        assert old in before and new not in before
        assert new in after and old not in after


def test_the_chain_table_holds_every_control() -> None:
    chain = build(validated(compose(["+phase=2"])).model).chain_head.chain
    rows = build_tables.chain().splitlines()[2:]
    assert len(rows) == sum(len(processor.specs) for processor in chain.processors.values())
    assert [row.split("|")[1].strip() for row in rows if row.split("|")[1].strip()] == list(chain.processors)
    ratio = next(row for row in rows if "| ratio |" in row)
    assert "| 1 … 20 | log |" in ratio and any("| attack | 0.1 … 30 ms |" in row for row in rows)
