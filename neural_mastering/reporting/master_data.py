"""What the report of one mastered song is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import ArrayLike

from neural_mastering.reporting.codec_section import CodecRow
from neural_mastering.reporting.reference_section import ReferenceReport
from neural_mastering.reporting.report_data import Chart, Clip, EqCurve
from neural_mastering.reporting.stereo_section import StereoRow
from neural_mastering.reporting.tone_section import ToneReport
from neural_mastering.reporting.words_section import WordsReport


@dataclass(frozen=True)
class ReportReadings:
    """Meter readings of a whole file; NaN means not measured, −inf silence. JSON keys are the field names.

    Attributes:
        lufs: integrated loudness, LUFS.
        short_term_max_lufs: largest short-term (3 s) loudness, LUFS.
        momentary_max_lufs: largest momentary (400 ms) loudness, LUFS.
        lra: loudness range, LU.
        true_peak_db: dBTP.
        plr_db: peak to loudness ratio, true_peak_db − lufs, dB.
        width_db: level of the side signal less that of the mid signal, dB; −inf for mono.
        correlation: of left and right, −1…1.
    """

    lufs: float
    short_term_max_lufs: float
    momentary_max_lufs: float
    lra: float
    true_peak_db: float
    plr_db: float
    width_db: float
    correlation: float


@dataclass(frozen=True)
class Delivery:
    """Where the song goes.

    Attributes:
        name: such as "spotify", or "-14 LUFS" for a number, or "keep".
        lufs: loudness asked for, LUFS; None to keep the loudness.
        ceiling_db: highest true peak allowed, dBTP; None with the ceiling off.
        source: where the numbers come from (a title or an address, shown as text and never loaded).
        checked: date when the source was read, as "2026-11-22"; "" for numbers of the user's own.
        aimed_lufs: what the file was to measure, where that differs from `lufs` (mono for two loudspeakers, a song
            that may only be lowered); None where it doesn't.
    """

    name: str
    lufs: float | None
    ceiling_db: float | None
    source: str = ""
    checked: str = ""
    aimed_lufs: float | None = None


@dataclass(frozen=True)
class Reduction:
    """Gain reduction of one dynamics stage over time.

    Attributes:
        stage: "limiter", "compressor", …
        time_s: (point,) ascending; a point every 50 to 500 ms is enough (take the largest reduction of each).
        reduction_db: (point,) as positive numbers: 2 means the stage took 2 dB off.
    """

    stage: str
    time_s: ArrayLike
    reduction_db: ArrayLike


@dataclass(frozen=True)
class Provenance:
    """What went in, what came out, and what made it.

    Attributes:
        source_file, output_file: names (shown as given; pass names and not full paths if paths are private).
        sample_rate_hz: of the output.
        file_format: of the output: "WAV, 24 bit", "MP3, 320 kbit/s".
        channels: of the output.
        duration_s: of the output.
        date: when it was made, ISO 8601.
        version: of this program.
        model: name of the model, None without one.
        references: names of the reference files.
        further: more lines, label → text, such as {"dither": "TPDF, once, to 16 bit", "command": "nm-master …"}.
    """

    source_file: str
    output_file: str
    sample_rate_hz: float
    file_format: str
    channels: int
    duration_s: float
    date: str
    version: str
    model: str | None = None
    references: Sequence[str] = ()
    further: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MasterReport:
    """Everything the page shows. Arrays may be lists or NumPy arrays.

    Attributes:
        title: the song.
        input, output: readings of the file read and of the file written.
        delivery: the loudness and ceiling asked for.
        provenance: files, date, version, model.
        gain_db: all broadband gain before the limiter together (chain and loudness stage), dB.
        eq: the equaliser's curve and bands; None where tone was left alone.
        reductions: one for each dynamics stage that ran; empty without one.
        added: level of what stages such as saturation add, in dB over that of the music, over time (`at` in
            seconds); None where none ran.
        short_term: short-term loudness over time: `at` in seconds (end of each 3 s window), lines in LUFS with
            roles "before" and "result". The target line is drawn from `delivery`.
        spectra: third-octave levels: `at` in Hz, lines in dB with roles "before", "result" and, where one was
            given, "reference".
        controls: the full chain in physical units, nested dictionaries of numbers, text and lists; shown as a table
            and put into the JSON as it is.
        tone: where the song lies among finished songs, and how it was moved; None where it was compared with none.
        words: what words did; None without words.
        reference: how far the song came towards its references; None without any.
        codecs: the master after encoders.
        stereo: left and right by bands; empty for mono.
        actions: what was done, in sentences, in order; the page shows these.
        warnings: sentences; shown on top.
        clips: what to listen to, the same excerpt of each: usually "before" and "after", then references.
            Whole songs may be given: the loudest part is kept. For long files, `loudest_start_s` and
            `clip_from_file` of `neural_mastering.reporting.audio_clip` find it in the short-term loudness and
            read only that part.
        audio_budget_mb: what the players may take, in MB of the page.
        numbers: of the master, as `nm-master --json` writes them; `report.json` adds the curves of the page.
    """

    title: str
    input: ReportReadings
    output: ReportReadings
    delivery: Delivery
    provenance: Provenance
    gain_db: float
    eq: EqCurve | None = None
    reductions: Sequence[Reduction] = ()
    added: Chart | None = None
    short_term: Chart | None = None
    spectra: Chart | None = None
    controls: Mapping[str, Any] = field(default_factory=dict)
    tone: ToneReport | None = None
    words: WordsReport | None = None
    reference: ReferenceReport | None = None
    codecs: Sequence[CodecRow] = ()
    stereo: Sequence[StereoRow] = ()
    actions: Sequence[str] = ()
    warnings: Sequence[str] = ()
    clips: Sequence[Clip] = ()
    audio_budget_mb: float = 20.0
    numbers: Mapping[str, Any] = field(default_factory=dict)
