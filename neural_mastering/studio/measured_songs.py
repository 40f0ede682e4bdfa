"""Songs as the worker knows them: measured once, the last few kept ready for the next decision."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.metering.content import ContentMeter
from neural_mastering.metering.measure import MeasuredSong, measure
from neural_mastering.metering.profile import Spectrum
from neural_mastering.rendering.tone.analysis import ToneAnalysis

Reading = Callable[[Iterator[Block], AudioReader], object]
"""What else is done with the blocks while a song is measured; it must read them all."""

_KEPT = 4


@dataclass(frozen=True, eq=False)
class AnalysedSong:
    """A song with everything that decisions need.

    Attributes:
        measured: its readings, header and samples.
        analysis: its spectrum and content.
        spectrum: the meter, for its fine bins.
    """

    measured: MeasuredSong
    analysis: ToneAnalysis
    spectrum: Spectrum


class MeasuredSongs:
    """Measures songs on first use and keeps the last few.

    Args:
        kept: how many.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._songs: OrderedDict[tuple[Path, int], tuple[AnalysedSong, ExitStack]] = OrderedDict()

    def get(self, source: Path, scratch: Path, also: Reading | None = None) -> AnalysedSong:
        """The song of a file.

        Args:
            source: the audio file.
            scratch: folder for what is expensive to decode.
            also: reads the blocks, too; the song is measured again even if it is known.

        Raises:
            InputError: a file that can't be read as audio.
        """
        key = (source, source.stat().st_mtime_ns if source.exists() else 0)
        if key in self._songs and also is None:
            self._songs.move_to_end(key)
            return self._songs[key][0]
        resources = ExitStack()
        try:
            song = _analysed(source, scratch, resources, also)
        except BaseException:
            resources.close()
            raise
        if key in self._songs:
            self._songs.pop(key)[1].close()
        self._songs[key] = song, resources
        while len(self._songs) > self._kept:
            self._songs.popitem(last=False)[1][1].close()
        return song


def _analysed(source: Path, scratch: Path, resources: ExitStack, also: Reading | None) -> AnalysedSong:
    """Loudness and peaks in this thread; spectrum, content and `also` beside it, from a second reader."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(_spectra, source, also, stop)
        try:
            measured = measure(source, scratch, resources)
            spectrum, content = ready.result()
        finally:
            stop.set()
    readings = measured.readings
    profile = spectrum.profile(readings.lufs, readings.frames / measured.sample_rate)
    return AnalysedSong(measured, ToneAnalysis(profile, content.finish()), spectrum)


def _spectra(source: Path, also: Reading | None, stop: threading.Event) -> tuple[Spectrum, ContentMeter]:
    with AudioReader(source) as reader:
        spectrum = Spectrum(reader.sample_rate, reader.channels)
        content = ContentMeter(reader.sample_rate, reader.channels)

        def blocks() -> Iterator[Block]:
            for block in reader.blocks():
                if stop.is_set():
                    return
                spectrum.push(block)
                content.push(block)
                yield block

        if also is not None:
            also(blocks(), reader)
        else:
            for _ in blocks():
                pass
    return spectrum, content
