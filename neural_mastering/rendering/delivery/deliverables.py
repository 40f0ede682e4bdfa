"""Which audio files are delivered, and what must hold for them after their encoders."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.audio_io.file_format import Encoding, check_available, parse_encoding, parse_encodings
from neural_mastering.audio_io.reader import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from neural_mastering.audio_io.writer import OutputFormat
from neural_mastering.errors import InputError


@dataclass(frozen=True)
class Deliverables:
    """Beside loudness and ceiling.

    Attributes:
        encoding: of the master; None takes the format of its name.
        also: formats of further files, made from the same samples.
        check: lossy formats after which the master is measured.
        safe: lossy formats after which the ceiling must still hold.
        replaygain: write loudness into the files: ReplayGain 2 tags (R128 tags for Opus), a `bext` chunk into WAV.
        sample_rate_hz: of the master; None keeps that of the source.
    """

    encoding: Encoding | None = None
    also: tuple[Encoding, ...] = ()
    check: tuple[Encoding, ...] = ()
    safe: tuple[Encoding, ...] = ()
    replaygain: bool = False
    sample_rate_hz: int | None = None

    def __post_init__(self) -> None:
        rate = self.sample_rate_hz
        if rate is not None and not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
            raise InputError(
                f"--sample-rate {rate}: expected {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz, such as 44100 or 48000"
            )
        check_available(() if self.encoding is None else (self.encoding,), "--format")
        check_available(self.also, "--also")
        check_available(self.safe, "--codec-safe")
        names = [encoding.format.suffix for encoding in self.also]
        for encoding in self.also:
            if names.count(encoding.format.suffix) > 1:
                raise InputError(
                    f"--also: two {encoding.format.suffix} files would get the same name; give one"
                )

    def promised(self, form: OutputFormat) -> tuple[Encoding, ...]:
        """Encodings after which the ceiling must hold: those asked for, and that of the master itself."""
        own = (form.encoding,) if form.is_lossy else ()
        return tuple(dict.fromkeys((*own, *self.safe)))

    def needs_samples(self, form: OutputFormat) -> bool:
        """Whether encoders, or files of other formats, are fed the samples before rounding."""
        return bool(self.also or self.check or self.safe) or not form.is_direct

    def copies(self, output: Path) -> tuple[tuple[Path, Encoding], ...]:
        """Names of the further files, beside the master.

        Raises:
            InputError: one has the master's name.
        """
        found = tuple(
            (output.with_name(f"{output.stem}{encoding.format.suffix}"), encoding) for encoding in self.also
        )
        for path, encoding in found:
            if path.name.casefold() == output.name.casefold():
                raise InputError(
                    f"--also {encoding.name}: {path.name} is the master itself; leave it out, or name the master "
                    "otherwise"
                )
        return found


def parse_deliverables(
    form: str | None,
    also: Sequence[str],
    check: Sequence[str],
    safe: Sequence[str],
    replaygain: bool = False,
    sample_rate_hz: int | None = None,
) -> Deliverables:
    """What was typed at --format, --also, --codec-check, --codec-safe, --replaygain and --sample-rate.

    Raises:
        InputError: an unknown format, a bit rate that it doesn't have, or a missing encoder.
    """
    return Deliverables(
        encoding=None if form is None else parse_encoding(form, "--format"),
        also=parse_encodings(also, "--also"),
        check=parse_encodings(check, "--codec-check", lossy_only=True),
        safe=parse_encodings(safe, "--codec-safe", lossy_only=True),
        replaygain=replaygain,
        sample_rate_hz=sample_rate_hz,
    )
