"""The bundled model from a folder of music to the bundle and its held-out table: one command.

    python -m experiments.bundled_model MUSIC OUT [--peers PYTHON] [--studies]

MUSIC holds manifest.csv (file, package, version, source_path, dur_s, licence), flac/ and copyright/PACKAGE (see
README.md). Steps whose result is in OUT already are not done again, but for collecting and exporting.
"""

from pathlib import Path

from experiments.bundled_model.paths import MIX
from experiments.bundled_model.songs.collect import collect
from experiments.bundled_model.studies.sweeps import SWEEPS
from experiments.common.command_line import parser_of
from experiments.common.commands import nm, run_module


def main() -> None:
    """Collect, cut, degrade, pretrain, train on audio, calibrate, export, evaluate, describe; then the studies."""
    parser = parser_of(__doc__)
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
        _step("songs.excerpts", out)
    nm("data", "degrade", out / "excerpts", "--out", out / "pairs", "--preset", MIX)
    _step("training.finalists", out)
    _step("training.finetune", out)
    _step("training.finetune", out, "--folds")
    _step("calibration.confidence", out)
    bundle = ["--to", arguments.bundle] if arguments.bundle else []
    _step("release.export", out, *bundle)
    model = ["--model", arguments.bundle] if arguments.bundle else []
    _step("release.evaluate", out, *model, *(["--peers", arguments.peers] if arguments.peers else []))
    _step("release.export", out, *bundle)  # with the results
    _step("release.card", out)
    if arguments.studies:
        _step("studies.cross_validation", out)
        for name in SWEEPS:
            _step("studies.sweeps", name, out)
        for name in ("controls", "learning_curve", "multirun"):
            _step(f"studies.{name}", out)


def _step(name: str, *arguments: object) -> None:
    run_module(f"experiments.bundled_model.{name}", *arguments)


if __name__ == "__main__":
    main()
