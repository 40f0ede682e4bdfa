"""How well six bands follow each word's shape."""

import numpy as np

from experiments.words.sounds import RATE
from neural_mastering.controls import ChainControls
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.rendering.tone.from_words import apply_words
from neural_mastering.words import request, word_table
from neural_mastering.words.fit import fit_shape, judged


def fits() -> list[str]:
    """Six bands against each shape; −s against s; 0."""
    lines = ["", "## Fit", "", "| word | RMS error, dB | max error, dB | mirror, dB |", "|---|--:|--:|--:|"]
    for word in word_table().words.values():
        bands = fit_shape(word.shape_db)
        found = judged(bands, word.shape_db)
        mirror = 0.0
        for s in (0.25, 0.5, 1.0):
            up, down = (fit_shape(sign * s * word.shape_db).level_db(CENTRES_HZ, RATE) for sign in (1, -1))
            mirror = max(mirror, float(np.abs(up + down).max()))
        zero = controls_of(word.name, 0.0)
        assert zero is None, "strength 0 must ask for nothing"
        lines.append(f"| {word.name} | {found.rms_db:.3f} | {found.max_db:.3f} | {mirror:.1e} |")
    return lines


def controls_of(word: str, strength: float) -> ChainControls | None:
    """Controls of one word for a song with a flat spectrum; None where nothing is asked for."""
    asked = request({word: strength})
    return (
        None
        if asked.is_empty
        else apply_words(ChainControls(), asked, (CENTRES_HZ, 0.0 * CENTRES_HZ), -20.0)[0]
    )
