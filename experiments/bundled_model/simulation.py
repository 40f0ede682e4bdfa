"""What a degradation makes of the mel powers of songs: training data without rendering audio.

A filter H multiplies the power of a narrow band by |H|², an expander the power of a frame by its gain, a width w
the side's power by w² and its product with the mid by w. So the long-term features of `encoders.LogMel` after
dynamics and width follow from the powers, and after filters by adding decibels: a training step costs
milliseconds. What is left out: an expander has no attack and release, the crest stays that of the source, filters
leave the stereo features alone, and the spectrum within a mel band counts as flat. The result is measured on
rendered pairs all the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from powers import RATE, SongPowers, bins_hz
from torch import Tensor

from neural_mastering.chance import seed_of
from neural_mastering.data.degradation import Degradation, DegradationPreset
from neural_mastering.dsp import biquad
from neural_mastering.dsp.weighting import k_weighting_db
from neural_mastering.models.encoders import LogMel
from neural_mastering.models.encoders.log_mel import _MID_SCALE_DB as MID_SCALE_DB
from neural_mastering.models.encoders.log_mel import _SIDE_SCALE_DB as SIDE_SCALE_DB

CURVE_HZ = torch.logspace(math.log10(30.0), math.log10(15_000.0), 64)
"""Where correction curves are compared: evenly spaced in octaves, up to where lossy sources hold something."""
LUFS_OFFSET = -0.691
LEVEL_NOISE_DB, DYNAMICS_NOISE_DB, BAND_NOISE_DB, STEREO_NOISE, CREST_NOISE = 2.0, 1.0, 0.5, 0.08, 0.2


@dataclass(frozen=True)
class Windows:
    """Windows of songs with dynamics and width degraded, before any filter.

    Attributes:
        features: (item, feature) long-term features as `LogMel.features` gives them.
        k_levels: (item, band) K-weighted powers by mel band, summing to 1.
        song_lufs: (item,) of the song.
        index: (item,) number of the song in its list.
        others: (item, 3) what no filter undoes: width in dB, ratios of the upward and the downward expansion.
    """

    features: Tensor
    k_levels: Tensor
    song_lufs: Tensor
    index: Tensor
    others: Tensor

    def __len__(self) -> int:
        return self.features.shape[0]


@dataclass(frozen=True)
class Filters:
    """Filters of many degradations.

    Attributes:
        curve_db: (draw, frequency) at CURVE_HZ.
        bands_db: (draw, band) level change of each mel band.
        level_lufs: (draw,) loudness of the input.
    """

    curve_db: Tensor
    bands_db: Tensor
    level_lufs: Tensor


class Simulator:
    """Degrades windows of songs in the domain of their mel powers.

    Args:
        encoder: whose features are wanted.
        preset: the strengths.
    """

    def __init__(self, encoder: LogMel, preset: DegradationPreset) -> None:
        self.encoder, self.preset = encoder, preset
        filterbank = encoder.filterbank.float()
        at_hz = bins_hz(encoder)
        self.centres_hz = filterbank @ at_hz / filterbank.sum(dim=1)
        # five points of each triangle stand for its bins
        edges = [at_hz[row > 0] for row in filterbank]
        points = torch.stack([torch.linspace(float(e[0]), float(e[-1]), 5) for e in edges])
        self._point_weights = torch.tensor([0.4, 0.8, 1.0, 0.8, 0.4]) / 3.4
        self.k_weights = torch.pow(10.0, k_weighting_db(self.centres_hz, RATE) / 10.0).float()
        scales = torch.tensor([MID_SCALE_DB, SIDE_SCALE_DB]).repeat_interleave(encoder.bands)
        self._scale_db, self._reference_db = scales.repeat(2), encoder.reference_db.float().repeat(4)
        self._at_hz = torch.cat((CURVE_HZ, points.flatten().clamp(1.0, 0.4999 * RATE)))

    def windows(self, songs: Sequence[SongPowers], seconds: float, variants: int, seed: int) -> Windows:
        """Windows one after another of all songs, each with some draws of dynamics and width."""
        parts: list[list[Tensor]] = [[], [], [], [], []]
        for number, song in enumerate(songs):
            frames = min(frames_of(seconds, self.encoder), song.mid.shape[1])
            count = max(song.mid.shape[1] // max(frames, 1), 1)
            for start in range(0, count * frames, frames):
                for variant in range(variants):
                    drawn = self.preset.draw(seed_of(seed, song.name, start, variant)).at_rate(RATE, 2)
                    features, k_levels = self._window(song, start, frames, drawn)
                    parts[0].append(features)
                    parts[1].append(k_levels)
                    parts[2].append(torch.tensor([song.lufs]))
                    parts[3].append(torch.tensor([number]))
                    width_db = 20.0 * math.log10(drawn.width)
                    parts[4].append(torch.tensor([[width_db, drawn.upward.ratio, drawn.downward.ratio]]))
        return Windows(*(torch.cat(part) for part in parts))

    def _window(self, song: SongPowers, start: int, frames: int, drawn: Degradation) -> tuple[Tensor, Tensor]:
        encoder, window = self.encoder, slice(start, start + frames)
        hops = slice(start, start + frames + encoder.fft_size // encoder.hop - 1)
        k_power = song.k_power[None, window]
        gain = torch.pow(10.0, self._expansion_db(k_power, song.lufs, drawn) / 10.0)
        mid, side, cross = (
            getattr(song, key)[None, :, window] * gain[:, None] * drawn.width**power
            for key, power in (("mid", 0), ("side", 2), ("cross", 1))
        )
        k_levels = (mid.mean(dim=-1) + side.mean(dim=-1)) * self.k_weights + 1e-20
        lufs = gated_lufs(k_power * gain)
        level = torch.pow(10.0, (-23.0 - lufs) / 10.0)
        mid, side, cross = mid * level, side * level, cross * level
        levels = encoder._levels(mid, side)
        mean_levels = encoder._levels(mid.mean(dim=-1, keepdim=True), side.mean(dim=-1, keepdim=True))
        # crest of the source, at about the level that the encoder hears
        power = song.power[None, hops]
        rms, to = (
            power.mean(dim=-1, keepdim=True).sqrt().clamp(min=1e-6),
            10.0 ** ((-23.0 - LUFS_OFFSET) / 20.0),
        )
        crest, clip_crest = _crest(encoder, song.peak[None, hops] / rms * to, power / rms.square() * to**2)
        frame_features = torch.cat((levels, encoder._stereo(mid, side, cross), crest), dim=1)
        long_term = torch.cat((mean_levels.squeeze(-1), frame_features.mean(dim=-1), clip_crest), dim=-1)
        return long_term, k_levels / k_levels.sum(dim=1, keepdim=True)

    def disturbed(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Features with noise of the size by which these are off (measured on rendered pairs, see README.md)."""
        items, bands = features.shape[0], self.encoder.bands

        def noise(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator)

        level, dynamics = LEVEL_NOISE_DB * noise(items, 1), DYNAMICS_NOISE_DB * noise(items, 1)
        each = BAND_NOISE_DB * noise(items, 2 * bands)
        scale = torch.cat((torch.full((bands,), MID_SCALE_DB), torch.full((bands,), SIDE_SCALE_DB)))
        offset = torch.cat(((level + each) / scale, (level + dynamics + each) / scale), dim=1)
        rest = features.shape[1] - offset.shape[1]
        others = torch.cat((STEREO_NOISE * noise(items, rest - 2), CREST_NOISE * noise(items, 2)), dim=1)
        return features + torch.cat((offset, others), dim=1)

    def filters(self, seeds: Sequence[int]) -> Filters:
        """The filters that belong to seeds."""
        drawn = [self.preset.draw(seed).at_rate(RATE, 2) for seed in seeds]
        response_db = torch.cat([self._response_db(drawn[i : i + 256]) for i in range(0, len(drawn), 256)])
        curve_db, points_db = response_db[:, : CURVE_HZ.numel()], response_db[:, CURVE_HZ.numel() :]
        points = torch.pow(10.0, points_db / 10.0).unflatten(1, (-1, self._point_weights.numel()))
        level_lufs = torch.tensor([d.level_lufs for d in drawn])
        return Filters(curve_db, 10.0 * torch.log10(points @ self._point_weights), level_lufs)

    def filtered(self, features: Tensor, k_levels: Tensor, bands_db: Tensor) -> Tensor:
        """Features (item, feature) after filters that change each mel band by so many dB, (item, band).

        The encoder hears everything at one loudness, so what a filter does to that is taken back.
        """
        change_db = 10.0 * torch.log10((k_levels * torch.pow(10.0, bands_db / 10.0)).sum(dim=1, keepdim=True))
        shift = torch.pow(10.0, (bands_db - change_db) / 10.0).repeat(1, 4)
        # what lies at the encoder's floor (above a codec's edge, the side of a mono song) stays there
        count = shift.shape[1]
        levels = features[:, :count] * self._scale_db + self._reference_db
        floor = self.encoder.floor_power
        power = (torch.pow(10.0, levels / 10.0) - floor).clamp(min=0.0) * shift + floor
        levels = (10.0 * torch.log10(power) - self._reference_db) / self._scale_db
        return torch.cat((levels, features[:, count:]), dim=1)

    def loudness_change_db(self, k_levels: Tensor, curve_db: Tensor) -> Tensor:
        """Change of loudness (item,) by a curve (item, frequency) at CURVE_HZ."""
        position = torch.searchsorted(CURVE_HZ, self.centres_hz).clamp(0, CURVE_HZ.numel() - 1)
        return 10.0 * torch.log10((k_levels * torch.pow(10.0, curve_db[:, position] / 10.0)).sum(dim=1))

    def _expansion_db(self, k_power: Tensor, lufs: float, drawn: Degradation) -> Tensor:
        level = LUFS_OFFSET + 10.0 * torch.log10(k_power + 1e-12) - lufs
        up, down = drawn.upward, drawn.downward
        raised = (up.ratio - 1.0) * (level - up.threshold_db).clamp(min=0.0)
        lowered = (down.ratio - 1.0) * (down.threshold_db - level).clamp(min=0.0)
        return raised.clamp(max=up.limit_db) - lowered.clamp(max=down.limit_db)

    def _response_db(self, drawn: Sequence[Degradation]) -> Tensor:
        """(item, CURVE_HZ and bins) of equaliser and low-pass."""
        most = max(1, *(len(d.bands) for d in drawn))
        rows = []
        for kind in biquad.KINDS:
            own = [[band for band in d.bands if band.kind == kind] for d in drawn]
            count = max(len(bands) for bands in own)
            if not count:
                continue
            filled = [
                [(b.frequency_hz, b.gain_db, b.q) for b in bands]
                + [(1000.0, 0.0, 1.0)] * (count - len(bands))
                for bands in own
            ]
            table = torch.tensor(filled)
            kinds: list[biquad.Kind] = [kind] * count
            rows.append(
                biquad.response_db(table[..., 0], table[..., 1], table[..., 2], self._at_hz, RATE, kinds)
            )
        total = (
            torch.stack(rows).sum(dim=0) if rows and most else torch.zeros(len(drawn), self._at_hz.numel())
        )
        corner = torch.tensor([d.lowpass_hz or 1e9 for d in drawn])[:, None]
        warped = torch.tan(math.pi * self._at_hz / RATE) / torch.tan(
            math.pi * corner.clamp(max=0.49 * RATE) / RATE
        )
        lowpass_db = -10.0 * torch.log10(1.0 + warped**4)
        return total + torch.where(corner < 0.49 * RATE, lowpass_db, 0.0)


