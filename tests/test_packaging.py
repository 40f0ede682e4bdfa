"""What a wheel holds: every package, conf/ and the demo music."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_every_package_is_listed() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        ".".join(f.parent.relative_to(ROOT).parts) for f in (ROOT / "neural_mastering").rglob("__init__.py")
    }
    assert listed == found | {"neural_mastering.conf"}


@pytest.mark.slow
def test_a_wheel_works_outside_the_repository(tmp_path: Path) -> None:
    """Build a wheel, install it into a folder of its own, and train and master with it."""
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "conf/phase/1c.yaml",
        "conf/train.yaml",
        "assets/demo/manifest.csv",
        "assets/jsfx/shared/bands.eel",
        "assets/jsfx/stereo.eel",
        "py.typed",
    ):
        assert f"neural_mastering/{needed}" in names
    assert sum(name.endswith(".ogg") for name in names) == 8
    target = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    import os

    environment = {**os.environ, "PYTHONPATH": str(target), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
    where = [sys.executable, "-c", "import neural_mastering; print(neural_mastering.__file__)"]
    found = subprocess.run(
        where, check=True, capture_output=True, text=True, env=environment, cwd=tmp_path
    ).stdout
    assert Path(found.strip()).is_relative_to(target)
    demo = [
        sys.executable,
        str(target / "bin" / "nm-demo"),
        "-o",
        "demo run",
        "trainer.max_epochs=1",
        "trainer.check_val_every_n_epoch=1",
    ]
    small = [
        "model/residual_head=none",
        "trainer.limit_train_batches=1",
        "data.num_workers=0",
        "data.passes=1",
    ]
    result = subprocess.run(
        [*demo, *small], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert "identity" in result.stdout and len(list((tmp_path / "demo run").glob("*_master.wav"))) == 1
