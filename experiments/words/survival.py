"""What is left of a word behind a compressor and a limiter."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from experiments.words.sounds import (
    RATE,
    Row,
    audible_bands,
    correlation,
    lufs_of,
    projection,
    samples_of,
    spectrum_of,
    with_minus,
)
from neural_mastering.controls import ChainControls, save_controls
from neural_mastering.rendering import Options, master
from neural_mastering.words import word_table
from neural_mastering.words.shape import Float64s

TARGETS_LUFS = (-14.0, -9.0)
COMPRESSOR = {
    **{"threshold_db": -5.0, "ratio": 2.0, "attack_ms": 10.0, "release_ms": 150.0, "knee_db": 6.0},
    **{"makeup_db": 0.0, "mix": 1.0, "sidechain_hz": 0.0, "link_max": 0.0},
}
"""In front of the limiter in the study of survival: about 3 to 6 dB of reduction in loud moments."""


def survival(pieces: dict[str, Float64s]) -> list[Row]:
    """The difference that a word at strength 1 makes to the finished master, behind compressor and limiter."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, audio in pieces.items():
            lufs, source, chain = lufs_of(audio), folder / "song.wav", folder / "chain.yaml"
            soundfile.write(source, audio.T, RATE, subtype="FLOAT")
            stage = {**COMPRESSOR, "input_lufs": lufs}
            save_controls(ChainControls(stages={"compressor": stage}), chain)
            for target in TARGETS_LUFS:

                def mastered(words: dict[str, float], chain: Path = chain, target: float = target) -> Row:
                    options = Options(
                        target=f"{target:g}",
                        controls=chain,
                        words=words,
                        max_reduction_db=24.0,
                        overwrite=True,
                    )
                    result = master(folder / "song.wav", folder / "master.wav", options)
                    return {
                        "lufs": result.result.lufs,
                        "limiter_db": float(result.delivery.reduction_db.max()),
                    }

                mastered({})
                plain = spectrum_of(samples_of(folder / "master.wav"))
                used = audible_bands(plain)
                for word in word_table().words.values():
                    reached = mastered({word.name: 1.0})
                    styled = spectrum_of(samples_of(folder / "master.wav"))
                    change = 10.0 * np.log10((styled + 1e-15) / (plain + 1e-15))
                    rows.append(
                        {
                            "study": "survival",
                            "sound": name,
                            "word": word.name,
                            "target_lufs": target,
                            "correlation": correlation(change, word.shape_db, used),
                            "projection": projection(change, word.shape_db, used),
                            **reached,
                        }
                    )
    return rows


def survival_table(rows: Sequence[Row]) -> list[str]:
    """Mean and worst over songs."""
    lines = ["", "## Survival through compressor and limiter, strength 1", ""]
    lines.append(
        "| target | reached, LUFS | limiter at most, dB | correlation with the shape: mean (worst) | projection: "
        "mean (least) |"
    )
    lines.append("|---|--:|--:|--:|--:|")
    for target in TARGETS_LUFS:
        own = [row for row in rows if row["target_lufs"] == target]
        lufs, most, kept, size = (
            np.array([float(row[key]) for row in own])
            for key in ("lufs", "limiter_db", "correlation", "projection")
        )
        row = (
            f"| {target:g} LUFS | {lufs.min():.1f} to {lufs.max():.1f} | {np.median(most):.1f} (median), "
            f"{most.max():.1f} | {kept.mean():.3f} ({kept.min():.3f}) | {size.mean():.2f} ({size.min():.2f}) |"
        )
        lines.append(with_minus(row))
    return lines
