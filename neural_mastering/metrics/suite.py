"""All metrics of one song at once: the numbers of the single metrics, at a fraction of their cost.

What a metric reads of one side is measured once (`Signal`), the spectra of both sides serve all views and both
levels, and what a common gain does is computed instead of measured again.
"""

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from neural_mastering.dsp import reading_kernels, stft_totals
from neural_mastering.dsp.a_weighted import FFT_SIZE, HOP, bin_weights, floor_per_frame
from neural_mastering.dsp.delay import advance
from neural_mastering.dsp.loudness import ABSOLUTE_GATE_LUFS
from neural_mastering.dsp.ltas_error import levels_rms_error
from neural_mastering.metrics import mel_distance
from neural_mastering.metrics.a_weighted_error import AWeightedError
from neural_mastering.metrics.correlation_error import CorrelationError
from neural_mastering.metrics.crest_error import CrestError
from neural_mastering.metrics.item_metric import MetricInfo
from neural_mastering.metrics.loudness_range_error import LoudnessRangeError
from neural_mastering.metrics.ltas_error import LtasError
from neural_mastering.metrics.lufs_error import LufsError, loudness_difference
from neural_mastering.metrics.mel_distance import MelDistance
from neural_mastering.metrics.multi_resolution_stft import VIEWS, MultiResolutionStft
from neural_mastering.metrics.peak_to_loudness_error import PeakToLoudnessError
from neural_mastering.metrics.signal import Signal, products_of
from neural_mastering.metrics.snr import LIMIT_DB, SignalToNoise, delay_samples, snr_of_products
from neural_mastering.metrics.stereo_width_error import StereoWidthError
from neural_mastering.metrics.true_peak import SILENT_DBTP, TruePeak
from neural_mastering.metrics.true_peak_error import TruePeakError
from neural_mastering.units import db_to_gain

METRICS = (
    MultiResolutionStft,
    MelDistance,
    LtasError,
    AWeightedError,
    LufsError,
    LoudnessRangeError,
    PeakToLoudnessError,
    CrestError,
    TruePeakError,
    TruePeak,
    StereoWidthError,
    CorrelationError,
    SignalToNoise,
)
"""All metrics, in the order of tables."""

INFOS: dict[str, MetricInfo] = {metric.info.key: metric.info for metric in METRICS}

MATCHED, MID_SIDE = "_matched", "_ms"
"""Endings of the columns measured after matching loudness, and of mid and side (then `_ms_matched`)."""

LEVEL_TOLERANCE_DB = 1e-3
"""A prediction this near to the target's loudness counts as matched."""

_BLOCK_FRAMES = 256


def columns(stereo: bool = True) -> list[str]:
    """The keys of `measure`, in order: as rendered, then after matching loudness."""
    keys = []
    for matched in ("", MATCHED):
        for info in INFOS.values():
            if matched and not info.level_dependent:
                continue
            if not info.per_pair and info.key != TruePeak.info.key and not stereo:
                continue
            keys.append(info.key + matched)
            if info.per_pair and stereo:
                keys.append(info.key + MID_SIDE + matched)
    return keys


def info_of(column: str) -> MetricInfo:
    """The metric behind a column."""
    return INFOS[column.removesuffix(MATCHED).removesuffix(MID_SIDE)]


