"""Masters of the bundled model and of peers, one folder a system."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from experiments.common.csv_files import read_rows
from experiments.common.matchering import Job, match
from experiments.common.peers import run_peer
from neural_mastering.rendering import Options, master

SHIPPED = "bundled model"
MATCHERING = "Matchering, song of the group"

SONARE = (
    "import sys, numpy as np, soundfile as s, libsonare as l\n"
    "for line in sys.stdin:\n"
    "    source, out = line.rstrip('\\n').split('\\t')\n"
    "    x, r = s.read(source, dtype='float32', always_2d=True)\n"
    "    left, right = (np.ascontiguousarray(c) for c in x.T)\n"
    "    y = l.master_audio_stereo(left, right, sample_rate=r, preset_name='pop')\n"
    "    s.write(out, np.stack([np.asarray(y.left), np.asarray(y.right)], 1), r, subtype='PCM_24')\n"
)


def masters(out: Path, pairs: Path, model: str, peers: Path | None) -> dict[str, Path]:
    """A folder of masters by system, one file a test song; what is there is not made again.

    Args:
        out: gets the folder `masters`.
        pairs: folder of pairs whose test songs are mastered.
        model: of nm-master, a name or a JSON file.
        peers: interpreter with matchering and libsonare; their folders are left out without it.
    """
    rows = [row for row in read_rows(pairs / "manifest.csv") if row["split"] == "test"]
    key = next(column for column in ("file", "name", "song") if column in rows[0])
    names = [Path(row[key]).stem if row[key].endswith(".flac") else row[key] for row in rows]
    sources = [pairs / "unmastered" / f"{name}.flac" for name in names]
    folders = {SHIPPED: out / "masters" / "bundled", "ffmpeg loudnorm": out / "masters" / "loudnorm"}
    _by_nm_master(sources, folders[SHIPPED], model)
    _by_ffmpeg(sources, folders["ffmpeg loudnorm"])
    if peers is not None:
        references = _others_of_the_group(sources, [row["group"] for row in rows])
        folders["libsonare pop"] = out / "masters" / "libsonare"
        folders[MATCHERING] = out / "masters" / "matchering"
        for label, run in (("libsonare pop", _by_libsonare), (MATCHERING, match)):
            folder = folders[label]
            folder.mkdir(parents=True, exist_ok=True)
            jobs = [
                Job(source, pairs / "mastered" / reference.name, folder / f"{source.stem}.wav")
                for source, reference in zip(sources, references, strict=True)
            ]
            run(peers, [job for job in jobs if not job.output.exists()])
    return folders


def _others_of_the_group(songs: Sequence[Path], groups: Sequence[str]) -> list[Path]:
    """For each song the next one of its group; the song itself where it is alone."""
    found = []
    for i, group in enumerate(groups):
        others = [j for j, g in enumerate(groups) if g == group]
        found.append(songs[others[(others.index(i) + 1) % len(others)]])
    return found


def _by_nm_master(sources: Sequence[Path], folder: Path, model: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        # level and limiter are left out: the table compares tone, at one loudness
        options = Options(
            target="keep",
            ceiling="off",
            skip=("limiter",),
            bits="32f",
            model=model,
            json=folder / f"{source.stem}.json",
            overwrite=True,
        )
        master(source, folder / f"{source.stem}.wav", options)


def _by_libsonare(python: Path, jobs: Sequence[Job]) -> None:
    run_peer("libsonare", python, SONARE, [(job.target, job.output) for job in jobs])


def _by_ffmpeg(sources: Sequence[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        if (folder / f"{source.stem}.wav").exists():
            continue
        rate = subprocess.run(
            ["ffprobe", "-v", "error", "-show_entries", "stream=sample_rate", "-of", "csv=p=0", source],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, "-af", "loudnorm=I=-14:TP=-1"]
        subprocess.run(
            [*command, "-ar", rate, "-c:a", "pcm_s24le", folder / f"{source.stem}.wav"], check=True
        )
