"""What an encoder makes of a master: encode it, decode it, measure it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from neural_mastering.atomic import reason
from neural_mastering.audio_io.encode import encode
from neural_mastering.audio_io.file_format import Encoding
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.errors import InputError
from neural_mastering.metering.meter import Readings
from neural_mastering.rendering.delivery.ceiling_meter import CeilingReading, read_ceiling
from neural_mastering.rendering.delivery.float_master import FloatMaster, at_rate


@dataclass(frozen=True)
class CodecReading:
    """A master after an encoder.

    Attributes:
        encoding: lossy format and bit rate.
        reading: of the decoded samples, against the ceiling of the master.
        promised: the ceiling has to hold here.
        file: name of the file that was written; empty for a check alone.
    """

    encoding: Encoding
    reading: CeilingReading
    promised: bool = False
    file: str = ""

    @property
    def readings(self) -> Readings:
        """Of the decoded samples."""
        return self.reading.readings

    @property
    def is_over(self) -> bool:
        """The decoded samples pass the ceiling."""
        return self.reading.over_db > 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "codec": self.encoding.format.name,
            "kbps": self.encoding.kbps,
            "sample_rate_hz": self.readings.sample_rate,
            "lufs": self.readings.lufs,
            "true_peak_db": self.readings.true_peak_db,
            "over_ceiling_db": self.reading.over_db,
            "clipped_samples": self.reading.clipped_samples,
            "promised": self.promised,
            "file": self.file or None,
        }


def read_codec(master: FloatMaster, encoding: Encoding, ceiling_db: float | None) -> CodecReading:
    """Encode a master to a temporary file and measure what comes back against a ceiling in dBTP.

    Raises:
        InputError: the encoder fails, or the file can't be decoded.
    """
    fed = at_rate(master, encoding.format.rate_for(master.sample_rate))
    with tempfile.TemporaryDirectory(prefix="nm-master-") as folder:
        path = Path(folder) / f"check{encoding.format.suffix}"
        try:
            encode(fed.blocks(), path, encoding, fed.sample_rate, fed.channels)
        except (soundfile.LibsndfileError, OSError, RuntimeError, AssertionError) as error:
            why = reason(path, error)
            raise InputError(f"{encoding.title} can't be encoded in {folder}: {why}") from error
        return CodecReading(encoding, read_decoded(path, encoding, ceiling_db))


def read_decoded(path: Path, encoding: Encoding, ceiling_db: float | None) -> CeilingReading:
    """Measure an encoded file, whatever its name.

    Raises:
        InputError: it can't be decoded.
    """
    ceiling_db = float("inf") if ceiling_db is None else ceiling_db
    try:
        with AudioReader(path, encoding.format.suffix) as reader:
            return read_ceiling(reader.blocks(), reader.sample_rate, reader.channels, ceiling_db)
    except InputError as error:  # whose text names a temporary file
        raise InputError(
            f"{encoding.title} can't be decoded after it was encoded: the song is too short for it, or the disk "
            "is full"
        ) from error
