"""Masters made by anyone, as a system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from neural_mastering.data import AudioCache
from neural_mastering.data.audio_file import list_audio, probe
from neural_mastering.data.manifest import song_key
from neural_mastering.errors import InputError
from neural_mastering.evaluation.song_set import LoadedSong
from neural_mastering.evaluation.song_systems import SongSystem, SystemOutput
from neural_mastering.reporting.eval_data import SystemKind

LENGTH_TOLERANCE_S = 0.010


@dataclass
class OutsideMasters(SongSystem):
    """Masters made by anyone, one file a song in a folder.

    Args:
        key, name: of the row.
        folder: files named as the songs, with any suffix.
        cache: at the rate of the evaluation.
    """

    key: str
    name: str
    folder: Path
    cache: AudioCache
    kind: SystemKind = "peer"
    note: str = ""
    files: Mapping[str, Path] = field(default_factory=dict)

    def check(self, songs: list[str]) -> None:
        """Find one file for each song.

        Raises:
            InputError: a song without a file, or with two.
        """
        found: dict[str, Path] = {}
        for path in list_audio(self.folder):
            other = found.setdefault(song_key(path.stem), path)
            if other is not path:
                raise InputError(
                    f"{self.folder} holds two masters of one song, '{other.name}' and '{path.name}'"
                )
        missing = [name for name in songs if song_key(name) not in found]
        if missing:
            listed = ", ".join(f"'{name}'" for name in missing[:10])
            raise InputError(
                f"{self.folder} (--systems {self.name}) has no master of {len(missing)} of {len(songs)} songs: "
                f"{listed}. Add them under the songs' names, or evaluate fewer with --song"
            )
        self.files = found

    def render(self, song: LoadedSong) -> SystemOutput:
        """Read the file at the evaluation's rate; mono counts for both channels."""
        file = probe(self.files[song_key(song.name)])
        cached = self.cache.fetch(file)
        difference_s = abs(cached.frames - song.input.shape[-1]) / song.sample_rate
        if difference_s > LENGTH_TOLERANCE_S:
            raise InputError(
                f"{file.path} lasts {cached.frames / song.sample_rate:.3f} s but '{song.name}' "
                f"{song.input.shape[-1] / song.sample_rate:.3f} s: export it over the same range"
            )
        audio = torch.from_numpy(cached.read(0, cached.frames))[None]
        if audio.shape[1] > song.input.shape[1]:
            raise InputError(f"{file.path} has {audio.shape[1]} channels but '{song.name}' is mono")
        audio = audio.expand(-1, song.input.shape[1], -1)
        missing = song.input.shape[-1] - audio.shape[-1]
        return SystemOutput(torch.nn.functional.pad(audio, (0, missing)))  # a negative number cuts
