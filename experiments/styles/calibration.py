"""Is one song in ten beyond the tenth percentile?

python -m experiments.styles.calibration MUSIC_FOLDER [--measured FILE]

The songs of each package are compared with the style of all others. A package counts as the square root of its
songs.
"""

import numpy as np

from experiments.common.command_line import parser_of
from experiments.styles.measured_songs import held_out_in_turn, training_works
from neural_mastering.styles.compare import compare
from neural_mastering.styles.learn import learn_style
from neural_mastering.styles.standing import Standing


def main() -> None:
    found: dict[str, list[tuple[float, Standing]]] = {}
    for held in held_out_in_turn(training_works(parser_of(__doc__))):
        songs = [work.song for work in held.others]
        style = learn_style("others", songs, None, held.shares).profile
        for work in held.own:
            compared = compare(work.song, style)
            for each in (*compared.regions, *compared.numbers):
                found.setdefault(f"{each.name} {each.span}".strip(), []).append((len(held.own) ** -0.5, each))
    print("| quantity | below 10 % | below 25 % | below 50 % | above 75 % | above 90 % |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, rows in found.items():
        weight, percentile = np.array([(w, each.percentile) for w, each in rows]).T
        shares = [weight @ (percentile < at) / weight.sum() for at in (10, 25, 50)]
        shares += [weight @ (percentile > at) / weight.sum() for at in (75, 90)]
        print(f"| {name} | " + " | ".join(f"{100 * share:.0f} %" for share in shares) + " |")


if __name__ == "__main__":
    main()
