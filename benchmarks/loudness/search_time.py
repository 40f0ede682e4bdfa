"""CPU time of the search for the limiter's settings, as a share of the song's length.

    python -m benchmarks.loudness.search_time

The song is made of the bundled excerpts, repeated to 1, 4 and 8 minutes, and driven to −9 LUFS. The forecast, which
every delivery needs, is not counted. Times are the least of some runs, of this process alone, on one thread.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import torch

from benchmarks.loudness.contenders import blocks_of
from neural_mastering.metering.forecast import forecast
from neural_mastering.rendering.delivery.limiter_search import find_limiter
from neural_mastering.rendering.delivery.spec import DeliverySpec
from neural_mastering.rendering.options import MOST_CLIPPED_DB

DEMO = Path(__file__).parents[2] / "neural_mastering" / "assets" / "demo"
MINUTES = (1.0, 4.0, 8.0)
RUNS = 5


def main() -> None:
    """Print the shares."""
    torch.set_num_threads(1)
    songs = [soundfile.read(path, always_2d=True, dtype="float64") for path in sorted(DEMO.rglob("*.ogg"))]
    rate = songs[0][1]
    parts = np.concatenate([audio for audio, own in songs if own == rate and audio.shape[1] == 2])
    print("| length | driven: share of real time | little must go |")
    print("|---|--:|--:|")
    for minutes in MINUTES:
        audio = np.ascontiguousarray(np.resize(parts, (round(60.0 * minutes * rate), 2)).T, np.float64)
        before = forecast(blocks_of(audio), rate, 2)
        loud = DeliverySpec(-9.0, -1.0, 24.0, clip_db=0.5 * MOST_CLIPPED_DB, max_loss_lu=2.0)
        plr_db = before.readings.true_peak_db - before.readings.lufs
        specs = {"driven": loud, "little must go": replace(loud, lufs=-1.0 - plr_db + 1.0)}
        least = dict.fromkeys(specs, float("inf"))
        for _ in range(RUNS):
            for name, spec in specs.items():
                started = time.process_time()
                find_limiter(lambda audio=audio: blocks_of(audio), before, spec)
                least[name] = min(least[name], time.process_time() - started)
        cells = [f"{seconds / (60.0 * minutes):.5f} ({seconds:.3f} s)" for seconds in least.values()]
        print(f"| {minutes:g} min | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
