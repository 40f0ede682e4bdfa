"""What a tone needs to hear of a song, taken from the blocks that are read to measure it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neural_mastering.audio_io.block import BlockReader
from neural_mastering.audio_io.prefetch import prefetch
from neural_mastering.engineer.bundle import find_engineer
from neural_mastering.errors import InputError
from neural_mastering.metering.measure import MeasuredSong
from neural_mastering.numeric.bundle_file import Bundle, bundled_models, find_bundle, read_bundle
from neural_mastering.numeric.model import NumericModel, load_numeric
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.tone.analysis import ToneAnalyser, ToneAnalysis
from neural_mastering.rendering.tone.from_numbers import NumericListener, NumericTone
from neural_mastering.styles.profile import AUTO

NO_MODEL = "none"
"""What `--model` takes to leave the tone alone."""


class Listening:
    """Reads a song once for everything that its tone is decided by, as far as that needs no torch.

    Args:
        options: of the master; what they don't ask for is not listened to.
    """

    def __init__(self, options: Options) -> None:
        # references alone are compared without it
        joins = bool(options.references) and (options.model is not None or options.controls is not None)
        self._analyses = chosen_style(options) is not None or joins
        self._named = named_model(options)
        self._analyser: ToneAnalyser | None = None
        self._listener: NumericListener | None = None

    def start(self, sample_rate: int, channels: int) -> Sequence[BlockReader]:
        """What reads the blocks of the song; `analysis` and `tone` then need no further pass."""
        readers: list[BlockReader] = []
        if self._analyses:
            self._analyser = ToneAnalyser(sample_rate, channels)
            readers.append(self._analyser)
        if self._named is not None:
            bundle, model = self._named
            self._listener = NumericListener(model, bundle.name, bundle.confidence, sample_rate)
            readers.append(self._listener)
        return readers

    def analysis(self, song: MeasuredSong) -> ToneAnalysis:
        """Spectrum and content of the whole song, which is read again unless it was read already."""
        if self._analyser is None:
            self._analyser = ToneAnalyser(song.sample_rate, song.channels)
            _read(song, self._analyser)
        found = self._analyser.analysis(song.readings.lufs, song.readings.frames)
        self._analyser = None
        return found

    def tone(self, song: MeasuredSong) -> NumericTone | None:
        """What the model wants; None where none was named that runs without torch."""
        if self._named is None:
            return None
        bundle, model = self._named
        if self._listener is None:
            self._listener = NumericListener(model, bundle.name, bundle.confidence, song.sample_rate)
            _read(song, self._listener)
        found = self._listener.tone(song.readings.lufs)
        self._listener = None
        return found


def chosen_style(options: Options) -> str | None:
    """The style that was asked for; `auto` where nothing else sets the tone; None where something does."""
    if options.style is not None:
        return options.style
    is_free = options.model is None and options.controls is None and not options.references
    return AUTO if is_free else None


def named_model(options: Options) -> tuple[Bundle, NumericModel] | None:
    """The bundle that `--model` names and its numbers; None for none, and for one that needs torch.

    Raises:
        InputError: no such model, or files that can't be read.
    """
    name = options.model or NO_MODEL
    if name.lower() == NO_MODEL or options.controls is not None:
        return None  # beside controls a model is asked for its residual alone
    if find_engineer(name) is not None:
        return None
    found = find_bundle(find_model(name))
    if found is None:
        return None
    bundle = read_bundle(found)
    model = load_numeric(bundle)
    return None if model is None else (bundle, model)


def find_model(name: str) -> Path:
    """What a name means: a checkpoint, a run folder, or a bundled model (its JSON file).

    Raises:
        InputError: none of these.
    """
    path = Path(name).expanduser()
    if path.exists():
        if path.is_dir() and not (path / "checkpoints").is_dir():
            raise InputError(
                f"--model {name}: expected the run folder of nm-train with checkpoints/, or the folder of nm-learn "
                "with model.json"
            )
        return path
    bundled = bundled_models()
    if name in bundled:
        return bundled[name]
    known = f"; bundled models: {', '.join(bundled)}" if bundled else "; this version has no bundled model"
    raise InputError(f"--model {name}: no such file or run folder{known}")


def _read(song: MeasuredSong, reader: BlockReader) -> None:

    for block in prefetch(song.blocks()):
        reader.push(block)
