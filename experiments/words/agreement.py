"""Tables on how near the words are to what people mean."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from experiments.words.people import held_out, people_of, split_half, two_way
from experiments.words.sounds import with_minus
from neural_mastering.words.derive import derive, mean_curve
from neural_mastering.words.raw_files import Contribution
from neural_mastering.words.shape import unit_shape
from neural_mastering.words.table import Word


def agreement(socialeq: Sequence[Contribution], safe: Sequence[Contribution]) -> list[str]:
    """Held-out correlation by word and the choice between warm and bright."""
    rng = np.random.default_rng(0)
    table = derive(socialeq, safe)
    mixes = [row for row in safe if row.on_mix]
    of_source = {"socialeq": list(socialeq), "safe": list(safe), "safe_mixes": mixes}
    lines = ["", "## Held-out correlation with people", ""]
    lines.append(
        "| word | people | ours, held out | half of the others | one other person | random words | halves with "
        "each other |"
    )
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    sums: dict[str, list[float]] = defaultdict(list)
    for name, word in table.words.items():
        rows = [row for row in of_source[word.evidence.source] if row.word == name]
        others = [row for row in of_source[word.evidence.source] if row.word != name]
        found = held_out(rows, others, rng)
        found["halves"] = split_half(rows, rng)
        for key, value in found.items():
            sums[key].append(value)
        count = len(people_of(rows))
        cells = " | ".join(f"{found[key]:.2f}" for key in ("ours", "half", "person", "random", "halves"))
        lines.append(f"| {name} | {count} | {with_minus(cells)} |")
    means = " | ".join(f"{np.mean(sums[key]):.2f}" for key in ("ours", "half", "person", "random", "halves"))
    lines.append(f"| mean | | {with_minus(means)} |")
    social = {}
    for name in ("warm", "bright"):
        shape = unit_shape(mean_curve([row for row in socialeq if row.word == name]))
        social[name] = Word(name, shape, table.words[name].evidence, "supported", None, ())
    warm, bright = ([row for row in mixes if row.word == name] for name in ("warm", "bright"))
    lines += ["", "## Warm or bright? Contributions on full mixes (SAFE)", ""]
    lines += ["| predictor | right, of contributions | right, mean over people |", "|---|--:|--:|"]
    lines += [
        f"| {name} | {100 * share:.1f} % | {100 * mean:.1f} % |"
        for name, share, mean in two_way(warm, bright, social, rng)
    ]
    return lines
