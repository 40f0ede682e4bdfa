"""Reports made from audio, for the tests of the pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from neural_mastering.dsp.biquad import equalize, response_db
from neural_mastering.dsp.loudness import (
    integrated_loudness,
    loudness_range,
    momentary_loudness,
    short_term_loudness,
)
from neural_mastering.dsp.ltas import third_octave_centres_hz, third_octave_levels_db
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.reporting.eval_report import (
    Applied,
    Cell,
    EvalReport,
    Metric,
    SongEntry,
    SummaryTable,
    SystemEntry,
)
from neural_mastering.reporting.master_report import (
    Delivery,
    MasterReport,
    Provenance,
    Reduction,
    ReportReadings,
)
from neural_mastering.reporting.report_data import Chart, ChartLine, Clip, EqCurve, Role, Table

DEMO = Path(__file__).parents[3] / "neural_mastering" / "assets" / "demo"
Samples = NDArray[np.float32]
Kind = Literal["low_shelf", "peak", "high_shelf"]


@dataclass(frozen=True)
class EqBand:
    kind: Kind
    frequency_hz: float
    gain_db: float
    q: float


BANDS = (
    EqBand("peak", 2_400.0, -1.8, 0.9),
    EqBand("low_shelf", 90.0, 2.6, 0.7),
    EqBand("high_shelf", 8_000.0, 3.1, 0.7),
    EqBand("peak", 320.0, -2.2, 1.2),
    EqBand("peak", 900.0, 0.7, 0.6),
)


def demo(name: str = "s3_rock", seconds: float = 10.0) -> tuple[Samples, int]:
    audio, rate = soundfile.read(DEMO / f"{name}.ogg", dtype="float32", always_2d=True)
    return np.ascontiguousarray(audio.T[:, : round(seconds * rate)], dtype=np.float32), rate


def equalized(audio: Samples, rate: int, bands: tuple[EqBand, ...] = BANDS, gain_db: float = 0.0) -> Samples:
    table = torch.tensor([[b.frequency_hz, b.gain_db, b.q] for b in bands]).T
    frequency_hz, bands_gain_db, q = table[:, None]
    kinds: list[Kind] = [b.kind for b in bands]
    out = equalize(torch.from_numpy(audio)[None], frequency_hz, bands_gain_db, q, rate, kinds)
    return (out[0] * 10 ** (gain_db / 20)).numpy()


def curve(bands: tuple[EqBand, ...] = BANDS, rate: int = 44_100) -> EqCurve:
    at = np.geomspace(20.0, 20_000.0, 200)
    each = []
    for b in bands:
        f, g, q = (torch.tensor([[v]], dtype=torch.float64) for v in (b.frequency_hz, b.gain_db, b.q))
        each.append(response_db(f, g, q, torch.from_numpy(at), rate, [b.kind])[0].numpy())
    parts = np.stack(each)
    return EqCurve(at, parts.sum(axis=0), bands, parts)


def lufs(audio: Samples, rate: int) -> float:
    return float(integrated_loudness(torch.from_numpy(np.ascontiguousarray(audio))[None], rate))


def readings(audio: Samples, rate: int) -> ReportReadings:
    x = torch.from_numpy(np.ascontiguousarray(audio))[None]
    loudness, peak = float(integrated_loudness(x, rate)), float(true_peak_db(x, rate))
    mid, side = audio[0] + audio[1], audio[0] - audio[1]
    return ReportReadings(
        lufs=loudness,
        short_term_max_lufs=float(short_term_loudness(x, rate).max()),
        momentary_max_lufs=float(momentary_loudness(x, rate).max()),
        lra=float(loudness_range(x, rate)),
        true_peak_db=peak,
        plr_db=peak - loudness,
        width_db=float(10 * np.log10(np.mean(side**2) / np.mean(mid**2))),
        correlation=float(np.asarray(np.corrcoef(audio))[0, 1]),
    )


def loudness_over_time(sources: list[tuple[str, Samples, Role]], rate: int) -> Chart:
    lines = [
        ChartLine(
            name, short_term_loudness(torch.from_numpy(np.ascontiguousarray(a))[None], rate)[0].numpy(), role
        )
        for name, a, role in sources
    ]
    return Chart(3.0 + 0.1 * np.arange(len(np.asarray(lines[0].values))), lines)


def spectra(sources: list[tuple[str, Samples, Role]], rate: int) -> Chart:
    lines = [
        ChartLine(
            name,
            third_octave_levels_db(torch.from_numpy(np.ascontiguousarray(a))[None], rate)[0].numpy(),
            role,
        )
        for name, a, role in sources
    ]
    return Chart(third_octave_centres_hz().numpy(), lines)


def master_report(
    audio: Samples, rate: int, title: str = "Rock excerpt", reference: Samples | None = None
) -> MasterReport:
    """An equaliser, a gain to −14 LUFS and a crude peak limiter, told as a report."""
    equal = equalized(audio, rate)
    gain_db = -14.0 - lufs(equal, rate)
    loud = equal * 10 ** (gain_db / 20)
    peak = np.maximum(np.abs(loud).max(axis=0), 1e-9)
    wanted = np.minimum(1.0, 0.88 / peak)
    window = int(0.005 * rate)
    padded = np.pad(wanted, window, mode="edge")
    held = np.lib.stride_tricks.sliding_window_view(padded, 2 * window + 1).min(axis=1)
    smooth = np.convolve(
        np.pad(held, (window, window), mode="edge"), np.ones(2 * window + 1) / (2 * window + 1), "valid"
    )
    after = (loud * smooth).astype(np.float32)
    hop = rate // 10
    cells = len(smooth) // hop
    reduction = -20 * np.log10(smooth[: cells * hop].reshape(cells, hop).min(axis=1))
    sources: list[tuple[str, Samples, Role]] = [("before", audio, "before"), ("after", after, "result")]
    if reference is not None:
        sources.append(("reference", reference, "reference"))
    return MasterReport(
        title=title,
        input=readings(audio, rate),
        output=readings(after, rate),
        delivery=Delivery(
            "spotify", -14.0, -1.0, "Spotify, help page for artists: loudness normalization", "2026-11-20"
        ),
        provenance=Provenance(
            f"{title}.wav",
            f"{title} master.wav",
            rate,
            "WAV, 24 bit",
            2,
            audio.shape[1] / rate,
            "2026-11-22T12:40:00",
            "0.1.0",
            model=None,
            references=(),
            further={"Dither": "none at 24 bit"},
        ),
        gain_db=gain_db,
        eq=curve(rate=rate),
        reductions=(Reduction("limiter", 0.1 * np.arange(cells), reduction),),
        short_term=loudness_over_time(sources, rate),
        spectra=spectra(sources, rate),
        controls={
            "eq": [vars(b) for b in BANDS],
            "gain_db": gain_db,
            "limiter": {"ceiling_db": -1.0, "release_ms": 80.0},
        },
        actions=("The level was raised by 4.0 dB.",),
        numbers={"schema_version": 2, "input": {"lufs": -18.0}, "warnings": []},
        warnings=("The file holds 12 samples at full scale within 3 runs: it may have been clipped before.",),
        clips=[Clip(name, a, rate, role) for name, a, role in sources],
    )


METRICS = (
    Metric(
        "ltas_db", "LTAS error", "dB", False, "Mean distance of third-octave levels from 25 Hz to 15 kHz.", 2
    ),
    Metric("mr_stft", "MR-STFT", "", False, "Multi-resolution STFT distance of L, R, M and S.", 3),
    Metric("lufs_lu", "LUFS error", "LU", False, "", 2),
    Metric("snr_db", "SNR", "dB", True, "Says nothing where phase differs; sub-sample aligned.", 1),
)
SYSTEMS = (
    SystemEntry("identity", "identity", "identity"),
    SystemEntry(
        "loudness", "loudness match", "baseline", "Equal to the identity in the loudness-matched columns."
    ),
    SystemEntry("average", "average EQ + loudness", "baseline"),
    SystemEntry("1a", "phase 1A", "model"),
    SystemEntry("1c", "phase 1C", "model"),
    SystemEntry("oracle", "Matchering, target as reference", "oracle", "An oracle: it has heard the target."),
)
QUALITY = {"identity": 1.0, "loudness": 0.95, "average": 0.7, "1a": 0.45, "1c": 0.35, "oracle": 0.2}


def summary(title: str, songs: int, groups: int, seed: int = 0) -> SummaryTable:
    chance = np.random.default_rng(seed)
    cells = {}
    for system in SYSTEMS:
        for metric in METRICS:
            scale = {"ltas_db": 3.0, "mr_stft": 1.3, "lufs_lu": 4.0, "snr_db": -8.0}[metric.key]
            values = scale * QUALITY[system.key] + 0.2 * abs(scale) * chance.standard_normal(songs)
            half = 1.96 * values.std() / np.sqrt(songs)
            base = scale * QUALITY["average"]
            known = system.key not in ("average",)
            cells[system.key, metric.key] = Cell(
                float(values.mean()),
                float(np.median(values)),
                float(values.mean() - half),
                float(values.mean() + half),
                float(values.mean() - base) if known else None,
                float(values.mean() - base - half) if known else None,
                float(values.mean() - base + half) if known else None,
                None if system.key == "identity" else int((values < scale).sum()),
                songs,
                tuple(map(float, values)),
            )
    return SummaryTable(
        title, METRICS, cells, groups, songs, {m.key: "average EQ + loudness" for m in METRICS}
    )


def song_entry(i: int, name: str, group: str, before: Samples, rate: int, system_count: int = 4) -> SongEntry:
    chance = np.random.default_rng(i)
    target = equalized(before, rate, BANDS, 4.0)
    sources: list[tuple[str, Samples, Role]] = [("before", before, "before"), ("target", target, "target")]
    applied = []
    for k, system in enumerate([s for s in SYSTEMS if s.kind != "identity"][1 : 1 + system_count]):
        bands = tuple(
            EqBand(b.kind, b.frequency_hz, b.gain_db + float(chance.normal(0, 0.6 + 0.2 * k)), b.q)
            for b in BANDS
        )
        role: Role = "oracle" if system.kind == "oracle" else "result"
        sources.append((system.name, equalized(before, rate, bands, 4.0), role))
        if role == "result":
            applied.append(
                Applied(
                    system.key, curve(bands), (f"Gain {4.0:+.1f} dB.",), {"gain (dB)": 4.0, "open bands": 5.0}
                )
            )
    metrics = {
        s.key: {m.key: float(abs(QUALITY[s.key] * 3 + chance.normal(0, 0.3))) for m in METRICS[:2]}
        for s in SYSTEMS
    }
    return SongEntry(
        name,
        group,
        metrics,
        spectra(sources, rate),
        loudness_over_time(sources, rate),
        tuple(applied),
        [Clip(n, a, rate, r) for n, a, r in sources],
    )


def eval_report(songs: Iterator[SongEntry] | list[SongEntry], count: int, **changes: object) -> EvalReport:
    bands = Table(
        "Phase 1C: open bands",
        ("Band", "Open (%)", "Gain, mean (dB)", "Gain, 10–90 % (dB)", "Frequency, median (Hz)", "Q, median"),
        [
            ("low shelf", 98.0, 1.9, "0.4 … 3.2", 92.0, 0.7),
            ("peak 1", 61.0, -1.4, "−2.9 … 0.2", 310.0, 1.1),
            ("peak 2", 22.0, None, "–", 900.0, 0.8),
        ],
    )
    ablation = Table(
        "Phase 1C: what each part does",
        ("Variant", "LTAS error (dB)", "MR-STFT"),
        [
            ("as trained", 1.05, 0.41),
            ("z shuffled between songs", 1.92, 0.77),
            ("residual off", 1.11, 0.45),
            ("all gates open", 1.07, 0.42),
        ],
        "The residual holds 0.8 % of the output's energy.",
        highlight=(0,),
    )
    recovery = Table(
        "Recovery of the true correction",
        ("System", "Curve RMS error (dB), 40 Hz–16 kHz", "Gain error (dB)"),
        [("zero correction", 2.31, 4.02), ("phase 1A", 0.92, 0.31), ("phase 1C", 0.71, 0.28)],
    )
    values: dict = dict(
        title="Phases 1A and 1C on demo songs",
        systems=SYSTEMS,
        tables=(summary("As rendered", 24, 9), summary("Loudness matched", 24, 9, 1)),
        song_count=count,
        songs=songs,
        song_metrics=METRICS[:2],
        facts={
            "Data": "demo songs, split test",
            "Songs": str(count),
            "Groups": "4",
            "Checkpoints": "runs/1a, runs/1c",
            "Date": "2026-11-22",
            "Version": "0.1.0",
        },
        findings=(
            "Phase 1C beats the best baseline (average EQ + loudness) by 1.05 dB of LTAS error (0.84 … 1.27).",
        ),
        band_tables=(bands,),
        part_tables=(ablation,),
        recovery_tables=(recovery,),
    )
    return EvalReport(**{**values, **changes})
