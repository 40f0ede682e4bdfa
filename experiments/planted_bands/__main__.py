"""Plant equalisers, let the adaptive head find them, and count how often it finds exactly the planted bands.

python -m experiments.planted_bands --counts 5 6 8 10 --seeds 0 20
"""

import time
from collections.abc import Iterable

import torch

from experiments.common.command_line import parser_of
from experiments.planted_bands.planted import plant
from experiments.planted_bands.training import find


def listed(values: Iterable[Iterable[float]]) -> str:
    """Bands as frequency:gain/Q."""
    return " ".join(
        f"{frequency:.0f}:{gain:+.1f}/{q:.1f}" for frequency, gain, q in zip(*values, strict=True)
    )


def main() -> None:
    """Print one line a run and a table at the end."""
    parser = parser_of(__doc__)
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
                f"{found.rms_db:.2f} dB RMS, gain {found.controls.gain['gain_db'][0].item():+.1f} dB, "
                f"{'at one loudness' if found.at_loudness else 'as it is'}, objective {found.objective:.4f}, "
                f"{time.monotonic() - start:.0f} s",
                flush=True,
            )
            if not exact:
                print(
                    "  planted",
                    listed(p.tolist() for p in (planted.frequency_hz, planted.gain_db, planted.q)),
                )
                eq = found.controls.eq
                print(
                    "  found  ",
                    listed(eq[k][0].tolist() for k in ("frequency_hz", "gain_db", "q")),
                    flush=True,
                )
        rms = sorted(r for _, r in results)
        rows.append((count, sum(e for e, _ in results), len(results), rms[len(rms) // 2], rms[-1]))
    print("\n| bands | found exactly | median curve error, dB RMS | worst |\n|--:|--:|--:|--:|")
    for count, exact, total, median, worst in rows:
        print(f"| {count} | {exact} of {total} | {median:.2f} | {worst:.2f} |")


if __name__ == "__main__":
    main()
