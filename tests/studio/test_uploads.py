"""Uploads within limits, without a server."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from neural_mastering.errors import InputError
from neural_mastering.studio.uploads import Limits, StalledError, TooLargeError, Upload, receiving

PIECES = [bytes([n]) * 700_001 for n in range(5)]


async def arriving(pieces: list[bytes], pause_s: float = 0.0) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(pause_s)
        yield piece


def receive(
    folder: Path, limits: Limits, pieces: list[bytes], declared: int | None = None, pause_s: float = 0.0
) -> str:
    """Hash of an upload that is kept as kept.wav."""
    with receiving(folder, limits) as upload:
        digest = asyncio.run(upload.receive("a.wav", declared, arriving(pieces, pause_s)))
        upload.path.replace(folder / "kept.wav")
    return digest


def test_what_arrives_is_written_and_hashed(tmp_path: Path) -> None:
    digest = receive(tmp_path, Limits(), PIECES)
    assert (tmp_path / "kept.wav").read_bytes() == b"".join(PIECES)
    assert digest == hashlib.sha256(b"".join(PIECES)).hexdigest()
    assert [path.name for path in tmp_path.iterdir()] == ["kept.wav"]


@pytest.mark.parametrize(
    ("limits", "pieces", "declared", "pause_s", "error"),
    [
        (Limits(upload_bytes=3_000_000), PIECES, None, 0.0, TooLargeError),
        (Limits(upload_bytes=3_000_000), [], 3_000_001, 0.0, TooLargeError),
        (Limits(free_bytes=1 << 60), [], 1, 0.0, TooLargeError),
        (Limits(free_bytes=1 << 60), PIECES, None, 0.0, TooLargeError),
        (Limits(stall_s=0.05), PIECES, None, 1.0, StalledError),
        (Limits(), [], None, 0.0, InputError),
    ],
)
def test_what_is_refused_leaves_nothing(
    tmp_path: Path,
    limits: Limits,
    pieces: list[bytes],
    declared: int | None,
    pause_s: float,
    error: type[Exception],
) -> None:
    with pytest.raises(error) as caught:
        receive(tmp_path, limits, pieces, declared, pause_s)
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


def test_too_many_at_once_are_refused(tmp_path: Path) -> None:
    with receiving(tmp_path, Limits(most_uploads=1)) as first:
        assert isinstance(first, Upload)
        first.path.touch()
        with (
            pytest.raises(InputError, match="1 uploads are under way"),
            receiving(tmp_path, Limits(most_uploads=1)),
        ):
            pass
    with receiving(tmp_path, Limits(most_uploads=1)):
        pass
