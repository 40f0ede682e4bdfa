"""How the two sides of a pair lie to each other."""

from dataclasses import dataclass

import numpy as np

from neural_mastering.data.audit.assignment import Assignment, matched
from neural_mastering.data.audit.coarse import coarse_delay
from neural_mastering.data.audit.cross_spectra import LinearDelay, Spectra
from neural_mastering.data.audit.fine import fine_delay
from neural_mastering.data.audit.side import ResampledSide, Side
from neural_mastering.units import power_to_db

COHERENT = 0.15
"""γ² above which a section counts as the same music; heavy mastering leaves 0.8, strangers share below 0.05."""


@dataclass(frozen=True)
class Relation:
    """Measured at the mastered side's rate.

    Attributes:
        delay_samples: at the start of the unmastered side; positive where the mastered side is late.
        drift_ppm: growth of the delay in µs a second: positive where the mastered side runs slower (is longer).
        drift_error_ppm: its standard error.
        scatter_samples: median distance of the sections' delays from that line.
        wander_samples: largest distance of any coherent section.
        middle_samples, end_samples: the delay in the middle and at the end of the unmastered side.
        assignment: polarity and order of the channels.
        coherence: mean γ² along the line, 0 … 1; what a linear filter of the unmastered side explains.
        agreement: share of the audible sections that fit the line.
        confidence: 0 … 1, how far the found delay stands out from the next best one; near 0 for music that
            repeats exactly, where several delays are equally true.
        gain_db: level of the mastered side over the unmastered one, in the coherent part.
        difference_db: level of what is left of the mastered side after the best gain and delay.
        common_s: length of the part that both sides hold.
    """

    delay_samples: float
    drift_ppm: float
    drift_error_ppm: float
    scatter_samples: float
    wander_samples: float
    middle_samples: float
    end_samples: float
    assignment: Assignment
    coherence: float
    agreement: float
    confidence: float
    gain_db: float
    difference_db: float
    common_s: float

    def largest_delay_samples(self) -> float:
        """The largest |delay| anywhere along the song."""
        return max(abs(self.delay_samples), abs(self.end_samples))


def relate(before: Side, after: Side) -> Relation | None:
    """Measure a pair; None where a side is silent or where nothing is in common.

    Sides of different rates are compared at the mastered side's rate.
    """
    if before.sample_rate != after.sample_rate:
        before = ResampledSide(before, after.sample_rate)
    coarse = coarse_delay(before, after)
    fine = fine_delay(before, after, coarse) if coarse is not None else None
    if coarse is None or fine is None:
        return None
    rate = after.sample_rate
    length_s = before.frames / rate
    coherences, difference_db = _judged(fine.spectra, fine.assignment)
    fits = coherences > COHERENT
    off = np.abs(fine.section_delay_s - np.array([fine.line.at(t) for t in fine.section_s]))
    line = fine.line
    first_s, last_s = common_range_s(before, after, line)
    return Relation(
        delay_samples=line.start_s * rate,
        drift_ppm=line.drift * 1e6,
        drift_error_ppm=fine.drift_error * 1e6,
        scatter_samples=fine.scatter_s * rate,
        wander_samples=float(off[fits].max(initial=0.0)) * rate,
        middle_samples=line.at(length_s / 2.0) * rate,
        end_samples=line.at(length_s) * rate,
        assignment=fine.assignment,
        coherence=fine.coherence,
        agreement=float(fits.mean()),
        confidence=coarse.distinctness,
        gain_db=fine.gain_db,
        difference_db=difference_db,
        common_s=max(0.0, last_s - first_s),
    )


def common_range_s(before: Side, after: Side, line: LinearDelay) -> tuple[float, float]:
    """Start and end, in the unmastered side's time, of what both sides hold."""
    first_s = max(0.0, -line.start_s / (1.0 + line.drift))
    last_s = min(
        before.frames / before.sample_rate,
        (after.frames / after.sample_rate - line.start_s) / (1 + line.drift),
    )
    return first_s, last_s


def _judged(spectra: Spectra, assignment: Assignment) -> tuple[np.ndarray, float]:
    """γ² of each section, less what chance gives, and the level in dB of what one gain leaves."""
    cross, before, after = matched(spectra, assignment)
    band = (spectra.hz >= 80.0) & (spectra.hz <= min(12_000.0, 0.45 * spectra.sample_rate))
    share = np.sqrt(before * after)
    audible = band & (share > 1e-6 * share[:, band].max(axis=1, keepdims=True))
    gamma = np.square(np.abs(cross)) / (before * after + 1e-30)
    mean = (gamma * audible).sum(axis=1) / np.maximum(audible.sum(axis=1), 1)
    chance = min(1.0 / spectra.independent_segments, 0.9)
    total = float(np.real(cross).sum()) ** 2 / max(float(before.sum()) * float(after.sum()), 1e-30)
    return (mean - chance) / (1.0 - chance), power_to_db(max(1.0 - total, 1e-12))
