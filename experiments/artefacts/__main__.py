"""Are traces of generated music found where they were planted, and how often where they were not?

    python -m experiments.artefacts MUSIC_FOLDER [--songs 60] [--seconds 20] [--out FILE]

MUSIC_FOLDER has one folder a group (album, artist, game); songs are taken from the groups in turn.
Each trace is planted alone; what is then found is counted, and what is found in the song itself.
"""

import hashlib
from pathlib import Path

import numpy as np
import soundfile

from experiments.artefacts.traces import TRACES, Samples
from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.common.song_folders import in_turn, songs_by_group
from neural_mastering.metering.inspection import SongInspector

FINDINGS = ("edge", "lines", "hiss")


def main() -> None:
    """One row a song and trace; then the table."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, help="a folder with one folder a group")
    parser.add_argument("--songs", type=int, default=60, help="how many, one of each group in turn")
    parser.add_argument("--seconds", type=float, default=20.0, help="this much from the middle of each song")
    parser.add_argument("--out", type=Path, help="CSV file with all rows")
    arguments = parser.parse_args()
    groups = songs_by_group(arguments.music)
    rows: list[dict[str, object]] = []
    for song in in_turn(groups, list(groups), arguments.songs):
        info = soundfile.info(song)
        start = max(round((info.duration - arguments.seconds) / 2.0 * info.samplerate), 0)
        audio, rate = soundfile.read(
            song,
            frames=round(arguments.seconds * info.samplerate),
            start=start,
            always_2d=True,
            dtype="float64",
        )
        for name, trace in TRACES.items():
            seed = int.from_bytes(
                hashlib.sha256(f"{song.parent.name}/{song.name}/{name}".encode()).digest()[:8]
            )
            planted = trace(np.ascontiguousarray(audio.T, np.float64), rate, np.random.default_rng(seed))
            found = dict(zip(FINDINGS, findings(planted, rate), strict=True))
            rows.append({"group": song.parent.name, "song": song.stem, "trace": name, **found})
        if arguments.out:
            write_rows(arguments.out, rows)
    print(table(rows))


def findings(audio: Samples, rate: int) -> tuple[bool, ...]:
    """Whether an edge, lines and hiss are found in audio (channel, time)."""
    inspector = SongInspector(rate, *audio.shape)
    for start in range(0, audio.shape[1], 1 << 16):
        inspector.push(audio[:, start : start + (1 << 16)])
    found = inspector.finish().artefacts
    return found.edge_hz is not None, found.lines is not None, found.hiss is not None


def table(rows: list[dict[str, object]]) -> str:
    """How many songs each finding was made in, by what was planted."""
    lines = ["| planted | songs | edge found | lines found | hiss found |", "|---|--:|--:|--:|--:|"]
    for name in TRACES:
        own = [row for row in rows if row["trace"] == name]
        counts = [sum(bool(row[finding]) for row in own) for finding in FINDINGS]
        cells = [f"{count} ({100.0 * count / max(len(own), 1):.0f} %)" for count in counts]
        lines.append(f"| {name} | {len(own)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
