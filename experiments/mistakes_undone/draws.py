"""What of a score is the luck of one mistake a song, what the songs' packages, and what the prediction lacks?

    python -m experiments.mistakes_undone.draws MUSIC OUT [--draws 20]

Several mistakes for each song of the test, added to its spectrum instead of rendered; the first is the one of the
main study, so that OUT/songs.csv says how spectra and rendered audio agree. Everything but the rows "as shipped" is
hindsight: it explains a score, and nothing is chosen on it. Writes OUT/draws.md. Six minutes of one core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.common.command_line import parser_of
from experiments.common.mistakes import Condition
from experiments.common.normal_tone.loudness_bias import loudness_bias
from experiments.common.normal_tone.measured_songs import Songs, full_band
from experiments.common.normal_tone.regression import rms_db, shapes
from experiments.common.normal_tone.shipped_songs import shipped_predictions
from experiments.mistakes_undone.heard_songs import heard_songs
from experiments.mistakes_undone.left_mistakes import Left, Line, engine, left, mistakes_of
from experiments.mistakes_undone.other_ways import way_lines
from experiments.mistakes_undone.region_shares import region_lines
from experiments.mistakes_undone.rows import Row, read
from experiments.mistakes_undone.songs import TEST_SONGS, pool_songs
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.normality import load_normal_tone
from neural_mastering.reporting.table import markdown_table
from neural_mastering.styles.intensity import INTENSITIES_DB

AIMS = {
    ("random", 2.0, "balanced"): (0.13, 0.28),
    ("random", 4.0, "strong"): (0.35, 0.16),
    ("dull", 3.2, "strong"): (np.nan, np.nan),
    ("boomy", 3.2, "strong"): (np.nan, np.nan),
}
"""Kind, size and intensity: energy that was to be removed, and share of the songs that might get worse."""


def main() -> None:
    """Measure what is missing and write the tables."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path, help="folder of the main study's results")
    parser.add_argument("--test-songs", type=Path, default=TEST_SONGS)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=16)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    test, _ = pool_songs(arguments.music, arguments.test_songs)
    songs = heard_songs(test, arguments.seconds, arguments.out / "heard.npz")
    tone = load_normal_tone()
    statements = shipped_predictions(songs, tone)
    found: dict[tuple[str, str], Left] = {}
    luck: list[Line] = []
    for (kind, size_db, intensity), aim in AIMS.items():
        condition = Condition(kind, size_db)
        errors = mistakes_of(songs, condition, arguments.seed, arguments.draws)
        key = condition.name, f"auto@{intensity}"
        found[key] = left(songs, errors, engine(statements, INTENSITIES_DB[intensity]))
        luck.append(luck_line(condition.name, found[key], aim))
    shape, expected = shapes(songs.levels_db, songs.filled), np.stack([each.mean for each in statements])
    bias = loudness_bias(songs.lufs, shape, {"mean": tone.general.mean, "prediction": expected})
    parts = {
        "Luck": luck,
        "Rendered": rendered_lines(read(arguments.out / "songs.csv"), songs, found),
        "Packages": package_lines(songs, statements, found["random 2 dB", "auto@balanced"]),
        "Regions": region_lines(songs),
        "Loudness": [{key: str(value) for key, value in row.items()} for row in bias],
    }
    write(arguments.out / "draws.md", parts)
    whole = heard_songs(test, 60.0, arguments.out / "heard_60_s.npz")
    parts["Ways"] = way_lines(songs, whole, statements, arguments.seed, arguments.draws)
    print(write(arguments.out / "draws.md", parts))


def write(path: Path, parts: Mapping[str, Sequence[Line]]) -> str:
    """The tables that have lines, to a file; gives its text."""
    text = "\n".join(f"{name}\n\n{markdown_table(lines)}" for name, lines in parts.items() if lines)
    path.write_text(text, encoding="utf-8")
    return text


def luck_line(name: str, found: Left, aim: tuple[float, float]) -> Line:
    """What tests of one mistake a song would have said."""
    gone, worse = found.single_tests()
    low, high = np.quantile(gone, [0.025, 0.975])
    met = (gone >= aim[0]) & (worse <= aim[1])
    return {
        "mistake": name,
        **found.cells(),
        "one mistake a song: 95 % of tests": f"{100.0 * low:.1f} to {100.0 * high:.1f} %",
        "worse in them": " to ".join(f"{100.0 * q:.0f}" for q in np.quantile(worse, [0.025, 0.975])) + " %",
        "tests that meet the aims": "" if np.isnan(aim[0]) else f"{100.0 * met.mean():.0f} %",
    }


def rendered_lines(rows: Sequence[Row], songs: Songs, found: Mapping[tuple[str, str], Left]) -> list[Line]:
    """The main study's mistakes on rendered audio and on spectra, for songs that have both."""
    lines = []
    at = {key: i for i, key in enumerate(zip(songs.package.tolist(), songs.name.tolist(), strict=True))}
    for (condition, system), every in found.items():
        both = [
            r for r in rows if (r.condition, r.system) == (condition, system) and (r.package, r.song) in at
        ]
        if not both:
            continue
        index = np.array([at[row.package, row.song] for row in both])
        spectra = Left(every.before_db[index, :1], every.after_db[index, :1], [r.package for r in both])
        audio = Left(
            np.array([[row.before_db] for row in both]),
            np.array([[row.after_db] for row in both]),
            [r.package for r in both],
        )
        change = [(x.after_db**2 - x.before_db**2).ravel() for x in (spectra, audio)]
        lines.append(
            {
                "mistake": condition,
                "songs": str(len(both)),
                "on spectra": spectra.cells()["removed"],
                "worse": spectra.cells()["worse"],
                "rendered": audio.cells()["removed"],
                "worse, rendered": audio.cells()["worse"],
                "correlation of the songs' changes": f"{np.corrcoef(change[0], change[1])[0, 1]:.2f}",
            }
        )
    return lines


def package_lines(songs: Songs, statements: Sequence[Gaussian], found: Left) -> list[Line]:
    """Each package of the test, and full-band songs against the others."""
    shape, mean = shapes(songs.levels_db, songs.filled), np.stack([each.mean for each in statements])
    z = ((shape - mean) / np.stack([each.sigma for each in statements]))[:, BROAD]
    full = full_band(songs)
    parts = {name: songs.package == name for name in np.unique(songs.package).tolist()}
    parts |= {"all that are full-band": full, "cut by a codec or quiet": ~full}
    return [
        {
            "songs of": name,
            **found.of(chosen).cells(),
            "prediction, dB RMS": f"{rms_db(mean[chosen], shape[chosen]):.1f}",
            "mean square of z": f"{np.nanmean(z[chosen] ** 2):.2f}",
        }
        for name, chosen in parts.items()
        if chosen.any()
    ]


if __name__ == "__main__":
    main()
