"""What words did to a song's controls: for the sentences, the JSON and the report page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.reporting.report_data import Chart, ChartLine
from neural_mastering.reporting.words_section import WordEntry, WordsReport
from neural_mastering.words.presets import PREFIX, preset_source
from neural_mastering.words.request import WordRequest
from neural_mastering.words.shape import rms_db
from neural_mastering.words.table import Evidence, word_table


@dataclass(frozen=True)
class WordEffect:
    """What words did to a song's controls.

    Attributes:
        request: what was asked for.
        applied_db: (third,) what the equaliser does beyond what it did without the words.
        bands: of the equaliser, all together.
        fit_rms_db, fit_max_db: error of the equaliser against all that was wanted of it, 50 Hz to 16 kHz.
        compensation_db: broadband gain that takes the words' change of loudness back.
        by_model: a model took the words as its style and answered itself; nothing was fitted.
    """

    request: WordRequest
    applied_db: Float64s
    bands: int
    fit_rms_db: float
    fit_max_db: float
    compensation_db: float
    by_model: bool = False

    @property
    def strengths(self) -> dict[str, float]:
        """Strength by word, as --word takes it."""
        found = {word.name: strength for word, strength in self.request.words}
        if self.request.preset is not None:
            preset, strength = self.request.preset
            found[preset_name(preset.name)] = strength
        return found

    @property
    def sentences(self) -> list[str]:
        """What was done, with evidence."""
        said = [
            f"{word.name} {strength:+g}: {evidence_words(word.evidence, word.tier)}"
            for word, strength in self.request.words
        ]
        if self.request.words:
            said.append(
                f"the words ask for {rms_db(self.request.curve_db):.2f} dB RMS (strength 1 of a word is 1.5 dB, "
                f"our choice), at most {np.abs(self.request.curve_db).max():.1f} dB; "
                f"{'the model took them as its style:' if self.by_model else 'fitted once into'} "
                f"{self.bands} bands with an error of {self.fit_rms_db:.2f} dB RMS, {self.fit_max_db:.2f} dB at "
                f"the most; {self.compensation_db:+.2f} dB of gain keep the loudness"
            )
        if self.request.preset is not None:
            preset, strength = self.request.preset
            people = "" if preset.users is None else f" of {preset.users} people"
            said.append(
                f"{preset.name} {strength:g}: a compressor preset, {preset.about}; low evidence: {preset.n} "
                f"settings{people} on single instruments ({preset_source().title}); ratio and threshold are ours"
            )
        said += self.request.remarks
        return said

    @property
    def entries(self) -> list[WordEntry]:
        """The words with their evidence, the compressor's preset last."""
        sources = word_table().sources
        found = [
            WordEntry(
                word.name,
                strength,
                sources[word.evidence.source].title,
                word.evidence.n,
                word.evidence.users,
                word.evidence.agreement,
                word.evidence.reliability,
                word.tier,
            )
            for word, strength in self.request.words
        ]
        if self.request.preset is not None:
            preset, strength = self.request.preset
            name, source = preset_name(preset.name), preset_source().title
            found.append(WordEntry(name, strength, source, preset.n, preset.users, None, None, "low"))
        return found

    @property
    def _sources(self) -> dict[str, str]:
        """Citations by title."""
        return {source.title: source.citation for source in (*word_table().sources.values(), preset_source())}

    @property
    def citations(self) -> list[str]:
        """Of the data behind the words, each once."""
        return list(dict.fromkeys(f"{e.source}: {self._sources[e.source]}" for e in self.entries))

    def as_dict(self) -> dict[str, Any]:
        """For JSON: words with their evidence, curves over third octaves, errors, compensation."""
        words = [
            {"tier" if key == "evidence" else key: value for key, value in asdict(entry).items()}
            | {"citation": self._sources[entry.source]}
            for entry in self.entries
        ]
        return {
            "words": words,
            "frequency_hz": [round(float(f), 2) for f in CENTRES_HZ],
            "asked_db": [round(float(v), 4) for v in self.request.curve_db],
            "applied_db": [round(float(v), 4) for v in self.applied_db],
            "fit_rms_db": self.fit_rms_db,
            "fit_max_db": self.fit_max_db,
            "loudness_compensation_db": self.compensation_db,
            "by_model": self.by_model,
            "notes": list(self.request.notes),
        }

    def report(self) -> WordsReport:
        """What the report page shows."""
        lines = [
            ChartLine("asked for", self.request.curve_db, "target"),
            ChartLine("applied", self.applied_db, "result"),
        ]
        return WordsReport(
            self.entries,
            Chart(CENTRES_HZ, lines) if self.request.words else None,
            self.fit_rms_db,
            self.fit_max_db,
            self.compensation_db,
            self.citations,
        )


def preset_name(name: str) -> str:
    """A preset's name as --word takes it: with "compressor." where a word of the equaliser has the same name."""
    return PREFIX + name if name in word_table().words else name


def evidence_words(evidence: Evidence, tier: str) -> str:
    """Such as "agreement r = 0.36 over 26 contributions (SocialEQ)"; low evidence is named."""
    people = "" if evidence.users is None else f" by {evidence.users} people"
    low = "low evidence, " if tier == "low" else ""
    return (
        f"{low}agreement r = {evidence.agreement:.2f} over {evidence.n} contributions{people} "
        f"({word_table().sources[evidence.source].title})"
    )
