"""Matchering as a row, where its package is installed (`pip install neural-mastering[peers]`).

It is called through its public function and nothing else; it is under the GPL and no part of this package.
"""

import importlib.util
import tempfile
from collections.abc import Mapping
from pathlib import Path

import soundfile
import torch

from neural_mastering.data import AudioCache, SongPair
from neural_mastering.data.audio_file import probe
from neural_mastering.evaluation.song_set import LoadedSong
from neural_mastering.evaluation.song_systems import Skip, SongSystem, SystemOutput
from neural_mastering.reporting.eval_data import SystemKind
from neural_mastering.shapes import Audio

NOT_INSTALLED = "matchering is not installed: pip install 'neural-mastering[peers]' adds its rows"


def is_installed() -> bool:
    """Whether the package can be imported."""
    return importlib.util.find_spec("matchering") is not None


class Matchering(SongSystem):
    """Matchering with a reference: another song's master of the same group, or the target itself (an oracle).

    Args:
        cache: at the rate of the evaluation.
        references: song name → pair whose mastered side is the reference; None for the target itself.
    """

    def __init__(self, cache: AudioCache, references: Mapping[str, SongPair] | None) -> None:
        self.cache, self.references = cache, references
        if references is None:
            self.key, self.name = "matchering_oracle", "Matchering, target as reference (oracle)"
            self.kind: SystemKind = "oracle"
            self.note = "has heard the target itself"
        else:
            self.key, self.name = "matchering", "Matchering, song of the same group"
            self.kind = "peer"
            self.note = "its reference is the master of another song of the same group"

    def render(self, song: LoadedSong) -> SystemOutput:
        """Run it on files in a temporary folder."""
        if self.references is None:
            reference, rate = song.target, song.sample_rate
        elif song.name in self.references:
            cached = self.cache.fetch(self.references[song.name].mastered)
            reference, rate = torch.from_numpy(cached.read(0, cached.frames))[None], cached.sample_rate
        else:
            raise Skip("no other song in its group")
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{name}.wav" for name in ("input", "reference", "result")]
            _write(paths[0], song.input, song.sample_rate)
            _write(paths[1], reference, rate)
            _process(paths)
            result = self._read(paths[2], song)
        return SystemOutput(result)

    def _read(self, path: Path, song: LoadedSong) -> Audio:
        """The result at the evaluation's rate and length."""
        file = probe(path)
        if file.sample_rate != song.sample_rate:
            raise Skip(f"it works at {file.sample_rate} Hz, the evaluation at {song.sample_rate} Hz")
        samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
        audio = torch.from_numpy(samples.T.copy())[None, : song.input.shape[1]]
        return torch.nn.functional.pad(audio, (0, song.input.shape[-1] - audio.shape[-1]))


def _write(path: Path, audio: Audio, sample_rate: int) -> None:
    stereo = audio[0].expand(2, -1) if audio.shape[1] == 1 else audio[0]
    soundfile.write(path, stereo.T.numpy(), sample_rate, subtype="FLOAT")


def _process(paths: list[Path]) -> None:
    # optional package
    import matchering  # pyright: ignore[reportMissingImports]

    try:
        matchering.process(
            target=str(paths[0]),
            reference=str(paths[1]),
            results=[matchering.Result(str(paths[2]), subtype="FLOAT")],
        )
    except Exception as error:  # its own errors derive from Exception alone
        raise Skip(f"Matchering refused it: {error}") from error
    if not paths[2].is_file():
        raise Skip("Matchering wrote no result")
