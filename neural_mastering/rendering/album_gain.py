"""The loudness of an album as tags in every file of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import numpy as np

from neural_mastering.atomic import replacing
from neural_mastering.audio_io.file_format import FORMAT_OF_SUFFIX
from neural_mastering.audio_io.gain_tags import gain_tags
from neural_mastering.audio_io.tag_writer import write_tags
from neural_mastering.audio_io.tags import Tags
from neural_mastering.metering.meter import gated_loudness
from neural_mastering.rendering.result import MasterResult


def write_album_gain(results: Sequence[MasterResult]) -> None:
    """Add ReplayGain's album gain and peak (R128_ALBUM_GAIN in Opus) to all files of the songs.

    The loudness is that of all songs one after the other, the peak the highest of all.

    Raises:
        InputError: a file can't be written; it is left as it was.
    """
    readings = {
        "lufs": gated_loudness(np.concatenate([result.result.hop_energy for result in results])),
        "true_peak_db": max(result.result.true_peak_db for result in results),
    }
    for result in results:
        for path in (result.output, *result.copies):
            container = FORMAT_OF_SUFFIX[path.suffix.lower()].container
            with replacing(path) as draft:
                shutil.copyfile(path, draft)
                write_tags(draft, container, Tags(), gain_tags(readings, container, of="ALBUM"))
