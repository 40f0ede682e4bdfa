"""The notebooks in docs/ run from top to bottom and find what they look for."""

import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))
pytest.importorskip("nbclient", reason="extra notebook is not installed")
pytest.importorskip("ipykernel", reason="extra notebook is not installed")
pytestmark = pytest.mark.xdist_group("notebooks")  # what all of them need is made once


@pytest.fixture(scope="module")
def executed() -> Any:
    """The notebook of equaliser and meters after a run."""
    return _run(DOCS / "eq_and_meters.ipynb")


@pytest.fixture(scope="module")
def suggested() -> Any:
    """The notebook of suggestions after a run."""
    return _run(DOCS / "suggestions.ipynb")


def _run(path: Path) -> Any:
    """A notebook after a run in a kernel of its own; a cell that fails raises."""
    import nbformat
    from nbclient import NotebookClient

    with pytest.MonkeyPatch.context() as environment:
        for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
            environment.setenv(name, "1")
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


def _text(notebook: Any) -> str:
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", ())]
    return "".join(o["text"] for o in outputs if o.output_type == "stream")


def _number(pattern: str, notebook: Any) -> float:
    found = re.search(pattern, _text(notebook))
    assert found is not None, f"nothing like {pattern!r} was printed:\n{_text(notebook)}"
    return float(found.group(1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_without_outputs(path: Path) -> None:
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_no_cell_fails_and_plots_appear(executed: Any) -> None:
    outputs = [o for cell in executed.cells for o in cell.get("outputs", ())]
    assert not [o for o in outputs if o.output_type == "error"]
    assert sum("image/png" in o.get("data", {}) for o in outputs) == 3


def test_its_numbers_are_right(executed: Any) -> None:
    assert _number(r"recovered curve: ([\d.]+) dB", executed) < 0.3
    assert _number(r"largest difference ([\d.]+) dB", executed) < 0.5
    assert _number(r"half amplitude +(-[\d.]+) LU", executed) == pytest.approx(-6.02, abs=0.011)
    assert _number(r"no sample by more than ([\d.e+-]+)", executed) == 0.0


def test_its_loudness_is_that_of_the_bundled_manifest(executed: Any) -> None:
    import csv
    import io

    from neural_mastering.data.demo import demo_assets

    rows = csv.DictReader(io.StringIO((demo_assets() / "manifest.csv").read_text(encoding="utf-8")))
    wanted = next(float(row["lufs"]) for row in rows if row["file"] == "s3_rock.ogg")
    assert _number(r"loudness +(-[\d.]+) LUFS", executed) == pytest.approx(wanted, abs=0.011)


def test_neither_lightning_nor_hydra_is_imported(executed: Any) -> None:
    assert "imported: []" in _text(executed)


def test_suggestions_run_and_their_numbers_are_right(suggested: Any) -> None:
    outputs = [o for cell in suggested.cells for o in cell.get("outputs", ())]
    assert not [o for o in outputs if o.output_type == "error"]
    assert sum("image/png" in o.get("data", {}) for o in outputs) == 3
    assert 0.0 < _number(r"by default: ([\d.]+) dB RMS", suggested) < 3.0
    sizes = [_number(rf"'{name}': ([\d.]+)", suggested) for name in ("gentle", "balanced", "strong")]
    assert sizes == sorted(sizes) and sizes[0] > 0.0
    assert _number(r"sum of the parts by ([\d.]+) dB RMS", suggested) < 0.5
