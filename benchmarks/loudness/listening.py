"""Three songs at one loudness by several limiters, as a page to look at and listen to.

    python -m benchmarks.loudness.listening POOL OUT [--target -9] [--contenders dense ffmpeg x42]

Writes the unlimited songs and the outputs of each limiter below OUT, and OUT/page by `nm-eval --systems`: the song
itself is the target, so spectra and levels show what each limiter changed. The page plays all at one loudness.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.loudness.__main__ import CEILING_DB, driven
from benchmarks.loudness.contenders import OWN, PEERS, Limiter, Peer, ours_for
from benchmarks.loudness.distances import oracle_peak
from benchmarks.loudness.songs import Excerpt, excerpts
from neural_mastering.cli.evaluate_output import TerminalProgress
from neural_mastering.evaluation.evaluate import evaluate
from neural_mastering.evaluation.measure_song import EvaluationOptions
from neural_mastering.evaluation.request import EvaluationRequest
from neural_mastering.rendering.delivery.density import DENSITIES

OURS = "neural_mastering"


def main() -> None:
    """Drive the limiters, write the files, and make the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path, help="folder with manifest.csv and the songs")
    parser.add_argument("out", type=Path)
    parser.add_argument("--songs", choices=("tune", "report"), default="report")
    parser.add_argument("--count", type=int, default=3, help="songs, one of a group")
    parser.add_argument("--target", type=float, default=-9.0, help="LUFS")
    parser.add_argument("--contenders", nargs="+", default=["dense", "ffmpeg", "x42"])
    parser.add_argument("--peer-python", type=Path, help="a Python with matchering and pedalboard")
    arguments = parser.parse_args()
    limiters: dict[str, Limiter] = {
        name: OWN[name] if name not in PEERS else Peer(name, arguments.peer_python)
        for name in arguments.contenders
    }
    for number, song in enumerate(list(excerpts(arguments.pool, arguments.songs))[::2][: arguments.count]):
        write_song(arguments.out, f"{number + 1} {Path(song.name).stem}", song, limiters, arguments.target)
    make_page(arguments.out, list(limiters))


def make_page(out: Path, names: list[str]) -> None:
    """OUT/page from the files of `write_song`."""
    request = EvaluationRequest(
        checkpoints=(),
        data=str(out / "pairs"),
        out=out / "page",
        split="all",
        systems={_shown(name): out / _shown(name) for name in names},
        options=EvaluationOptions(segments=0),
        peers=False,
        jobs=1,
        overwrite=True,
    )
    with TerminalProgress(quiet=True) as progress:
        evaluate(request, progress)
    print(out / "page" / "report.html")


def write_song(out: Path, name: str, song: Excerpt, limiters: dict[str, Limiter], target: float) -> None:
    """The song on both sides of a pair, below full scale, and what each limiter makes of it."""
    rate = song.sample_rate
    quiet = song.audio * 10.0 ** ((CEILING_DB - max(oracle_peak(song.audio), 0.0)) / 20.0)
    files = {"pairs/unmastered": quiet, "pairs/mastered": quiet}
    for key, limiter in limiters.items():
        own = ours_for(DENSITIES[key], song.audio, rate, target, CEILING_DB) if key in DENSITIES else limiter
        files[_shown(key)] = driven(own, song.audio, rate, target)[0]
    for folder, audio in files.items():
        (out / folder).mkdir(parents=True, exist_ok=True)
        soundfile.write(out / folder / f"{name}.wav", np.asarray(audio.T), rate, subtype="PCM_24")


def _shown(name: str) -> str:
    return OURS if name in DENSITIES else name


if __name__ == "__main__":
    main()
