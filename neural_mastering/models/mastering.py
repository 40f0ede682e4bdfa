"""The mastering model: encoder, white-box equaliser, grey-box chain, neural residual."""

from dataclasses import dataclass, replace

import torch
from torch import nn

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.models.chain_heads import ChainControlValues, ChainHead, NoChain
from neural_mastering.models.conditioning import Conditioning, NoConditioning, Style
from neural_mastering.models.encoders.encoder import Encoder
from neural_mastering.models.eq_heads.eq_head import EqControls, EqHead, EqLogits
from neural_mastering.models.preset_sheet import preset_sheet
from neural_mastering.models.residual_heads.residual_head import ResidualHead
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio, ItemSeeds, Latent, Logits, PerItem, check_audio
from neural_mastering.units import db_to_gain, db_to_power, power_to_db


@dataclass(frozen=True)
class Analysis:
    """What the model thinks of its input: z, logits of all controls, and the measured loudness in LUFS.

    `chain` are the logits of the chain's stages, (batch, 0) without any; None is for callers who know no chain.
    """

    z: Latent
    logits: EqLogits
    lufs: PerItem
    chain: Logits | None = None

    def pooled(self) -> "Analysis":
        """One analysis for a song from a batch of its windows: means weighted by their loudness (power).

        The mean is taken of z and of the logits before the mapping to physical units. `lufs` becomes the
        power mean; callers who know the song's integrated loudness should replace it before `logits` are
        made.
        """
        power = db_to_power(self.lufs)
        share = (power / power.sum())[:, None]
        return replace(
            self,
            z=(self.z * share).sum(dim=0, keepdim=True),
            logits=self.logits.mean(power),
            lufs=power_to_db(power.mean(dim=0, keepdim=True)),
            chain=None if self.chain is None else (self.chain * share).sum(dim=0, keepdim=True),
        )