def measure(prediction: Signal, target: Signal) -> dict[str, float]:
    """Every metric in every view, by the names of `columns`; NaN where a metric has no value.

    As rendered, and with the prediction brought to the target's integrated loudness (as it is where either is
    silent). The delay of the prediction and the gain that matched it come along: `delay_samples` and
    `match_gain_db`.

    Args:
        prediction, target: of one shape and rate.

    Raises:
        ValueError: shapes or rates that differ.

    Examples:
        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> readings = measure(Signal(0.5 * noise, 44_100), Signal(noise, 44_100))
        >>> [round(readings[key], 2) for key in ("lufs_error", "ltas_error", "snr", "match_gain_db")]
        [6.02, 6.02, 6.02, 6.02]
        >>> round(readings["ltas_error_matched"], 3)
        0.0
    """
    if prediction.audio.shape != target.audio.shape or prediction.sample_rate != target.sample_rate:
        raise ValueError(
            f"prediction and target differ: {tuple(prediction.audio.shape)} at {prediction.sample_rate:g} Hz "
            f"against {tuple(target.audio.shape)} at {target.sample_rate:g} Hz"
        )
    prediction, target = prediction.on_cpu(), target.on_cpu()  # the spectra are compiled loops
    gain_db = float(target.lufs[0] - prediction.lufs[0])
    gain_db = gain_db if math.isfinite(gain_db) and abs(gain_db) > LEVEL_TOLERANCE_DB else 0.0
    values = _level_free(prediction, target)
    values |= _by_level(prediction, target, gain_db)
    values |= _spectra(prediction, target, gain_db)
    delay, ratios = _snr(prediction, target, gain_db)
    values |= ratios
    ordered = {key: values[key] for key in columns(target.channels == 2)}
    return ordered | {"delay_samples": delay, "match_gain_db": gain_db}


def of_matched(values: Mapping[str, float]) -> dict[str, float]:
    """What `measure` would give for the same prediction after matching its loudness: no need to measure again."""
    moved = {key.removesuffix(MATCHED): v for key, v in values.items() if key.endswith(MATCHED)}
    return {**values, **moved, "match_gain_db": 0.0}


def _level_free(prediction: Signal, target: Signal) -> dict[str, float]:
    values: dict[str, float] = {}
    for metric, name in (
        (LoudnessRangeError, "lra"),
        (PeakToLoudnessError, "plr"),
        (CrestError, "crest"),
    ):
        _put(values, metric.info.key, "", (getattr(prediction, name) - getattr(target, name)).abs())
    if target.channels == 2:
        values[StereoWidthError.info.key] = float((prediction.width_db - target.width_db).abs())
        values[CorrelationError.info.key] = float((prediction.correlation - target.correlation).abs())
    return values


def _by_level(prediction: Signal, target: Signal, match_gain_db: float) -> dict[str, float]:
    values: dict[str, float] = {}
    for suffix, gain_db in (("", 0.0), (MATCHED, match_gain_db)):
        lufs = (prediction.lufs + gain_db).clamp(min=ABSOLUTE_GATE_LUFS)
        _put(values, LufsError.info.key, suffix, loudness_difference(lufs, target.floored_lufs))
        heard = prediction.true_peak > SILENT_DBTP
        peak = torch.where(heard, prediction.true_peak + gain_db, SILENT_DBTP).clamp(min=SILENT_DBTP)
        _put(values, TruePeakError.info.key, suffix, (peak - target.true_peak).abs())
        values[TruePeak.info.key + suffix] = float(peak[0])
        for pair, rows in _pairs(target):
            error = levels_rms_error(
                prediction.third_octaves_db[None, rows], target.third_octaves_db[None, rows], gain_db
            )
            values[LtasError.info.key + pair + suffix] = float(error)
    return values


