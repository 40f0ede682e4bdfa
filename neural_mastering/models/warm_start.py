"""Start a model from another one's weights, as far as they fit."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class WarmStart:
    """What was taken over and what was not, by tensor name.

    Attributes:
        taken: names copied.
        reshaped: name → (shape in the source, shape in the model), left as initialised.
        missing: names the source lacks, left as initialised.
        unused: names of the source that the model lacks.
    """

    taken: list[str]
    reshaped: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    missing: list[str]
    unused: list[str]

    def __str__(self) -> str:
        lines = [f"took {len(self.taken)} tensors: {_by_part(self.taken)}"]
        for name, (source, own) in self.reshaped.items():
            lines.append(f"skipped {name}: its shape is {source} there and {own} here; starts fresh")
        if self.missing:
            lines.append(f"not in the source, starts fresh: {_by_part(self.missing)}")
        if self.unused:
            lines.append(f"in the source only, left out: {_by_part(self.unused)}")
        return "\n".join(lines)


def warm_start(model: nn.Module, source: Mapping[str, Tensor]) -> WarmStart:
    """Copy every tensor of `source` whose name and shape fit into the model, in place.

    Raises:
        ValueError: nothing fits.

    Examples:
        >>> import torch
        >>> layer = torch.nn.Linear(3, 4)
        >>> print(warm_start(layer, {"weight": torch.zeros(4, 3), "bias": torch.zeros(5)}))
        took 1 tensors: weight (1)
        skipped bias: its shape is (5,) there and (4,) here; starts fresh
    """
    own = model.state_dict()
    shared = [name for name in own if name in source]
    reshaped = {
        name: (tuple(source[name].shape), tuple(own[name].shape))
        for name in shared
        if source[name].shape != own[name].shape
    }
    taken = [name for name in shared if name not in reshaped]
    if not taken:
        raise ValueError(
            "nothing in the source fits this model by name and shape: was it trained with other parts "
            "(encoder, heads)?"
        )
    model.load_state_dict({name: source[name] for name in taken}, strict=False)
    return WarmStart(
        taken=taken,
        reshaped=reshaped,
        missing=[name for name in own if name not in source],
        unused=[name for name in source if name not in own],
    )


def _by_part(names: list[str]) -> str:
    counts = Counter(name.split(".")[0] for name in names)
    return ", ".join(f"{part} ({count})" for part, count in counts.items()) or "none"
