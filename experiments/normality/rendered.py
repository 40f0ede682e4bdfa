"""As `evaluate`, for some songs of the test, on audio: errors are rendered, and everything is measured again.

    python -m experiments.normality.rendered MUSIC OUT [--songs 60]

Says whether adding errors to spectra, with features that stand still, is a fair picture; by the weights that ship.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.normality.evaluate import CASES, Case, test_songs
from experiments.normality.invariance import Samples, equalised
from experiments.normality.posterior import Score, posterior
from experiments.normality.songs import load
from neural_mastering.audio_io.block import blocks_of
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.metering.content import Content, ContentMeter
from neural_mastering.metering.profile import profile_of
from neural_mastering.normality import load_normal_tone
from neural_mastering.styles.intensity import error_covariance


def measured(audio: Samples, rate: int) -> tuple[Content | None, NDArray[np.float64], NDArray[np.bool_]]:
    """Content, levels of third octaves, and which hold sound."""
    meter = ContentMeter(rate, len(audio))
    for block in blocks_of(audio):
        meter.push(block)
    profile = profile_of(blocks_of(audio), rate)
    return meter.finish(), profile.levels_db, profile.filled


def left(
    statement: Gaussian, levels_db: Samples, filled: NDArray[np.bool_], error: Samples, case: Case
) -> tuple[float, float]:
    """Mean-square error before and after, over known bands of broad tone."""
    curve = posterior([statement], error_covariance(case.intensity_db))(levels_db, filled, 0)
    used = filled & BROAD
    return float(np.var(error[used])), float(np.var((error + curve)[used]))


def main() -> None:
    """Print and write OUT/tables/rendered.csv."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--songs", type=int, default=60)
    arguments = parser.parse_args()
    songs = test_songs(load(arguments.music, arguments.out))
    chosen = np.random.default_rng(0).permutation(len(songs))[: arguments.songs]
    tone, cases = load_normal_tone(), CASES[1:3]
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for index, song in enumerate(chosen):
        file = arguments.music / "flac" / songs.package[song] / f"{songs.name[song]}.flac"
        with AudioReader(file) as reader:
            rate, audio = reader.sample_rate, np.concatenate(list(reader.blocks()), axis=1)
        content, levels_db, filled = measured(audio, rate)
        if content is None:
            continue
        for number, case in enumerate(cases):
            error = case.errors(1, case.rms_db, np.random.default_rng((number, index)))[0]
            other, moved_db, _ = measured(equalised(audio, rate, error), rate)
            if other is None:
                continue
            added = left(tone.predict(content), levels_db + error, filled, error, case)
            heard = left(tone.predict(other), moved_db, filled, error, case)
            found.setdefault((case.name, "added to spectra"), []).append(added)
            found.setdefault((case.name, "rendered"), []).append(heard)
    rows = []
    for (case_name, way), values in found.items():
        before, after = np.array(values).T
        result = Score(before, after, np.full(len(before), ""))
        rows.append(
            {
                "case": case_name,
                "errors": way,
                "songs": len(before),
                "removed": round(result.removed, 3),
                "worse": round(result.worse, 3),
            }
        )
        sys.stdout.write(f"{rows[-1]}\n")
    write_rows(arguments.out / "tables" / "rendered.csv", rows)


if __name__ == "__main__":
    main()
