"""A small folder of mixes and of what three engineers would do to them, for a machine with a GPU and no ffmpeg.

    python -m experiments.engineers.pack MUSIC OUT FOLDER

FOLDER/mixes/NAME.ogg are 25 s each by default; FOLDER/songs.json says who is trained on and what each engineer's
settings are.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from experiments.common.command_line import parser_of
from experiments.engineers.cache import mix_of, stereo_middle
from experiments.engineers.policies import by_name, settings_of
from experiments.engineers.songs import in_turn, pool_songs, songs_of
from neural_mastering.atomic import write_text

ENGINEERS = ("bass", "dynamics", "saturating")
"""A simple one, one that works on dynamics, one that saturates."""

SECONDS = 25.0
TRAINED, JUDGED = 20, 10


def main() -> None:
    """Write the folder."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path, help="where measurements are kept")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engineers", nargs="+", default=ENGINEERS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each song")
    parser.add_argument("--trained", type=int, default=TRAINED, help="songs to learn from")
    parser.add_argument("--judged", type=int, default=JUDGED, help="songs to be judged on")
    arguments = parser.parse_args()
    songs = pool_songs(arguments.music)
    chosen = {
        "train": in_turn(songs_of(songs, "train"), 0)[: arguments.trained],
        "judge": in_turn(songs_of(songs, "development"), 0)[: arguments.judged],
    }
    (arguments.folder / "mixes").mkdir(parents=True, exist_ok=True)
    listed: list[dict[str, Any]] = []
    for part, group in chosen.items():
        for song in group:
            name = f"{len(listed):02d}_{song.package}"
            audio, rate = stereo_middle(song.path, arguments.seconds)
            with soundfile.SoundFile(
                arguments.folder / "mixes" / f"{name}.ogg", "w", rate, 2, format="OGG", subtype="VORBIS"
            ) as file:
                for start in range(
                    0, len(audio), rate
                ):  # libsndfile's encoder overflows its stack on long blocks
                    file.write(np.clip(audio[start : start + rate], -1.0, 1.0))
            heard = mix_of(song, arguments.out).heard
            settings = {e: asdict(settings_of(by_name(e), heard, song.key)) for e in arguments.engineers}
            listed.append({"name": name, "part": part, "package": song.package, "settings": settings})
    write_text(arguments.folder / "songs.json", json.dumps(listed, indent=1) + "\n")
    size = sum(file.stat().st_size for file in arguments.folder.rglob("*") if file.is_file())
    sys.stdout.write(f"{len(listed)} mixes, {size / 2**20:.1f} MiB\n")


if __name__ == "__main__":
    main()
