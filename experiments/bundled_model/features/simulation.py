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

import torch
from torch import Tensor

from experiments.bundled_model.features.filters import CURVE_HZ, FilterLevels, Filters
from experiments.bundled_model.features.mel_powers import RATE, SongMelPowers, bins_hz
from experiments.bundled_model.features.windows import Windows
from neural_mastering.chance import seed_of
from neural_mastering.data.degradation import Degradation, DegradationPreset
from neural_mastering.dsp.weighting import k_weighting_db
from neural_mastering.models.encoders import LogMel, MelPowers

LUFS_OFFSET = -0.691
ANALYSIS_LUFS = -23.0
"""About the level that the encoder sees."""
LEVEL_NOISE_DB, DYNAMICS_NOISE_DB, BAND_NOISE_DB, STEREO_NOISE, CREST_NOISE = 2.0, 1.0, 0.5, 0.08, 0.2


class Simulator:
    """Degrades windows of songs in the domain of their mel powers.

    Args:
        encoder: whose features are wanted.
        preset: the strengths.
    """

    def __init__(self, encoder: LogMel, preset: DegradationPreset) -> None:
        self.encoder, self.preset = encoder, preset
        self.filter_levels = FilterLevels(encoder)
        filterbank = encoder.filterbank.float()
        self.centres_hz = filterbank @ bins_hz(encoder) / filterbank.sum(dim=1)
        self.k_weights = torch.pow(10.0, k_weighting_db(self.centres_hz, RATE) / 10.0).float()
        self._scale_db = encoder.level_scale_db.repeat(2)
        self._reference_db = encoder.reference_db.float().repeat(4)

    def windows(self, songs: Sequence[SongMelPowers], seconds: float, variants: int, seed: int) -> Windows:
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

    def _window(
        self, song: SongMelPowers, start: int, frames: int, drawn: Degradation
    ) -> tuple[Tensor, Tensor]:
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
        level = torch.pow(10.0, (ANALYSIS_LUFS - lufs) / 10.0)
        # the crest stays that of the source
        power, peak = song.power[None, hops], song.peak[None, hops]
        rms = power.mean(dim=-1, keepdim=True).sqrt().clamp(min=1e-6)
        rms_wanted = 10.0 ** ((ANALYSIS_LUFS - LUFS_OFFSET) / 20.0)
        _, long_term = encoder.features_of(
            MelPowers(
                mid * level,
                side * level,
                cross * level,
                peak / rms * rms_wanted,
                power / rms.square() * rms_wanted**2,
            )
        )
        return long_term, k_levels / k_levels.sum(dim=1, keepdim=True)

    def disturbed(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Features with noise of the size by which these are off (measured on rendered pairs, see README.md)."""
        items, bands, scale = features.shape[0], self.encoder.bands, self.encoder.level_scale_db

        def noise(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator)

        level, dynamics = LEVEL_NOISE_DB * noise(items, 1), DYNAMICS_NOISE_DB * noise(items, 1)
        each = BAND_NOISE_DB * noise(items, 2 * bands)
        offset = torch.cat(((level + each) / scale, (level + dynamics + each) / scale), dim=1)
        rest = features.shape[1] - offset.shape[1]
        others = torch.cat((STEREO_NOISE * noise(items, rest - 2), CREST_NOISE * noise(items, 2)), dim=1)
        return features + torch.cat((offset, others), dim=1)

    def filters(self, seeds: Sequence[int]) -> Filters:
        """The filters that belong to seeds."""
        return self.filter_levels.of([self.preset.draw(seed).at_rate(RATE, 2) for seed in seeds])

    def filtered(self, features: Tensor, k_levels: Tensor, bands_db: Tensor) -> Tensor:
        """Features (item, feature) after filters that change each mel band by so many dB, (item, band).

        The encoder gets everything at one loudness, so what a filter does to that is taken back.
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
