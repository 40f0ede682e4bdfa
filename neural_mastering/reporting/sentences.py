"""What was done to a song, in sentences made from the numbers."""

import math
from collections.abc import Sequence

import numpy as np

from neural_mastering.notes import Note
from neural_mastering.reporting.axes import as_array
from neural_mastering.reporting.markup import duration, frequency, number
from neural_mastering.reporting.master_data import Delivery, Reduction, ReportReadings
from neural_mastering.reporting.report_data import BandLike, Chart, EqCurve

_SMALL_DB = 0.05  # what rounds to 0.0
_ACTIVE_DB = 0.1
_TONE_RANGES = (
    ("below 150 Hz", 0.0, 150.0),
    ("150 Hz to 2 kHz", 150.0, 2_000.0),
    ("above 2 kHz", 2_000.0, 1e9),
)


def master_actions(
    before: ReportReadings,
    after: ReportReadings,
    delivery: Delivery,
    gain_db: float,
    eq: EqCurve | None = None,
    stages: Sequence[Note] = (),
    reductions: Sequence[Reduction] = (),
) -> list[Note]:
    """What was done to a song, from its numbers: equaliser, stages, level, limiter, delivery, dynamics, image.

    Args:
        before, after: readings of the file read and of the file written.
        delivery: the loudness and ceiling asked for.
        gain_db: all broadband gain before the limiter together, in dB.
        eq: the equaliser's curve and bands; None where none ran.
        stages: what further stages of the chain did.
        reductions: of the delivery's limiter, where it worked.
    """
    found = [
        Note("equaliser", "" if eq is None and stages else _equaliser(eq)),
        *stages,
        Note("level", _level(gain_db)),
        *(Note("limiter", reduction_sentence(reduction)) for reduction in reductions),
        Note("loudness", _loudness(before, after, delivery)),
        Note("true_peak", _ceiling(after, delivery)),
        Note("dynamics", _dynamics(before, after)),
        Note("image", _image(before, after)),
    ]
    return [Note(note.kind, sentence(note.text)) for note in found if note.text]


def band_words(band: BandLike) -> str:
    """One band: "+2.1 dB low shelf at 120 Hz", "−1.5 dB at 2.4 kHz (Q 0.9)"."""
    kind = band.kind.replace("_", " ")
    place = f"at {frequency(band.frequency_hz)}"
    if "shelf" in kind:
        return f"{number(band.gain_db, 1, signed=True)} dB {kind} {place}"
    return f"{number(band.gain_db, 1, signed=True)} dB {place} (Q {number(band.q, 2)})"


def eq_words(eq: EqCurve) -> str:
    """The extremes of a curve between 20 Hz and 20 kHz: "between −1.8 dB (at 2.5 kHz) and +3.2 dB (at 63 Hz)"."""
    at, total = as_array(eq.at_hz), as_array(eq.total_db)
    heard = (at >= 20.0) & (at <= 20_000.0) & np.isfinite(total)
    at, total = at[heard], total[heard]
    if not at.size or np.abs(total).max() < _SMALL_DB:
        return "flat"
    low, high = int(total.argmin()), int(total.argmax())
    return (
        f"between {number(float(total[low]), 1, signed=True)} dB (at {frequency(float(at[low]))}) "
        f"and {number(float(total[high]), 1, signed=True)} dB (at {frequency(float(at[high]))})"
    )


def reduction_sentence(reduction: Reduction) -> str:
    """What a dynamics stage took off: at most, on average, and how much of the time."""
    amount, at = as_array(reduction.reduction_db), as_array(reduction.time_s)
    finite = np.isfinite(amount)
    amount, at = amount[finite], at[finite]
    if not amount.size or amount.max() < _SMALL_DB:
        return f"The {reduction.stage} had nothing to do."
    worst, active = int(amount.argmax()), float(np.mean(amount > _ACTIVE_DB))
    often = "less than 1" if active < 0.01 else f"{100.0 * active:.0f}"
    return (
        f"The {reduction.stage} took off at most {number(float(amount[worst]))} dB "
        f"(at {duration(float(at[worst]))}), {number(float(amount.mean()))} dB on average; "
        f"it worked during {often} % of the song."
    )


