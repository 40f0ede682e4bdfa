"""What the report of an evaluation is given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from neural_mastering.reporting.report_data import Chart, Clip, EqCurve, Picture, Table

SystemKind = Literal["identity", "baseline", "model", "peer", "oracle"]


@dataclass(frozen=True)
class SystemEntry:
    """One row of the tables.

    Attributes:
        key: as used in `SummaryTable.cells` and `SongEntry`.
        name: as shown.
        kind: the identity comes first; oracles (which have heard the target) are marked.
        note: a footnote on it ("equal to the identity in the loudness-matched columns").
    """

    key: str
    name: str
    kind: SystemKind = "model"
    note: str = ""


@dataclass(frozen=True)
class Metric:
    """One column.

    Attributes:
        key: as used in `SummaryTable.cells` and `SongEntry.metrics`.
        name: as shown ("LTAS error").
        unit: "dB", "LU", "" for none.
        higher_is_better: None where neither direction is better.
        description: one sentence for the footnotes, with what the metric can't say.
        digits: decimals shown.
    """

    key: str
    name: str
    unit: str
    higher_is_better: bool | None = False
    description: str = ""
    digits: int = 2


@dataclass(frozen=True)
class Cell:
    """One system's scores in one metric over all songs; NaN where not known.

    Attributes:
        mean, median: over songs, in the metric's unit.
        low, high: ends of the 95 % cluster-bootstrap interval of the mean, over groups.
        difference, difference_low, difference_high: mean paired difference to the best baseline, with its interval;
            None for the best baseline itself.
        improved: songs better than the identity; None for the identity.
        songs: number of songs counted.
        distribution: single songs' values, drawn as a strip; empty draws none.
    """

    mean: float
    median: float
    low: float
    high: float
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    improved: int | None = None
    songs: int = 0
    distribution: Sequence[float] = ()


@dataclass(frozen=True)
class SummaryTable:
    """Systems × metrics.

    Attributes:
        title: "As rendered", "Loudness matched", …
        metrics: the columns.
        cells: (system key, metric key) → cell; missing pairs are shown as dashes.
        groups: number of groups (clusters) behind the intervals.
        songs: number of songs.
        best_baseline: name of the system that the paired differences refer to, by metric key.
        caption: below the table.
    """

    title: str
    metrics: Sequence[Metric]
    cells: Mapping[tuple[str, str], Cell]
    groups: int
    songs: int
    best_baseline: Mapping[str, str] = field(default_factory=dict)
    caption: str = ""


@dataclass(frozen=True)
class Applied:
    """What one system did to one song.

    Attributes:
        system: its key.
        eq: its curve and bands; None where it has no equaliser to show.
        words: its controls in sentences ("+2.1 dB shelf below 120 Hz"); without any, the page names the bands.
        numbers: further controls, label with unit → number ("gain (dB)": 3.2).
    """

    system: str
    eq: EqCurve | None = None
    words: Sequence[str] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SongEntry:
    """One song's section.

    Attributes:
        name: of the song.
        group: such as its artist or release; "" for none.
        metrics: system key → metric key → value of this song (keys of metrics as in `EvalReport.song_metrics`).
        spectra: third-octave levels, `at` in Hz, lines in dB: before, target, each system.
        short_term: short-term loudness, `at` in seconds, lines in LUFS: the same.
        applied: one for each system that has controls.
        clips: the same excerpt of before, target and each system. Whole songs may be given: the page keeps
            the excerpt that its size budget allows.
        notes: sentences shown on top ("shifted by 12 samples before comparing").
        level_against: level of windows of 50 ms less the target's, of the excerpt, `at` in seconds, lines in dB:
            before and each system.
    """

    name: str
    group: str = ""
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spectra: Chart | None = None
    short_term: Chart | None = None
    applied: Sequence[Applied] = ()
    clips: Sequence[Clip] = ()
    notes: Sequence[str] = ()
    level_against: Chart | None = None


@dataclass(frozen=True)
class EvalReport:
    """Everything the page shows, in the order of the page.

    Attributes:
        title: of the page.
        systems: rows of all tables, the identity first.
        tables: summary tables.
        song_count: number of songs that `songs` yields; the size budget is divided by it.
        songs: song sections. A generator is welcome: each entry is written out before the next one is asked for, so
            one song's audio is in memory at a time.
        song_metrics: metrics shown in the list of songs; the list is sorted by the first.
        facts: label → text: data, split, checkpoints with phase, songs, groups, rate, date, version, command.
        findings: sentences on top of the page: what was learned, is it better than doing nothing.
        pictures: plots (`phase_1A_eq_curve.png`, …).
        band_tables: statistics of gain, frequency and Q over open bands.
        part_tables: energy share of the residual and the ablation rows.
        recovery_tables: recovery of true parameters, with the zero-correction row.
        warnings: sentences.
        audio_budget_mb: what all players of the page may take together, in MB of the file.
    """

    title: str
    systems: Sequence[SystemEntry]
    tables: Sequence[SummaryTable]
    song_count: int = 0
    songs: Iterable[SongEntry] = ()
    song_metrics: Sequence[Metric] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    findings: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    band_tables: Sequence[Table] = ()
    part_tables: Sequence[Table] = ()
    recovery_tables: Sequence[Table] = ()
    warnings: Sequence[str] = ()
    audio_budget_mb: float = 60.0
