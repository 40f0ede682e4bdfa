"""Cross-spectra of short segments along a line of delay: what the fine estimate is made of."""

from dataclasses import dataclass

import numpy as np

from neural_mastering.data.audit.side import Side, fitted, read_around

SECTION_S = 3.0
MOST_SECTIONS = 12
_LEAST_SECTIONS = 4

_SEGMENT_S = 0.186
_SILENT_POWER = 1e-9  # −90 dBFS


@dataclass(frozen=True)
class LinearDelay:
    """delay(t) = start_s + drift·t, with t the time in the unmastered side, all in seconds."""

    start_s: float
    drift: float

    def at(self, time_s: float) -> float:
        """The delay in seconds at a time in seconds."""
        return self.start_s + self.drift * time_s


@dataclass(frozen=True)
class Spectra:
    """Sums over the segments of each section.

    Attributes:
        centres_s: (section,) times in the unmastered side.
        cross: (section, before channel, after channel, bin) conj(X)·Y, less the phase of the line.
        before: (section, channel, bin) |X|².
        after: (section, channel, bin) |Y|².
        mid_side_before, mid_side_after: (section, 2, bin) the same of (left ± right)/2; empty for mono.
        size: samples of a segment.
        sample_rate: in Hz.
        segments: in a section.
    """

    centres_s: np.ndarray
    cross: np.ndarray
    before: np.ndarray
    after: np.ndarray
    mid_side_before: np.ndarray
    mid_side_after: np.ndarray
    size: int
    sample_rate: int

    segments: int = 1

    @property
    def independent_segments(self) -> float:
        """Segments of a section, half overlapped, as so many without overlap."""
        return max(1.0, 0.6 * self.segments)

    @property
    def hz(self) -> np.ndarray:
        """Frequencies of the bins."""
        return np.arange(self.size // 2 + 1) * (self.sample_rate / self.size)


def cross_spectra(before: Side, after: Side, line: LinearDelay, follow: bool = True) -> Spectra | None:
    """Cross-spectra of up to 12 sections of 3 s along the song; None where no section is audible on both sides.

    Each segment of the mastered side is read where the line says, to a sample, and turned by the rest. With
    `follow` false, one delay holds for a whole section.
    """
    rate = before.sample_rate
    size = min(1 << round(np.log2(_SEGMENT_S * rate)), 1 << max(4, int(np.log2(max(before.frames // 2, 16)))))
    length = max(size, min(round(SECTION_S * rate), before.frames))
    # only where both sides have sound to compare
    first = max(0, round(-line.at(0.0) * rate))
    end_s = before.frames / rate
    last = min(before.frames, after.frames - round(line.at(end_s) * rate))
    if last - first < min(length, before.frames // 4):
        return None
    # a song of a few seconds gets shorter sections, so that there are some to compare
    length = max(min(2 * size, last - first), size, min(length, (last - first) // _LEAST_SECTIONS))
    count = int(np.clip((last - first) // length, 1, MOST_SECTIONS))
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    sections = []
    for start in np.linspace(first, max(first, last - length), count).astype(int):
        sections.append(_section(before, after, line, follow, int(start), length, window))
    kept = [section for section in sections if section is not None]
    if not kept:
        return None
    return Spectra(
        *(np.array(parts) for parts in zip(*kept, strict=True)),
        size=size,
        sample_rate=rate,
        segments=(length - size) // (size // 2) + 1,
    )


def _section(
    before: Side, after: Side, line: LinearDelay, follow: bool, start: int, length: int, window: np.ndarray
) -> tuple[float | np.ndarray, ...] | None:
    rate, size = before.sample_rate, window.size
    hop = size // 2
    centre_s = (start + length / 2) / rate
    x = fitted(read_around(before, start, length), size)
    starts = np.arange(0, x.shape[1] - size + 1, hop)
    times = (start + starts + size / 2) / rate
    delays = np.array([line.at(t) if follow else line.at(centre_s) for t in times]) * rate
    whole = np.round(delays).astype(int)
    base = int(whole.min())
    y = read_around(after, start + base, x.shape[1] + int(np.ptp(whole)))
    if min(np.square(x).mean(), np.square(y).mean()) < _SILENT_POWER:
        return None
    left = np.fft.rfft(_segments(x, starts, size) * window)
    right = np.fft.rfft(_segments(y, starts + whole - base, size) * window)
    rest = delays - whole
    if np.abs(rest).max() > 1e-4:
        step = np.float32(2.0 * np.pi / size) * np.arange(size // 2 + 1, dtype=np.float32)
        turn = step * rest.astype(np.float32)[:, None]
        right *= np.cos(turn) + np.complex64(1j) * np.sin(turn)
    cross = np.stack([[(a.conj() * b).sum(axis=0) for b in right] for a in left])
    powers = [_powers(left), _powers(right)]
    return centre_s, cross, powers[0][0], powers[1][0], powers[0][1], powers[1][1]


def _segments(audio: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """(channel, segment, time) copies of equal length."""
    return np.stack([audio[:, start : start + size] for start in starts], axis=1)


def _powers(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of squares over segments of the channels, and of (left ± right)/2, each (channel, bin)."""
    power = (np.square(np.real(spectrum)) + np.square(np.imag(spectrum))).sum(axis=1)
    if len(spectrum) != 2:
        return power, power[:0]
    both = np.real(spectrum[0] * spectrum[1].conj()).sum(axis=0)
    total = power.sum(axis=0)
    return power, np.maximum(np.stack([total + 2.0 * both, total - 2.0 * both]) / 4.0, 0.0)
