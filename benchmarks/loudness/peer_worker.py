"""Runs limiters that are installed for another Python: `python peer_worker.py`, a JSON request a line on stdin."""

import json
import sys

import numpy as np


def main() -> None:
    """Answer each request {name, rate, threshold, input, output}: arrays (time, channel) in .npy files."""
    for line in sys.stdin:
        request = json.loads(line)
        audio = np.load(request["input"])
        np.save(request["output"], LIMITERS[request["name"]](audio, request["rate"], request["threshold"]))
        print("done", flush=True)


def _matchering(audio, rate, threshold):
    from matchering import Config  # pyright: ignore[reportMissingImports]
    from matchering.limiter import limit  # pyright: ignore[reportMissingImports]

    config = Config(internal_sample_rate=rate, threshold=threshold)
    return limit(audio, config)


def _pedalboard(audio, rate, threshold):
    from pedalboard import Limiter  # pyright: ignore[reportMissingImports]

    limiter = Limiter(threshold_db=20 * np.log10(threshold), release_ms=100.0)
    return limiter(audio.T.astype(np.float32), rate).T.astype(np.float64)


LIMITERS = {"matchering": _matchering, "pedalboard": _pedalboard}

if __name__ == "__main__":
    main()
