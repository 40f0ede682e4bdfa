"""Plant equalisers, let the adaptive head find them, and count how often it finds exactly the planted bands.

python experiments/planted_bands/run.py --counts 5 6 8 10 --seeds 0 20
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from planted import GRID_HZ, Planted, pink_noise, plant
from torch import Tensor

from neural_mastering.losses import LoudnessMatched, WeightedSum, WeightedTerm
from neural_mastering.losses.a_weighted import AWeighted
from neural_mastering.losses.gate_sparsity import GateSparsity
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
    """What a head made of a planted equaliser."""

    open_bands: int
    rms_db: float
    controls: EqControls

    def is_exact(self, planted: Planted) -> bool:
        """Exactly as many bands as were planted, and the whole curve (with the gain) to 0.5 dB RMS."""
        return self.open_bands == len(planted.kinds) and self.rms_db <= 0.5


def objective() -> WeightedSum:
    """The objective of phase 1C, with half of its resolutions to save time; tone at the target's loudness."""
    return WeightedSum(
        {
            "mr_stft": WeightedTerm(LoudnessMatched(MultiResolutionSTFT(FFT_SIZES), SAMPLE_RATE), 1.0),
            "a_weighted": WeightedTerm(LoudnessMatched(AWeighted(SAMPLE_RATE), SAMPLE_RATE), 0.1),
            "lufs": WeightedTerm(Lufs(SAMPLE_RATE), 0.01),
            "controls": WeightedTerm(ParameterRegularization(), 0.001),
            "gates": WeightedTerm(GateSparsity(), 0.02, delay_steps=OPEN_STEPS, ramp_steps=RAMP_STEPS),
        }
    )


def find(planted: Planted, seed: int, steps: int = STEPS) -> Found:
    """Train a fresh head from a constant z on noise and its equalised copy."""
    torch.manual_seed(seed)
    audio = pink_noise(CLIPS, SAMPLES, seed)
    target = planted.apply(audio, SAMPLE_RATE)
    head = AdaptiveBands(
        Z_SIZE, ParametricEQ(10, SAMPLE_RATE), Gain(), max_bands=10, min_bands=5, open_steps=OPEN_STEPS
    )
    z, lufs = torch.randn(1, Z_SIZE).expand(BATCH, -1), torch.full((BATCH,), -20.0)
    optimizer = torch.optim.AdamW(head.parameters(), lr=LEARNING_RATE, betas=BETAS)
    loss = objective()
    for step in range(steps):
        items = [(BATCH * step + i) % CLIPS for i in range(BATCH)]
        controls = head.decode(head(z, lufs))
        output = _render(head, controls, audio[items])
        optimizer.zero_grad()
        loss(output, target[items], step).backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimizer.step()
    return _judge(head, z[:1], lufs[:1], planted)


def _render(head: AdaptiveBands, controls: EqControls, audio: Tensor) -> MasteringOutput:
    processed = head.gain(head.eq(audio, **controls.eq), **controls.gain)
    return MasteringOutput(processed, {}, {"eq": controls.eq, "gain": controls.gain}, controls.gates)


@torch.no_grad()
def _judge(head: AdaptiveBands, z: Tensor, lufs: Tensor, planted: Planted) -> Found:
    head.eval()
    controls = head.decode(head(z, lufs))
    curve = head.eq.response_db(GRID_HZ, **{key: value.double() for key, value in controls.eq.items()})[0]
    error = curve + controls.gain["gain_db"].double() - planted.curve_db(SAMPLE_RATE)
    return Found(int(controls.gates.is_open.sum()), float(error.square().mean().sqrt()), controls)


def _listed(values: Iterable[Iterable[float]]) -> str:
    return " ".join(
        f"{frequency:.0f}:{gain:+.1f}/{q:.1f}" for frequency, gain, q in zip(*values, strict=True)
    )


def main() -> None:
    """Print one line a run and a table at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[5, 6, 8, 10])
    parser.add_argument("--seeds", type=int, nargs=2, default=[0, 20], metavar=("FIRST", "END"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for count in arguments.counts:
        results = []
        for seed in range(*arguments.seeds):
            planted, start = plant(count, seed), time.monotonic()
            found = find(planted, seed)
            exact = found.is_exact(planted)
            results.append((exact, found.rms_db))
            print(
                f"{count} bands, seed {seed}: {'found' if exact else 'MISSED'}, {found.open_bands} open, "
                f"{found.rms_db:.2f} dB RMS, gain {found.controls.gain['gain_db'].item():+.1f} dB, "
                f"{time.monotonic() - start:.0f} s",
                flush=True,
            )
            if not exact:
                print(
                    "  planted",
                    _listed(p.tolist() for p in (planted.frequency_hz, planted.gain_db, planted.q)),
                )
                eq = found.controls.eq
                print(
                    "  found  ",
                    _listed(eq[k][0].tolist() for k in ("frequency_hz", "gain_db", "q")),
                    flush=True,
                )
        rms = sorted(r for _, r in results)
        rows.append((count, sum(e for e, _ in results), len(results), rms[len(rms) // 2], rms[-1]))
    print("\n| bands | found exactly | median curve error, dB RMS | worst |\n|--:|--:|--:|--:|")
    for count, exact, total, median, worst in rows:
        print(f"| {count} | {exact} of {total} | {median:.2f} | {worst:.2f} |")


if __name__ == "__main__":
    main()
