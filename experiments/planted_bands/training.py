"""Train the adaptive head on a planted equaliser."""

from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.planted_bands.planted import GRID_HZ, Planted, pink_noise
from neural_mastering.losses import LoudnessMatched, WeightedSum, WeightedTerm
from neural_mastering.losses.a_weighted import AWeighted
from neural_mastering.losses.gate_sparsity import GateSparsity
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.losses.lufs import Lufs
from neural_mastering.losses.multi_resolution_stft import MultiResolutionSTFT
from neural_mastering.losses.parameter_regularization import ParameterRegularization
from neural_mastering.models.eq_heads import AdaptiveBands, EqControls
from neural_mastering.output import MasteringOutput
from neural_mastering.processors import Gain, ParametricEQ

SAMPLE_RATE = 44_100.0
CLIPS, BATCH, SAMPLES, Z_SIZE, FFT_SIZES = 8, 2, 12_288, 64, (8192, 2048, 512)
STEPS, OPEN_STEPS, RAMP_STEPS, LEARNING_RATE, BETAS = 700, 200, 100, 8e-3, (0.9, 0.99)


@dataclass(frozen=True)
class Found:
    """What a head made of a planted equaliser.

    Attributes:
        open_bands: at evaluation.
        rms_db: of the whole curve's error, the gain included, over GRID_HZ.
        controls: of one item.
        objective: of all clips at evaluation, sound as it is, every part at its full weight.
        at_loudness: whether the start that found it was judged at the target's loudness.
    """

    open_bands: int
    rms_db: float
    controls: EqControls
    objective: float
    at_loudness: bool

    def is_exact(self, planted: Planted) -> bool:
        """Exactly as many bands as were planted, and the whole curve (with the gain) to 0.5 dB RMS."""
        return self.open_bands == len(planted.kinds) and self.rms_db <= 0.5


def objective(at_loudness: bool = False) -> WeightedSum:
    """The objective of phase 1C, with half of its resolutions to save time; tone as it is, or at one loudness."""
    tone: dict[str, LossTerm] = {
        "mr_stft": MultiResolutionSTFT(FFT_SIZES),
        "a_weighted": AWeighted(SAMPLE_RATE),
    }
    if at_loudness:
        tone = {name: LoudnessMatched(term, SAMPLE_RATE) for name, term in tone.items()}
    return WeightedSum(
        {
            "mr_stft": WeightedTerm(tone["mr_stft"], 1.0),
            "a_weighted": WeightedTerm(tone["a_weighted"], 0.1),
            "lufs": WeightedTerm(Lufs(SAMPLE_RATE), 0.01),
            "controls": WeightedTerm(ParameterRegularization(), 0.001),
            "gates": WeightedTerm(GateSparsity(), 0.02, delay_steps=OPEN_STEPS, ramp_steps=RAMP_STEPS),
        }
    )


def find(planted: Planted, seed: int, steps: int = STEPS) -> Found:
    """The better of two starts by the objective, which knows nothing of the truth."""
    starts = [train(planted, seed, at_loudness, steps) for at_loudness in (False, True)]
    return min(starts, key=lambda start: start.objective)


def train(planted: Planted, seed: int, at_loudness: bool, steps: int = STEPS) -> Found:
    """Train a fresh head from a constant z on noise and its equalised copy."""
    torch.manual_seed(seed)
    audio = pink_noise(CLIPS, SAMPLES, seed)
    target = planted.apply(audio, SAMPLE_RATE)
    head = AdaptiveBands(
        Z_SIZE, ParametricEQ(10, SAMPLE_RATE), Gain(), max_bands=10, min_bands=5, open_steps=OPEN_STEPS
    )
    z, lufs = torch.randn(1, Z_SIZE).expand(CLIPS, -1), torch.full((CLIPS,), -20.0)
    optimizer = torch.optim.AdamW(head.parameters(), lr=LEARNING_RATE, betas=BETAS)
    loss = objective(at_loudness)
    for step in range(steps):
        items = [(BATCH * step + i) % CLIPS for i in range(BATCH)]
        controls = head.decode(head(z[:BATCH], lufs[:BATCH]))
        output = _render(head, controls, audio[items])
        optimizer.zero_grad()
        loss(output, target[items], step).backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        head.eval()
        controls = head.decode(head(z, lufs))
        reached = float(objective()(_render(head, controls, audio), target, steps))
        curve = head.eq.response_db(
            GRID_HZ, **{key: value[:1].double() for key, value in controls.eq.items()}
        )[0]
        error = curve + controls.gain["gain_db"][:1].double() - planted.curve_db(SAMPLE_RATE)
    rms_db = float(error.square().mean().sqrt())
    return Found(int(controls.gates.is_open[0].sum()), rms_db, controls, reached, at_loudness)


def _render(head: AdaptiveBands, controls: EqControls, audio: Tensor) -> MasteringOutput:
    processed = head.gain(head.eq(audio, **controls.eq), **controls.gain)
    return MasteringOutput(processed, {}, {"eq": controls.eq, "gain": controls.gain}, controls.gates)
