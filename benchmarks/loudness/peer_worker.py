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


def _libsonare(audio, rate, threshold):
    from libsonare import mastering_process_stereo  # pyright: ignore[reportMissingImports]

    channels = [np.ascontiguousarray(channel, np.float32) for channel in audio.T]
    settings = {"ceilingDb": float(20 * np.log10(threshold))}
    result = mastering_process_stereo("maximizer.truePeakLimiter", channels[0], channels[-1], rate, settings)
    return np.stack([result.left, result.right], axis=1).astype(np.float64)[:, : audio.shape[1]]


LIMITERS = {"matchering": _matchering, "pedalboard": _pedalboard, "libsonare": _libsonare}

if __name__ == "__main__":
    main()
