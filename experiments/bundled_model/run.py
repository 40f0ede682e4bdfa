"""The bundled model from a folder of music to the bundle and its held-out table: one command.

    python experiments/bundled_model/run.py MUSIC OUT [--peers PYTHON] [--studies]

MUSIC holds manifest.csv (file, package, version, source_path, dur_s, licence), flac/ and copyright/PACKAGE (see
README.md). Steps whose result is in OUT already are not done again, but for collecting and exporting.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from collect import collect

HERE = Path(__file__).parent


def main() -> None:
    """Collect, cut, degrade, pretrain, train on audio, calibrate, export, evaluate, describe; then the studies."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--peers", type=Path, help="interpreter with matchering and libsonare")
    parser.add_argument("--studies", action="store_true", help="also the search and the learning curves")
    parser.add_argument("--bundle", type=Path, help="where the bundle goes; by default into the package")
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    collect(arguments.music, out)
    if not (out / "excerpts").is_dir():
        _script("excerpts.py", out)
    pairs = ["-m", "neural_mastering.cli.data", "degrade", out / "excerpts", "--out", out / "pairs"]
    _python(*pairs, "--preset", HERE / "mix.yaml")
    _script("study.py", "finalists", out)
    _script("finetune.py", out)
    _script("finetune.py", out, "--folds")
    _script("calibrate.py", out)
    bundle = ["--to", arguments.bundle] if arguments.bundle else []
    _script("export.py", out, *bundle)
    model = ["--model", arguments.bundle] if arguments.bundle else []
    _script("evaluate.py", out, *model, *(["--peers", arguments.peers] if arguments.peers else []))
    _script("export.py", out, *bundle)  # with the results
    _script("card.py", out)
    if arguments.studies:
        _script("crossval.py", out)
        for name in ("search", "songs", "windows", "degradations", "controls"):
            _script("study.py", name, out)
        _script("pictures.py", out)
        _script("multirun.py", out)


def _script(name: str, *arguments: object) -> None:
    _python(HERE / name, *arguments)


def _python(*arguments: object) -> None:
    subprocess.run([sys.executable, *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
