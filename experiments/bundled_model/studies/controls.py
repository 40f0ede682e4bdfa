"""What the features say about width and dynamics: a ridge regression, scored on other games.

python -m experiments.bundled_model.studies.controls OUT
"""

import json
from pathlib import Path

import torch
from torch import Tensor

from experiments.bundled_model.features.filters import Filters
from experiments.bundled_model.features.material import Material
from experiments.bundled_model.features.windows import Windows
from experiments.common.command_line import parser_of


def regress(out: Path) -> None:
    """Ridge regression of width and expansion on the features, scored on the validation games."""
    material = Material.of(out)
    filters, checks = material.filters, material.checks
    found = {}
    generator = torch.Generator().manual_seed(0)

    def rows(windows: Windows, drawn: Filters) -> Tensor:
        draws = torch.randint(drawn.curve_db.shape[0], (len(windows),), generator=generator)
        return material.simulator.filtered(windows.features, windows.k_levels, drawn.bands_db[draws])

    x, y = rows(material.training, filters), material.training.others
    mean, scale, middle = x.mean(dim=0), x.std(dim=0) + 1e-3, y.mean(dim=0)
    z = (x - mean) / scale
    other, wanted = (rows(material.validation, checks) - mean) / scale, material.validation.others
    for strength in (10.0, 100.0, 1000.0, 10_000.0):
        weights = torch.linalg.solve(z.T @ z + strength * torch.eye(z.shape[1]), z.T @ (y - middle))
        error = (other @ weights + middle - wanted).square().mean(dim=0)
        nothing = (middle - wanted).square().mean(dim=0)
        names = ("width in dB", "upward ratio", "downward ratio")
        found[strength] = {
            n: float(1.0 - (e / v).sqrt()) for n, e, v in zip(names, error, nothing, strict=True)
        }
        print(strength, {name: round(value, 3) for name, value in found[strength].items()})
    (out / "study").mkdir(exist_ok=True)
    (out / "study" / "controls.json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Write OUT/study/controls.json."""
    parser = parser_of(__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    regress(out)


if __name__ == "__main__":
    main()
