"""An encoder on log-mel spectra with crest and stereo features: small, fast and content with few songs."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neural_mastering.dsp.mel import mel_filterbank
from neural_mastering.models.blocks.mid_side import mid_side
from neural_mastering.models.blocks.pooling import mean_and_std
from neural_mastering.models.blocks.tcn_block import DilatedStack, FrameFeatures
from neural_mastering.models.encoders.encoder import Encoder
from neural_mastering.models.encoders.mel_powers import MelPowers, band_powers, hop_levels
from neural_mastering.numeric.log_mel import (
    BALANCE_SCALE_DB,
    CREST_SCALE_DB,
    GROUPS,
    MID_SCALE_DB,
    SIDE_SCALE_DB,
    TYPICAL_CREST_DB,
    LogMelSpec,
)
from neural_mastering.shapes import Audio, Latent
from neural_mastering.units import db_to_power, power_to_db


class LogMel(Encoder):
    """Log-mel of mid and side, crest and stereo image → z = norm(linear long-term path + dilated blocks).

    Frame features: mel levels of mid and side in dB above a reference spectrum; in 8 groups of bands the
    correlation of left and right, their balance in dB and side's share of the energy; the crest factor. A
    small dilated stack reads them frame by frame and is pooled to mean and deviation. Beside it, a plain
    linear map takes the long-term features (level of the mean power and mean level of each band, means of
    the stereo features, crest of the whole clip) straight to z, so that a head can learn "dark songs get
    treble" from a handful of songs. The stack's share of z starts at a tenth.

    0 dB is a full-scale sine. The spectrum and the logarithms run in float32 at least, outside autocast. A
    clip shorter than one window is padded with zeros at its end; of the last hop, an incomplete rest is left.

    Args:
        z_size: entries of the latent vector.
        sample_rate: in Hz; of the audio to come.
        bands: mel bands between low_hz and high_hz; a multiple of 8.
        low_hz, high_hz: range of the mel bands.
        fft_size: window length in samples (Hann), a multiple of hop.
        hop: samples from frame to frame.
        channels, block_kernel_size, dilations: of the dilated stack.
        floor_db: band levels run into this softly: 10·log10(power + 10^(floor/10)).
        reference_level_db: total RMS of the reference spectrum, a constant ±1 = 0 dB; near the level to
            which the caller normalises.
        reference_tilt_db: slope of the reference's power density in dB per octave. The reference only
            centres the features; training corrects the rest. Measured long-term spectra of music: Elowsson,
            Friberg, "Long-term average spectrum in popular music and its relation to the level of the
            percussion", AES 142nd Convention, 2017, paper 9762.
    """

    filterbank: Tensor
    window: Tensor
    reference_db: Tensor

    def __init__(
        self,
        z_size: int = 512,
        sample_rate: float = 44_100.0,
        bands: int = 80,
        low_hz: float = 20.0,
        high_hz: float = 20_000.0,
        fft_size: int = 4096,
        hop: int = 1024,
        channels: int = 96,
        block_kernel_size: int = 3,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32),
        floor_db: float = -90.0,
        reference_level_db: float = -23.0,
        reference_tilt_db: float = -5.0,
    ) -> None:
        super().__init__()
        if fft_size % hop:
            raise ValueError(f"fft_size must be a multiple of hop, got {fft_size} and {hop}")
        if bands % GROUPS:
            raise ValueError(f"bands must be a multiple of {GROUPS}, got {bands}")
        high_hz = min(high_hz, sample_rate / 2.0)
        self.z_size, self.sample_rate = z_size, sample_rate
        self.bands, self.fft_size, self.hop = bands, fft_size, hop
        self.floor_power = db_to_power(floor_db)
        self.spec = LogMelSpec(
            float(sample_rate),
            bands,
            low_hz,
            high_hz,
            fft_size,
            hop,
            floor_db,
            reference_level_db,
            reference_tilt_db,
        )
        filterbank = mel_filterbank(fft_size, sample_rate, bands, low_hz, high_hz, unit_area=False)
        window = torch.hann_window(fft_size, dtype=torch.float64)
        window = window * (2.0 / window.sum())  # a full-scale sine reads 0 dB
        at_hz = torch.arange(fft_size // 2 + 1, dtype=torch.float64) * (sample_rate / fft_size)
        density = _tilted_density(at_hz, low_hz, high_hz, sample_rate, reference_tilt_db)
        density = density * db_to_power(reference_level_db)
        # E|X|² of noise is sample_rate·Σw² times its two-sided density, which is half the one-sided one.
        reference = filterbank @ (0.5 * density * sample_rate * window.square().sum())
        self.register_buffer("filterbank", filterbank, persistent=False)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("reference_db", power_to_db(reference + self.floor_power), persistent=False)
        frame_features = 2 * bands + 3 * GROUPS + 1
        long_term_features = 4 * bands + 3 * GROUPS + 2
        self.front = nn.Conv1d(frame_features, channels, 3, padding=1)
        self.blocks = DilatedStack(channels, block_kernel_size, dilations)
        frames = self.blocks.receptive_field_frames + 2
        self.receptive_field_samples = (frames - 1) * hop + fft_size
        self.receptive_field_s = self.receptive_field_samples / sample_rate
        pooled = nn.Linear(2 * channels, z_size)
        self.pooled = nn.Sequential(nn.LayerNorm(2 * channels), pooled)
        self.long_term = nn.Linear(long_term_features, z_size)
        self.norm = nn.LayerNorm(z_size)
        with torch.no_grad():
            pooled.weight.mul_(0.1)

    def forward(self, audio: Audio) -> Latent:
        """Encode loudness-normalised audio."""
        frame_features, long_term_features = self.features(audio)
        pooled = mean_and_std(self._body(frame_features))
        return self.norm(self.long_term(long_term_features) + self.pooled(pooled))

    def frames(self, audio: Audio) -> FrameFeatures:
        """The stack's output before pooling; each frame sees `receptive_field_samples`."""
        return self._body(self.features(audio)[0])

    def _body(self, frame_features: FrameFeatures) -> FrameFeatures:
        return self.blocks(torch.nn.functional.gelu(self.front(frame_features)))

    def features(self, audio: Audio) -> tuple[FrameFeatures, Float[Tensor, "batch long_term"]]:
        """Features (batch, feature, frame) of frames and (batch, feature) of the clip, about unit scale."""
        return self.features_of(self.mel_powers(audio))

    def mel_powers(self, audio: Audio) -> MelPowers:
        """What `features` are computed from, in float32 at least."""
        with torch.autocast(audio.device.type, enabled=False):
            signal = mid_side(audio if audio.dtype == torch.float64 else audio.float())
            signal = torch.nn.functional.pad(signal, (0, max(self.fft_size - signal.shape[-1], 0)))
            mid, side, cross = band_powers(
                signal, self.window.to(signal), self.filterbank.to(signal), self.hop
            )
            return MelPowers(mid, side, cross, *hop_levels(signal, self.hop))

    def features_of(self, powers: MelPowers) -> tuple[FrameFeatures, Float[Tensor, "batch long_term"]]:
        """Features of audio whose mel powers are known.

        features_of(mel_powers(x)) = features(x).
        Level features are (10·log10(power + floor) − reference_db)/level_scale_db. The crest of a frame is that
        of its fft_size/hop hops.
        """
        mid, side, cross, peak, power = powers
        with torch.autocast(mid.device.type, enabled=False):
            levels = self._levels(mid, side)
            mean_levels = self._levels(mid.mean(dim=-1, keepdim=True), side.mean(dim=-1, keepdim=True))
            stereo = self._stereo(mid, side, cross)
            crest, clip_crest = self._crest(peak, power)
            frame_features = torch.cat((levels, stereo, crest), dim=1)
            long_term = torch.cat((mean_levels.squeeze(-1), frame_features.mean(dim=-1), clip_crest), dim=-1)
        return frame_features, long_term

    @property
    def level_scale_db(self) -> Float[Tensor, " level"]:
        """(2·band,) decibels that one unit of a level feature stands for: mid's bands, then side's."""
        return torch.tensor([MID_SCALE_DB, SIDE_SCALE_DB]).repeat_interleave(self.bands)

    def _levels(self, mid: Tensor, side: Tensor) -> Tensor:
        """Levels of mid and side above the reference, (batch, 2·band, frame)."""
        reference = self.reference_db.to(mid)[:, None]
        return torch.cat(
            (
                (power_to_db(mid + self.floor_power) - reference) / MID_SCALE_DB,
                (power_to_db(side + self.floor_power) - reference) / SIDE_SCALE_DB,
            ),
            dim=1,
        )

    def _stereo(self, mid: Tensor, side: Tensor, cross: Tensor) -> Tensor:
        """Correlation, balance and side share in groups of bands, (batch, 3·group, frame)."""
        mid, side, cross = (p.unflatten(1, (GROUPS, -1)).sum(dim=2) for p in (mid, side, cross))
        total = mid + side + self.floor_power
        # |2·cross| ≤ mid + side, so both stay above 0 in spite of rounding.
        left, right = ((total + sign * 2.0 * cross).clamp(min=self.floor_power * 0.5) for sign in (1.0, -1.0))
        correlation = (mid - side) * torch.rsqrt(left * right)
        balance = (power_to_db(left) - power_to_db(right)) / BALANCE_SCALE_DB
        return torch.cat((correlation, balance, side / total), dim=1)

    def _crest(self, peak: Tensor, power: Tensor) -> tuple[Tensor, Tensor]:
        """Peak to RMS over left and right, per frame (batch, 1, frame) and of the clip (batch, 1)."""
        width = self.fft_size // self.hop
        frame_peak = torch.nn.functional.max_pool1d(peak[:, None], width, 1)
        frame_power = torch.nn.functional.avg_pool1d(power[:, None], width, 1)
        return (
            self._crest_feature(frame_peak, frame_power),
            self._crest_feature(peak.amax(-1, keepdim=True), power.mean(-1, keepdim=True)),
        )

    def _crest_feature(self, peak: Tensor, power: Tensor) -> Tensor:
        crest_db = power_to_db((peak.square() + self.floor_power) / (power + self.floor_power))
        return (crest_db - TYPICAL_CREST_DB) / CREST_SCALE_DB


def _tilted_density(
    at_hz: Tensor, low_hz: float, high_hz: float, sample_rate: float, tilt_db: float
) -> Tensor:
    """One-sided density of noise of power 1 with a slope in dB per octave, flat outside low … high."""
    exponent = tilt_db / power_to_db(2.0)
    grid_hz = torch.linspace(0.0, sample_rate / 2.0, 100_001, dtype=torch.float64)
    power = torch.trapezoid(grid_hz.clamp(low_hz, high_hz) ** exponent, grid_hz)
    return at_hz.clamp(low_hz, high_hz) ** exponent / power
