"""An encoded file, whole or not at all: a draft in the same folder, renamed when it is complete."""

from collections.abc import Iterable
from pathlib import Path

import soundfile

from neural_mastering.atomic import reason, unwritable
from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.encode import encode
from neural_mastering.audio_io.writer import OutputFormat, open_draft
from neural_mastering.errors import InputError


class EncodedDraft:
    """Encodes a stream to a draft; `commit` gives it its name.

    Args:
        path: the final name.
        form: a format that an encoder writes: lossy, or ALAC.
        overwrite: replace an existing file.

    Attributes:
        path, form: as given.
        draft: the hidden file.

    Raises:
        InputError: the file exists, or the folder can't be written.
    """

    def __init__(self, path: Path, form: OutputFormat, overwrite: bool = False) -> None:
        self.path, self.form = path, form
        self._draft = open_draft(path, overwrite)
        self.draft = self._draft.file

    def encode(self, blocks: Iterable[Block], sample_rate: int, channels: int) -> int:
        """Write the whole stream (channel, time) at a rate in Hz that the format has; returns its length.

        Raises:
            InputError: the encoder fails, or the disk is full; the draft is gone.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return encode(blocks, self.draft, self.form.encoding, sample_rate, channels, self.form.bits)
        except InputError as error:
            self.abandon()
            raise InputError(f"{self.path} can't be written: {error}") from error
        except (soundfile.LibsndfileError, OSError, RuntimeError, AssertionError) as error:
            failure = unwritable(self.path, error)
            self.abandon()
            raise failure from error
        except BaseException:
            self.abandon()
            raise

    def check_length(self, held: int, given: int) -> None:
        """Make sure that a decoder gives back at least as many samples as the encoder was given.

        Raises:
            InputError: it doesn't; the draft is gone.
        """
        if held < given:
            failure = unwritable(self.path)
            self.abandon()
            raise failure

    def commit(self) -> None:
        """Give the draft its final name.

        Raises:
            InputError: it can't be renamed; the draft is gone.
        """
        try:
            self._draft.commit()
        except OSError as error:
            why = reason(self.path, error)
            if isinstance(error, FileExistsError):
                why += "; add --overwrite to replace it"
            self.abandon()
            raise InputError(f"{self.path} can't be written: {why}") from error

    def abandon(self) -> None:
        """Remove the draft."""
        self._draft.discard()