def _spectra(prediction: Signal, target: Signal, match_gain_db: float) -> dict[str, float]:
    """MR-STFT, mel distance and A-weighted error."""
    gains_db = (0.0, match_gain_db) if match_gain_db else (0.0,)
    pairs = _pairs(target)
    values: dict[str, float] = {}
    distances = stft_totals.distances(
        prediction.audio,
        target.audio,
        [db_to_gain(gain) for gain in gains_db],
        [VIEWS["ms" if pair else "lr"] for pair, _ in pairs],
    )
    mel = torch.zeros(len(gains_db), len(pairs), dtype=torch.float64)
    weight = bin_weights(target.sample_rate, FFT_SIZE).to(target.audio)
    gains = target.audio.new_tensor([db_to_gain(gain) for gain in gains_db])
    sums = torch.zeros(len(target.rows), len(gains_db) + 1, dtype=torch.float64)
    bank = mel_distance.filterbank(target.sample_rate).to(target.audio)
    frames = 0
    for p, t in zip(_magnitudes(prediction), _magnitudes(target), strict=True):
        p_mel, t_mel = (mel_distance.levels_of_power(side.square(), bank)[None] for side in (p, t))
        reading_kernels.weighted_differences(*(x.numpy() for x in (p, t, gains, weight, sums)))
        for j, (_, rows) in enumerate(pairs):
            for i, gain_db in enumerate(gains_db):
                distance = mel_distance.levels_distance(p_mel[:, rows], t_mel[:, rows], gain_db)
                mel[i, j] += float(distance) * p.shape[1]
        frames += p.shape[1]
    by_pair = torch.stack([sums[rows].sum(dim=0) for _, rows in pairs])
    floor = floor_per_frame(FFT_SIZE) * frames
    for suffix, i in (("", 0), (MATCHED, len(gains_db) - 1)):
        for j, (pair, _) in enumerate(pairs):
            ending = pair + suffix
            values[MultiResolutionStft.info.key + ending] = distances[i][j]
            values[MelDistance.info.key + ending] = float(mel[i, j]) / frames
            values[AWeightedError.info.key + ending] = float(by_pair[j, i] / by_pair[j, -1].clamp(min=floor))
    return values


def _magnitudes(signal: Signal) -> Iterator[Tensor]:
    """STFT magnitudes (row, frame, frequency), block by block; frame i is centred on sample i·hop."""
    window = torch.hann_window(FFT_SIZE, dtype=signal.audio.dtype)
    padded = functional.pad(signal.audio[0], (FFT_SIZE // 2, FFT_SIZE // 2))
    for block in padded.unfold(-1, FFT_SIZE, HOP).split(_BLOCK_FRAMES, dim=1):
        spectrum = torch.view_as_real(torch.fft.rfft(block * window))
        out = window.new_empty(len(signal.rows), *spectrum.shape[1:3])
        reading_kernels.magnitudes(spectrum.flatten(-2).numpy(), out.numpy())
        yield out


def _snr(prediction: Signal, target: Signal, match_gain_db: float) -> tuple[float, dict[str, float]]:
    delay = delay_samples(prediction.audio, target.audio, target.sample_rate)
    moved = prediction if delay == 0.0 else Signal(advance(prediction.audio, delay), target.sample_rate)
    cross = products_of(moved.audio[0], target.audio[0])
    own = cross.diagonal()
    crosses = own[:, None] if target.channels == 1 else _row_products(cross)
    values: dict[str, float] = {}
    for suffix, gain_db in (("", 0.0), (MATCHED, match_gain_db)):
        ratios = []
        for row in range(len(target.energies)):
            product = own.sum() if row == 0 else crosses.flatten()[row - 1]
            sums = torch.stack((target.energies[row], moved.energies[row], product))
            samples = target.samples * (target.channels if row == 0 else 1)
            ratios.append(snr_of_products(sums, samples, db_to_gain(gain_db)))
        _put(values, SignalToNoise.info.key, suffix, torch.stack(ratios).clamp(-LIMIT_DB, LIMIT_DB))
    return delay, values


def _row_products(cross: Tensor) -> Tensor:
    """Σ p·t of left, right, mid and side from those of the channels."""
    direct = cross.diagonal()
    both, crossed = direct.sum(), cross[0, 1] + cross[1, 0]
    return torch.cat((direct, torch.stack(((both + crossed) / 4.0, (both - crossed) / 4.0))))


def _put(values: dict[str, float], key: str, suffix: str, readings: Tensor) -> None:
    """Readings: programme, then rows; the first is the value, the mean of mid and side that of the pair."""
    values[key + suffix] = float(readings[0])
    if len(readings) == 5:
        values[key + MID_SIDE + suffix] = float(readings[3:].nanmean())


def _pairs(signal: Signal) -> list[tuple[str, slice]]:
    if signal.channels == 1:
        return [("", slice(0, 1))]
    return [("", slice(0, 2)), (MID_SIDE, slice(2, 4))]
