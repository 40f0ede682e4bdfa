"""Run every bench_*.py and write its table into README.md: python -m benchmarks.run_all [NAME …]."""

import importlib
import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from benchmarks._timing import as_table

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"
PACKAGES = ("torch", "numba", "numpy", "scipy", "auraloss", "dasp-pytorch", "torchaudio", "lightning")


def main(names: list[str]) -> int:
    """Run the benchmarks `names` (all by default) and update their parts of README.md."""
    known = sorted(file.stem.removeprefix("bench_") for file in FOLDER.glob("bench_*.py"))
    if unknown := [name for name in names if name not in known]:
        print(f"no benchmark named {unknown[0]}: there are {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names or known:
        module = importlib.import_module(f"benchmarks.bench_{name}")
        conditions = describe_machine()
        print(f"\n{module.TITLE}\n{conditions}")
        table = as_table(module.run())
        print(table)
        _write(name, f"## {module.TITLE}\n\n{conditions}\n\n{table}")
    return 0


def describe_machine() -> str:
    """Date, machine, load and versions in one line."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    kept = "glibc keeps its buffers (MALLOC_*); " if "MALLOC_MMAP_THRESHOLD_" in os.environ else ""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {_processor()}, {torch.get_num_threads()} threads{gpu}; load average "
        f"before the run {os.getloadavg()[0]:.1f}; {kept}Python {platform.python_version()}, {', '.join(versions)}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return f"{found[1] if found else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def _write(name: str, text: str) -> None:
    """Replace what stands between the markers of `name`, or append them."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    content = README.read_text()
    block = f"{begin}\n{text}\n{end}"
    if begin in content:
        before, rest = content.split(begin, 1)
        content = before + block + rest.split(end, 1)[1]
    else:
        content = content.rstrip() + f"\n\n{block}\n"
    README.write_text(content)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
