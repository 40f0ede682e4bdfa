"""What is wrong with a pair, in words, and what counts as wrong."""

from dataclasses import dataclass
from typing import Literal

from neural_mastering.data.audio_file import AudioFile
from neural_mastering.data.audit.levels import Levels
from neural_mastering.data.audit.relation import Relation
from neural_mastering.data.pairing import LENGTH_TOLERANCE_S

DELAY_TOLERANCE_S = 8e-6
"""0.35 samples at 44.1 kHz: above what an equaliser adds (0.2), below half a sample. At 5 kHz this is 14° of
phase, and 3 dB of difference between the sides need 90°. Never below `DELAY_TOLERANCE_SAMPLES`."""

DELAY_TOLERANCE_SAMPLES = 0.35

TRAINING_DELAY_TOLERANCE_S = 1.0 / 44_100
"""Training refuses a larger one: a sample. The shortest window of the losses is 256 samples long, and a shift by
a sample changes what it sees by 0.4 %; but a network that adds a waveform must not learn to move it."""

DRIFT_SIGMAS = 4.0
"""A drift must exceed its own standard error so many times."""

RELATED_COHERENCE = 0.10
"""Mean γ² below which the sides are not the same recording. Heavy mastering leaves 0.7 and more."""

RELATED_AGREEMENT = 0.75
"""Share of the sections that must fit one line of delay."""

WANDER_SAMPLES = 3.0
"""A coherent section this far from the line means that the delay jumps or wanders."""

LEAST_LENGTH_S = 1.0
LEAST_COMMON_SHARE = 0.5
"""Of the shorter side; less in common is no pair."""

IDENTICAL_DB = -60.0
"""What is left of the mastered side after one gain, at or below which the sides are the same audio."""

IDENTICAL_GAIN_DB = 0.1
DC_TOLERANCE, DC_TOLERANCE_SHARE = 2e-3, 0.1
"""An offset counts above −54 dBFS and above a tenth of the RMS level: waves that are uneven by nature have less."""

CLIPPED_SHARE = (1e-4, 1e-2)
"""Of the samples of the unmastered and the mastered side; masters are often clipped on purpose."""

SILENCE_NOTE_S = 2.0
LOW_CONFIDENCE = 0.1

Severity = Literal["note", "fixable", "broken"]


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes:
        kind: a short name, such as "delay".
        severity: a "note" changes no verdict; what is "fixable" is mended by `nm-data align`.
        text: in words.
        others: names of the other songs that it is about.
    """

    kind: str
    severity: Severity
    text: str
    others: tuple[str, ...] = ()


def verdict(problems: list[Problem]) -> str:
    """`ok`, `fixable: …` or `broken: …`, with all reasons, the worst first."""
    for severity in ("broken", "fixable"):
        texts = [p.text for p in problems if p.severity == severity]
        if texts:
            if severity == "broken":
                texts += [p.text for p in problems if p.severity == "fixable"]
            return f"{severity}: {'; '.join(texts)}"
    return "ok"


def relation_problems(
    relation: Relation | None, sample_rate: int, tolerance_s: float = DELAY_TOLERANCE_S
) -> list[Problem]:
    """What is wrong between the sides of a pair that are both audible; rate is the mastered side's."""
    if relation is None:
        return [Problem("unrelated", "broken", "the sides have no sound in common")]
    if relation.coherence < RELATED_COHERENCE and relation.agreement < RELATED_AGREEMENT:
        text = f"the sides are different music or different recordings (coherence {relation.coherence:.2f})"
        return [Problem("unrelated", "broken", text)]
    found = _irregular(relation)
    if found:
        return found
    found += _timing(relation, sample_rate, tolerance_s) + _channels(relation)
    if relation.confidence < LOW_CONFIDENCE and any(p.kind == "delay" for p in found):
        found.append(
            Problem("repetition", "note", "the music repeats exactly: other delays fit nearly as well")
        )
    return found


def identity_problems(relation: Relation) -> list[Problem]:
    """Whether there is anything to learn."""
    if relation.difference_db > IDENTICAL_DB:
        return []
    if abs(relation.gain_db) < IDENTICAL_GAIN_DB:
        return [Problem("identical", "broken", "both sides are the same audio")]
    text = f"the sides are the same audio but for a gain of {relation.gain_db:+.1f} dB"
    return [Problem("near-identical", "broken", text)]


_LAYOUT = {1: "mono", 2: "stereo"}