class MasteringModel(nn.Module):
    """A network that sets the controls of a mastering chain, and the chain itself.

        audio → normalised → encoder → z → controls
        audio → EQ → gain → chain → + residual(· | z) → limiter → output

    z depends on the loudness-normalised input, so a quiet and a loud copy of a song get the same equaliser;
    the measured loudness goes, as a number, to the gain alone. At initialisation the model is the identity.

    Args:
        encoder, eq_head, residual_head, chain_head: the parts; swap them freely. No chain by default.
        analysis_lufs: loudness to which the encoder's input is normalised.
        silence_lufs: an input below this counts as this loud, so that silence is not amplified without end.
        conditioning: what the heads are told beside z; nothing by default.

    Raises:
        ValueError: parts with different sample rates.

    Examples:
        A new model is the identity, whatever its parts:

        >>> import torch
        >>> from neural_mastering.models.encoders import TCN
        >>> from neural_mastering.models.eq_heads import FixedBands
        >>> from neural_mastering.models.residual_heads import NoResidual
        >>> from neural_mastering.processors import Gain, ParametricEQ
        >>> eq_head = FixedBands(z_size=64, eq=ParametricEQ(sample_rate=44_100.0, bands=5), gain=Gain())
        >>> model = MasteringModel(TCN(z_size=64), eq_head, NoResidual()).eval()
        >>> audio = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> output = model(audio)
        >>> bool((output.audio - audio).abs().max() < 1e-6)
        True
        >>> output.controls["gain"]["gain_db"].tolist()
        [0.0]
    """

    def __init__(
        self,
        encoder: Encoder,
        eq_head: EqHead,
        residual_head: ResidualHead,
        analysis_lufs: float = -23.0,
        silence_lufs: float = -70.0,
        chain_head: ChainHead | None = None,
        conditioning: Conditioning | None = None,
    ) -> None:
        super().__init__()
        if encoder.sample_rate != eq_head.eq.sample_rate:
            raise ValueError(
                f"the encoder expects {encoder.sample_rate:g} Hz but the equaliser {eq_head.eq.sample_rate:g} Hz"
            )
        self.encoder, self.eq_head, self.residual_head = encoder, eq_head, residual_head
        self.chain_head = NoChain() if chain_head is None else chain_head
        self.conditioning = NoConditioning() if conditioning is None else conditioning
        for name, stage in self.chain_head.chain.processors.items():
            rate = getattr(stage, "sample_rate", encoder.sample_rate)
            if rate != encoder.sample_rate:
                raise ValueError(f"the encoder expects {encoder.sample_rate:g} Hz but the {name} {rate:g} Hz")
        self.analysis_lufs, self.silence_lufs = analysis_lufs, silence_lufs

    @property
    def sample_rate(self) -> float:
        """The rate in Hz at which the model listens and its controls are meant."""
        return self.encoder.sample_rate

    def __repr__(self) -> str:
        """A preset sheet: parts, devices, controls with ranges and resting values."""
        count = sum(parameter.numel() for parameter in self.parameters())
        title = f"{type(self).__name__}, {self.sample_rate:g} Hz, {count:,} parameters"
        notes = {"encoder": f"listens at {self.analysis_lufs:g} LUFS"}
        least = getattr(self.eq_head, "min_bands", None)
        if least is not None:
            notes["eq_head"] = f"gates choose {least} to {self.eq_head.eq.bands} bands"
        return preset_sheet(self, title, notes)

    def forward(
        self, audio: Audio, seeds: ItemSeeds | None = None, style_db: Style | None = None
    ) -> MasteringOutput:
        """Master audio (batch, channel, time); `seeds` (batch,) fix the noise of training for each item.

        `style_db` (batch, third) is the curve by which the result shall differ, for a model that takes one.
        """
        return self.render(audio, self.analyse(audio, style_db=style_db), seeds)

    def analyse(self, audio: Audio, lufs: PerItem | None = None, style_db: Style | None = None) -> Analysis:
        """Listen: measure the loudness, encode, predict logits.

        Args:
            audio: (batch, channel, time).
            lufs: loudness to tell the gain head instead of this audio's own (that of the whole song, say).
            style_db: see `forward`.

        Raises:
            ValueError: no audio (`check_audio`), or float64 for a model in float32 and the other way round.
        """
        check_audio(audio)
        weights = next((parameter.dtype for parameter in self.parameters()), audio.dtype)
        if (audio.dtype == torch.float64) != (weights == torch.float64):
            raise ValueError(
                f"expected audio in the model's {weights}; got {audio.dtype}: use audio.to({weights}), or convert "
                "the model"
            )
        with torch.no_grad():
            measured = integrated_loudness(audio, self.sample_rate, floor_lufs=self.silence_lufs)
            # Silence stays silence; there is nothing to normalise.
            gain_db = torch.where(measured > self.silence_lufs, self.analysis_lufs - measured, 0.0)
        z = self.encoder(audio * db_to_gain(gain_db)[:, None, None])
        return self.decide(z, measured, lufs, style_db)

    def decide(
        self, z: Latent, measured: PerItem, lufs: PerItem | None = None, style_db: Style | None = None
    ) -> Analysis:
        """What the heads make of a z and a measured loudness; see `analyse`."""
        told = self.conditioning(z, style_db)
        return Analysis(
            z=z,
            logits=self.eq_head(told, measured if lufs is None else lufs),
            lufs=measured,
            chain=self.chain_head(told),
        )

    def chain_controls(self, analysis: Analysis) -> ChainControlValues:
        """Physical controls of the chain's stages that an analysis asks for, by stage."""
        return {} if analysis.chain is None else self.chain_head.decode(analysis.chain)

    def eq_controls(self, analysis: Analysis, seeds: ItemSeeds | None = None) -> EqControls:
        """Physical controls of the equaliser and the gain that an analysis asks for."""
        return self.eq_head.decode(analysis.logits, seeds)

    def render(self, audio: Audio, analysis: Analysis, seeds: ItemSeeds | None = None) -> MasteringOutput:
        """Process audio with the controls that an analysis asks for."""
        controls = self.eq_controls(analysis, seeds)
        equalised = self.eq_head.eq(audio, **controls.eq)
        levelled = self.eq_head.gain(equalised, **controls.gain)
        stages = {"eq": equalised, "gain": levelled}
        chain, chosen = self.chain_head.chain, self.chain_controls(analysis)
        # the loudness that the chain hears, but for what the equaliser changed
        lufs = analysis.lufs + controls.gain["gain_db"]
        signal = levelled
        for name in chain.before:
            signal = stages[name] = chain.stage(name, signal, chosen[name], lufs)
        residual = self.residual_head(signal, analysis.z).to(signal.dtype)
        signal = stages["residual"] = signal + residual
        for name in chain.after:
            signal = stages[name] = chain.stage(name, signal, chosen[name], lufs)
        return MasteringOutput(
            audio=signal,
            stages=stages,
            controls={"eq": controls.eq, "gain": controls.gain, **chosen},
            gates=controls.gates,
            residual=residual,
        )
