"""1A → 1B → 1C on one data folder, each phase starting from the one before; one table with baselines.

    python -m experiments.phase_ablation
    python -m experiments.phase_ablation data=paired data.root=DIR trainer.max_epochs=100

Further arguments go to every nm-train. `--out FOLDER` names the folder of the runs and of table.md.
"""

from pathlib import Path

from experiments.common.command_line import parser_of
from experiments.common.commands import nm
from neural_mastering.config.compose import compose
from neural_mastering.config.schema import make, validated
from neural_mastering.data import FixedSegments
from neural_mastering.evaluation.baselines import AverageEq, Identity, LoudnessOnly, Model
from neural_mastering.evaluation.comparison import compare
from neural_mastering.evaluation.validation_table import FOOTNOTE, table_rows
from neural_mastering.losses import WeightedSum
from neural_mastering.models import build, load_model
from neural_mastering.reporting.table import markdown_table, print_table

PHASES = ("1a", "1b", "1c")


def main() -> None:
    """Train the phases one after another, then compare their best checkpoints."""
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/phase_ablation"), help="folder of the runs")
    parser.add_argument("overrides", nargs="*", help="further arguments of nm-train")
    arguments = parser.parse_args()
    before: Path | None = None
    for phase in PHASES:
        folder = arguments.out / phase
        start = [f"init_from='{before}'"] if before else []
        print(f"== phase {phase}", flush=True)
        nm("train", f"+phase={phase}", f"hydra.run.dir='{folder}'", *start, *arguments.overrides)
        before = folder
    compare_phases(arguments.out, arguments.overrides)


def compare_phases(folder: Path, overrides: list[str]) -> None:
    """Write table.md from the best checkpoints below `folder`."""
    config = validated(compose(["+phase=1a", *overrides]))
    data = make(config.data)
    objective = build(config.loss, path="loss", packages=None)
    assert isinstance(objective, WeightedSum)
    training = FixedSegments(data.train_songs, data.segment, config.seed, data.silence_db)
    average = AverageEq(config.sample_rate).fit(
        (item["input"][None], item["target"][None]) for item in training
    )
    systems = [Identity(), LoudnessOnly(config.sample_rate), average]
    systems += [Model(f"phase {phase}", load_model(folder / phase)) for phase in PHASES]
    rows = compare(systems, data.evaluation_dataset("validation"), objective)
    texts = table_rows(rows)
    print_table(texts, f"validation: {rows[0].songs} songs, lower is better", FOOTNOTE)
    (folder / "table.md").write_text(markdown_table(texts) + "\n" + FOOTNOTE + "\n")
    print(f"written: {folder / 'table.md'}")


if __name__ == "__main__":
    main()