def file_problems(before: AudioFile, after: AudioFile, relation: Relation | None) -> list[Problem]:
    """Rates, channels and lengths."""
    found = []
    if before.channels != after.channels:
        text = (
            f"the unmastered side is {_LAYOUT[before.channels]}, the mastered side {_LAYOUT[after.channels]}"
        )
        found.append(Problem("channels", "broken", text))
    if before.sample_rate != after.sample_rate:
        text = f"the unmastered side has {before.sample_rate} Hz, the mastered side {after.sample_rate} Hz"
        found.append(Problem("rate", "fixable", text))
    longer_s = after.duration_s - before.duration_s
    shorter_s = min(before.duration_s, after.duration_s)
    if relation is not None and relation.common_s < LEAST_COMMON_SHARE * shorter_s:
        text = f"only {relation.common_s:.1f} s of {shorter_s:.1f} s are in common"
        found.append(Problem("length", "broken", text))
    elif abs(longer_s) > LENGTH_TOLERANCE_S:
        how = "longer" if longer_s > 0 else "shorter"
        found.append(Problem("length", "fixable", f"the mastered side is {abs(longer_s):.3f} s {how}"))
    return found


def level_problems(before: Levels, after: Levels, before_samples: int, after_samples: int) -> list[Problem]:
    """Silence, clipping, DC of the two sides; sample counts include all channels."""
    found = []
    sides = (("unmastered", before, before_samples), ("mastered", after, after_samples))
    for (name, levels, samples), most in zip(sides, CLIPPED_SHARE, strict=True):
        if levels.silent:
            found.append(Problem("silent", "broken", f"the {name} side is silent"))
            continue
        share = levels.clipped_samples / samples
        if levels.clipped_samples:
            text = f"the {name} side is clipped ({levels.clipped_samples} samples, {100 * share:.2g} %)"
            found.append(Problem("clipped", "broken" if share > most else "note", text))
        if levels.dc > max(DC_TOLERANCE, DC_TOLERANCE_SHARE * levels.rms):
            found.append(Problem("dc", "fixable", f"the {name} side has a DC offset of {levels.dc:.4f}"))
        for where, length_s in (("begins", levels.leading_silence_s), ("ends", levels.trailing_silence_s)):
            if length_s > SILENCE_NOTE_S:
                text = f"the {name} side {where} with {length_s:.1f} s of silence"
                found.append(Problem("silence", "note", text))
    return found


def _irregular(relation: Relation) -> list[Problem]:
    if relation.agreement < RELATED_AGREEMENT:
        text = f"only {100 * relation.agreement:.0f} % of the song fits one delay: a different edit or mix"
        return [Problem("edit", "broken", text)]
    if (
        relation.wander_samples > WANDER_SAMPLES
        and relation.wander_samples > 10 * relation.scatter_samples + 1
    ):
        text = f"the delay jumps or wanders by {relation.wander_samples:.1f} samples within the song"
        return [Problem("edit", "broken", text)]
    return []


def _timing(relation: Relation, sample_rate: int, tolerance_s: float) -> list[Problem]:
    tolerance = max(tolerance_s * sample_rate, DELAY_TOLERANCE_SAMPLES)
    found = []
    growth = abs(relation.end_samples - relation.delay_samples)
    drifts = growth > tolerance and abs(relation.drift_ppm) > DRIFT_SIGMAS * relation.drift_error_ppm
    delay = relation.delay_samples if drifts else relation.middle_samples
    if abs(delay) > tolerance:
        how = "late" if delay > 0 else "early"
        ms = 1000.0 * abs(delay) / sample_rate
        length = f"{ms:.3g}" if ms < 1000.0 else f"{ms:.0f}"
        text = f"the mastered side is {abs(delay):.2f} samples ({length} ms) {how}"
        found.append(Problem("delay", "fixable", text))
    if drifts:
        how = "slower" if relation.drift_ppm > 0 else "faster"
        text = f"the mastered side runs {abs(relation.drift_ppm):.2f} ppm {how} ({growth:.1f} samples by the end)"
        found.append(Problem("drift", "fixable", text))
    return found


def _channels(relation: Relation) -> list[Problem]:
    found = []
    assignment = relation.assignment
    if assignment.polarity < 0:
        found.append(Problem("polarity", "fixable", "the polarity is inverted"))
    if assignment.one_inverted:
        text = f"the {assignment.one_inverted} channel of the mastered side is inverted"
        found.append(Problem("polarity", "fixable", text))
    if assignment.swapped:
        found.append(Problem("swapped", "fixable", "left and right are exchanged"))
    return found
