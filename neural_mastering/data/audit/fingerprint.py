"""Which songs are the same music: a fingerprint that equalisers, levels and small shifts change little.

After Haitsma and Kalker, "A highly robust audio fingerprinting system", ISMIR 2002: one code of 32 bits a frame
of 0.37 s; each bit says whether the level of a band rose more than its neighbour's since the frame before. Levels
are taken in dB here, so that a fixed equaliser cancels. Songs that share codes at one offset are compared in full.
"""

import numpy as np
import soxr

from neural_mastering.data.audit.side import ArraySide

MOST_BIT_ERRORS = 0.33
"""Share of differing bits below which two songs are the same; strangers differ in half of them."""

LEAST_OVERLAP = 0.5
"""Share of the shorter song that must be compared."""

_RATE_HZ = 5_512
_FRAME, _HOP = 2048, 256
_BANDS = 33
_LOW_HZ, _HIGH_HZ = 300.0, 2_000.0
_LEAST_VOTES = 4
_MOST_SHARING = 24
_CHUNK_S = 30


def fingerprint(side: ArraySide) -> np.ndarray:
    """Codes (frame,) as uint32, 21 a second; 0 where it is silent. Empty for less than half a second."""
    low = _decimated(side)
    frames = (low.shape[1] - _FRAME) // _HOP + 1
    if frames < 2:
        return np.zeros(0, dtype=np.uint32)
    window = np.hanning(_FRAME).astype(np.float32)
    edges = np.geomspace(_LOW_HZ, _HIGH_HZ, _BANDS + 1) * _FRAME / _RATE_HZ
    first = np.round(edges).astype(int)
    energy = np.empty((frames, _BANDS))
    for start in range(0, frames, 512):
        count = min(512, frames - start)
        index = (start + np.arange(count))[:, None] * _HOP + np.arange(_FRAME)
        power = np.square(np.abs(np.fft.rfft(low[:, index] * window))).sum(axis=0)
        energy[start : start + count] = np.add.reduceat(power, first, axis=1)[:, :_BANDS]
    level = np.log(energy + 1e-9)
    rise = np.diff(level[1:] - level[:-1], axis=1) > 0
    codes = (rise.astype(np.uint64) << np.arange(_BANDS - 1, dtype=np.uint64)).sum(axis=1).astype(np.uint32)
    return np.where(energy[1:].sum(axis=1) > 1e-3, codes, np.uint32(0))


def same_music(prints: list[np.ndarray]) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, of fingerprints of the same music.

    Codes that two songs share vote for an offset; the best offsets are checked bit by bit. Time grows with the
    number of frames, and not with its square.
    """
    codes = np.concatenate([*prints, np.zeros(0, dtype=np.uint32)])
    song = np.repeat(np.arange(len(prints)), [len(p) for p in prints])
    frame = np.concatenate([np.arange(len(p)) for p in prints] + [np.zeros(0, dtype=int)])
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] != 0]
    codes, song, frame = codes[order], song[order], frame[order]
    reach = max((len(p) for p in prints), default=0) + 1
    keys = []
    for step in range(1, min(_MOST_SHARING, len(codes))):
        hit = np.flatnonzero((codes[step:] == codes[:-step]) & (song[step:] != song[:-step]))
        # a stable sort leaves songs in order, so the earlier one comes first
        offset = frame[hit + step] - frame[hit] + reach
        keys.append((song[hit] * len(prints) + song[hit + step]) * (2 * reach + 1) + offset)
    places, votes = np.unique(np.concatenate([*keys, np.zeros(0, dtype=np.int64)]), return_counts=True)
    likely = np.flatnonzero(votes >= _LEAST_VOTES)
    found: set[tuple[int, int]] = set()
    for place in places[likely[np.argsort(-votes[likely], kind="stable")]].tolist():
        pair, offset = divmod(place, 2 * reach + 1)
        i, j = divmod(pair, len(prints))
        if (i, j) not in found and bit_errors(prints[i], prints[j], offset - reach) < MOST_BIT_ERRORS:
            found.add((i, j))
    return sorted(found)


def bit_errors(one: np.ndarray, two: np.ndarray, offset: int) -> float:
    """Share of differing bits where frame n of `one` meets n + offset of `two`; 1 where too few frames meet."""
    start, stop = max(0, -offset), min(len(one), len(two) - offset)
    if stop - start < max(LEAST_OVERLAP * min(len(one), len(two)), 8):
        return 1.0
    a, b = one[start:stop], two[start + offset : stop + offset]
    heard = (a != 0) & (b != 0)
    if heard.sum() < 8:
        return 1.0
    return float(np.unpackbits((a[heard] ^ b[heard]).view(np.uint8)).mean())


def _decimated(side: ArraySide) -> np.ndarray:
    """(channel, time) at 5.5 kHz."""
    stream = soxr.ResampleStream(side.sample_rate, _RATE_HZ, side.channels, dtype="float32", quality="LQ")
    chunk = _CHUNK_S * side.sample_rate
    parts = []
    for start in range(0, side.frames, chunk):
        piece = np.ascontiguousarray(side.samples[start : start + chunk])
        parts.append(stream.resample_chunk(piece, last=start + chunk >= side.frames))
    return np.ascontiguousarray(np.concatenate(parts).T)
