"""The delay to a small fraction of a sample, its drift, and how well the sides agree.

The phase of the cross-spectrum is compared with a straight line, bins weighted by γ²/(1 − γ²) of their
coherence γ² (Hannan and Thomson, "Estimating group delay", Biometrika 60, 1973). An equaliser of minimum phase
turns the phase, too, and would pass for a delay of up to 0.2 samples: its phase follows from its magnitude
(a Hilbert transform of the log spectrum), which is |cross|/|X|², so it is taken away wherever this makes the
phase straighter; for a linear-phase equaliser it does not.
"""

import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from neural_mastering.data.audit.assignment import Assignment, find_assignment, matched
from neural_mastering.data.audit.coarse import Coarse
from neural_mastering.data.audit.cross_spectra import LinearDelay, Spectra, cross_spectra
from neural_mastering.data.audit.side import Side
from neural_mastering.units import gain_to_db

_LOW_HZ = 80.0
_TRUSTED = 0.3
_SEARCH_S = 0.008
_ROUNDS = 5  # two or three are the rule
_LINE_FIT_S = 0.0004
_TONE_SAMPLES, _TONE_S = 3.0, 0.02
_AS_GOOD = 0.95
_STEEPEST = 2.0  # of log magnitude over log frequency: 12 dB an octave


@dataclass(frozen=True)
class Fine:
    """What the sections along the song say.

    Attributes:
        line: the delay at the start, in seconds, and its drift.
        drift_error: standard error of the drift, in seconds a second; 0 with fewer than three sections.
        scatter_s: median distance of the sections' own delays from the line.
        section_s, section_delay_s: times and delays of the sections.
        assignment: of the channels.
        coherence: mean of γ² over the band, of all sections along the line together, weighted by power.
        in_phase: share of the weighted cross-spectrum that has the phase of the line, −1 … 1.
        gain_db: level of the mastered over the unmastered side in the coherent band.
        spectra: of the sections, along the line.
    """

    line: LinearDelay
    drift_error: float
    scatter_s: float
    section_s: np.ndarray
    section_delay_s: np.ndarray
    assignment: Assignment
    coherence: float
    in_phase: float
    gain_db: float
    spectra: Spectra


def fine_delay(before: Side, after: Side, coarse: Coarse) -> Fine | None:
    """Refine a coarse delay; None where there is too little common sound."""
    line = LinearDelay(coarse.delay_s, coarse.drift)
    spectra = cross_spectra(before, after, line, follow=False)
    if spectra is None:
        return None
    line = _searched(spectra, line)
    result = None
    for _ in range(_ROUNDS):
        spectra = cross_spectra(before, after, line)
        if spectra is None:
            return None
        result = _measured(spectra, line)
        moved_s = max(abs(result.line.at(t) - line.at(t)) for t in (0.0, before.frames / before.sample_rate))
        line = result.line
        if moved_s * before.sample_rate < 0.02:
            break
    if result is not None and _TONE_SAMPLES / before.sample_rate < abs(result.line.start_s) < _TONE_S:
        return _none_if_as_good(before, after, result)
    return result


def _none_if_as_good(before: Side, after: Side, found: Fine) -> Fine:
    """No delay at all, where this explains a tone as well as the delay of some periods that was found."""
    line = LinearDelay(0.0, 0.0)
    spectra = cross_spectra(before, after, line)
    if spectra is None:
        return found
    none = _measured(spectra, line)
    straight = (
        none.assignment.polarity > 0 and not none.assignment.swapped and not none.assignment.one_inverted
    )
    return none if straight and none.in_phase > _AS_GOOD * found.in_phase else found


def _searched(spectra: Spectra, line: LinearDelay) -> LinearDelay:
    """A line through the sections' correlation peaks within ±8 ms."""
    peaks = [
        _peak(*parts, spectra) for parts in zip(spectra.cross, spectra.before, spectra.after, strict=True)
    ]
    delays, weights = np.array(peaks).T
    extra = _robust_line(spectra.centres_s, delays, weights)
    return LinearDelay(line.start_s + extra.start_s, line.drift + extra.drift)


