"""The bands of a parametric equaliser: the one form in which they are fitted, saved, rendered and drawn."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from neural_mastering.dsp import rate_match, rbj
from neural_mastering.dsp.rbj import Float64s, Kind
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.units import DB_PER_NEPER


@dataclass(frozen=True)
class EqBand:
    """One row of `Bands` (RBJ).

    Attributes:
        kind: "low_shelf", "peak" or "high_shelf".
        frequency_hz: of the middle of the peak or of the shelf's slope, in Hz.
        gain_db: in dB; 0 does nothing.
        q: quality factor.
    """

    kind: Kind
    frequency_hz: float
    gain_db: float
    q: float


@dataclass(frozen=True, eq=False)
class Bands:
    """Bands in series, column by column; iterating gives rows.

    Attributes:
        kinds: (band,) "low_shelf", "peak" or "high_shelf".
        frequency_hz, gain_db, q: (band,) float64.

    Raises:
        ValueError: columns of different lengths.
    """

    kinds: tuple[Kind, ...]
    frequency_hz: Float64s
    gain_db: Float64s
    q: Float64s

    def __post_init__(self) -> None:
        lengths = [len(column) for column in (self.kinds, self.frequency_hz, self.gain_db, self.q)]
        if len(set(lengths)) > 1:
            raise ValueError(
                f"columns of one length are expected, got {lengths} kinds, frequencies, gains, Qs"
            )

    @classmethod
    def of(cls, rows: Iterable[EqBand] = ()) -> "Bands":
        """Bands from rows; none by default."""
        rows = tuple(rows)
        columns = np.array([(row.frequency_hz, row.gain_db, row.q) for row in rows], dtype=np.float64)
        frequency_hz, gain_db, q = columns.reshape(-1, 3).T.copy()
        return cls(tuple(row.kind for row in rows), frequency_hz, gain_db, q)

    def __len__(self) -> int:
        return len(self.kinds)

    def __iter__(self) -> Iterator[EqBand]:
        for kind, *numbers in zip(self.kinds, self.frequency_hz, self.gain_db, self.q, strict=True):
            yield EqBand(kind, *(float(number) for number in numbers))

    def __getitem__(self, index: int) -> EqBand:
        return EqBand(
            self.kinds[index],
            float(self.frequency_hz[index]),
            float(self.gain_db[index]),
            float(self.q[index]),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bands) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def level_db(self, at_hz: ArrayLike, sample_rate: float) -> Float64s:
        """Level of the cascade in dB (frequency,) at `at_hz`, of biquads at a sample rate; see `dsp.rbj`."""
        return rbj.level_db(self.kinds, self.frequency_hz, self.gain_db, self.q, at_hz, sample_rate)

    def third_octaves_db(self, sample_rate: float) -> Float64s:
        """What the cascade does at the third octaves of `dsp.third_octaves`, (third,) in dB."""
        if not len(self):
            return np.zeros(len(CENTRES_HZ))
        return self.level_db(np.minimum(CENTRES_HZ, 0.49 * sample_rate), sample_rate)

    def band_levels_db(self, at_hz: ArrayLike, sample_rate: float) -> Float64s:
        """Level of each band alone in dB (band, frequency)."""
        return DB_PER_NEPER * rbj.log_levels(
            self.kinds, self.frequency_hz, self.gain_db, self.q, at_hz, sample_rate
        )

    def sections(self, design_rate_hz: float, sample_rate: float) -> Float64s:
        """Second-order sections (section, 6) that have the design rate's curve at a sample rate; (0, 6) for none.

        See `dsp.rate_match.sections_at_rate`.
        """
        return rate_match.sections_at_rate(
            self.kinds,
            self.frequency_hz,
            self.gain_db,
            self.q,
            design_rate_hz=design_rate_hz,
            sample_rate=sample_rate,
        )

    def scaled(self, share: float) -> "Bands":
        """The same bands with their gains in dB times a number."""
        return Bands(self.kinds, self.frequency_hz, self.gain_db * share, self.q)

    def active(self) -> "Bands":
        """The bands that do something: those whose gain is not exactly 0 dB."""
        return self.only(np.flatnonzero(self.gain_db).tolist())

    def rounded(self, decimals: tuple[int, int, int]) -> "Bands":
        """Frequencies in Hz, gains in dB and Qs with so many decimals."""
        columns = zip((self.frequency_hz, self.gain_db, self.q), decimals, strict=True)
        return Bands(self.kinds, *(np.array([round(float(v), d) for v in c]) for c, d in columns))

    def to_vector(self) -> Float64s:
        """(band, 3): ln frequency, gain in dB, ln Q."""
        return np.stack([np.log(self.frequency_hz), self.gain_db, np.log(self.q)], axis=-1)

    def with_vector(self, vector: Float64s) -> "Bands":
        """The inverse of `to_vector`."""
        return Bands(self.kinds, np.exp(vector[:, 0]), vector[:, 1], np.exp(vector[:, 2]))

    def only(self, kept: Sequence[int]) -> "Bands":
        """Some of the bands, by their places."""
        index = np.asarray(kept, dtype=int)
        kinds = tuple(self.kinds[i] for i in index)
        return Bands(kinds, self.frequency_hz[index], self.gain_db[index], self.q[index])

    def __add__(self, other: "Bands") -> "Bands":
        return Bands(
            (*self.kinds, *other.kinds),
            np.concatenate([self.frequency_hz, other.frequency_hz]),
            np.concatenate([self.gain_db, other.gain_db]),
            np.concatenate([self.q, other.q]),
        )