def frames_of(seconds: float, encoder: LogMel) -> int:
    """Frames of a window of so many seconds."""
    return max(1, (round(seconds * RATE) - encoder.fft_size) // encoder.hop + 1)


def gated_lufs(k_power: Tensor) -> Tensor:
    """Integrated loudness of one window from K-weighted powers of its frames (1, frame): both gates of BS.1770."""
    blocks = torch.nn.functional.avg_pool1d(k_power[:, None], min(17, k_power.shape[-1]), 4).flatten()
    above = blocks[blocks > 10.0 ** ((-70.0 - LUFS_OFFSET) / 10.0)]
    if above.numel():
        above = above[above > 0.1 * above.mean()]
    return LUFS_OFFSET + 10.0 * torch.log10((above if above.numel() else blocks).mean() + 1e-12)


def _crest(encoder: LogMel, peak: Tensor, power: Tensor) -> tuple[Tensor, Tensor]:
    width = encoder.fft_size // encoder.hop
    frame_peak = torch.nn.functional.max_pool1d(peak[:, None], width, 1)
    frame_power = torch.nn.functional.avg_pool1d(power[:, None], width, 1)
    return (
        encoder._crest_feature(frame_peak, frame_power),
        encoder._crest_feature(peak.amax(-1, keepdim=True), power.mean(-1, keepdim=True)),
    )