def _peak(cross: np.ndarray, before: np.ndarray, after: np.ndarray, spectra: Spectra) -> tuple[float, float]:
    """Delay in seconds and height of the largest correlation, over all ways to assign the channels."""
    fine = 4  # points a sample
    reach = min(round(_SEARCH_S * spectra.sample_rate), spectra.size // 4) * fine
    band = (spectra.hz >= _LOW_HZ) & (spectra.hz <= 0.45 * spectra.sample_rate)
    norm = np.sqrt(before[:, None] * after[None]) + 1e-20
    curves = np.fft.irfft(cross / norm * np.sqrt(np.abs(cross) / norm) * band, fine * spectra.size)
    curves = np.concatenate([curves[..., -reach:], curves[..., : reach + 1]], axis=-1)
    if curves.shape[:2] == (2, 2):
        (ll, lr), (rl, rr) = curves
        ways = [np.abs(ll + rr), np.abs(ll - rr), np.abs(lr + rl), np.abs(lr - rl)]
    else:
        ways = [np.abs(curves.sum(axis=(0, 1)))]
    best = np.max(ways, axis=0)
    place = int(best.argmax())
    return (place - reach) / (fine * spectra.sample_rate), float(best[place])


def _robust_line(time_s: np.ndarray, delay_s: np.ndarray, weight: np.ndarray) -> LinearDelay:
    """The line through two of the points that most weight lies near to, then least squares of what is near."""
    lines = [LinearDelay(float(d), 0.0) for d in delay_s]
    for i, j in itertools.combinations(range(len(time_s)), 2):
        drift = (delay_s[j] - delay_s[i]) / (time_s[j] - time_s[i])
        if abs(drift) < 1e-3 and (time_s[j] - time_s[i]) > 0.3 * np.ptp(time_s):
            lines.append(LinearDelay(float(delay_s[i] - drift * time_s[i]), float(drift)))

    def near(line: LinearDelay) -> np.ndarray:
        return np.abs(delay_s - line.start_s - line.drift * time_s) < _LINE_FIT_S

    best = max(lines, key=lambda line: float(weight[near(line)].sum()) - 1e-9 * abs(line.drift))
    kept = near(best)
    if kept.sum() < 3:
        return best
    drift, start_s = np.polyfit(time_s[kept], delay_s[kept], 1, w=np.sqrt(weight[kept]))
    return LinearDelay(float(start_s), float(drift))


def _measured(spectra: Spectra, line: LinearDelay) -> Fine:
    # signs show only where the delay is right to less than half a period
    cross, before, after = (part.sum(axis=0) for part in (spectra.cross, spectra.before, spectra.after))
    left_s, _ = _peak(cross, before, after, spectra)
    turn = np.exp(2j * np.pi * spectra.hz * left_s)
    assignment = find_assignment(dataclasses.replace(spectra, cross=spectra.cross * turn))
    cross, before, after = matched(spectra, assignment)
    pooled = cross.sum(axis=0)
    power = before.sum(axis=0) * after.sum(axis=0) + 1e-30
    coherence = np.square(np.abs(pooled)) / power
    band = (spectra.hz >= _LOW_HZ) & (spectra.hz <= 0.47 * spectra.sample_rate)
    band &= before.sum(axis=0) > 1e-10 * before.sum(axis=0).max()
    weight = np.where(band, coherence / (1.0 - np.minimum(coherence, 0.995)), 0.0) / (np.abs(pooled) + 1e-30)
    w = 2.0 * np.pi * spectra.hz
    bend = _minimum_phase(pooled, before.sum(axis=0), coherence, band)
    kept = max((np.zeros_like(bend), bend), key=lambda phase: _fit(pooled, weight, w, phase)[1])
    rest = np.array([_fit(c, weight, w, kept)[0] for c in cross])
    strength = np.array([np.abs(c * weight).sum() for c in cross])
    extra, drift_error, scatter_s = _weighted_line(spectra.centres_s, rest, strength)
    own = np.array([line.at(t) for t in spectra.centres_s]) + rest
    share = np.sqrt(before.sum(axis=0) * after.sum(axis=0)) * band
    audible = share > 1e-6 * share.max()
    chance = min(1.0 / (spectra.independent_segments * len(cross)), 0.9)
    gain = float(np.abs(pooled)[band].sum() / max(float(before.sum(axis=0)[band].sum()), 1e-30))
    return Fine(
        LinearDelay(line.start_s + extra.start_s, line.drift + extra.drift),
        drift_error,
        scatter_s,
        spectra.centres_s,
        own,
        assignment,
        (float(coherence[audible].mean()) - chance) / (1.0 - chance) if audible.any() else 0.0,
        _in_phase(pooled * weight, kept),
        gain_to_db(max(gain, 1e-10)),
        spectra,
    )


def _fit(cross: np.ndarray, weight: np.ndarray, w: np.ndarray, phase: np.ndarray) -> tuple[float, float]:
    """The delay τ that makes Σ weight·Re(cross·exp(j(ωτ − phase))) largest, near 0, and that sum over Σ |…|."""
    turned = weight * cross * np.exp(-1j * phase)
    # the inverse transform is that sum on a grid of quarters of a sample, refined below
    reach = 24
    curve = np.fft.irfft(turned, 8 * (w.size - 1))
    tau = (int(np.concatenate([curve[-reach:], curve[: reach + 1]]).argmax()) - reach) * np.pi / (4.0 * w[-1])
    for _ in range(8):
        aligned = turned * np.exp(1j * w * tau)
        slope, curvature = -(w * aligned.imag).sum(), -(np.square(w) * aligned.real).sum()
        if curvature >= 0:
            break
        tau -= float(np.clip(slope / curvature, -1.0 / w[-1], 1.0 / w[-1]))
    aligned = turned * np.exp(1j * w * tau)
    return tau, float(aligned.real.sum() / max(float(np.abs(turned).sum()), 1e-30))


def _in_phase(cross: np.ndarray, phase: np.ndarray) -> float:
    return float(np.real(cross * np.exp(-1j * phase)).sum() / max(float(np.abs(cross).sum()), 1e-30))


def _minimum_phase(
    cross: np.ndarray, before: np.ndarray, coherence: np.ndarray, band: np.ndarray
) -> np.ndarray:
    """Phase in radians of the minimum-phase filter with the magnitude |cross|/before."""
    trusted = np.flatnonzero(band & (coherence > _TRUSTED))
    if trusted.size < 16:
        return np.zeros(cross.size)
    level = np.log(np.abs(cross[trusted]) / before[trusted])
    level = _continued(trusted, level, cross.size)
    level = uniform_filter1d(level, 5, mode="nearest")
    cepstrum = np.fft.irfft(level)
    half = cepstrum.size // 2
    cepstrum[1:half] *= 2.0
    cepstrum[half + 1 :] = 0.0
    return np.fft.rfft(cepstrum).imag


def _continued(trusted: np.ndarray, level: np.ndarray, size: int) -> np.ndarray:
    """The log magnitude at all bins: between the trusted ones by lines, above them as a low-pass goes on.

    What a low-pass does above the music's own top decides its delay below: 0.4 samples for a corner at 14 kHz. A
    bilinear filter falls by a line over log tan(ω/2), so that line is fitted to the top octave, with ±12 dB an
    octave at most, and followed to the end.
    """
    result = np.interp(np.arange(size), trusted, level)
    warped = np.log(np.tan(np.pi * np.arange(1, size) / (2.0 * size)))
    top = trusted[-1]
    octave = trusted[trusted > 0.7 * top]
    if top >= size - 1 or octave.size < 16:
        return result
    slope, _ = np.polyfit(warped[octave - 1], level[trusted > 0.7 * top], 1)
    result[top:] += float(np.clip(slope, -_STEEPEST, _STEEPEST)) * (warped[top - 1 :] - warped[top - 1])
    return result


def _weighted_line(
    time_s: np.ndarray, delay_s: np.ndarray, weight: np.ndarray
) -> tuple[LinearDelay, float, float]:
    """Huber-weighted least squares, the standard error of the slope, and the median distance from the line."""
    if len(time_s) < 3:
        middle = float(np.average(delay_s, weights=weight))
        return LinearDelay(middle, 0.0), 0.0, float(np.median(np.abs(delay_s - middle)))
    middle_s = float(np.average(time_s, weights=weight))
    centred = time_s - middle_s
    weights = weight / weight.max()
    # no section may outweigh the others: strength is power, not certainty
    weights = np.clip(weights, 0.05, 0.5)
    robust = np.ones_like(delay_s)
    slope = level = 0.0
    distance = np.zeros_like(delay_s)
    for _ in range(20):
        both = weights * robust
        level = float((both * delay_s).sum() / both.sum())
        centre = float((both * centred).sum() / both.sum())
        moment = float((both * np.square(centred - centre)).sum())
        slope = float((both * (centred - centre) * delay_s).sum() / max(moment, 1e-12))
        level -= slope * centre
        distance = np.abs(delay_s - level - slope * centred)
        limit = 1.5 * 1.4826 * float(np.median(distance)) + 1e-9
        robust = np.minimum(1.0, limit / np.maximum(distance, 1e-15))
    both = weights * robust
    variance = float((both * np.square(distance)).sum() / both.sum()) * len(time_s) / max(len(time_s) - 2, 1)
    spread = float((both * np.square(centred)).sum() / both.sum()) * len(time_s)
    error = float(np.sqrt(variance / max(spread, 1e-12)))
    return LinearDelay(level - slope * middle_s, slope), error, float(np.median(distance))
