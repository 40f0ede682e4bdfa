"""Kinds of audio files that can be written, and what is asked of one: `mp3:320`."""

import difflib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import soundfile

from neural_mastering.errors import InputError

HIGHEST_LOSSY_HZ = 48_000


@dataclass(frozen=True)
class BitRates:
    """Of a lossy format, in kbit/s for the whole file: what may be asked for, and what is taken by default.

    Attributes:
        lowest, default, highest: of any number of channels.
        steps: the only ones that there are; empty for any.
    """

    lowest: int
    default: int
    highest: int
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class FileFormat:
    """A kind of file.

    Attributes:
        name: as typed.
        title: as printed.
        suffix: of file names.
        container: what tags go into: "WAV", "AIFF", "FLAC", "MP3", "VORBIS", "OPUS" or "MP4".
        bit_rates: None for lossless formats.
        rates_hz: the only sample rates that it has; empty for any (of lossy formats: up to 48 kHz).
        encoder: "libsndfile" or "ffmpeg".
        widest_bits: of an integer sample in a lossless format without floating point; None where it has that.
    """

    name: str
    title: str
    suffix: str
    container: str
    bit_rates: BitRates | None = None
    rates_hz: tuple[int, ...] = ()
    encoder: str = "libsndfile"
    widest_bits: int | None = None

    @property
    def is_lossy(self) -> bool:
        """Decoding does not give back the samples that were encoded."""
        return self.bit_rates is not None

    def rate_for(self, sample_rate: int) -> int:
        """The rate in Hz at which audio of a sample rate is encoded.

        The same rate where the format has it; 44.1 or 48 kHz, whichever divides it, for higher ones; else the next
        higher rate of the format.
        """
        highest = max(self.rates_hz, default=HIGHEST_LOSSY_HZ if self.is_lossy else sample_rate)
        if sample_rate in self.rates_hz or (not self.rates_hz and sample_rate <= highest):
            return sample_rate
        if sample_rate > highest:
            return 44_100 if sample_rate % 44_100 == 0 and 44_100 in (self.rates_hz or (44_100,)) else highest
        return min(rate for rate in self.rates_hz if rate >= sample_rate)


_MP3_KBPS = (
    64,
    80,
    96,
    112,
    128,
    160,
    192,
    224,
    256,
    320,
)  # below, the delay has no room
_MP3_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)

FORMATS: Mapping[str, FileFormat] = {
    form.name: form
    for form in (
        FileFormat("wav", "WAV", ".wav", "WAV"),
        FileFormat("flac", "FLAC", ".flac", "FLAC", widest_bits=24),
        FileFormat("aiff", "AIFF", ".aiff", "AIFF"),
        FileFormat("alac", "ALAC", ".m4a", "MP4", encoder="ffmpeg", widest_bits=24),
        FileFormat("mp3", "MP3", ".mp3", "MP3", BitRates(64, 320, 320, _MP3_KBPS), _MP3_HZ),
        FileFormat("vorbis", "Vorbis", ".ogg", "VORBIS", BitRates(64, 256, 500)),
        FileFormat("opus", "Opus", ".opus", "OPUS", BitRates(16, 160, 510), (48_000,)),
        FileFormat("aac", "AAC", ".m4a", "MP4", BitRates(32, 256, 512), _MP3_HZ, encoder="ffmpeg"),
    )
}
"""By name. An .m4a is AAC unless ALAC is asked for."""

ALIASES: Mapping[str, str] = {"aif": "aiff", "ogg": "vorbis", "m4a": "aac"}

FORMAT_OF_SUFFIX: Mapping[str, FileFormat] = {form.suffix: form for form in FORMATS.values()} | {
    ".aif": FORMATS["aiff"],
    ".wave": FORMATS["wav"],
}

LOSSLESS_SUFFIXES = (".wav", ".wave", ".flac", ".aif", ".aiff")
"""Of sources whose master has their format by default."""


@dataclass(frozen=True)
class Encoding:
    """A format with its bit rate in kbit/s; None for lossless formats."""

    format: FileFormat
    kbps: int | None = None

    @property
    def name(self) -> str:
        """As typed: "mp3:320", "flac"."""
        return self.format.name if self.kbps is None else f"{self.format.name}:{self.kbps}"

    @property
    def title(self) -> str:
        """As printed: "MP3 320 kbit/s"."""
        return self.format.title if self.kbps is None else f"{self.format.title} {self.kbps} kbit/s"


def default_encoding(form: FileFormat) -> Encoding:
    """A format at its default bit rate."""
    return Encoding(form, None if form.bit_rates is None else form.bit_rates.default)


def parse_encoding(text: str, option: str, lossy_only: bool = False) -> Encoding:
    """What to write, from text such as "mp3", "mp3:320" or "ogg".

    Args:
        text: a format, and after a colon a bit rate in kbit/s.
        option: for the message.
        lossy_only: refuse lossless formats.

    Raises:
        InputError: an unknown format, or a bit rate that it doesn't have.
    """
    name, separator, number = text.strip().lower().lstrip(".").removesuffix("k").partition(":")
    known = [form.name for form in FORMATS.values() if form.is_lossy or not lossy_only]
    form = FORMATS.get(ALIASES.get(name, name))
    if form is None or form.name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(f"{option} {text}: expected {', '.join(known)}{hint}")
    if not separator:
        return default_encoding(form)
    rates = form.bit_rates
    if rates is None:
        raise InputError(f"{option} {text}: {form.title} is lossless and has no bit rate; write {form.name}")
    if not number.isascii() or not number.isdigit() or not rates.lowest <= int(number) <= rates.highest:
        raise InputError(
            f"{option} {text}: expected {form.name}:{rates.lowest} to {form.name}:{rates.highest} (kbit/s)"
        )
    if rates.steps and int(number) not in rates.steps:
        raise InputError(
            f"{option} {text}: {form.title} has {', '.join(map(str, rates.steps))} kbit/s; choose one of them"
        )
    return Encoding(form, int(number))


def parse_encodings(texts: Sequence[str], option: str, lossy_only: bool = False) -> tuple[Encoding, ...]:
    """Each text once, in order.

    Raises:
        InputError: as in `parse_encoding`.
    """
    return tuple(dict.fromkeys(parse_encoding(text, option, lossy_only) for text in texts))


@lru_cache(maxsize=16)
def why_unavailable(form: FileFormat) -> str | None:
    """Why files of a format can't be written on this machine; None where they can."""
    if form.encoder == "ffmpeg":
        if shutil.which("ffmpeg") is None:
            return f"{form.title} needs ffmpeg, which isn't installed"
        return None
    subtype = {"mp3": "MPEG_LAYER_III", "vorbis": "VORBIS", "opus": "OPUS"}.get(form.name)
    container = "MP3" if form.name == "mp3" else "OGG"
    if subtype is None:
        return None
    if container in soundfile.available_formats() and subtype in soundfile.available_subtypes(container):
        return None
    return (
        f"this libsndfile ({soundfile.__libsndfile_version__}) has no {form.title} encoder; 1.1 or later has"
    )


def check_available(encodings: Sequence[Encoding], option: str) -> None:
    """Refuse what can't be encoded on this machine.

    Raises:
        InputError: an encoder is missing.
    """
    for encoding in encodings:
        why = why_unavailable(encoding.format)
        if why is not None:
            raise InputError(
                f"{option} {encoding.name}: {why}; install it, or leave {encoding.format.name} out"
            )