def _equaliser(eq: EqCurve | None) -> str:
    if eq is None:
        return "Tone was left alone: no equaliser ran."
    bands = sorted((b for b in eq.bands if abs(b.gain_db) >= _SMALL_DB), key=lambda b: b.frequency_hz)
    extremes = eq_words(eq)
    if extremes == "flat":
        return "The equaliser is flat: tone was left alone."
    listed = f": {'; '.join(band_words(b) for b in bands)}" if bands else ""
    count = f", {len(bands)} band{'s' if len(bands) != 1 else ''}" if bands else ""
    return f"Equaliser{count}{listed}. The total response lies {extremes}."


def _level(gain_db: float) -> str:
    if not math.isfinite(gain_db):
        return ""
    if abs(gain_db) < _SMALL_DB:
        return "The level was left as it was."
    verb = "raised" if gain_db > 0 else "lowered"
    return f"The level was {verb} by {number(abs(gain_db))} dB."


def _loudness(before: ReportReadings, after: ReportReadings, delivery: Delivery) -> str:
    if not math.isfinite(after.lufs):
        return "The output is silent or too short for a loudness reading."
    start = f"Integrated loudness went from {number(before.lufs)} to {number(after.lufs)} LUFS"
    if delivery.lufs is None:
        return f"{start}; no other loudness was asked for ({delivery.name})."
    aimed = delivery.lufs if delivery.aimed_lufs is None else delivery.aimed_lufs
    miss = after.lufs - aimed
    asked, verb = f"the target of {number(delivery.lufs)} LUFS ({delivery.name})", "is"
    if delivery.aimed_lufs is not None:
        asked, verb = f"the {number(aimed)} LUFS that {asked} means for this file", "are"
    if abs(miss) <= 0.1 + 1e-9:
        return f"{start}; {asked} {verb} met to {number(abs(miss), 2)} LU."
    return f"{start}, {number(abs(miss))} LU {'above' if miss > 0 else 'below'} {asked}."


def _ceiling(after: ReportReadings, delivery: Delivery) -> str:
    if not math.isfinite(after.true_peak_db):
        return ""
    peak = f"The highest true peak is {number(after.true_peak_db, 2)} dBTP"
    if delivery.ceiling_db is None:
        return f"{peak}; the ceiling was off."
    room = delivery.ceiling_db - after.true_peak_db
    return (
        f"{peak}, {number(abs(room), 2)} dB {'under' if room >= 0 else 'over'} "
        f"the ceiling of {number(delivery.ceiling_db)} dBTP."
    )


def _dynamics(before: ReportReadings, after: ReportReadings) -> str:
    parts = []
    if math.isfinite(before.lra) and math.isfinite(after.lra):
        parts.append(f"the loudness range went from {number(before.lra)} to {number(after.lra)} LU")
    if math.isfinite(before.plr_db) and math.isfinite(after.plr_db):
        parts.append(
            f"the distance from peak to loudness (PLR) from {number(before.plr_db)} to {number(after.plr_db)} dB"
        )
    return f"Dynamics: {', '.join(parts)}." if parts else ""


def tone_sentence(spectra: Chart) -> str:
    """How the balance of three ranges moved, less the mean change of all third octaves."""
    before = next((line for line in spectra.lines if line.role == "before"), None)
    after = next((line for line in spectra.lines if line.role == "result"), None)
    at = as_array(spectra.at)
    if before is None or after is None or at.size != as_array(after.values).size:
        return ""
    change = as_array(after.values) - as_array(before.values)
    change = change - np.mean(change[np.isfinite(change)]) if np.isfinite(change).any() else change
    parts = []
    for words, low, high in _TONE_RANGES:
        inside = change[(at >= low) & (at < high) & np.isfinite(change)]
        if inside.size:
            parts.append(f"{number(float(inside.mean()), 1, signed=True)} dB {words}")
    return f"Balance of tone, the mean change left out: {_listed(parts)}." if parts else ""


def _image(before: ReportReadings, after: ReportReadings) -> str:
    if not (math.isfinite(before.correlation) and math.isfinite(after.correlation)):
        return ""
    correlation = f"correlation from {number(before.correlation, 2)} to {number(after.correlation, 2)}"
    if not (math.isfinite(before.width_db) and math.isfinite(after.width_db)):
        return f"Stereo image: {correlation}."
    change = after.width_db - before.width_db
    if abs(change) < _ACTIVE_DB:
        return f"Stereo image: side against mid changed by less than 0.1 dB, {correlation}."
    verb = "rose" if change > 0 else "fell"
    return f"Stereo image: side against mid {verb} by {number(abs(change))} dB, {correlation}."


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
